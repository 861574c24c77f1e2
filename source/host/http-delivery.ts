import type {Agent, ClientRequest, IncomingMessage, RequestOptions, ServerResponse} from 'node:http';
import type {Socket} from 'node:net';
import type {Readable, Transform} from 'node:stream';
import {pairsOf, refuseReply, type HeaderPairs, type RequestBody} from '../core/network/forward.ts';
import {
	dialTimeoutMs,
	limitInterimReplies,
	Stopped,
	through,
	tooManyInterimReplies,
	type Filter,
} from './http-forwarding.ts';
import {contain} from './http-turns.ts';

/* How one request goes to its server, and its reply comes back: for the proxy and the broker alike. */

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
	/**
	 * What asks for the headers of one more try where the server did not take the credential (401): undefined, or what
	 * resolves to it, where there is none.
	 */
	readonly again?: (() => Promise<HeaderPairs | undefined>) | undefined;
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
	// Whoever asked may have gone while it was decided.
	if (response.destroyed || request.socket.destroyed) {
		response.destroy();
		return;
	}

	new Deliverer(request, response, delivery).send(delivery.agent);
}

/** One try at a server. */
type Attempt = {
	readonly upstream: ClientRequest;
	/** Where its connection came from; undefined where it has one of its own. */
	readonly agent: Agent | undefined;
	/** Whether the client is being told something, so that nothing else is. */
	answered: boolean;
};

/** What a piece of a body takes besides its bytes: an agent may send them one by one. */
const pieceBytes = 256;

/** A body is kept for one more try up to that size, bytes: of 32 MiB, and what its pieces take. */
const maxKept = 34 * 1024 ** 2;

/** And what all of a process may take together, bytes: an agent chooses how many it sends at once. */
export const keptBodies = {bytes: 0, most: 4 * maxKept};

class Deliverer {
	readonly #request: IncomingMessage;
	readonly #response: ServerResponse;
	readonly #delivery: Delivery;
	#current: ClientRequest | undefined;
	/** The body as it was sent, while there may be one more try; undefined where there is none. */
	#kept: Uint8Array[] | undefined;
	#keptBytes = 0;
	/** The headers of the second try. */
	#second: HeaderPairs | undefined;

	constructor(request: IncomingMessage, response: ServerResponse, delivery: Delivery) {
		this.#request = request;
		this.#response = response;
		this.#delivery = delivery;
		this.#kept = delivery.again && [];
	}

