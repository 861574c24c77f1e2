import type {Agent, ClientRequest, IncomingMessage, RequestOptions, ServerResponse} from 'node:http';
import type {Socket} from 'node:net';
import {Transform, type Duplex, type Readable} from 'node:stream';
import {pairsOf, refuseReply, type HeaderPairs, type RequestBody} from '../core/network/forward.ts';

/*
 * How requests of one connection follow each other, and how one goes to
 * its server and its reply comes back: for the proxy and the broker alike.
 */

/** How long a server has to take a connection, milliseconds. */
export const dialTimeout = 20_000;

/**
 * Every event by which Node's server hands a request over: for
 * those with Expect it would answer by itself, whatever is decided.
 */
export const requestEvents = ['request', 'checkContinue', 'checkExpectation'] as const;

/**
 * A callback that ends nothing but its own connection, whatever
 * is thrown in it: nobody outside would know which one it was.
 * @param onFault gets what was thrown, and what to call it; closes the connection
 */
export function contain<Arguments extends unknown[]>(
	work: (...values: Arguments) => unknown,
	onFault: (because: string) => void,
): (...values: Arguments) => void {
	const fail = (error: unknown) => {
		const {name = 'Error', code} = Object(error) as {name?: string; code?: string};
		// Not its message, which may quote what came from outside.
		try {
			onFault(`fleet itself failed at it (${code ?? name})`);
		} catch {
			// It could not be written down either. The connection is closed.
		}
	};

	return (...values) => {
		try {
			const result = work(...values);
			if (result instanceof Promise) {
				result.catch(fail);
			}
		} catch (error) {
			fail(error);
		}
	};
}

/** More requests than this do not wait for their turn on one connection. */
const mostWaiting = 32;

/** Replies before the reply (100, 103) that a server may send. */
export const mostInformation = 16;
export const tooMuch = 'the server told more and more, and gave no reply';

/**
 * The requests of a connection, one after another. After one that was refused
 * there is none: what follows could be what the client meant otherwise.
 */
export class Turns {
	readonly #states = new WeakMap<Duplex, {waiting: Array<() => void>; busy: boolean; over: boolean}>();

	#of(socket: Duplex) {
		const known = this.#states.get(socket);
		if (known) {
			return known;
		}

		const state = {waiting: [], busy: false, over: false};
		this.#states.set(socket, state);
		return state;
	}

	/** Calls `handle` once every request before this one was answered; never, where one of them was refused. */
	take(socket: Duplex, response: ServerResponse, handle: () => void): void {
		const state = this.#of(socket);
		if (state.over) {
			return;
		}

		const next = () => {
			state.busy = false;
			if (!state.over) {
				state.waiting.shift()?.();
			}
		};

		const start = () => {
			if (response.destroyed) {
				next();
				return;
			}

			state.busy = true;
			response.once('close', next);
			handle();
		};

		if (!state.busy) {
			start();
		} else if (state.waiting.length < mostWaiting) {
			state.waiting.push(start);
		} else {
			socket.destroy();
		}
	}

	/** Whether no request of this connection is being answered, and none was refused. */
	isFree(socket: Duplex): boolean {
		const state = this.#of(socket);
		return !state.busy && !state.over;
	}

	/** No further request of this connection is read. @returns whether there was one to be read */
	end(socket: Duplex): boolean {
		const state = this.#of(socket);
		const wasOpen = !state.over;
		state.over = true;
		state.waiting = [];
		return wasOpen;
	}
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

/** Why a request goes no further, for the client. */
export class Stopped extends Error {
	readonly status: number;

	constructor(status: number, because: string) {
		super(because);
		this.status = status;
	}
}

export type Delivery = {
	/** `http.request` or `https.request`, with where to go. */
	open(options: RequestOptions): ClientRequest;
	/** Where connections are kept for the next request; undefined: a connection of its own, for this one alone. */
	readonly agent: Agent | undefined;
	readonly method: string;
	readonly path: string;
	/** Every header, with its framing: see `writeHeaders`. */
	readonly headers: HeaderPairs;
	readonly body: RequestBody;
	/** What the body passes through. */
	readonly outward: Filter | undefined;
	onSocket(socket: Socket): void;
	onConnected(): void;
	/** @returns the reply's headers, and what its body passes through. @throws Stopped where it is not passed on */
	onReply(answer: IncomingMessage): {readonly headers: HeaderPairs; readonly inward: readonly Transform[]};
	refuse(status: number, because: string): void;
	/** What is told where the server cannot be reached. */
	unreachable(error: NodeJS.ErrnoException): string;
	/** Something of ours failed: it is written down. The connection is closed already. */
	onFault(because: string): void;
};

