import type {IncomingMessage, Server, ServerResponse} from 'node:http';
import type net from 'node:net';
import process from 'node:process';
import type {Duplex} from 'node:stream';
import {decideEgress} from '../core/network/egress.ts';
import {
	fitsHeader,
	pairsOf,
	readShape,
	refuseHandshake,
	type HeaderPairs,
	type RequestShape,
} from '../core/network/forward.ts';
import {formatTarget, type Target} from '../core/network/target.ts';
import {Refusal} from '../core/refusal.ts';
import {boundTo, decideRequest} from '../core/secrets/swap.ts';
import {Authority} from './authority.ts';
import {BrokerFilters} from './broker-filters.ts';
import type {BrokerHooks, Connection} from './broker-hooks.ts';
import {BrokerUpstream} from './broker-upstream.ts';
import {Websocket} from './broker-websocket.ts';
import {deliver} from './http-delivery.ts';
import {openServer, refuseRequest, refuseSocket, refuseUnreadable, requestEvents} from './http-forwarding.ts';
import {contain, stoppedBy, Turns} from './http-turns.ts';
import type {Route} from './route.ts';

// An import would load a whole client for the web: see http-forwarding.ts.
const https = process.getBuiltinModule('node:https');
const tls = process.getBuiltinModule('node:tls');

/** Everything that was decided about a request. */
type Decided = {
	readonly shape: RequestShape;
	readonly headers: HeaderPairs;
	/** The scopes whose values the headers carry. */
	readonly used: readonly string[];
	/** Whether every secret of the target is a model's. */
	readonly isModel: boolean;
};

/**
 * Terminates TLS for the hosts that a secret is bound to, puts values in pointers' places on the way out and blanks
 * them on the way back. One for each run; nothing of it is inside the sandbox but its authority's certificate.
 */
export class Broker {
	readonly authority: Authority;
	readonly #hooks: BrokerHooks;
	readonly #server: Server;
	readonly #turns = new Turns();
	readonly #connections = new Map<Duplex, Connection>();
	readonly #filters: BrokerFilters;
	readonly #upstream: BrokerUpstream;