	#guarded<Arguments extends unknown[]>(work: (...values: Arguments) => unknown): (...values: Arguments) => void {
		return contain(work, because => {
			this.#current?.destroy();
			this.#request.socket.destroy();
			this.#delivery.onFault(because);
		});
	}

	send(agent: Agent | undefined): void {
		const {method, body, path, outward} = this.#delivery;
		const headers = this.#second ?? this.#delivery.headers;
		const upstream = this.#delivery.open({
			method,
			path,
			headers: headers.flat() as never,
			setHost: false,
			agent: agent ?? false,
			timeout: dialTimeoutMs,
			insecureHTTPParser: false,
		});
		const attempt: Attempt = {upstream, agent, answered: false};
		this.#current = upstream;
		upstream.once(
			'socket',
			this.#guarded(socket => this.#connecting(upstream, socket)),
		);
		upstream.once('timeout', () => upstream.destroy(new Error('timed out')));
		const toldTooMuch = limitInterimReplies(upstream);
		upstream.once(
			'upgrade',
			this.#guarded((_answer, socket) => {
				socket.destroy();
				this.#lost(attempt, 'the server changed to another protocol, which nobody asked for');
			}),
		);
		upstream.once(
			'close',
			this.#guarded(() => this.#lost(attempt, 'the server closed its connection without a reply')),
		);
		upstream.on(
			'error',
			this.#guarded(error => this.#failed(attempt, error)),
		);
		upstream.once(
			'response',
			this.#guarded(answer =>
				answer.statusCode === 401 && this.#delivery.again && !this.#second
					? this.#unauthorized(attempt, answer)
					: this.#reply(attempt, answer, toldTooMuch()),
			),
		);
		this.#response.once('close', () => {
			// A reply that was read whole leaves its connection to the next request.
			if (!this.#response.writableFinished) {
				upstream.destroy();
			}

			this.#forget();
		});
		if (this.#second) {
			upstream.end(Buffer.concat(this.#kept ?? []));
			this.#forget();
			return;
		}

		if (body === 'none') {
			// Bytes of a body that nobody spoke of.
			this.#request.once('data', () => {
				upstream.destroy();
				this.#request.socket.destroy();
			});
			upstream.end();
			return;
		}

		if (this.#request.headers.expect !== undefined) {
			this.#response.writeContinue();
		}

		pour(this.#request, upstream, {body, outward, keep: bytes => this.#keep(bytes)});
	}

	#keep(bytes: Uint8Array): void {
		if (!this.#kept) {
			return;
		}

		const size = bytes.length + pieceBytes;
		this.#keptBytes += size;
		keptBodies.bytes += size;
		this.#kept.push(bytes);
		if (this.#keptBytes > maxKept || keptBodies.bytes > keptBodies.most) {
			this.#forget();
		}
	}

	#forget(): void {
		keptBodies.bytes -= this.#keptBytes;
		this.#keptBytes = 0;
		this.#kept = undefined;
	}

	#connecting(upstream: ClientRequest, socket: Socket): void {
		this.#delivery.onSocket(socket);
		const connected = this.#guarded(() => {
			upstream.setTimeout(0);
			this.#delivery.onConnected();
		});

		if (socket.connecting) {
			socket.once('encrypted' in socket ? 'secureConnect' : 'connect', connected);
		} else {
			connected();
		}
	}

	#lost(attempt: Attempt, because: string): void {
		const response = this.#response;
		if (!attempt.answered && this.#current === attempt.upstream && !response.headersSent && !response.destroyed) {
			attempt.answered = true;
			this.#delivery.refuse(502, because);
		}
	}

	#failed(attempt: Attempt, error: Error): void {
		const {method, body} = this.#delivery;
		attempt.answered = true;
		if (this.#response.headersSent || this.#response.destroyed) {
			this.#response.destroy();
		} else if (error instanceof Stopped) {
			this.#delivery.refuse(error.status, error.message);
		} else if (
			attempt.upstream.reusedSocket &&
			attempt.agent &&
			body === 'none' &&
			(method === 'GET' || method === 'HEAD' || method === 'OPTIONS')
		) {
			// The server had closed a connection that was kept: nothing was asked yet.
			this.send(undefined);
		} else {
			this.#delivery.refuse(502, this.#delivery.unreachable(error));
		}
	}

	/** The server did not take the credential: one more try with another, if there is one and the whole body is known. */
	async #unauthorized(attempt: Attempt, answer: IncomingMessage): Promise<void> {
		attempt.answered = true;
		const isWhole = attempt.upstream.writableEnded;
		const headers = await this.#delivery.again!().catch((error: unknown) => {
			if (error instanceof Stopped) {
				return error;
			}

			throw error;
		});
		if (headers instanceof Stopped) {
			answer.resume();
			this.#delivery.refuse(headers.status, headers.message);
		} else if (this.#response.destroyed || this.#request.socket.destroyed) {
			attempt.upstream.destroy();
		} else if (headers && isWhole && this.#kept) {
			answer.resume();
			this.#second = headers;
			this.send(attempt.agent);
		} else {
			this.#reply(attempt, answer, false);
		}
	}

	#reply(attempt: Attempt, answer: IncomingMessage, toldTooMuch: boolean): void {
		const {upstream} = attempt;
		const response = this.#response;
		attempt.answered = true;
		this.#forget();
		const end = () => {
			upstream.destroy();
			response.destroy();
		};

		// It was cut off while another credential was waited for.
		if (answer.destroyed && !answer.complete) {
			this.#delivery.refuse(502, 'the server closed its connection in the middle of its reply');
			return;
		}

		answer.on('error', end);
		answer.once('aborted', end);
		const unusual = toldTooMuch
			? tooManyInterimReplies
			: refuseReply({status: answer.statusCode ?? 0, headers: pairsOf(answer.rawHeaders)});
		try {
			if (unusual !== undefined) {
				throw new Stopped(502, unusual);
			}

			const {headers, inward} = this.#delivery.onReply(answer);
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
				this.#delivery.refuse(
					error instanceof Stopped ? error.status : 502,
					error instanceof Stopped ? error.message : 'the reply cannot be passed on',
				);
			}
		}
	}
}

/**
 * A request's body, in just as many bytes as its headers say. One
 * that ends before is no request: its connection goes with it.
 */
function pour(
	request: IncomingMessage,
	upstream: ClientRequest,
	{
		body,
		outward,
		keep,
	}: {
		readonly body: RequestBody;
		readonly outward: Filter | undefined;
		/** Gets what is sent. */ readonly keep: (bytes: Uint8Array) => void;
	},
): void {
	let sent = 0;
	const filter: Filter = {
		push(bytes) {
			const passed = outward ? outward.push(bytes) : bytes;
			sent += passed.length;
			if (typeof body === 'number' && sent > body) {
				throw new Stopped(400, 'the body is longer than it was said to be');
			}

			keep(passed);
			return passed;
		},
		end() {
			const rest = outward ? outward.end() : new Uint8Array();
			if (typeof body === 'number' && sent + rest.length !== body) {
				throw new Stopped(400, 'the body is shorter than it was said to be');
			}

			keep(rest);
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
