import {createHash} from 'node:crypto';
import type {ClientRequest, IncomingMessage} from 'node:http';
import type {Socket} from 'node:net';
import process from 'node:process';
import type {Duplex, Readable, Transform} from 'node:stream';
import {pairsOf, refuseReply, type HeaderPairs} from '../core/network/forward.ts';
import {formatTarget} from '../core/network/target.ts';
import {frames, type BrokerFilters} from './broker-filters.ts';
import type {BrokerHooks, Connection} from './broker-hooks.ts';
import type {BrokerUpstream} from './broker-upstream.ts';
import {dialTimeoutMs, limitInterimReplies, refuseSocket, Stopped} from './http-forwarding.ts';

// An import would load a whole client for the web: see http-forwarding.ts.
const http = process.getBuiltinModule('node:http');
const https = process.getBuiltinModule('node:https');

/** A request for a websocket that was decided on. */
export type Handshake = {
	readonly connection: Connection;
	readonly request: IncomingMessage;
	/** The client's connection, and what it sent behind the request. */
	readonly client: Duplex;
	readonly head: Buffer;
	readonly headers: HeaderPairs;
	/** What asks for the headers of one more try where the server did not take these (401). */
	readonly again?: (() => Promise<HeaderPairs | undefined>) | undefined;
	/** The scopes whose values the headers carry. */
	readonly used: readonly string[];
	/** Whether every secret of the target is a model's: a pointer on its way there is blanked, elsewhere it ends all. */
	readonly isModel: boolean;
	/** See `Broker`. */
	guarded<Arguments extends unknown[]>(work: (...values: Arguments) => unknown): (...values: Arguments) => void;
};

function headOf(status: number, pairs: HeaderPairs): string {
	return (
		`HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? 'Unknown'}\r\n` +
		pairs.map(([name, value]) => `${name}: ${value}\r\n`).join('')
	);
}

const withoutLength = (pairs: HeaderPairs) => pairs.filter(([name]) => name.toLowerCase() !== 'content-length');

/** A websocket through the broker, from the handshake on. */
export class Websocket {
	readonly #hooks: BrokerHooks;
	readonly #filters: BrokerFilters;
	readonly #upstream: BrokerUpstream;
	readonly #handshake: Handshake;
	#answered = false;
	#isSecond = false;

	constructor(parts: {hooks: BrokerHooks; filters: BrokerFilters; upstream: BrokerUpstream}, handshake: Handshake) {
		this.#hooks = parts.hooks;
		this.#filters = parts.filters;
		this.#upstream = parts.upstream;
		this.#handshake = handshake;
	}

	open(headers = this.#handshake.headers): void {
		const {connection, request, client, guarded} = this.#handshake;
		const upstream = https.request({
			...this.#upstream.place(connection),
			method: 'GET',
			path: request.url,
			setHost: false,
			agent: this.#upstream.single(connection),
			timeout: dialTimeoutMs,
			insecureHTTPParser: false,
			headers: this.#upstream
				.headers(connection, {method: 'GET', headers, body: 'none', connection: 'websocket'})
				.flat() as never,
		});
		upstream.once('socket', socket => connection.upstream.add(socket));
		upstream.once('timeout', () => upstream.destroy(new Error('timed out')));
		limitInterimReplies(upstream);
		upstream.on('error', error =>
			this.#refuse(
				error instanceof Stopped
					? error.message
					: `${formatTarget(connection.target)} could not be reached: ` +
							((error as NodeJS.ErrnoException).code ?? error.message),
			),
		);
		client.once('close', () => upstream.destroy());
		upstream.once(
			'response',
			guarded(answer => this.#reply(upstream, answer)),
		);
		upstream.once(
			'upgrade',
			guarded((answer, server, early) => this.#switch(upstream, answer, {server, early})),
		);
		upstream.end();
	}

	#refuse(because: string): void {
		const {client} = this.#handshake;
		if (this.#answered) {
			client.destroy();
			return;
		}

		this.#answered = true;
		refuseSocket(client, {status: 502, because});
	}

