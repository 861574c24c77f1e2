import type {Run} from './run.ts';
import {hasAgent, isCheckedByItself, stageName} from './stages.ts';

/** How many runs may be at work at once; undefined for no limit. */
export type RunLimits = {readonly running: number | undefined; readonly perProject: number | undefined};

/** Whether a run has come to a good end: merged or on its way there, or its agent ended with 0. */
export function endedWell(run: Run): boolean {
	return (
		run.merge !== undefined ||
		['captured', 'verified', 'approved'].includes(run.stage) ||
		(run.stage === 'stopped' && run.exit?.code === 0)
	);
}

/** Whether a run will not end well unless a person does something about it. */
function isOver(run: Run | undefined): boolean {
	return (
		run === undefined ||
		['stopped', 'failed', 'crashed', 'verify-failed', 'inconclusive', 'rejected', 'discarded'].includes(run.stage)
	);
}

/**
 * Whether a run waits for another one that will not end well by itself.
 * @param before the run that it waits for; undefined where it is gone
 */
export function waitsForEver(run: Run, before: Run | undefined): boolean {
	return run.after !== undefined && !(before && endedWell(before)) && (isOver(before) || before!.stuck);
}

/**
 * Why a run has to wait; undefined when it is its turn. Pure. First come, first served, among those that can start.
 * @param runs.others those that are alive, without it
 * @param runs.before the one that it waits for; undefined where there is none
 */
export function waitsFor(
	run: Run,
	{others, before}: {readonly others: readonly Run[]; readonly before: Run | undefined},
	limits: RunLimits,
): string | undefined {
	if (run.after !== undefined && !(before && endedWell(before))) {
		return before
			? `waits for ${run.after}, which is ${stageName(before.stage)}`
			: `waits for ${run.after}, which is gone`;
	}

	// Who waits for another run does not hold up the queue.
	const earlier = others.filter(
		other => other.stage === 'queued' && other.after === undefined && other.createdAt < run.createdAt,
	);
	// What is checked keeps its place: checks are work as well, and what they find goes back to the agent.
	const takesPlace = ({stage}: Run) => hasAgent(stage) || isCheckedByItself(stage);
	const full = (limit: number | undefined, of: (other: Run) => boolean) =>
		limit !== undefined &&
		others.filter(other => of(other) && takesPlace(other)).length + earlier.filter(other => of(other)).length >= limit;
	const same = (other: Run) => other.project.id === run.project.id;
	if (full(limits.running, () => true)) {
		return `run limit reached: ${limits.running} at once`;
	}

	return full(limits.perProject, same)
		? `run limit of ${run.project.id} reached: ${limits.perProject} at once`
		: undefined;
}
