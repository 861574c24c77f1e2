import {hasLfs, type Filter} from '../../core/git/filters.ts';
import type {Outcome} from '../../core/seams.ts';
import {baseMounts} from '../../host/borrowed.ts';
import type {ProjectGit} from '../../host/git.ts';
import {lfsMounts, lfsSeenAt} from '../../host/lfs.ts';
import {makeOwnGit} from '../../host/own-git.ts';
import type {RunPaths} from '../../host/paths.ts';
import type {Context} from '../context.ts';
import {jail} from '../sandbox/jail.ts';
import type {ShellTools} from '../sandbox/tools.ts';

/**
 * In the jail, as the run's own user: what git remembers of the files is then what a later look sees, and files that
 * nobody touched need not be read again.
 */
const fillScript = `
W=$1 commit=$2
export GIT_DIR=/run/fleet/git GIT_WORK_TREE="$W" GIT_INDEX_FILE=/run/fleet/scratch/index
export GIT_ALTERNATE_OBJECT_DIRECTORIES=$(ls -d /run/fleet/base/[0-9]* | tr '\\n' ':' | sed 's/:$//')
cd "$W" || exit 1
git read-tree -m -u "$commit"
`;

/** The git folder by which files are written: of the host's own making, and with no filter but those. */
export function makeFillGit(
	folder: string,
	{
		git,
		commonDir,
		admin,
		filters,
	}: ProjectGit & {
		/** The record of the worktree whose sparse patterns count. */ readonly admin: string;
		readonly filters: readonly Filter[] | undefined;
	},
): Promise<void> {
	return makeOwnGit(folder, {
		git,
		commonDir,
		seenAt: '/run/fleet/git',
		admin,
		passes: {filters, write: '/run/fleet/scratch/lfs', read: [lfsSeenAt]},
	});
}

/** Writes a commit's files into a folder, in the jail; an index of them goes to `index` in `scratch`. */
export async function writeFiles(
	context: Context,
	options: ProjectGit & {
		readonly runId: string;
		readonly places: RunPaths;
		readonly worktree: string;
		readonly scratch: string;
		readonly gitFolder: string;
		readonly commit: string;
		readonly filters?: readonly Filter[] | undefined;
		/** The toolchains that filters need. */ readonly tools?: ShellTools | undefined;
	},
): Promise<Outcome & {stderr: string}> {
	const {runId, places, git, commonDir, worktree, scratch, gitFolder, commit, filters, tools} = options;
	return jail(context, {
		runId,
		places,
		script: fillScript,
		argv: [worktree, commit],
		cwd: worktree,
		tools,
		mounts: [
			...baseMounts(commonDir),
			...(hasLfs(filters) ? await lfsMounts({git, commonDir}) : []),
			{source: gitFolder, target: '/run/fleet/git', mode: 'read'},
			{source: scratch, target: '/run/fleet/scratch', mode: 'write'},
			{source: worktree, target: worktree, mode: 'write'},
		],
	});
}
