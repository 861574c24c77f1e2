import type {Run} from '../core/run/run.ts';
import {hasWorker, isStoppable} from '../core/run/stages.ts';
import {selectedRun, type State} from './state.ts';

/* Which runs a key, a question or a comparison is about. */

/** The runs that an action is for: those that are selected in the list with space, else the one under the cursor. */
export function targets(state: State): readonly Run[] {
	// Asked for each key of the footer: without marks nobody looks through all runs.
	const isMarked = state.screen === 'fleet' && state.list.marked.length > 0;
	const marked = isMarked ? state.runs.filter(run => state.list.marked.includes(run.id)) : [];
	if (marked.length > 0) {
		return marked;
	}

	const run = selectedRun(state);
	return run ? [run] : [];
}

export const canStop = (run: Run) => isStoppable(run.stage);
/** One that is queued is stopped first. */
export const isDiscardable = (run: Run) =>
	run.stage === 'queued' || (!hasWorker(run.stage) && run.stage !== 'discarded');

/** The runs that `=` compares: those that are selected with space, else all variants of the one under the cursor. */
export function comparable(state: State): readonly Run[] {
	const marked = state.runs.filter(run => state.list.marked.includes(run.id));
	if (marked.length > 0) {
		return marked;
	}

	const run = selectedRun(state);
	return run?.batch === undefined ? [] : state.runs.filter(other => other.batch === run.batch);
}

/** What a roll back deploys: the last earlier run of the project whose deploy to the same target succeeded. */
export function lastGood(state: State): {readonly run: Run; readonly target: string} | undefined {
	const run = selectedRun(state);
	const last = run?.deployments.at(-1);
	const earlier =
		last &&
		state.runs
			.flatMap(other =>
				other.project.id === run!.project.id && other.id !== run!.id
					? other.deployments
							.filter(one => one.target === last.target && one.outcome === 'succeeded' && one.at < last.at)
							.map(one => ({run: other, at: one.at}))
					: [],
			)
			.sort((a, b) => (a.at < b.at ? 1 : -1))[0];
	return earlier && {run: earlier.run, target: last.target};
}
