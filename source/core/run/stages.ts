/** Where a run is on its way. Kept as one word, since people filter lists by it. */
export const stages = [
	'queued',
	'starting',
	'running',
	'frozen',
	'stopped',
	'failed',
	'crashed',
	'checking',
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
	captured: 'not verified',
	'verify-failed': 'verify failed',
	'deploy-failed': 'deploy failed',
	'deploy-unknown': 'deploy unknown',
};

/** A stage as a person reads it. The word of the journal and of JSON is the stage itself. */
export function stageName(stage: Stage): string {
	return stageNames[stage] ?? stage;
}

/**
 * A process of fleet's works on the run, or waits for its turn to: a supervisor, or a gate's own. Where there is none
 * although the stage says so, it died. Nobody else changes the run meanwhile.
 */
const withWorker = [
	'queued',
	'starting',
	'running',
	'frozen',
	'checking',
	'verifying',
	'merging',
	'deploying',
] as const;
export type WorkerStage = (typeof withWorker)[number];

/** Something is being done right now, by an agent or by a gate: what the screen counts as work. */
const atWork = ['starting', 'running', 'checking', 'verifying', 'merging', 'deploying'] as const;

/** The supervisor has begun with the agent: the run takes one of the places there are, and ends by a stop. */
const withAgent = ['starting', 'running', 'frozen'] as const;

/** The agent's processes are there, and the journal names its supervisor's, which answers on the run's socket. */
const supervised = ['running', 'frozen'] as const;

/** What a person can stop from the screen: setup, before an agent starts, may take its time. */
const stoppable = ['queued', 'starting', 'running', 'frozen', 'checking', 'verifying'] as const;

/**
 * No supervisor can be alive: a gate's own process owns the run, or nobody will again. In every other stage one may be,
 * since it starts another attempt of a run that has ended, and checks the work of one that ended well.
 */
const withoutSupervisor = [
	'merging',
	'merged',
	'deploying',
	'deployed',
	'deploy-failed',
	'deploy-unknown',
	'discarded',
] as const;

function isIn<Some extends Stage>(some: readonly Some[], stage: Stage): stage is Some {
	return (some as readonly Stage[]).includes(stage);
}

/** fleet itself may have begun what is going on: no person asked for it. */
export const isCheckedByItself = (stage: Stage): boolean => stage === 'checking' || stage === 'verifying';
export const hasWorker = (stage: Stage): stage is WorkerStage => isIn(withWorker, stage);
export const isAtWork = (stage: Stage): boolean => isIn(atWork, stage);
export const hasAgent = (stage: Stage): boolean => isIn(withAgent, stage);
export const isSupervised = (stage: Stage): boolean => isIn(supervised, stage);
export const isStoppable = (stage: Stage): boolean => isIn(stoppable, stage);
export const mayHaveSupervisor = (stage: Stage): boolean => !isIn(withoutSupervisor, stage);
