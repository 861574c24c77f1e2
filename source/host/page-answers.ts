import type {ServerResponse} from 'node:http';
import process from 'node:process';
import type {Duplex} from 'node:stream';

// An import would load a whole client for the web: see http-forwarding.ts.
const http = process.getBuiltinModule('node:http');

/** What may be done besides: `link`: the same address, asked for by this page; `again`: it is asked for by itself. */
type Next = 'link' | 'again' | undefined;

/** How long a refused connection may stay until its other end closes it, milliseconds. */
const closeMs = 500;

/**
 * A short page of fleet's own, for who gets nothing of the run's.
 * @param because in fleet's words: nothing that came from outside
 */
function pageText(because: string, next: Next): string {
	const more = {
		link:
			'<p>If you came here by a link of a page that is open already: <a href="">go on</a>.</p>' +
			'<p>Otherwise <code>fleet open RUN PORT</code> prints an address that lets your browser in.</p>',
		again: '<p>This page tries again by itself.</p>',
	};
	return (
		'<!doctype html><html lang="en"><meta charset="utf-8"><title>fleet</title>' +
		(next === 'again' ? '<meta http-equiv="refresh" content="2">' : '') +
		`<p>fleet: ${because}</p>${next ? more[next] : ''}</html>\n`
	);
}

/** Answers with a short page of fleet's own. */
export function say(
	response: ServerResponse,
	{status, because, next}: {readonly status: number; readonly because: string; readonly next?: Next},
): void {
	if (response.headersSent || response.destroyed) {
		response.destroy();
		return;
	}

	const body = Buffer.from(pageText(because, next));
	response.writeHead(status, {
		'content-type': 'text/html; charset=utf-8',
		'content-length': body.length,
		'cache-control': 'no-store',
		'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
		'referrer-policy': 'no-referrer',
		connection: 'close',
	});
	response.end(response.req.method === 'HEAD' ? undefined : body);
}

/** The same for what would become a websocket. */
export function refuse(socket: Duplex, {status, because}: {readonly status: number; readonly because: string}): void {
	if (socket.writable) {
		const text = `fleet: ${because}\n`;
		socket.end(
			`HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? 'Refused'}\r\nConnection: close\r\n` +
				`Content-Type: text/plain\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
		);
		// Whoever does not close it in turn holds nothing.
		socket.resume();
		setTimeout(() => socket.destroy(), closeMs).unref();
	}
}
