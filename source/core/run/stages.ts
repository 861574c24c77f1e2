/** Where a run is on its way. Kept as one word, since people filter lists by it. */
export type Stage =
	| 'queued'
	| 'starting'
	| 'running'
	| 'frozen'
	| 'stopped'
	| 'failed'
	| 'crashed'
	| 'captured'
	| 'verifying'
	| 'verified'
	| 'verify-failed'
	| 'inconclusive'
	| 'approved'
	| 'rejected'
	| 'merging'
	| 'merged'
	| 'deploying'
	| 'deployed'
	| 'deploy-failed'
	| 'deploy-unknown'
	| 'discarded';

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
