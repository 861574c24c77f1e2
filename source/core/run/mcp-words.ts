import {formatBytes} from '../text/bytes.ts';
import type {EventOf, McpOutcome} from './event.ts';

/* What became of calls to servers outside, in words. */

export const outcomeWords: Readonly<Record<McpOutcome, string>> = {
	answered: 'answered',
	failed: 'failed',
	refused: 'refused',
	late: 'no answer in time',
	'too-large': 'the answer was too large',
	cut: 'cut off',
};

/** A call in one line: which tool of which server, how it went, how much was said. No argument and no content. */
export function callText({server, tool, outcome, because, sent, received, ms}: EventOf<'mcp.called'>): string {
	const why = because === undefined ? '' : `: ${because}`;
	return `${tool} of mcp:${server}, ${outcomeWords[outcome]} in ${ms} ms, ${formatBytes(sent)} out, ${formatBytes(received)} in${why}`;
}
