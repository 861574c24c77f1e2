import type {Agent, ClientRequest, IncomingMessage, Server, ServerResponse} from 'node:http';
import type {Socket} from 'node:net';
import process from 'node:process';
import {Transform, type Duplex} from 'node:stream';
import type {Target} from '../core/network/target.ts';

/*
 * What the proxy and the broker have in common, each rule once: how they listen, how they refuse, how long a server may
 * take, and which connections to servers are kept. What differs between the two is an argument here, and is said where
 * it is given. Which headers go on is decided in core/network/forward.ts.
 */

// An import would touch every export, and one of them loads a whole client for the web: 6 MB in each supervisor.
const http = process.getBuiltinModule('node:http');

/** How long a server has to take a connection. */
export const dialTimeoutMs = 20_000;

/** Replies before the reply (100, 103) that a server may send. */
export const maxInterimReplies = 16;
export const tooManyInterimReplies = 'the server told more and more, and gave no reply';

/** Connection pools of one run: one that asks a thousand hosts gets no thousand pools. */
const maxPools = 64;

/** Connections of one pool that wait for the next request. */
const maxIdleConnections = 8;

/**
 * Every event by which Node's server hands a request over: for
 * those with Expect it would answer by itself, whatever is decided.
 */
export const requestEvents = ['request', 'checkContinue', 'checkExpectation'] as const;

/** A server that reads requests strictly and answers none by itself. */
export function openServer(options: {keepAliveTimeoutMs: number; maxHeaderBytes: number}): Server {
	const server = http.createServer({
		keepAliveTimeout: options.keepAliveTimeoutMs,
		headersTimeout: 20_000,
		requestTimeout: 0,
		maxHeaderSize: options.maxHeaderBytes,
		// Small answers must not wait for an acknowledgement of the one before.
		noDelay: true,
		insecureHTTPParser: false,
	});
	// Every header is seen: those past a limit would be left out, and the request framed by what is not there.
	server.maxHeadersCount = 0;
	return server;
}

/** A reason as a header holds it: one may quote what came from outside. */
function headerText(because: string): string {
	return because.replaceAll(/[^ -~]/g, '?');
}

/** Refuses a request that Node's server parsed. Nothing more is read from its connection: see `Turns`. */
export function refuseRequest(
	request: IncomingMessage,
	response: ServerResponse,
	{status, because}: {status: number; because: string},
): void {
	// A reply that is on its way is not mixed with another.
	if (response.headersSent || response.destroyed) {
		response.destroy();
		return;
	}

	response
		.writeHead(status, {
			'content-type': 'text/plain',
			'x-fleet-refusal': headerText(because),
			connection: 'close',
		})
		.end(`fleet: ${because}\n`);
	request.resume();
}

/** The same for a tunnel or a handshake, whose connection is no longer the server's. */
export function refuseSocket(socket: Duplex, {status, because}: {status: number; because: string}): void {
	const body = `fleet: ${because}\n`;
	socket.end(
		`HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? 'Refused'}\r\nContent-Type: text/plain\r\n` +
			`X-Fleet-Refusal: ${headerText(because)}\r\n` +
			`Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
	);
}

/**
 * Ends a connection on which something came that is no request.
 * @param isFree whether no reply is on its way, which another would be mixed with
 */
export function refuseUnreadable(socket: Duplex, status: number, isFree: boolean): void {
	if (isFree && socket.writable) {
		socket.end(`HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
	} else {
		socket.destroy();
	}
}

/** Why a request goes no further, for the client. */
export class Stopped extends Error {
	readonly status: number;

	constructor(status: number, because: string) {
		super(because);
		this.status = status;
	}
}

/** Ends a request whose server sends interim replies without end. @returns whether it did so */
export function limitInterimReplies(upstream: ClientRequest): () => boolean {
	let count = 0;
	upstream.on('information', () => {
		if (++count > maxInterimReplies) {
			upstream.destroy(new Stopped(502, tooManyInterimReplies));
		}
	});
	return () => count > maxInterimReplies;
}

/** What a stream passes through. Throws to end it. */
export type Filter = {push(bytes: Uint8Array): Uint8Array; end(): Uint8Array};

/** A stream that passes through a filter. */
export function through(filter: Filter): Transform {
	return new Transform({
		transform(chunk: Uint8Array, _encoding, done) {
			try {
				done(null, filter.push(chunk));
			} catch (error) {
				done(error as Error);
			}
		},
		flush(done) {
			try {
				done(null, filter.end());
			} catch (error) {
				done(error as Error);
			}
		},
	});
}

/**
 * Lets an agent keep no connection on which a server said something that it was not asked for:
 * it would be taken for the next reply. Not every Node that fleet runs on does this by itself.
 */
export function guardIdle<T extends Agent>(agent: T): T {
	type Inner = {keepSocketAlive(socket: Socket): boolean; reuseSocket(socket: Socket, request: ClientRequest): void};
	const inner = agent as unknown as Inner;
	const {keepSocketAlive, reuseSocket} = inner;
	const unasked = function (this: Socket) {
		this.destroy();
	};

	inner.keepSocketAlive = socket => {
		if (socket.readableLength > 0 || !keepSocketAlive.call(agent, socket)) {
			return false;
		}

		socket.on('data', unasked);
		return true;
	};

	inner.reuseSocket = (socket, request) => {
		socket.off('data', unasked);
		reuseSocket.call(agent, socket, request);
	};

	return agent;
}

/** Connections to servers that are kept for the next request: a pool for each way to each target, the oldest ones go. */
export class Pools<A extends Agent> {
	readonly #agents = new Map<string, {agent: A; target: Target}>();
	readonly #idleTimeoutMs: number;

	constructor(options: {idleTimeoutMs: number}) {
		this.#idleTimeoutMs = options.idleTimeoutMs;
	}

	/** @param key see `routeKey` */
	get(
		key: string,
		target: Target,
		make: (options: {keepAlive: true; maxFreeSockets: number; timeout: number}) => A,
	): A {
		const known = this.#agents.get(key);
		if (known) {
			return known.agent;
		}

		if (this.#agents.size >= maxPools) {
			const [oldest, {agent}] = this.#agents.entries().next().value!;
			agent.destroy();
			this.#agents.delete(oldest);
		}

		const agent = guardIdle(make({keepAlive: true, maxFreeSockets: maxIdleConnections, timeout: this.#idleTimeoutMs}));
		this.#agents.set(key, {agent, target});
		return agent;
	}

	/** Closes those to targets that may be asked no more. */
	cut(isOver: (target: Target) => boolean): void {
		for (const [key, {agent, target}] of this.#agents) {
			if (isOver(target)) {
				agent.destroy();
				this.#agents.delete(key);
			}
		}
	}

	close(): void {
		for (const {agent} of this.#agents.values()) {
			agent.destroy();
		}
	}
}
