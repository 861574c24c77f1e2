import {branchName} from '../core/git/refs.ts';
import type {Run} from '../core/run/run.ts';
import type {State} from './state.ts';

/** Whether its target says what verifies a result; undefined where that is not known. */
export function hasVerifyCommand(run: Run, {offers}: Pick<State, 'offers'>): boolean | undefined {
	const offer = offers[run.project.id];
	// What is offered is the policy of the branch that is checked out; the run's target may be another.
	return offer && branchName(run.target) === offer.branches[0] ? offer.verify.length > 0 : undefined;
}
