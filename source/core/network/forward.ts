import {Refusal} from '../refusal.ts';

/*
 * How a request goes on to a server: read strictly, and written anew from what was
 * decided on. How it is framed, where it goes and whether its connection is used
 * again is ours alone to say; nothing that the client wrote decides it. Pure.
 */

/** Names as they were written, in order. */
export type HeaderPairs = ReadonlyArray<readonly [name: string, value: string]>;

/** A request as it was parsed, before anything was decided about it. */
export type ParsedRequest = {
	readonly method: string;
	readonly url: string;
	/** `1.1` */ readonly version: string;
	readonly headers: HeaderPairs;
};

/** What follows the headers: nothing, this many bytes, or chunks until the last one. */
export type RequestBody = 'none' | 'chunked' | number;

/**
 * How a request that can be read in one way goes on. `keep`: whether
 * its connection to the server may carry another one after it.
 */
export type RequestShape = {readonly body: RequestBody; readonly keep: boolean};

/** Headers between two ends of one connection. None of them goes on; what is needed of them is written anew. */
const hopByHop = new Set([
	'connection',
	'content-length',
	'expect',
	'host',
	'http2-settings',
	'keep-alive',
	'proxy-authenticate',
	'proxy-authentication-info',
	'proxy-authorization',
	'proxy-connection',
	'te',
	'trailer',
	'transfer-encoding',
	'upgrade',
]);

/** What a Connection header may list. Anything else would have a header taken out on the way that was decided on. */
const connectionOptions = new Set([
	'close',
	'keep-alive',
	'upgrade',
	'te',
	'trailer',
	'http2-settings',
	'proxy-connection',
	'proxy-authorization',
]);

/** Headers of which two would be read differently by different servers. */
const single = new Set([
	'content-encoding',
	'content-length',
	'content-range',
	'content-type',
	'expect',
	'host',
	'http2-settings',
	'origin',
	'proxy-authorization',
	'range',
	'sec-websocket-key',
	'sec-websocket-version',
	'te',
	'trailer',
	'transfer-encoding',
	'upgrade',
]);

/** Methods without a body: a server that does not expect one reads it as the next request. */
const bodiless = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT']);

/** Methods that every server expects a body of. */
const withBody = new Set(['POST', 'PUT', 'PATCH']);

/** More headers than any client sends, and few enough to compare each with each. */
const maxHeaders = 256;

/** Takes the pairs of a list of names and values. */
export function pairsOf(raw: readonly string[]): Array<readonly [name: string, value: string]> {
	return Array.from(
		{length: Math.floor(raw.length / 2)},
		(_, index) => [raw[index * 2]!, raw[index * 2 + 1]!] as const,
	);
}

/**
 * Whether a text can be the value of a header: no line end,
 * NUL or other control byte, and no character beyond one byte.
 */
export function fitsHeader(value: string): boolean {
	return /^[\t\u0020-\u007E\u0080-\u00FF]*$/.test(value);
}

/**
 * A header's name as a server may read it: in lower case, with a
 * hyphen for `_`, `.` and all else that is neither letter nor digit.
 */
export function readName(name: string): string {
	return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '-');
}

function printable(text: string): string {
	return text.replaceAll(/[^!-~]/g, '?').slice(0, 40);
}

const unclear = (because: string) =>
	new Refusal(because, 'send the request in the one form that every server reads alike');

/**
 * Reads how a request goes on, or says why it can be read in
 * more than one way. To be asked before anything else about it.
 * @param url the part of the address that goes to the server: path and query
 */
export function readShape({method, url, version, headers}: ParsedRequest): RequestShape | Refusal {
	if (version !== '1.1' && version !== '1.0') {
		return unclear('the request is of another version than HTTP/1.0 and HTTP/1.1');
	}

	if (!/^[A-Z]+(?:-[A-Z]+)*$/.test(method)) {
		return unclear('the method is not one');
	}

	if (!/^\/[!-"$-~]*$/.test(url)) {
		return unclear('the address holds a character that no address has');
	}

	if (headers.length > maxHeaders) {
		return unclear(`the request has more than ${maxHeaders} headers`);
	}

	const seen = new Set<string>();
	const written = new Map<string, string>();
	for (const [name, value] of headers) {
		const lower = name.toLowerCase();
		const read = readName(name);
		if (
			!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) ||
			(written.get(read) ?? lower) !== lower ||
			(read !== lower && (hopByHop.has(read) || single.has(read)))
		) {
			return unclear(`the header ${printable(name)} has a name that servers read in two ways`);
		}

		if (!fitsHeader(value)) {
			return unclear(`the header ${printable(lower)} holds a control byte`);
		}

		if (single.has(lower) && seen.has(lower)) {
			return unclear(`the header ${lower} is there twice`);
		}

		written.set(read, lower);
		seen.add(lower);
	}

	const valueOf = (name: string) => headers.find(([other]) => other.toLowerCase() === name)?.[1].trim();
	const options = headers
		.filter(([name]) => /^(?:proxy-)?connection$/i.test(name))
		.flatMap(([, value]) => value.split(','))
		.map(option => option.trim().toLowerCase())
		.filter(option => option !== '');
	const odd = options.find(option => !connectionOptions.has(option));
	if (odd !== undefined) {
		return unclear(`the Connection header names ${printable(odd)}, which is not a connection's own`);
	}

	const expect = valueOf('expect');
	if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
		return unclear('the request expects something else than 100-continue');
	}

	const body = readBody(version, valueOf('content-length'), valueOf('transfer-encoding'));
	if (body instanceof Refusal) {
		return body;
	}

	if (body !== 'none' && bodiless.has(method)) {
		return unclear(`${method} has a body, which some servers read as the next request`);
	}

	return {
		body,
		keep:
			version === '1.1' &&
			expect === undefined &&
			(body === 'none' ? bodiless.has(method) || withBody.has(method) : withBody.has(method)),
	};
}

