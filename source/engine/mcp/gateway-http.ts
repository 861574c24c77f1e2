import type {IncomingMessage, ServerResponse} from 'node:http';
import type {JsonObject} from '../../core/mcp/message.ts';
import {versions, withoutControlsIn} from '../../core/mcp/protocol.ts';
import {proxyPort} from '../../core/plan.ts';

/* What the gateway reads of a request's headers and body, and how it writes events. */

/** Bytes of one message of an agent. */
const maxRequestBytes = 4 * 1024 ** 2;

export const eventText = (text: string) => `event: message\ndata: ${text}\n\n`;

export function streamHeaders(session: string): Record<string, string> {
	return {'content-type': 'text/event-stream', 'cache-control': 'no-store', 'mcp-session-id': session};
}

/** Progress as the agent asked for it: by its own token, and with nothing else of the server's but these. */
export function progressOf(token: string | number, told: JsonObject): JsonObject {
	const {progress, total, message} = told;
	return withoutControlsIn({
		progressToken: token,
		progress: typeof progress === 'number' ? progress : 0,
		...(typeof total === 'number' ? {total} : {}),
		...(typeof message === 'string' ? {message: message.slice(0, 1000)} : {}),
	});
}

export function accepts({headers}: IncomingMessage, type: string): boolean {
	const accept = headers.accept ?? '*/*';
	return accept.includes(type) || accept.includes('*/*') || accept.includes(`${type.split('/')[0]}/*`);
}

/** What a request's headers must not say; undefined where all is well. */
export function headerFault({headers, method}: IncomingMessage): {status: number; because: string} | undefined {
	const hosts = [`127.0.0.1:${proxyPort}`, `localhost:${proxyPort}`, `[::1]:${proxyPort}`];
	if (!hosts.includes(headers.host ?? '')) {
		return {status: 421, because: 'the request is for another host'};
	}

	// A page in a browser of the run's would be a way for whoever wrote the page.
	if (headers.origin !== undefined) {
		return {status: 403, because: 'pages are not served'};
	}

	const spoken = headers['mcp-protocol-version'];
	if (spoken !== undefined && !versions.some(version => version === spoken)) {
		return {status: 400, because: 'this version of the protocol is not spoken'};
	}

	return method === 'POST' && !/^application\/json\s*(?:;|$)/i.test(headers['content-type'] ?? '')
		? {status: 415, because: 'a message is application/json'}
		: undefined;
}

/** A request's body; undefined where it is too large. */
export async function bodyOf(request: IncomingMessage, response: ServerResponse): Promise<string | undefined> {
	if (Number(request.headers['content-length'] ?? 0) > maxRequestBytes) {
		return undefined;
	}

	if (request.headers.expect !== undefined) {
		response.writeContinue();
	}

	const pieces: Buffer[] = [];
	let size = 0;
	for await (const piece of request as AsyncIterable<Buffer>) {
		size += piece.length;
		if (size > maxRequestBytes) {
			return undefined;
		}

		pieces.push(piece);
	}

	return Buffer.concat(pieces).toString('utf8');
}
