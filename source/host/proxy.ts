import {lookup} from 'node:dns/promises';
import type {Agent, IncomingMessage, Server, ServerResponse} from 'node:http';
import net from 'node:net';
import process from 'node:process';
import type {Duplex} from 'node:stream';
import type {SecureContext} from 'node:tls';
import {longestHello, readClientHello, type ClientHello} from '../core/network/client-hello.ts';
import {pairsOf, readShape, replyHeaders, writeHeaders} from '../core/network/forward.ts';
import {hostAddresses, isLoopback, loopbackAddresses} from '../core/network/addresses.ts';
import {decideAddress, decideEgress, matchesTarget, type Asked} from '../core/network/egress.ts';
import {type EgressRule} from '../core/network/rules.ts';
import {canonicaliseHost, formatTarget, hostName, parseAuthority, type Target} from '../core/network/target.ts';
import type {DenialKind} from '../core/run/event.ts';
import {Blanker, Patterns} from '../core/secrets/patterns.ts';
import {proxyPort} from '../core/plan.ts';
import {patternsOf} from '../core/secrets/encodings.ts';
import {holdsPointer, otherReading} from '../core/secrets/swap.ts';
import {
	isMetadataName,
	isNearby,
	proxyFault,
	unreachableProxy,
	upstreamFor,
	type UpstreamProxy,
	type Upstreams,
} from '../core/network/upstream.ts';
import {contain, deliver, guardIdle, requestEvents, Stopped, through, Turns, type Filter} from './forward.ts';
import {addressOptions, openRoute, proxyOptions, routeKey, type Route} from './route.ts';
import {Refusal} from '../core/refusal.ts';

// An import would touch every export, and one of them loads a whole client for the web: 6 MB in each supervisor.
const http = process.getBuiltinModule('node:http');
const https = process.getBuiltinModule('node:https');

/** What a run may reach at this moment. Asked for at every request, so that a grant acts on the next one. */
export type EgressState = {readonly rules: readonly EgressRule[]; readonly privateHosts: readonly EgressRule[]};

export type ProxyHooks = {
	state(): EgressState;
	onDenied(target: string, because: string, kind: DenialKind): void;
	onAllowed(target: string, rule: string): void;
	/** A request that cannot be read in one way, or at which fleet itself failed: no grant would let it pass. */
	onRefused?(target: string, because: string): void;
	/**
	 * The agent asked fleet itself for something, at
	 * http://fleet.internal/<what>. The answer is always no; it is written down.
	 */
	onAsked(what: string): void;
	/** The addresses of a name; by default the system's answer. */
	resolve?(host: string): Promise<string[]>;
	/** What looks into tunnels to hosts that a secret is bound to; undefined while the run holds none. */
	broker?(): Interceptor | undefined;
	/** Every pointer of the run: nothing that can be read carries one past the broker. */
	pointers?(): readonly string[];
	onAlarm?(target: string, because: string): void;
	/** For tests: a request that was decided on, as it is about to go on. */
	onForwarded?(request: IncomingMessage, response: ServerResponse): void;
	/** The proxies of the person's network; by default there is none. */
	readonly upstreams?: Upstreams | undefined;
	/** Whom the connection to such a proxy trusts; by default whom Node does. */
	trust?(): SecureContext | undefined;
	/** Connects to the run's own loopback, for a client that asks for it here. @throws where nothing listens */
	loopback?(addresses: readonly string[], port: number): Promise<net.Socket>;
};

/** The proxy's side of the broker. */
export type Interceptor = {
	isBound(target: Target): boolean;
	serve(client: net.Socket, target: Target, route: Route): void;
	cut(): number;
	close(): void;
};

/** The name under which the proxy itself answers, so that an agent that asks for a decision gets a clear refusal. */
export const internalHost = 'fleet.internal';

/** A run's connections at one time: the proxy is one process for one run, and its memory is the person's. */
const maxConnections = 1024;

type Connection = {target: Target; asked: Asked | undefined; sockets: Duplex[]};

async function systemResolve(host: string): Promise<string[]> {
	return (await lookup(host, {all: true, verbatim: false})).map(({address}) => address);
}