	constructor(runId: string, hooks: BrokerHooks) {
		this.authority = new Authority(runId);
		this.#hooks = hooks;
		this.#filters = new BrokerFilters(hooks);
		this.#upstream = new BrokerUpstream(hooks);
		// Each connection costs a handshake of TLS, so it is kept longer than the plain proxy's; and those who ask with
		// credentials send longer headers.
		this.#server = openServer({keepAliveTimeoutMs: 30_000, maxHeaderBytes: 128 * 1024});
		for (const event of requestEvents) {
			this.#server.on(event, (request: IncomingMessage, response: ServerResponse) => {
				this.#turns.take(
					request.socket,
					response,
					this.#guarded(request.socket, () => this.#forward(request, response)),
				);
			});
		}

		this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
			this.#guarded(request.socket, () => this.#upgrade(request, socket, head))();
		});
		this.#server.on('connect', (request: IncomingMessage, socket: Duplex) => {
			socket.on('error', () => socket.destroy());
			this.#unreadable(request.socket, 'CONNECT is not passed on', 405);
		});
		this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
			this.#guarded(socket, () =>
				this.#unreadable(
					socket,
					error.code?.startsWith('HPE_') ? `the request cannot be read (${error.code})` : undefined,
					400,
				),
			)();
		});
	}

	/** A callback of one client's connection: whatever fails in it is written down, and ends that connection alone. */
	#guarded<Arguments extends unknown[]>(
		socket: Duplex,
		work: (...values: Arguments) => unknown,
	): (...values: Arguments) => void {
		return contain(work, because => {
			const connection = this.#connections.get(socket);
			socket.destroy();
			if (connection) {
				this.#end(connection);
				this.#hooks.onRefused(formatTarget(connection.target), because, false);
			}
		});
	}

	/**
	 * Ends a connection on which something came that is no request.
	 * @param because what is written down; undefined for nothing
	 */
	#unreadable(socket: Duplex, because: string | undefined, status: number): void {
		const connection = this.#connections.get(socket);
		const isFree = this.#turns.isFree(socket);
		if (this.#turns.end(socket) && because !== undefined && connection) {
			this.#hooks.onRefused(formatTarget(connection.target), because, false);
		}

		refuseUnreadable(socket, status, isFree);
	}

	/** Whether a secret in force is bound to this target, so that a tunnel to it is looked into. */
	isBound(target: Target): boolean {
		return boundTo(this.#hooks.held(), target).length > 0;
	}

	/**
	 * Takes a client's connection over, whose first bytes (a TLS hello for this target) are still to be read from it.
	 * @param route the way that was decided
	 */
	serve(client: net.Socket, target: Target, route: Route): void {
		// Small answers must not wait for an acknowledgement of the one before.
		client.setNoDelay(true);
		const {cert, key} = this.authority.leaf(target.host);
		const socket = new tls.TLSSocket(client, {
			isServer: true,
			secureContext: tls.createSecureContext({cert, key, minVersion: 'TLSv1.2'}),
			ALPNProtocols: ['http/1.1'],
		});
		const connection: Connection = {target, route, client, used: new Set(), upstream: new Set()};
		this.#connections.set(socket, connection);
		socket.on('error', () => client.destroy());
		socket.once('close', () => {
			this.#connections.delete(socket);
			client.destroy();
		});
		client.once('close', () => socket.destroy());
		this.#server.emit('connection', socket);
	}

	/**
	 * Destroys what is open through a secret that is no longer in force, or to a target that no rule allows any more.
	 * @returns how many
	 */
	cut(): number {
		const held = this.#hooks.held();
		const rules = this.#hooks.rules();
		const scopes = new Set(held.map(secret => secret.scope));
		const isOver = (target: Target) => boundTo(held, target).length === 0 || !decideEgress(target, rules).allow;
		let count = 0;
		for (const connection of this.#connections.values()) {
			if (isOver(connection.target) || [...connection.used].some(scope => !scopes.has(scope))) {
				count++;
				this.#end(connection);
			}
		}

		this.#upstream.cut(isOver);

		return count;
	}

	close(): void {
		for (const connection of this.#connections.values()) {
			this.#end(connection);
		}

		this.#upstream.close();
		this.#server.close();
	}

	#end(connection: Connection): void {
		connection.client.destroy();
		for (const socket of connection.upstream) {
			socket.destroy();
		}
	}

	/** Everything that is decided about a request. */
	#decide(
		connection: Connection,
		request: IncomingMessage,
		isHandshake: boolean,
	): {readonly refusal: {readonly status: number; readonly because: string}} | Decided {
		const {target} = connection;
		const refuse = (status: number, because: string, alarm = false) => {
			this.#hooks.onRefused(formatTarget(target), because, alarm);
			return {refusal: {status, because}};
		};

		const egress = decideEgress(target, this.#hooks.rules());
		const held = boundTo(this.#hooks.held(), target);
		// The grant may have gone since the connection was made.
		if (!egress.allow || held.length === 0) {
			return refuse(403, egress.allow ? 'the secret of this host is no longer granted' : egress.because);
		}

		const parsed = {
			method: request.method ?? '',
			url: request.url ?? '',
			version: request.httpVersion,
			headers: pairsOf(request.rawHeaders),
		};
		const verdict = decideRequest(parsed, target, {held, pointers: this.#hooks.pointers()});
		if (!verdict.allow) {
			return refuse(verdict.status, verdict.because, verdict.alarm);
		}

		const shape = readShape(parsed);
		if (shape instanceof Refusal) {
			return refuse(400, shape.because);
		}

		const noHandshake = isHandshake ? refuseHandshake(parsed, shape.body) : undefined;
		if (noHandshake !== undefined) {
			return refuse(403, noHandshake);
		}

		if (!verdict.headers.every(([, value]) => fitsHeader(value))) {
			return refuse(403, 'the value of a secret does not fit into a header');
		}

		for (const scope of verdict.used) {
			connection.used.add(scope);
			this.#hooks.onUsed(scope, formatTarget(target));
		}

		return {
			shape,
			headers: verdict.headers,
			used: verdict.used,
			isModel: held.every(secret => secret.binding.class === 'model'),
		};
	}

	async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const connection = this.#connections.get(request.socket);
		if (!connection) {
			request.socket.destroy();
			return;
		}

		const own = this.#hooks.answers?.(connection.target, (request.url ?? '').split('?')[0]!);
		if (own) {
			request.resume();
			response.writeHead(own.status, {'content-type': 'application/json'}).end(own.json);
			return;
		}

		const waits = this.#hooks.ready?.(connection.target);
		const refusal = waits && (await stoppedBy(waits));
		if (refusal) {
			// It was a whole request, and the next one may be answered.
			refuseRequest(request, response, {status: refusal.status, because: refusal.message});
			return;
		}

		this.#pass(connection, request, response);
	}

	#pass(connection: Connection, request: IncomingMessage, response: ServerResponse): void {
		const refuse = (status: number, because: string) => {
			this.#turns.end(request.socket);
			refuseRequest(request, response, {status, because});
		};

		const decided = this.#decide(connection, request, false);
		if ('refusal' in decided) {
			refuse(decided.refusal.status, decided.refusal.because);
			return;
		}

		const {
			shape: {body, keep},
			headers,
			used,
			isModel,
		} = decided;
		const exchange = this.#hooks.onExchange?.(used);
		response.once(
			'close',
			this.#guarded(request.socket, () => exchange?.end()),
		);
		const method = request.method!;
		const place = this.#upstream.place(connection);
		const connectionHeader = keep ? 'keep' : 'close';
		this.#hooks.onForwarded?.(request, response);
		deliver(request, response, {
			open: options =>
				https.request({
					...place,
					...options,
					agent: options.agent || this.#upstream.single(connection),
				}),
			agent: keep ? this.#upstream.pool(connection) : undefined,
			method,
			path: request.url!,
			body,
			headers: this.#upstream.headers(connection, {method, headers, body, connection: connectionHeader}),
			again: this.#again(connection, {request, used}, fresh =>
				this.#upstream.headers(connection, {method, headers: fresh, body, connection: connectionHeader}),
			),
			outward: this.#filters.outward(connection.target, isModel),
			onSocket(socket) {
				connection.upstream.add(socket);
				response.once('close', () => connection.upstream.delete(socket));
				socket.setNoDelay(true);
			},
			onConnected() {},
			onReply: answer => this.#filters.reply(answer, method, exchange?.reply(answer.headers['content-type'] ?? '')),
			refuse,
			unreachable: error => `${formatTarget(connection.target)} could not be reached: ${error.code ?? error.message}`,
			onFault: because => this.#hooks.onRefused(formatTarget(connection.target), because, false),
		});
	}

	/** What asks for the headers of one more try, with other values; undefined where there can be none. */
	#again(
		connection: Connection,
		{request, used}: {readonly request: IncomingMessage; readonly used: readonly string[]},
		write: (headers: HeaderPairs) => HeaderPairs,
	): (() => Promise<HeaderPairs | undefined>) | undefined {
		const renew = this.#hooks.renewable?.(used);
		return (
			renew &&
			(async () => {
				if (!(await renew())) {
					return undefined;
				}

				const decided = this.#decide(connection, request, false);
				return 'refusal' in decided ? undefined : write(decided.headers);
			})
		);
	}

	async #upgrade(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
		client.on('error', () => client.destroy());
		const connection = this.#connections.get(request.socket);
		// A handshake behind a request that is still being answered belongs to no conversation.
		if (!connection || !this.#turns.isFree(request.socket)) {
			client.destroy();
			return;
		}

		this.#turns.end(request.socket);
		const waits = this.#hooks.ready?.(connection.target);
		const refusal = waits && (await stoppedBy(waits));
		if (refusal) {
			refuseSocket(client, {status: refusal.status, because: refusal.message});
			return;
		}

		this.#openWebsocket(connection, request, {client, head});
	}

	#openWebsocket(
		connection: Connection,
		request: IncomingMessage,
		{client, head}: {readonly client: Duplex; readonly head: Buffer},
	): void {
		if (client.destroyed) {
			return;
		}

		const decided = this.#decide(connection, request, true);
		if ('refusal' in decided) {
			refuseSocket(client, decided.refusal);
			return;
		}

		this.#hooks.onForwarded?.(request, undefined);
		new Websocket(
			{hooks: this.#hooks, filters: this.#filters, upstream: this.#upstream},
			{
				...decided,
				again: this.#again(connection, {request, used: decided.used}, headers => headers),
				connection,
				request,
				client,
				head,
				guarded: work => this.#guarded(request.socket, work),
			},
		).open();
	}
}
