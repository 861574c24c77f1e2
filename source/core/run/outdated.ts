import type {Run} from './run.ts';

/*
 * What another run's merge makes of a result that was verified before it. The gates ask git; this is for whoever looks at
 * many runs at once, and knows of merges that were made by fleet alone.
 */

/** The last merge into each target, by `mergeKey`. */
export type Merges = ReadonlyMap<string, {readonly at: string; readonly commit: string}>;

const mergeKey = ({project, target}: Pick<Run, 'project' | 'target'>) => `${project.id} ${target}`;

export function lastMerges(runs: readonly Run[]): Merges {
	const last = new Map<string, {at: string; commit: string}>();
	for (const run of runs) {
		const {at, commit} = run.merge ?? {};
		if (at === undefined || commit === undefined) {
			continue;
		}

		const key = mergeKey(run);
		const known = last.get(key);
		if (!(known && known.at > at)) {
			last.set(key, {at, commit});
		}
	}

	return last;
}

/** Other results that its merge would make outdated: verified, or approved, for the same target, and still good. */
export function outdatedBy(run: Run, runs: readonly Run[]): readonly Run[] {
	const merges = lastMerges(runs);
	return runs.filter(
		other =>
			other.id !== run.id &&
			mergeKey(other) === mergeKey(run) &&
			(other.stage === 'verified' || other.stage === 'approved') &&
			!isOutdated(other, merges),
	);
}

/** Whether its target moved since it was verified, so that it has to be verified again. */
export function isOutdated(run: Run, merges: Merges): boolean {
	const {verification, stage} = run;
	if (verification === undefined || (stage !== 'verified' && stage !== 'approved')) {
		return false;
	}

	const last = merges.get(mergeKey(run));
	return last !== undefined && last.at > verification.at && last.commit !== verification.base;
}
