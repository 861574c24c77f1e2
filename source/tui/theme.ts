import type {Stage} from '../core/run.ts';

/** Colours by meaning. Named ANSI colours only, so that a terminal's own palette decides. */
export const theme = {
	accent: 'cyan',
	good: 'green',
	bad: 'red',
	warn: 'yellow',
	quiet: 'gray',
} as const;

/** The colour of a stage. */
export function stageColour(stage: Stage): string | undefined {
	switch (stage) {
		case 'running':
		case 'starting':
		case 'verifying':
		case 'merging':
		case 'deploying': {
			return theme.accent;
		}

		case 'verified':
		case 'approved':
		case 'merged':
		case 'deployed': {
			return theme.good;
		}

		case 'failed':
		case 'crashed':
		case 'verify-failed':
		case 'deploy-failed':
		case 'rejected': {
			return theme.bad;
		}

		case 'frozen':
		case 'deploy-unknown': {
			return theme.warn;
		}

		case 'discarded': {
			return theme.quiet;
		}

		default: {
			return undefined;
		}
	}
}
