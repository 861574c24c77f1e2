import type {Agent, IncomingMessage, Server, ServerResponse} from 'node:http';
import net from 'node:net';
import process from 'node:process';
import type {Duplex} from 'node:stream';
import {isLoopback} from '../core/network/addresses.ts';
import {decideEgress, matchesTarget, type Asked} from '../core/network/egress.ts';
import {pairsOf, readShape, replyHeaders, writeHeaders} from '../core/network/forward.ts';
import {formatTarget, parseAuthority, type Target} from '../core/network/target.ts';
import {proxyFault, unreachableProxy} from '../core/network/upstream.ts';
import {Refusal} from '../core/refusal.ts';
import {Blanker} from '../core/secrets/patterns.ts';
import {deliver, type Delivery} from './http-delivery.ts';
import {
	openServer,
	Pools,
	refuseRequest,
	refuseSocket,
	refuseUnreadable,
	requestEvents,
	Stopped,
	through,
	type Filter,
} from './http-forwarding.ts';
import {contain, Turns} from './http-turns.ts';
import {PatternCache} from './pattern-cache.ts';
import {ownPathOf} from './own-path.ts';
import {EgressDecider} from './proxy-decision.ts';
import {TunnelHello} from './proxy-hello.ts';
import type {ProxyHooks} from './proxy-hooks.ts';
import {loginOf, printableAuthority, readRequest, type ReadRequest} from './proxy-request.ts';
import {addressOptions, openRoute, proxyOptions, routeKey, type Route} from './route.ts';

// An import would load a whole client for the web: see http-forwarding.ts.
const http = process.getBuiltinModule('node:http');
const https = process.getBuiltinModule('node:https');

/** A run's connections at one time: the proxy is one process for one run, and its memory is the person's. */
const maxConnections = 1024;

type Connection = {target: Target; asked: Asked | undefined; sockets: Duplex[]};

/**
 * An HTTP and CONNECT proxy for one run: canonicalise, match, resolve once,
 * check the address, dial that address or ask the proxy of the person's network.
 */
export class Proxy {
	readonly #hooks: ProxyHooks;
	readonly #server: Server;
	readonly #turns = new Turns();
	readonly #patterns = new PatternCache();
	readonly #decider: EgressDecider;
	readonly #hello: TunnelHello;
	readonly #connections = new Set<Connection>();
	readonly #clients = new Set<Duplex>();
	readonly #pools = new Pools<Agent>({idleTimeoutMs: 30_000});
	#listener: net.Server | undefined;

