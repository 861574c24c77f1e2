import type {LogState} from '../state.ts';

/** How far down in a log the first line in view is, in per cent. */
export function percentOf({range: {from, at, to}}: Pick<LogState, 'range'>): string {
	return `${Math.floor((100 * (at - from)) / Math.max(1, to - from))}%`;
}
