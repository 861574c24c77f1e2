import {publishedNeed} from '../publish/next.ts';
import {heldTask, planText} from '../tasks/plan.ts';
import {noText, requestText, standingNo} from '../deploy/request.ts';
import type {Run} from './run.ts';
import {stageName} from './stages.ts';

/** What a run waits for a person to do, and since when. */
export type Need = {
	readonly kind: 'alarm' | 'waiting' | 'denied' | 'gate' | 'trouble';
	/** What happened, or what to do; empty where the stage says all. */
	readonly because: string;
	readonly since: string;
};

/** What a plan needs of a person, once its agent has ended: no reason for nothing; undefined for any other run. */
function planNeed({
	plan,
	stage,
	exit,
}: Run): {readonly kind: 'gate' | 'trouble'; readonly because: string | undefined} | undefined {
	if (!plan || !['stopped', 'captured'].includes(stage)) {
		return undefined;
	}

	if (plan.problem !== undefined) {
		return {kind: 'trouble', because: planText(plan)};
	}

	if (plan.accepted) {
		const held = heldTask(plan);
		return {kind: 'trouble', because: held && `${held.id} ${held.because}`};
	}

	return plan.tasks.length > 0 || exit?.code === 0 ? {kind: 'gate', because: 'look at its plan'} : undefined;
}

/** A deploy that waits for a person, of a run that nothing else is done with meanwhile; undefined for none. */
export function waitingDeploy({deployRequest, deployAnswers, stage}: Run): string | undefined {
	if (!deployRequest || !['merged', 'deployed', 'deploy-failed', 'deploy-unknown'].includes(stage)) {
		return undefined;
	}

	const {target} = deployRequest;
	const no = standingNo(deployAnswers, target);
	return `${target} ${no ? noText(no) : requestText(deployRequest)}`;
}

/** What a person is needed for; undefined where the run does not wait. */
export function needOf(run: Run): Need | undefined {
	const [alarm] = run.alarms;
	if (alarm && run.stage !== 'discarded') {
		return {kind: 'alarm', because: `ALARM: ${alarm.because}, ${alarm.target}`, since: alarm.since};
	}

	// Show the newer of the two: the agent's question or the denial.
	const waits =
		run.stage === 'running' && (run.status?.state === 'waiting' || run.status?.state === 'failed')
			? run.status
			: undefined;
	const [denial] = run.denials;
	if (waits && !(denial && denial.at > waits.at)) {
		return {kind: 'waiting', because: waits.because, since: waits.since};
	}

	if (denial && (run.stage === 'running' || run.stage === 'starting')) {
		return {kind: 'denied', because: `blocked ${denial.target}`, since: denial.since};
	}

	const {since} = run;
	const planned = planNeed(run) ?? publishedNeed(run);
	if (planned) {
		return planned.because === undefined ? undefined : {kind: planned.kind, because: planned.because, since};
	}

	const deploy = waitingDeploy(run);
	if (deploy !== undefined) {
		return {kind: 'gate', because: deploy, since: run.deployRequest!.at};
	}

	switch (run.stage) {
		case 'queued': {
			return run.stuck
				? {kind: 'trouble', because: `${run.because}; resume ${run.after}, or stop this one`, since}
				: undefined;
		}

		case 'frozen': {
			return {kind: 'waiting', because: 'continue or stop', since};
		}

		case 'stopped': {
			return hasFailed(run)
				? {kind: 'trouble', because: `failed; ${run.hits.at(-1)?.because ?? 'see the log'}, resume or discard`, since}
				: {kind: 'gate', because: 'verify', since};
		}

		case 'captured': {
			const nothing = run.captured?.commits === 0 && run.captured.files === 0;
			if (nothing) {
				return {kind: 'gate', because: 'no changes: follow up or discard', since};
			}

			return {kind: 'gate', because: run.conflicts ? 'rebase' : 'verify', since};
		}

		case 'verified': {
			return {kind: 'gate', because: 'review', since};
		}

		case 'approved': {
			return {kind: 'gate', because: 'merge', since};
		}

		case 'failed':
		case 'crashed':
		case 'verify-failed':
		case 'inconclusive':
		case 'deploy-failed':
		case 'deploy-unknown': {
			return {kind: 'trouble', because: '', since};
		}

		default: {
			return undefined;
		}
	}
}

/** Whether its agent ended with a failure, and not because a person stopped it. */
export function hasFailed(run: Run): boolean {
	return run.stage === 'stopped' && run.exit !== undefined && (run.exit.signal !== null || (run.exit.code ?? 0) !== 0);
}

/** Where a run is, and why, in one phrase: `finished`, `failed: exit 1`, `paused by ada`. */
export function stageText(run: Run): string {
	const {stage, because, phrase, exit} = run;
	if (phrase !== undefined) {
		return phrase;
	}

	if (stage === 'stopped' && exit?.code === 0) {
		return because;
	}

	const name = hasFailed(run) ? 'failed' : stageName(stage);
	// A reason may begin with the word itself, as in "stopped by ada".
	return because === '' || because.startsWith(`${name} `) ? because || name : `${name}: ${because}`;
}

/** What a run waits for a person to do, in words; undefined where it does not wait. */
export function attentionOf(run: Run): string | undefined {
	const need = needOf(run);
	if (!need || need.kind === 'alarm' || need.kind === 'denied') {
		return need?.because;
	}

	return need.because === '' ? 'needs you' : `needs you: ${need.because}`;
}