function readBody(version: string, length: string | undefined, encoding: string | undefined): RequestBody | Refusal {
	if (encoding !== undefined) {
		if (length !== undefined) {
			return unclear('the request has a Content-Length and a Transfer-Encoding');
		}

		return version !== '1.1' || encoding.toLowerCase() !== 'chunked'
			? unclear('the request has a Transfer-Encoding that is not chunked')
			: 'chunked';
	}

	if (length === undefined) {
		return 'none';
	}

	if (!/^\d{1,15}$/.test(length)) {
		return unclear('the Content-Length is not a number');
	}

	return Number(length) === 0 ? 'none' : Number(length);
}

/** Whether a request asks for a websocket in the one way that is passed on; undefined where it does, else why not. */
export function refuseHandshake({method, version, headers}: ParsedRequest, body: RequestBody): string | undefined {
	const valueOf = (name: string) => headers.find(([other]) => other.toLowerCase() === name)?.[1].trim() ?? '';
	if (valueOf('upgrade').toLowerCase() !== 'websocket') {
		return 'only websockets are passed on';
	}

	return method !== 'GET' ||
		version !== '1.1' ||
		body !== 'none' ||
		valueOf('sec-websocket-version') !== '13' ||
		!/^[A-Za-z0-9+/]{22}==$/.test(valueOf('sec-websocket-key'))
		? 'the request for a websocket is not one'
		: undefined;
}

/** How long a body is said to be. */
function framing(method: string, body: RequestBody): HeaderPairs {
	if (body === 'chunked') {
		return [['Transfer-Encoding', 'chunked']];
	}

	if (body !== 'none') {
		return [['Content-Length', String(body)]];
	}

	return withBody.has(method) ? [['Content-Length', '0']] : [];
}

/**
 * The headers of a request as they go to the server: Host, what the client said end to end, and a framing of our own.
 * @param request.host as it is written: with its port where that is not the scheme's own
 * @param request.headers as they were decided on; those between two ends of a connection are left out
 * @param request.fixed what is written whatever the client said
 */
export function writeHeaders({
	method,
	host,
	headers,
	body,
	connection,
	fixed = [],
}: {
	readonly method: string;
	readonly host: string;
	readonly headers: HeaderPairs;
	readonly body: RequestBody;
	readonly connection: 'keep' | 'close' | 'websocket';
	readonly fixed?: HeaderPairs;
}): HeaderPairs {
	const ours = new Set(fixed.map(([name]) => name.toLowerCase()));
	const extensions = connection === 'websocket' ? 'sec-websocket-extensions' : undefined;
	return [
		['Host', host],
		...headers.filter(([name]) => {
			const lower = name.toLowerCase();
			// An extension compresses, and what is compressed cannot be looked into.
			return !hopByHop.has(lower) && !ours.has(lower) && lower !== extensions;
		}),
		...fixed,
		...framing(method, body),
		...(connection === 'websocket'
			? ([
					['Connection', 'Upgrade'],
					['Upgrade', 'websocket'],
				] as const)
			: [['Connection', connection === 'keep' ? 'keep-alive' : 'close'] as const]),
	];
}

/** A reply as it was parsed. */
export type ParsedReply = {readonly status: number; readonly headers: HeaderPairs};

/** Why a reply cannot be passed on; undefined where it can. */
export function refuseReply({status, headers}: ParsedReply): string | undefined {
	if (status < 200 || status > 599) {
		return 'the reply has a status that no reply has';
	}

	if (headers.length > maxHeaders) {
		return `the reply has more than ${maxHeaders} headers`;
	}

	const lengths = new Set(
		headers.filter(([name]) => name.toLowerCase() === 'content-length').map(([, value]) => value.trim()),
	);
	const encodings = headers
		.filter(([name]) => name.toLowerCase() === 'transfer-encoding')
		.map(([, value]) => value.trim().toLowerCase());
	if (
		lengths.size > 1 ||
		[...lengths].some(length => !/^\d{1,15}$/.test(length)) ||
		(lengths.size > 0 && encodings.length > 0) ||
		encodings.some(encoding => encoding !== 'chunked')
	) {
		return 'the reply is framed in a way that can be read in two ways';
	}

	return headers.some(([name, value]) => !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || !fitsHeader(value))
		? 'the reply has a header that is none'
		: undefined;
}

/** The headers of a reply as they go to the client: those from end to end, and a framing of our own. */
export function replyHeaders({status, headers}: ParsedReply): Array<readonly [name: string, value: string]> {
	const length = status === 204 ? undefined : headers.find(([name]) => name.toLowerCase() === 'content-length');
	return [
		...headers.filter(([name]) => !hopByHop.has(name.toLowerCase())),
		...(length ? [['Content-Length', String(Number(length[1]))] as const] : []),
	];
}
