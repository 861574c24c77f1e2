/** Where a run is on its way. Kept as one word, since people filter lists by it. */
export const stages = [
	'queued',
	'starting',
	'running',
	'frozen',
	'stopped',
	'failed',
	'crashed',
	'captured',
	'verifying',
	'verified',
	'verify-failed',
	'inconclusive',
	'approved',
	'rejected',
	'merging',
	'merged',
	'deploying',
	'deployed',
	'deploy-failed',
	'deploy-unknown',
	'discarded',
] as const;
export type Stage = (typeof stages)[number];

/** What a stage is called where that is not its own word. */
const stageNames: Partial<Record<Stage, string>> = {
	frozen: 'paused',
	captured: 'snapshot',
	'verify-failed': 'verify failed',
	'deploy-failed': 'deploy failed',
	'deploy-unknown': 'deploy unknown',
};

/** A stage as a person reads it. The word of the journal and of JSON is the stage itself. */
export function stageName(stage: Stage): string {
	return stageNames[stage] ?? stage;
}

/** Stages in which a supervisor, or a gate's own process, must be alive. */
export const liveStages: ReadonlySet<Stage> = new Set<Stage>([
	'queued',
	'starting',
	'running',
	'frozen',
	'verifying',
	'merging',
	'deploying',
]);

/** Whether somebody is at work on it now: an agent that is not frozen, or a gate. */
export function isAtWork(run: {readonly stage: Stage}): boolean {
	return liveStages.has(run.stage) && run.stage !== 'queued' && run.stage !== 'frozen';
}

/**
 * Whether a supervisor may be alive: it owns the run while its agent is at work or waits for its turn, and before that
 * while it starts another attempt of a run that has ended. A gate's own process owns the others, or nobody does.
 */
export function mayHaveSupervisor(stage: Stage): boolean {
	return !noSupervisor.has(stage);
}

const noSupervisor: ReadonlySet<Stage> = new Set<Stage>([
	'verifying',
	'merging',
	'merged',
	'deploying',
	'deployed',
	'deploy-failed',
	'deploy-unknown',
	'discarded',
]);