	/** The server answered as to any other request. */
	async #reply(upstream: ClientRequest, answer: IncomingMessage): Promise<void> {
		const {client, again} = this.#handshake;
		if (answer.statusCode === 401 && again && !this.#isSecond) {
			this.#isSecond = true;
			const headers = await again().catch((error: unknown) => {
				if (error instanceof Stopped) {
					return error;
				}

				throw error;
			});
			if (headers instanceof Stopped) {
				this.#answered = true;
				refuseSocket(client, {status: headers.status, because: headers.message});
				upstream.destroy();
				return;
			}

			if (headers && !client.destroyed) {
				answer.resume();
				this.open(headers);
				return;
			}
		}

		// It may have been cut off while another credential was waited for.
		const unusual =
			answer.destroyed && !answer.complete
				? 'the server closed its connection in the middle of its reply'
				: refuseReply({status: answer.statusCode ?? 0, headers: pairsOf(answer.rawHeaders)});
		if (unusual !== undefined) {
			this.#refuse(unusual);
			upstream.destroy();
			return;
		}

		let reply: {headers: HeaderPairs; inward: Transform[]};
		try {
			reply = this.#filters.reply(answer, 'GET', undefined);
		} catch (error) {
			this.#refuse((error as Error).message);
			upstream.destroy();
			return;
		}

		const {headers, inward} = reply;
		this.#answered = true;
		// Without a length, the end of the connection ends the body.
		client.write(`${headOf(answer.statusCode!, withoutLength(headers))}Connection: close\r\n\r\n`, 'latin1');
		for (const stream of [answer, ...inward]) {
			stream.on('error', () => client.destroy());
		}

		inward.reduce<Readable>((from, to) => from.pipe(to), answer).pipe(client);
	}

	/** The server goes over to the websocket's protocol. */
	#switch(
		upstream: ClientRequest,
		answer: IncomingMessage,
		{server, early}: {readonly server: Socket; readonly early: Buffer},
	): void {
		const {request, client} = this.#handshake;
		server.on('error', () => server.destroy());
		const accept = createHash('sha1')
			.update(`${request.headers['sec-websocket-key']!.trim()}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
			.digest('base64');
		const unusual = refuseReply({status: 200, headers: pairsOf(answer.rawHeaders)});
		if (
			answer.statusCode !== 101 ||
			unusual !== undefined ||
			answer.headers['sec-websocket-accept'] !== accept ||
			answer.headers.upgrade?.toLowerCase() !== 'websocket' ||
			answer.headers['sec-websocket-extensions'] !== undefined
		) {
			this.#refuse('the server took the request for a websocket in a way of its own');
			server.destroy();
			return;
		}

		this.#answered = true;
		upstream.setTimeout(0);
		server.setTimeout(0);
		server.setNoDelay(true);
		client.write(
			`${headOf(101, withoutLength(this.#filters.replyHeaders(answer)))}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
			'latin1',
		);
		this.#join(server, early);
	}

	/** Passes frames on, both ways, blanked. */
	#join(server: Duplex, early: Buffer): void {
		const {connection, client, head, used, isModel, guarded} = this.#handshake;
		const end = () => {
			client.destroy();
			server.destroy();
		};

		server.on('error', end);
		server.once('close', end);
		client.once('close', end);
		const exchange = this.#hooks.onExchange?.(used);
		const listen = exchange?.reply('websocket');
		client.once(
			'close',
			guarded(() => exchange?.end()),
		);
		const tell = (because: string) => this.#hooks.onRefused(formatTarget(connection.target), because, true);
		const inward = frames(
			this.#filters.values(),
			cut => {
				// Its beginning went on with an earlier message, and was not more than what many keys begin with.
				if (cut) {
					tell('a websocket brought a value back in pieces');
					end();
				}
			},
			listen,
		);
		const outward = frames(
			this.#filters.pointers(),
			cut => {
				const ends = cut || !isModel;
				tell(`a pointer is in a websocket's message${ends ? '' : ', and was blanked'}`);
				if (ends) {
					end();
				}
			},
			undefined,
		);
		inward.once('error', end);
		outward.once('error', end);
		server.pipe(inward).pipe(client);
		client.pipe(outward).pipe(server);
		if (early.length > 0) {
			inward.write(early);
		}

		if (head.length > 0) {
			outward.write(head);
		}
	}
}