	constructor(hooks: ProxyHooks) {
		this.#hooks = hooks;
		this.#decider = new EgressDecider(hooks);
		this.#hello = new TunnelHello({
			hooks,
			decider: this.#decider,
			patterns: this.#patterns,
			guarded: (socket, work) => this.#guarded(socket, work),
		});
		// A client's connection to a proxy costs nothing to open again, so it is not kept for long.
		this.#server = openServer({keepAliveTimeoutMs: 5000, maxHeaderBytes: 64 * 1024});
		for (const event of requestEvents) {
			this.#server.on(event, (request: IncomingMessage, response: ServerResponse) => {
				this.#turns.take(
					request.socket,
					response,
					this.#guarded(request.socket, () => this.#forward(request, response)),
				);
			});
		}

		this.#server.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
			// A tunnel behind a request that is still being answered belongs to no conversation.
			if (!this.#turns.isFree(socket)) {
				socket.destroy();
				return;
			}

			this.#turns.end(socket);
			this.#guarded(socket, () => this.#tunnel(request, socket, head))();
		});
		this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
			this.#guarded(socket, () => this.#unreadable(error, socket))();
		});
	}

	/** Ends a connection on which something came that is no request. */
	#unreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
		socket.on('error', () => socket.destroy());
		const isFree = this.#turns.isFree(socket);
		if (this.#turns.end(socket) && error.code?.startsWith('HPE_')) {
			this.#hooks.onRefused?.('unreadable', `a request cannot be read (${error.code})`);
		}

		refuseUnreadable(socket, 400, isFree);
	}

	/** A callback of one client's connection: whatever fails in it is written down, and ends that connection alone. */
	#guarded<Arguments extends unknown[]>(
		socket: Duplex,
		work: (...values: Arguments) => unknown,
	): (...values: Arguments) => void {
		return contain(work, because => {
			socket.destroy();
			this.#hooks.onRefused?.('unreadable', because);
		});
	}

	/** Serves connections that come in on a listener, such as one that lives in another network namespace. */
	attach(handle: unknown): Promise<void> {
		this.#listener = net.createServer({noDelay: true}, socket => {
			this.#clients.add(socket);
			socket.on('error', () => socket.destroy());
			socket.on('close', () => this.#clients.delete(socket));
			this.#server.emit('connection', socket);
		});
		this.#listener.maxConnections = maxConnections;
		return new Promise((resolve, reject) => {
			this.#listener!.once('error', reject);
			this.#listener!.listen(handle as net.ListenOptions, resolve);
		});
	}

	/** @param count connections at one time */
	setLimit(count: number): void {
		this.#listener!.maxConnections = count;
	}

	/** Destroys every open connection that the rules no longer allow. @returns how many */
	cut(): number {
		const {rules} = this.#hooks.state();
		let count = 0;
		for (const connection of this.#connections) {
			if (!decideEgress(connection.target, rules, connection.asked).allow) {
				count++;
				this.#end(connection);
			}
		}

		this.#pools.cut(target => !rules.some(rule => matchesTarget(rule, target)));

		return count + (this.#hooks.broker?.()?.cut() ?? 0) + (this.#hooks.own?.()?.cut() ?? 0);
	}

	#agentFor(target: Target, route: Route): Agent {
		return this.#pools.get(
			routeKey(target, route),
			target,
			options => new (route.proxy?.secure ? https : http).Agent(options),
		);
	}

	close(): void {
		this.#hooks.broker?.()?.close();
		this.#pools.close();
		this.#listener?.close();
		for (const connection of this.#connections) {
			this.#end(connection);
		}

		for (const client of this.#clients) {
			client.destroy();
		}

		this.#server.close();
	}

	#end(connection: Connection): void {
		this.#connections.delete(connection);
		for (const socket of connection.sockets) {
			socket.destroy();
		}
	}

	async #tunnel(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
		client.on('error', () => client.destroy());
		const target = parseAuthority(request.url ?? '');
		if (target instanceof Refusal) {
			this.#hooks.onDenied(printableAuthority(request.url), target.because, 'request');
			refuseSocket(client, {status: 400, because: target.because});
			return;
		}

		// A tunnel has no body: what comes before it is open is not the tunnel's.
		const shape = readShape({
			method: 'CONNECT',
			url: '/',
			version: request.httpVersion,
			headers: pairsOf(request.rawHeaders),
		});
		if (shape instanceof Refusal) {
			this.#hooks.onRefused?.(formatTarget(target), shape.because);
			refuseSocket(client, {status: 400, because: shape.because});
			return;
		}

		if (isLoopback(target.host)) {
			await this.#tunnelInside(target, client, head);
			return;
		}

		await this.#tunnelOutside(target, client, head);
	}

	/** A tunnel to the run's own loopback. */
	async #tunnelInside(target: Target, client: Duplex, head: Buffer): Promise<void> {
		const own = await this.#decider.own(target);
		if ('because' in own) {
			refuseSocket(client, {status: 403, because: own.because});
			return;
		}

		client.once('close', () => own.destroy());
		own.once('close', () => client.end());
		client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
		own.write(head);
		own.pipe(client).pipe(own);
	}

	async #tunnelOutside(target: Target, client: Duplex, head: Buffer): Promise<void> {
		const decision = await this.#decider.decide(target, undefined);
		if ('because' in decision) {
			refuseSocket(client, {status: decision.status === undefined ? 403 : 502, because: decision.because});
			return;
		}

		// Whoever asked may have gone while it was decided.
		if (client.destroyed) {
			return;
		}

		const broker = this.#hooks.broker?.();
		if (broker?.isBound(target)) {
			this.#hooks.onAllowed(formatTarget(target), decision.rule);
			client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
			this.#hello.intercept(broker, decision.route, {target, client: client as net.Socket, head});
			return;
		}

		const connection: Connection = {target, asked: undefined, sockets: [client]};
		this.#connections.add(connection);
		client.once('close', () => this.#connections.delete(connection));
		let upstream: net.Socket;
		try {
			upstream = await openRoute(target, decision.route);
		} catch (error) {
			this.#hooks.onUnreached?.((error as Error).message);
			refuseSocket(client, {status: 502, because: (error as Error).message});
			return;
		}

		// The grant may have gone, and the client with it, while the connection was made.
		connection.sockets.push(upstream);
		upstream.on('error', () => client.destroy());
		upstream.once('close', () => this.#connections.delete(connection));
		if (client.destroyed) {
			upstream.destroy();
			return;
		}

		client.once('close', () => upstream.destroy());
		this.#hooks.onAllowed(formatTarget(target), decision.rule);
		client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
		upstream.pipe(client);
		this.#hello.checkHello({target, client, head}, upstream);
	}

	async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const refuse = (status: number, because: string) => {
			this.#turns.end(request.socket);
			refuseRequest(request, response, {status, because});
		};

		const own = this.#hooks.own?.();
		const ownPath = own && ownPathOf(request.url ?? '');
		if (ownPath !== undefined) {
			request.url = ownPath;
			await own!.serve(request, response);
			return;
		}

		const read = readRequest(request, this.#hooks, this.#decider);
		if ('because' in read) {
			refuse(read.status, read.because);
			return;
		}

		const {target, asked} = read;
		const decision = isLoopback(target.host)
			? await this.#decider.own(target)
			: await this.#decider.decide(target, asked);
		if ('because' in decision) {
			refuse((decision as {status?: number}).status ?? 403, decision.because);
			return;
		}

		const connection: Connection = {target, asked, sockets: [request.socket]};
		this.#connections.add(connection);
		response.once('close', () => this.#connections.delete(connection));
		this.#hooks.onForwarded?.(request, response);
		deliver(request, response, {
			...this.#delivery(read, decision),
			onSocket: socket => connection.sockets.push(socket),
			refuse,
		});
	}

	/** How a request that was decided on goes out: to the run's own loopback, to an address, or to the network's proxy. */
	#delivery(
		{target, asked, headers, shape: {body, keep}, pointers}: ReadRequest,
		decision: net.Socket | {route: Route; rule: string},
	): Omit<Delivery, 'onSocket' | 'refuse'> {
		const own = 'route' in decision ? undefined : decision;
		const route = 'route' in decision ? decision.route : {addresses: []};
		const {proxy} = route;
		const host = formatTarget(target.port === 80 ? {host: target.host} : target);
		return {
			open(options) {
				if (own) {
					return http.request({createConnection: () => own, ...options, agent: null as never});
				}

				return route.proxy
					? (route.proxy.secure ? https : http).request({...proxyOptions(route), ...options})
					: http.request({...addressOptions(route.addresses, target.port), ...options});
			},
			agent: keep && !own ? this.#agentFor(target, route) : undefined,
			// A proxy is told where to, and who asks.
			method: asked.method,
			path: proxy ? `http://${host}${asked.path}` : asked.path,
			body,
			// Host is what was decided on, whatever the request said.
			headers: [
				...writeHeaders({method: asked.method, host, headers, body, connection: keep ? 'keep' : 'close'}),
				...(proxy?.authorization === undefined ? [] : [['Proxy-Authorization', proxy.authorization] as const]),
			],
			outward: pointers.length === 0 ? undefined : this.#outward(target, pointers),
			onConnected: () => ('rule' in decision ? this.#hooks.onAllowed(formatTarget(target), decision.rule) : undefined),
			onReply: answer => {
				if (proxy && answer.statusCode === 407) {
					throw new Stopped(502, proxyFault(proxy, 407, ''));
				}

				const login = proxy && loginOf(proxy);
				return {
					headers: replyHeaders({status: answer.statusCode!, headers: pairsOf(answer.rawHeaders)}).filter(
						([, value]) => !login?.find(Buffer.from(value, 'latin1'), 0, Buffer.byteLength(value, 'latin1')),
					),
					inward: login ? [through(new Blanker(login))] : [],
				};
			},
			unreachable: error => {
				const because = proxy
					? unreachableProxy(proxy, error.code ?? error.message)
					: `${formatTarget(target)} could not be reached: ${error.code ?? error.message}`;
				this.#hooks.onUnreached?.(because);
				return because;
			},
			onFault: because => this.#hooks.onRefused?.(formatTarget(target), because),
		};
	}

	/** A body that can be read: a pointer ends it. */
	#outward(target: Target, pointers: readonly string[]): Filter {
		const blanker = new Blanker(this.#patterns.of(pointers));
		return {
			push: bytes => {
				const passed = blanker.push(bytes);
				if (blanker.found > 0) {
					this.#hooks.onAlarm?.(formatTarget(target), 'a pointer is in the body of a request that is not encrypted');
					throw new Stopped(403, 'a pointer goes over TLS, to the host it is bound to');
				}

				return passed;
			},
			end: () => blanker.end(),
		};
	}
}