/** Sends one request on, and its reply back. A connection on which anything was unusual is closed, on both sides. */
export function deliver(request: IncomingMessage, response: ServerResponse, delivery: Delivery): void {
	const {method, body, agent} = delivery;
	// Whoever asked may have gone while it was decided.
	if (response.destroyed || request.socket.destroyed) {
		response.destroy();
		return;
	}

	let current: ClientRequest | undefined;
	const guarded = <Arguments extends unknown[]>(work: (...values: Arguments) => void) =>
		contain(work, because => {
			current?.destroy();
			request.socket.destroy();
			delivery.onFault(because);
		});
	const send = (agent: Agent | undefined) => {
		const upstream = delivery.open({
			method,
			path: delivery.path,
			headers: delivery.headers.flat() as never,
			setHost: false,
			agent: agent ?? false,
			timeout: dialTimeout,
			insecureHTTPParser: false,
		});
		current = upstream;
		let told = 0;
		upstream.once(
			'socket',
			guarded(socket => {
				delivery.onSocket(socket);
				const connected = guarded(() => {
					upstream.setTimeout(0);
					delivery.onConnected();
				});

				if (socket.connecting) {
					socket.once('encrypted' in socket ? 'secureConnect' : 'connect', connected);
				} else {
					connected();
				}
			}),
		);
		upstream.once('timeout', () => upstream.destroy(new Error('timed out')));
		upstream.on('information', () => {
			if (++told > mostInformation) {
				upstream.destroy(new Stopped(502, tooMuch));
			}
		});
		let answered = false;
		const lost = (because: string) => {
			if (!answered && current === upstream && !response.headersSent && !response.destroyed) {
				answered = true;
				delivery.refuse(502, because);
			}
		};

		upstream.once(
			'upgrade',
			guarded((_answer, socket) => {
				socket.destroy();
				lost('the server changed to another protocol, which nobody asked for');
			}),
		);
		upstream.once(
			'close',
			guarded(() => lost('the server closed its connection without a reply')),
		);
		upstream.on(
			'error',
			guarded(error => {
				answered = true;
				if (response.headersSent || response.destroyed) {
					response.destroy();
				} else if (error instanceof Stopped) {
					delivery.refuse(error.status, error.message);
				} else if (
					upstream.reusedSocket &&
					agent &&
					body === 'none' &&
					(method === 'GET' || method === 'HEAD' || method === 'OPTIONS')
				) {
					// The server had closed a connection that was kept: nothing was asked yet.
					send(undefined);
				} else {
					delivery.refuse(502, delivery.unreachable(error));
				}
			}),
		);
		upstream.once(
			'response',
			guarded(answer => {
				answered = true;
				const end = () => {
					upstream.destroy();
					response.destroy();
				};

				answer.on('error', end);
				answer.once('aborted', end);
				const unusual =
					told > mostInformation
						? tooMuch
						: refuseReply({status: answer.statusCode ?? 0, headers: pairsOf(answer.rawHeaders)});
				try {
					if (unusual !== undefined) {
						throw new Stopped(502, unusual);
					}

					const {headers, inward} = delivery.onReply(answer);
					// A server that replies before it had the whole request may read the rest of it as another one.
					const early = !upstream.writableEnded;
					response.writeHead(
						answer.statusCode!,
						[...headers, ...(early ? [['Connection', 'close'] as const] : [])].flat() as never,
					);
					response.flushHeaders();
					if (early) {
						answer.once('end', () => upstream.destroy());
					}

					for (const stream of inward) {
						stream.once('error', end);
					}

					inward.reduce<Readable>((from, to) => from.pipe(to), answer).pipe(response);
				} catch (error) {
					answer.resume();
					upstream.destroy();
					if (response.headersSent) {
						response.destroy();
					} else {
						delivery.refuse(
							error instanceof Stopped ? error.status : 502,
							error instanceof Stopped ? error.message : 'the reply cannot be passed on',
						);
					}
				}
			}),
		);
		response.once('close', () => {
			// A reply that was read whole leaves its connection to the next request.
			if (!response.writableFinished) {
				upstream.destroy();
			}
		});
		if (body === 'none') {
			// Bytes of a body that nobody spoke of.
			request.once('data', () => {
				upstream.destroy();
				request.socket.destroy();
			});
			upstream.end();
			return;
		}

		if (request.headers.expect !== undefined) {
			response.writeContinue();
		}

		pour(request, upstream, body, delivery.outward);
	};

	send(agent);
}

/**
 * A request's body, in just as many bytes as its headers say. One
 * that ends before is no request: its connection goes with it.
 */
function pour(request: IncomingMessage, upstream: ClientRequest, body: RequestBody, outward: Filter | undefined): void {
	let sent = 0;
	const filter: Filter = {
		push(bytes) {
			const passed = outward ? outward.push(bytes) : bytes;
			sent += passed.length;
			if (typeof body === 'number' && sent > body) {
				throw new Stopped(400, 'the body is longer than it was said to be');
			}

			return passed;
		},
		end() {
			const rest = outward ? outward.end() : new Uint8Array();
			if (typeof body === 'number' && sent + rest.length !== body) {
				throw new Stopped(400, 'the body is shorter than it was said to be');
			}

			return rest;
		},
	};
	const stream = through(filter);
	stream.once('error', error => {
		request.unpipe(stream);
		upstream.destroy(error);
	});
	request.once('close', () => {
		if (!request.complete) {
			upstream.destroy();
		}
	});
	request.pipe(stream).pipe(upstream);
}
