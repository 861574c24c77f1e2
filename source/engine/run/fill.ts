import {existsSync, rmSync} from 'node:fs';
import path from 'node:path';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import type {Project} from '../../core/project.ts';
import type {ProjectGit} from '../../host/git.ts';
import type {RunPaths} from '../../host/paths.ts';
import {adminName, copyIndex} from '../../host/worktree.ts';
import {commandsOf, type Filter} from '../../core/git/filters.ts';
import {giveToRun} from '../../host/run-owner.ts';
import type {Context} from '../context.ts';
import {makeScratch} from '../sandbox/jail.ts';
import {toolsOf} from '../sandbox/tools.ts';
import {clearSpare, takeSpare} from './spare.ts';
import {fillSubmodules} from './submodules.ts';
import {makeFillGit, writeFiles} from './write-files.ts';

/*
 * Files are written in the jail, by a git that knows no filter but those that the run was made with: for all others
 * they are written as they are stored.
 */

/** What a new worktree is filled with, and where it is. */
type Filling = ProjectGit & {
	readonly places: RunPaths;
	readonly commit: string;
	/** What its files pass. */ readonly filters?: readonly Filter[] | undefined;
	/** Where an index of what was written goes. */ readonly index: string;
	/** The project, whose worktree that was made ahead may be taken. */
	readonly project: Pick<Project, 'id' | 'root'>;
};

/**
 * Writes a commit's files into a new worktree.
 * @throws Refusal where the repository does not have all of it
 */
export async function fillWorktree(
	context: Context,
	runId: string,
	{git, commonDir, project, places, commit, index, filters}: Filling,
): Promise<void> {
	const folder = places.jailGit;
	await makeFillGit(folder, {git, commonDir, admin: adminName(places), filters});
	giveToRun(runId, folder);
	const scratch = makeScratch(runId, places);
	const {root} = project;
	try {
		const made = path.join(scratch, 'index');
		const {worktree} = places;
		const taken =
			filters === undefined &&
			(await takeSpare(context, {git}, {project: project.id, runId, commit, worktree, gitFolder: folder, index: made}));
		const writing = {
			runId,
			places,
			git,
			commonDir,
			worktree,
			scratch,
			gitFolder: folder,
			commit,
			filters,
			tools: commandsOf(filters).length > 0 ? await toolsOf(context, root) : undefined,
		};
		let outcome = await writeFiles(context, writing);
		if (taken && outcome.code !== 0) {
			// What was made ahead is not as it was: all files are written.
			clearSpare(worktree, made);
			outcome = await writeFiles(context, writing);
		}

		const {code, stderr, timedOut} = outcome;
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