/**
 * An HTTP and CONNECT proxy for one run: canonicalise, match, resolve once,
 * check the address, dial that address or ask the proxy of the person's network.
 */
export class Proxy {
	readonly #hooks: ProxyHooks;
	readonly #server: Server;
	readonly #turns = new Turns();
	#patterns: {key: string; patterns: Patterns} = {key: '', patterns: new Patterns([])};
	readonly #connections = new Set<Connection>();
	readonly #clients = new Set<Duplex>();
	/** Connections to servers that are kept for the next request, by address and port. */
	readonly #agents = new Map<string, {agent: Agent; target: Target}>();
	#listener: net.Server | undefined;

	constructor(hooks: ProxyHooks) {
		this.#hooks = hooks;
		// Every header is seen: those past a limit would be left out, and the request framed by what is not there.
		this.#server = http.createServer({
			keepAliveTimeout: 5000,
			headersTimeout: 20_000,
			requestTimeout: 0,
			maxHeaderSize: 64 * 1024,
			insecureHTTPParser: false,
		});
		this.#server.maxHeadersCount = 0;
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

		// A reply that is on its way is not mixed with another.
		if (isFree && socket.writable) {
			socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
		} else {
			socket.destroy();
		}
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

		for (const [key, {agent, target}] of this.#agents) {
			if (!rules.some(rule => matchesTarget(rule, target))) {
				agent.destroy();
				this.#agents.delete(key);
			}
		}

		return count + (this.#hooks.broker?.()?.cut() ?? 0);
	}

	#agentFor(target: Target, route: Route): Agent {
		const key = routeKey(target, route);
		const known = this.#agents.get(key);
		if (known) {
			return known.agent;
		}

		// A run that asks a thousand hosts gets no thousand pools.
		if (this.#agents.size >= 64) {
			const [oldest, {agent}] = this.#agents.entries().next().value!;
			agent.destroy();
			this.#agents.delete(oldest);
		}

		const agent = guardIdle(
			new (route.proxy?.secure ? https : http).Agent({keepAlive: true, maxFreeSockets: 8, timeout: 30_000}),
		);
		this.#agents.set(key, {agent, target});
		return agent;
	}

	close(): void {
		this.#hooks.broker?.()?.close();
		for (const {agent} of this.#agents.values()) {
			agent.destroy();
		}

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

	/**
	 * @returns the way to a target, or why there is none; every no
	 * is reported. `status` is for a fault that no grant mends.
	 */
	async #decide(
		target: Target,
		asked: Asked | undefined,
	): Promise<{route: Route; rule: string} | {because: string; status?: number}> {
		const {rules} = this.#hooks.state();
		const verdict = decideEgress(target, rules, asked);
		if (!verdict.allow) {
			return this.#deny(target, verdict.because, 'not-granted');
		}

		const route = await this.#route(target, asked);
		if ('because' in route) {
			return route;
		}

		// The grant may have gone while the name was looked up.
		const again = decideEgress(target, this.#hooks.state().rules, asked);
		return again.allow ? {route, rule: again.because} : this.#deny(target, again.because, 'not-granted');
	}

	async #route(target: Target, asked: Asked | undefined): Promise<Route | {because: string; status?: number}> {
		if (target.host === hostName) {
			return {addresses: hostAddresses};
		}

		const {upstreams} = this.#hooks;
		const proxy = upstreams && upstreamFor(upstreams, asked ? 'http' : 'tunnel', target);
		if (proxy instanceof Refusal) {
			return {because: proxy.because, status: 502};
		}

		if (proxy && isMetadataName(target.host)) {
			return this.#deny(target, `${target.host} hands out a cloud's credentials, and is never asked`, 'address');
		}

		let addresses: string[] = [];
		// A proxy elsewhere finds the address itself, and what this machine would find means nothing there.
		if (net.isIP(target.host)) {
			addresses = [target.host];
		} else if (!proxy || isNearby(proxy)) {
			try {
				addresses = await (this.#hooks.resolve ?? systemResolve)(target.host);
			} catch {
				// Behind a proxy, names of the world often do not.
			}

			if (addresses.length === 0 && !proxy) {
				return {because: 'the name does not resolve'};
			}
		}

		// One address that must not be dialled spoils the answer: a name that is half public is a rebinding attempt.
		const {privateHosts} = this.#hooks.state();
		for (const address of addresses) {
			const check = decideAddress(target, address, privateHosts);
			if (!check.allow) {
				return this.#deny(target, check.because, 'address');
			}
		}

		return proxy ? {proxy, context: this.#hooks.trust?.()} : {addresses: addresses.slice(0, 1)};
	}

	#deny(target: {host: string; port?: number}, because: string, kind: DenialKind): {because: string} {
		this.#hooks.onDenied(formatTarget(target), because, kind);
		return {because};
	}

	#refuse(socket: Duplex, because: string, code = '403 Forbidden'): void {
		const body = `fleet: ${because}\n`;
		socket.end(
			`HTTP/1.1 ${code}\r\nContent-Type: text/plain\r\nX-Fleet-Refusal: ${because}\r\n` +
				`Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
		);
	}

	async #tunnel(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
		client.on('error', () => client.destroy());
		const target = parseAuthority(request.url ?? '');
		if (target instanceof Refusal) {
			this.#hooks.onDenied(printableAuthority(request.url), target.because, 'request');
			this.#refuse(client, target.because, '400 Bad Request');
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
			this.#refuse(client, shape.because, '400 Bad Request');
			return;
		}

		if (isLoopback(target.host)) {
			const own = await this.#own(target);
			if ('because' in own) {
				this.#refuse(client, own.because);
				return;
			}

			client.once('close', () => own.destroy());
			own.once('close', () => client.end());
			client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
			own.write(head);
			own.pipe(client).pipe(own);
			return;
		}

		const decision = await this.#decide(target, undefined);
		if ('because' in decision) {
			this.#refuse(client, decision.because, decision.status === undefined ? undefined : '502 Bad Gateway');
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
			this.#intercept(broker, target, decision.route, client as net.Socket, head);
			return;
		}

		const connection: Connection = {target, asked: undefined, sockets: [client]};
		this.#connections.add(connection);
		client.once('close', () => this.#connections.delete(connection));
		let upstream: net.Socket;
		try {
			upstream = await openRoute(target, decision.route);
		} catch (error) {
			this.#refuse(client, (error as Error).message, '502 Bad Gateway');
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
		this.#checkHello(target, client, upstream, head);
	}

	/**
	 * Hands a tunnel to the broker once it began with a TLS hello
	 * for its own target: a bound host is asked in no other way.
	 */
	#intercept(broker: Interceptor, target: Target, route: Route, client: net.Socket, head: Buffer): void {
		this.#readHello(client, head, (hello, seen) => {
			if (
				hello.kind !== 'hello' ||
				(hello.name === undefined ? net.isIP(target.host) === 0 : canonicaliseHost(hello.name) !== target.host)
			) {
				this.#deny(
					hello.kind === 'hello' && hello.name !== undefined
						? {host: printableAuthority(hello.name), port: target.port}
						: target,
					hello.kind === 'hello'
						? `the TLS hello in a tunnel to ${formatTarget(target)} names another host`
						: `${formatTarget(target)} has a secret bound to it, and is asked over TLS alone`,
					'request',
				);
				client.destroy();
				return;
			}

			client.unshift(seen);
			broker.serve(client, target, route);
		});
	}

	/**
	 * Lets the client's bytes through once they are not a TLS hello that names another host: a shared front end would
	 * otherwise carry the run to every host behind it. What is not TLS passes as it is, unless it carries a pointer.
	 */
	#checkHello(target: Target, client: Duplex, upstream: net.Socket, head: Buffer): void {
		const ended = this.#readHello(client, head, (hello, seen) => {
			if (hello.kind === 'odd') {
				this.#hooks.onRefused?.(formatTarget(target), 'the TLS hello in a tunnel can be read in two ways');
				client.destroy();
				upstream.destroy();
				return;
			}

			if (hello.kind === 'hello' && hello.name !== undefined && canonicaliseHost(hello.name) !== target.host) {
				this.#deny(
					{host: printableAuthority(hello.name), port: target.port},
					`the TLS hello in a tunnel to ${formatTarget(target)} names another host`,
					'request',
				);
				client.destroy();
				upstream.destroy();
				return;
			}

			const pointers = hello.kind === 'hello' ? [] : (this.#hooks.pointers?.() ?? []);
			if (pointers.length > 0) {
				this.#watchPlain(target, client, upstream, seen, pointers);
				return;
			}

			upstream.write(seen);
			client.pipe(upstream);
		});
		client.once('end', () => {
			const seen = ended();
			if (seen) {
				upstream.end(seen);
			}
		});
	}

	/** A tunnel without TLS can be read: a pointer ends it. */
	#watchPlain(target: Target, client: Duplex, upstream: net.Socket, seen: Buffer, pointers: readonly string[]): void {
		const blanker = new Blanker(this.#patternsOf(pointers));
		const look = this.#guarded(client, (bytes: Uint8Array) => {
			const passed = blanker.push(bytes);
			if (blanker.found > 0) {
				this.#hooks.onAlarm?.(formatTarget(target), 'a pointer is in a tunnel to a host that it is not bound to');
				client.destroy();
				upstream.destroy();
			} else if (!upstream.write(passed)) {
				client.pause();
			}
		});

		upstream.on('drain', () => client.resume());
		client.on('data', look);
		client.once('end', () => upstream.end(blanker.end()));
		look(seen);
		client.resume();
	}

	/**
	 * Reads a client's first bytes until they are a hello or clearly none.
	 * @param then gets them; the client is paused
	 * @returns for a client that ends before: what it sent so far; undefined once it was handed over
	 */
	#readHello(client: Duplex, head: Buffer, then: (hello: ClientHello, seen: Buffer) => void): () => Buffer | undefined {
		let seen: Buffer = Buffer.alloc(0);
		let waiting = true;
		const look = this.#guarded(client, (bytes: Buffer) => {
			seen = Buffer.concat([seen, bytes]);
			const hello = readClientHello(seen);
			if (hello.kind === 'wait' && seen.length <= longestHello) {
				return;
			}

			waiting = false;
			client.off('data', look);
			client.pause();
			then(hello, seen);
		});

		if (head.length > 0) {
			look(head);
		}

		if (waiting) {
			client.on('data', look);
		}

		return () => (waiting ? seen : undefined);
	}

	async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const refuse = (code: number, because: string) => {
			this.#turns.end(request.socket);
			if (response.headersSent || response.destroyed) {
				response.destroy();
				return;
			}

			response
				.writeHead(code, {'content-type': 'text/plain', 'x-fleet-refusal': because, connection: 'close'})
				.end(`fleet: ${because}\n`);
			request.resume();
		};

		const match = /^http:\/\/([^/?#]*)([/?].*)?$/i.exec(request.url ?? '');
		if (!match) {
			refuse(400, 'this is a proxy: ask with an absolute http:// address, or CONNECT');
			return;
		}

		const target = parseAuthority(match[1]!, 80);
		if (target instanceof Refusal) {
			this.#hooks.onDenied(printableAuthority(match[1]), target.because, 'request');
			refuse(400, target.because);
			return;
		}

		const given = match[2] ?? '/';
		const pathname = given.startsWith('?') ? `/${given}` : given;
		if (target.host === internalHost) {
			const what = pathname.slice(1, 61).replaceAll(/[^a-z0-9/-]/gi, '');
			this.#hooks.onAsked(what);
			refuse(403, 'agents-decide-nothing');
			return;
		}

		const pointers = this.#hooks.pointers?.() ?? [];
		if (
			pointers.length > 0 &&
			(holdsPointer(request.url!, pointers) || request.rawHeaders.some(text => holdsPointer(text, pointers)))
		) {
			this.#hooks.onAlarm?.(formatTarget(target), 'a pointer is in a request that is not encrypted');
			refuse(403, 'a pointer goes over TLS, to the host it is bound to');
			return;
		}

		if (this.#hooks.broker?.()?.isBound(target)) {
			this.#deny(target, 'a secret is bound to it, so it is asked over TLS alone', 'request');
			refuse(403, 'a secret is bound to this host, so it is asked over TLS alone');
			return;
		}

		const parsed = {
			method: request.method ?? '',
			url: pathname,
			version: request.httpVersion,
			headers: pairsOf(request.rawHeaders),
		};
		const shape = readShape(parsed);
		if (shape instanceof Refusal) {
			this.#hooks.onRefused?.(formatTarget(target), shape.because);
			refuse(400, shape.because);
			return;
		}

		// A proxy on the way would answer with what it was asked, its own credential among it.
		if (parsed.method === 'TRACE' || parsed.method === 'TRACK') {
			this.#deny(target, `${parsed.method} is not passed on`, 'request');
			refuse(405, `${parsed.method} is not passed on`);
			return;
		}

		const asked = {method: parsed.method, path: pathname, other: otherReading(pathname, parsed.headers)};
		const decision = isLoopback(target.host) ? await this.#own(target) : await this.#decide(target, asked);
		if ('because' in decision) {
			refuse((decision as {status?: number}).status ?? 403, decision.because);
			return;
		}

		const own = 'route' in decision ? undefined : decision;
		const route = 'route' in decision ? decision.route : {addresses: []};
		const {proxy} = route;
		const connection: Connection = {target, asked, sockets: [request.socket]};
		this.#connections.add(connection);
		response.once('close', () => this.#connections.delete(connection));
		const {body, keep} = shape;
		this.#hooks.onForwarded?.(request, response);
		const host = formatTarget(target.port === 80 ? {host: target.host} : target);
		deliver(request, response, {
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
			path: proxy ? `http://${host}${pathname}` : pathname,
			body,
			// Host is what was decided on, whatever the request said.
			headers: [
				...writeHeaders({
					method: asked.method,
					host,
					headers: parsed.headers,
					body,
					connection: keep ? 'keep' : 'close',
				}),
				...(proxy?.authorization === undefined ? [] : [['Proxy-Authorization', proxy.authorization] as const]),
			],
			outward: pointers.length === 0 ? undefined : this.#outward(target, pointers),
			onSocket: socket => connection.sockets.push(socket),
			onConnected: () =>
				own ? undefined : this.#hooks.onAllowed(formatTarget(target), (decision as {rule: string}).rule),
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
			refuse,
			unreachable: error =>
				proxy
					? unreachableProxy(proxy, error.code ?? error.message)
					: `${formatTarget(target)} could not be reached: ${error.code ?? error.message}`,
			onFault: because => this.#hooks.onRefused?.(formatTarget(target), because),
		});
	}

	#patternsOf(pointers: readonly string[]): Patterns {
		const key = pointers.join(' ');
		if (this.#patterns.key !== key) {
			this.#patterns = {key, patterns: patternsOf(pointers)};
		}

		return this.#patterns.patterns;
	}

	/**
	 * A connection to the run's own loopback: what a client means that asks a
	 * proxy for it. Nothing of this machine's is ever meant by those names.
	 */
	async #own(target: Target): Promise<net.Socket | {because: string}> {
		const inside = `${formatTarget(target)} is the run's own, inside`;
		if (!this.#hooks.loopback || target.port === proxyPort) {
			return {because: `${inside}: ask it without a proxy`};
		}

		try {
			const socket = await this.#hooks.loopback(loopbackAddresses(target.host), target.port);
			socket.on('error', () => socket.destroy());
			return socket;
		} catch {
			return {
				because:
					`${inside}, and nothing listens there; a port of the person's machine is ${hostName}:${target.port}, ` +
					`once network:${hostName}:${target.port} is granted`,
			};
		}
	}

	/** A body that can be read: a pointer ends it. */
	#outward(target: Target, pointers: readonly string[]): Filter {
		const blanker = new Blanker(this.#patternsOf(pointers));
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

/** Characters from which on a password by itself is blanked: a shorter one may be any word. */
const leastPassword = 8;

/** What finds the login of a proxy in what comes back: one that shows what it was asked would show it to the run. */
function loginOf({authorization}: UpstreamProxy): Patterns | undefined {
	if (authorization === undefined) {
		return undefined;
	}

	const header = authorization.slice('Basic '.length);
	const login = Buffer.from(header, 'base64').toString('utf8');
	const password = login.slice(login.indexOf(':') + 1);
	return patternsOf([header, login, ...(password.length >= leastPassword ? [password] : [])]);
}

function printableAuthority(text: string | undefined): string {
	return (text ?? '').replaceAll(/[^ -~]/g, '?').slice(0, 100);
}
