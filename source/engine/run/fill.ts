import {existsSync, rmSync} from 'node:fs';
import path from 'node:path';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import type {ProjectCheckout} from '../../host/git.ts';
import {makeOwnGit} from '../../host/own-git.ts';
import type {RunPaths} from '../../host/paths.ts';
import {adminName, copyIndex} from '../../host/worktree.ts';
import {commandsOf, hasLfs, type Filter} from '../../core/git/filters.ts';
import {baseMounts} from '../../host/borrowed.ts';
import {lfsMounts, lfsSeenAt} from '../../host/lfs.ts';
import {giveToRun} from '../../host/run-owner.ts';
import type {Context} from '../context.ts';
import {jail, makeScratch} from '../sandbox/jail.ts';
import {toolsOf} from '../sandbox/tools.ts';
import {fillSubmodules} from './submodules.ts';

/*
 * Files are written in the jail, by a git that knows no filter but those that the run was made with: for all others
 * they are written as they are stored.
 */

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

/** What a new worktree is filled with, and where it is. */
type Filling = ProjectCheckout & {
	readonly places: RunPaths;
	readonly commit: string;
	/** What its files pass. */ readonly filters?: readonly Filter[] | undefined;
	/** Where an index of what was written goes. */ readonly index: string;
};

/**
 * Writes a commit's files into a new worktree.
 * @throws Refusal where the repository does not have all of it
 */
export async function fillWorktree(
	context: Context,
	runId: string,
	{git, commonDir, root, places, commit, index, filters}: Filling,
): Promise<void> {
	const folder = places.jailGit;
	await makeOwnGit(folder, {
		git,
		commonDir,
		seenAt: '/run/fleet/git',
		admin: adminName(places),
		passes: {filters, write: '/run/fleet/scratch/lfs', read: [lfsSeenAt]},
	});
	giveToRun(runId, folder);
	const scratch = makeScratch(runId, places);
	try {
		const {code, stderr, timedOut} = await jail(context, {
			runId,
			places,
			script: fillScript,
			argv: [places.worktree, commit],
			cwd: places.worktree,
			tools: commandsOf(filters).length > 0 ? await toolsOf(context, root) : undefined,
			mounts: [
				...baseMounts(commonDir),
				...(hasLfs(filters) ? await lfsMounts({git, commonDir}) : []),
				{source: folder, target: '/run/fleet/git', mode: 'read'},
				{source: scratch, target: '/run/fleet/scratch', mode: 'write'},
				{source: places.worktree, target: places.worktree, mode: 'write'},
			],
		});
		const made = path.join(scratch, 'index');
		if (code !== 0 || !existsSync(made)) {
			const words =
				stderr
					.trim()
					.split('\n')
					.at(-1)
					?.replace(/^(?:fatal|error): /, '')
					.slice(0, 200) ?? '';
			if (
				/unable to read sha1 file|missing|bad object|unable to read|Could not read/i.test(stderr) &&
				(await git.run(['config', '--get-regexp', '^(?:extensions\\.partialclone|remote\\..*\\.promisor)$'])).code === 0
			) {
				throw new Refusal(
					`the repository is a partial clone and does not have all files of ${commit.slice(0, 10)}`,
					`git -C ${root} archive ${commit.slice(0, 10)} > /dev/null fetches them; then again`,
				);
			}

			const passed = commandsOf(filters).map(({name}) => JSON.stringify(name));
			if (passed.length > 0) {
				throw new Refusal(
					`the files could not be written through the filter ${passed.join(', ')}, ` +
						`in a sandbox without network: ${timedOut ? 'it took too long' : words}`,
					'fleet run --no-filters …: files are then as they are stored',
				);
			}

			throw gateRefusal(
				timedOut ? 'the files could not be written in time' : `the files could not be written: ${words}`,
				`git -C ${root} fsck`,
			);
		}

		copyIndex(made, index);
		const filled = await fillSubmodules({git, commonDir, root}, commit, places.worktree);
		giveToRun(runId, ...filled.map(place => path.join(places.worktree, place)));
	} finally {
		rmSync(scratch, {recursive: true, force: true});
		rmSync(folder, {recursive: true, force: true});
	}
}

/** Puts the index of the worktree as it was made where a jail finds it. */
export function lendIndex(from: string, folder: string): void {
	if (existsSync(from)) {
		copyIndex(from, path.join(folder, 'first-index'));
	}
}
