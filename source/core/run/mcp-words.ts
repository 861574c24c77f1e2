import {formatBytes} from '../text/bytes.ts';
import {formatDuration} from '../text/time.ts';
import type {EventOf, McpOutcome} from './event.ts';

/* What became of calls to servers outside, in words. */

const outcomeWords: Readonly<Record<McpOutcome, string>> = {
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

/** The same among what happened lately: calls of one tool that came to the same are one line of a day. */
export function toldCall({server, tool, outcome, because, ms}: EventOf<'mcp.called'>) {
	const why = because === undefined ? '' : `: ${because}`;
	const took = ms >= 1000 ? `, in ${formatDuration(ms)}` : '';
	return outcome === 'answered'
		? {text: `called ${tool} of mcp:${server}${took}`, same: `called ${server} ${tool}`}
		: {
				text: `call of ${tool} of mcp:${server}: ${outcomeWords[outcome]}${why}`,
				tone: 'warn' as const,
				same: `called ${server} ${tool} ${outcome}`,
			};
}
