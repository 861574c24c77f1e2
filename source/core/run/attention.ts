import type {Run} from './run.ts';
import {formatDuration} from '../text/time.ts';

/** What a run waits for a person to do, and since when. */
export type Need = {
	readonly kind: 'alarm' | 'waiting' | 'denied' | 'gate' | 'trouble';
	readonly because: string;
	readonly since: string;
};

/** What a person is needed for; undefined where the run does not wait. */
export function needOf(run: Run): Need | undefined {
	const [alarm] = run.alarms;
	if (alarm && run.stage !== 'discarded') {
		return {kind: 'alarm', because: `ALARM: ${alarm.because}, ${alarm.target}`, since: alarm.since};
	}

	// What came last is what a person is waited for now.
	const waits =
		run.stage === 'running' && (run.status?.state === 'waiting' || run.status?.state === 'failed')
			? run.status
			: undefined;
	const [denial] = run.denials;
	if (waits && !(denial && denial.at > waits.at)) {
		return {kind: 'waiting', because: `needs you: ${waits.because}`, since: waits.since};
	}

	if (denial && (run.stage === 'running' || run.stage === 'starting')) {
		return {kind: 'denied', because: `denied ${denial.target}`, since: denial.since};
	}

	const {since} = run;
	switch (run.stage) {
		case 'queued': {
			return run.stuck
				? {kind: 'trouble', because: `needs you: ${run.because}; resume ${run.after}, or stop this one`, since}
				: undefined;
		}

		case 'frozen': {
			return {kind: 'waiting', because: 'needs you: thaw or stop', since};
		}

		case 'stopped': {
			return hasFailed(run)
				? {kind: 'trouble', because: 'needs you: it failed; look at its output, and resume or discard it', since}
				: {kind: 'gate', because: 'needs you: verify', since};
		}

		case 'captured': {
			const nothing = run.captured?.commits === 0 && run.captured.files === 0;
			if (nothing) {
				return {kind: 'gate', because: 'needs you: tell it more, or discard it', since};
			}

			return {kind: 'gate', because: run.conflicts ? 'needs you: rebase' : 'needs you: verify', since};
		}

		case 'verified': {
			return {kind: 'gate', because: 'needs you: review', since};
		}

		case 'approved': {
			return {kind: 'gate', because: 'needs you: merge', since};
		}

		case 'failed':
		case 'crashed':
		case 'verify-failed':
		case 'inconclusive':
		case 'deploy-failed':
		case 'deploy-unknown': {
			return {kind: 'trouble', because: 'needs you', since};
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

/** A run's stage with its reason, the same word not twice. */
export function stageText({stage, because}: Pick<Run, 'stage' | 'because'>): string {
	return because.startsWith(`${stage} `) ? because : `${stage}: ${because}`;
}

/** What a run waits for a person to do, in words; undefined where it does not wait. */
export function attentionOf(run: Run): string | undefined {
	return needOf(run)?.because;
}

/**
 * A run's status in one line: the stage, always with its reason, and how long a person has been waited for.
 * @param now milliseconds since the epoch
 */
export function statusOf(run: Run, now: number): string {
	const need = needOf(run);
	const stage = stageText(run);
	const waited = need ? ` · ${formatDuration(now - Date.parse(need.since))}` : '';
	switch (need?.kind) {
		case 'alarm': {
			return `${need.because}${waited} (A takes it off)`;
		}

		case 'denied': {
			return `${run.stage}: ${need.because}${waited} (g grants it)`;
		}

		case 'waiting': {
			return run.stage === 'frozen'
				? `${stage}${waited} (u thaws, ! ends it)`
				: `${run.stage}: ${need.because}${waited}`;
		}

		case undefined: {
			return run.stage === 'running' && run.status ? `${run.stage}: ${run.status.because}` : stage;
		}

		default: {
			return run.stage === 'queued'
				? `${stage}${waited} (r there resumes it, x here ends the wait)`
				: `${stage}${waited}`;
		}
	}
}
