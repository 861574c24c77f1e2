import type {Run} from '../core/run/run.ts';
import {rides, trainOrder} from '../core/run/train.ts';
import {selectedRun, type State} from './state.ts';

/** The runs of the selected run's project that could be merged at once, in their order; those of one target together. */
export function readyRuns(state: State): readonly Run[] {
	const project = selectedRun(state)?.project.id;
	const runs = state.runs.filter(run => run.project.id === project && rides(run));
	const targets = [...new Set(runs.map(run => run.target))].sort();
	return targets.flatMap(target => trainOrder(runs.filter(run => run.target === target)));
}
