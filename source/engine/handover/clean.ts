import {readdirSync} from 'node:fs';
import path from 'node:path';
import {branchName} from '../../core/git/refs.ts';
import {gateRefusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import {glanceAt} from '../../core/run/glance.ts';
import {hasWorker, stageName} from '../../core/run/stages.ts';
import type {DiskView} from '../../protocol/client.ts';
import type {Git} from '../../host/git.ts';
import type {Journal} from '../../host/journal.ts';
import {removeFolder} from '../../host/remove-folder.ts';
import {runFileOf} from '../../host/run-files.ts';
import {readChanges} from './changes-file.ts';
import type {Context} from '../context.ts';
import {discard} from './discard.ts';
import {mergeTrees} from './facts.ts';
import {openRun} from '../project/projects.ts';
import {listRuns} from '../runs.ts';

/**
 * Whether everything that a run made is in its target: merged
 * as it is, squashed or picked by hand, it does not matter how.
 */
async function isInTarget(git: Git, run: Run): Promise<boolean> {
	if (run.merge) {
		return true;
	}

	const head = run.captured?.head;
	const target = await git.resolve(`${run.target}^{commit}`);
	const tree = await git.resolve(`${run.target}^{tree}`);
	if (head === undefined || target === undefined || head === run.base) {
		return false;
	}

	// Merging it once more changes nothing.
	const merged = await mergeTrees({git, commonDir: git.repository.gitDir}, target, head);
	return 'tree' in merged && merged.tree === tree;
}

/**
 * What becomes of a run's work where its folder goes. `unmerged`: it is kept, as refs of the project's, and in no branch
 * of a person's. `out-of-reach`: the project's repository cannot be read, so that nothing can be kept in it.
 */
export type Work = 'at-work' | 'discarded' | 'in-target' | 'none' | 'unmerged' | 'out-of-reach';

/** Looks what a run holds. */
export async function workOf(context: Context, run: Run): Promise<Work> {
	if (hasWorker(run.stage)) {
		return 'at-work';
	}

	if (run.stage === 'discarded') {
		return 'discarded';
	}

	try {
		const {git} = await openRun(context, run);
		if (await isInTarget(git, run)) {
			return 'in-target';
		}
	} catch {
		// A repository that is gone or damaged: why, every other verb on the run says.
		return 'out-of-reach';
	}

	const counted = readChanges(context.paths.run(run.id));
	const isEmpty = run.captured ? run.captured.commits === 0 && run.captured.files === 0 : counted?.files === 0;
	return isEmpty ? 'none' : 'unmerged';
}

type State = Pick<DiskView, 'what' | 'note' | 'safe'>;

async function stateOf(context: Context, run: Run): Promise<State> {
	const nothing = (note: string): State => ({what: 'nothing', note, safe: false});
	// In the words of the list.
	const standing = glanceAt(run, {changes: readChanges(context.paths.run(run.id))}).text;
	switch (await workOf(context, run)) {
		case 'at-work': {
			return nothing(`is ${stageName(run.stage)}`);
		}

		case 'discarded': {
			return {
				what: 'its output and its private copies; its journal and its work are kept',
				note: 'discarded: logs can be deleted',
				safe: true,
			};
		}

		case 'in-target': {
			return {
				what: 'its folder; its commits are kept',
				note:
					`${run.merge ? 'merged' : `its work is in ${branchName(run.target)} already`}: ` + 'worktree can be deleted',
				safe: true,
			};
		}

		case 'out-of-reach': {
			return nothing('its project cannot be read');
		}

		case 'none': {
			return nothing(
				`${standing}${standing.includes('no changes') ? '' : ', no changes'}: discarding deletes its worktree`,
			);
		}

		case 'unmerged': {
			return nothing(`${standing}: unmerged work (kept when discarded)`);
		}
	}
}

/** What every run takes of the disk, the largest first, and what of it can go. */
export async function diskOf(context: Context): Promise<DiskView[]> {
	const runs = listRuns(context);
	const bytes = new Map<string, number>();
	const folders = runs.flatMap(run => [context.paths.run(run.id).folder, context.paths.run(run.id).worktree]);
	let text = '';
	for (let at = 0; at < folders.length; at += 200) {
		// It counts and reads no content; links are not followed.
		await context.executor.run(
			{
				argv: ['du', '-sk', '--one-file-system', '--', ...folders.slice(at, at + 200)],
				cwd: '/',
				env: {PATH: process.env['PATH'] ?? '/usr/bin:/bin', LANG: 'C'},
			},
			{
				timeout: 120_000,
				onOutput(chunk, stream) {
					text += stream === 'stdout' ? Buffer.from(chunk).toString('utf8') : '';
				},
			},
		);
	}

	for (const line of text.split('\n')) {
		const [size, folder] = line.split('\t');
		if (folder !== undefined) {
			bytes.set(folder, Number(size) * 1024);
		}
	}

	const views: DiskView[] = [];
	for (const run of runs) {
		const places = context.paths.run(run.id);
		views.push({
			run: run.id,
			project: run.project.id,
			bytes: (bytes.get(places.folder) ?? 0) + (bytes.get(places.worktree) ?? 0),
			...(await stateOf(context, run)),
		});
	}

	return views.sort((a, b) => b.bytes - a.bytes);
}

/**
 * Takes away what a run that is over still takes of the disk. No work goes that is nowhere else.
 * @returns what was done, in words
 * @throws Refusal where it holds such work, or is at work
 */
export async function clean(context: Context, journal: Journal): Promise<string> {
	const {run} = journal;
	const state = await stateOf(context, run);
	if (!state.safe) {
		throw gateRefusal(
			`${run.id} ${state.note}`,
			hasWorker(run.stage) ? `fleet stop ${run.id}` : `fleet discard ${run.id}`,
		);
	}

	if (run.stage !== 'discarded') {
		await discard(context, journal, 'cleaned up');
		return `${run.id}: its folder is gone; fleet restore ${run.id} brings it back`;
	}

	const {folder} = context.paths.run(run.id);
	for (const name of readdirSync(folder).filter(name => runFileOf(name)?.removedBy !== 'nothing')) {
		removeFolder(path.join(folder, name));
	}

	return `${run.id}: its output and its private copies are gone; its journal and its work are kept`;
}
