import type {Facts} from './facts.ts';
import type {Approval, Run} from './run.ts';

/*
 * A train: runs of one project and one target that are verified together, as the merge of all of them, and merged in one
 * move. What it decides by itself is here; the engine asks git.
 */

/** What an approval holds for. */
export function boundBy(approval: Approval): Facts & {readonly verify: string} {
	return approval.carried ?? approval;
}

/** Whether a train takes it: verified or approved, or in the middle of a merge that did not end. */
export function rides(run: Run): boolean {
	return (
		run.merge === undefined &&
		(run.stage === 'verified' ||
			run.stage === 'approved' ||
			(run.stage === 'crashed' && run.merging !== undefined && run.approval !== undefined))
	);
}

type Key = {readonly run: Run; readonly rank: number; readonly at: string; readonly place: number};

/**
 * The order in which runs are merged: what is approved first, by when that was said, then what is verified. What was
 * verified together keeps its order, and a run comes after the one that it waited for.
 */
export function trainOrder(runs: readonly Run[]): Run[] {
	const whenOf = (run: Run) => run.approval?.at ?? run.verification?.at ?? run.createdAt;
	const keys = runs.map((run): Key => {
		const train = run.verification?.train?.id;
		const same = runs.filter(
			other =>
				other.id === run.id ||
				(train !== undefined &&
					other.verification?.train?.id === train &&
					(other.approval === undefined) === (run.approval === undefined)),
		);
		return {
			run,
			rank: run.approval ? 0 : 1,
			at: same.map(other => whenOf(other)).sort()[0]!,
			place: run.verification?.train?.place ?? 0,
		};
	});
	keys.sort(
		(a, b) => a.rank - b.rank || a.at.localeCompare(b.at) || a.place - b.place || (a.run.id < b.run.id ? -1 : 1),
	);
	const ordered: Run[] = [];
	const left = keys.map(({run}) => run);
	while (left.length > 0) {
		// Two that wait for each other cannot have been begun; the first goes all the same, so that this ends.
		const next = left.findIndex(run => !left.some(other => other.id === run.after));
		ordered.push(...left.splice(Math.max(next, 0), 1));
	}

	return ordered;
}
