import type {Run} from './run.ts';

/** What a run waits for a person to do; undefined where it does not wait. */
export function attentionOf(run: Run): string | undefined {
	const [alarm] = run.alarms;
	if (alarm && run.stage !== 'discarded') {
		return `ALARM: ${alarm.because}, ${alarm.target}`;
	}

	// What came last is what a person is waited for now.
	const waits = run.stage === 'running' && (run.status?.state === 'waiting' || run.status?.state === 'failed') ? run.status : undefined;
	const [denial] = run.denials;
	if (waits && !(denial && denial.at > waits.at)) {
		return `needs you: ${waits.because}`;
	}

	if (denial && (run.stage === 'running' || run.stage === 'starting')) {
		return `denied ${denial.target}`;
	}

	switch (run.stage) {
		case 'frozen': {
			return 'needs you: thaw or stop';
		}

		case 'stopped':
		case 'captured': {
			return 'needs you: verify';
		}

		case 'verified': {
			return 'needs you: review';
		}

		case 'approved': {
			return 'needs you: merge';
		}

		case 'failed':
		case 'crashed':
		case 'verify-failed':
		case 'deploy-failed':
		case 'deploy-unknown': {
			return 'needs you';
		}

		default: {
			return undefined;
		}
	}
}
