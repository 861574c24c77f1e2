import {lookup} from 'node:dns/promises';
import type {Agent, IncomingMessage, Server, ServerResponse} from 'node:http';
import net from 'node:net';
import process from 'node:process';
import type {Duplex} from 'node:stream';
import {longestHello, readClientHello, type ClientHello} from '../core/client-hello.ts';
import {pairsOf, readShape, replyHeaders, writeHeaders} from '../core/forward.ts';
import {canonicaliseHost, decideAddress, decideEgress, formatTarget, matchesTarget, parseAuthority, type Asked, type EgressRule, type Target} from '../core/egress.ts';
import {Blanker, Needles} from '../core/needles.ts';
import {needlesOf} from '../core/spellings.ts';
import {holdsPointer, otherReading} from '../core/swap.ts';
import {contain, deliver, dialTimeout, guardIdle, requestEvents, Stopped, Turns, type Filter} from './forward.ts';

// An import would touch every export, and one of them loads a whole client for the web: 6 MB in each supervisor.
const http = process.getBuiltinModule('node:http');

/** What a run may reach at this moment. Asked for at every request, so that a grant acts on the next one. */
export type EgressState = {readonly rules: readonly EgressRule[]; readonly privateHosts: readonly EgressRule[]};

export type ProxyHooks = {
	state(): EgressState;
	onDenied(target: string, because: string): void;
	onAllowed(target: string, rule: string): void;
	/** The agent asked fleet itself for something, at http://fleet.internal/<what>. The answer is always no; it is written down. */
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
};

/** The proxy's side of the broker. */
export type Interceptor = {isBound(target: Target): boolean; serve(client: net.Socket, target: Target, address: string): void; cut(): number; close(): void};

/** The name under which the proxy itself answers, so that an agent that asks for a decision gets a clear refusal. */
export const internalHost = 'fleet.internal';

/** A run's connections at one time: the proxy is one process for one run, and its memory is the person's. */
const maxConnections = 1024;

type Connection = {target: Target; asked: Asked | undefined; sockets: Duplex[]};

async function systemResolve(host: string): Promise<string[]> {
	return (await lookup(host, {all: true, verbatim: false})).map(({address}) => address);
}

/** An HTTP and CONNECT proxy for one run: canonicalise, match, resolve once, check the address, dial that address. */
export class Proxy {
	readonly #hooks: ProxyHooks;
	readonly #server: Server;
	readonly #turns = new Turns();
	#needles: {key: string; needles: Needles} = {key: '', needles: new Needles([])};
	readonly #connections = new Set<Connection>();
	readonly #clients = new Set<Duplex>();
	/** Connections to servers that are kept for the next request, by address and port. */
	readonly #agents = new Map<string, {agent: Agent; target: Target}>();
	#listener: net.Server | undefined;

	constructor(hooks: ProxyHooks) {
		this.#hooks = hooks;
		// Every header is seen: those past a limit would be left out, and the request framed by what is not there.
		this.#server = http.createServer({keepAliveTimeout: 5000, headersTimeout: 20_000, requestTimeout: 0, maxHeaderSize: 64 * 1024, insecureHTTPParser: false});
		this.#server.maxHeadersCount = 0;
		for (const event of requestEvents) {
			this.#server.on(event, (request: IncomingMessage, response: ServerResponse) => {
				this.#turns.take(request.socket, response, this.#guarded(request.socket, () => this.#forward(request, response)));
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
		if (this.#turns.end(socket) && /^HPE_/.test(error.code ?? '')) {
			this.#hooks.onDenied('unreadable', `a request cannot be read (${error.code})`);
		}

		// A reply that is on its way is not mixed with another.
		if (isFree && socket.writable) {
			socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
		} else {
			socket.destroy();
		}
	}

	/** A callback of one client's connection: whatever fails in it is written down, and ends that connection alone. */
	#guarded<Arguments extends unknown[]>(socket: Duplex, work: (...values: Arguments) => unknown): (...values: Arguments) => void {
		return contain(work, because => {
			socket.destroy();
			this.#hooks.onDenied('unreadable', because);
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

	#agentFor(target: Target, address: string): Agent {
		const key = `${formatTarget(target)} ${address}`;
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

		const agent = guardIdle(new http.Agent({keepAlive: true, maxFreeSockets: 8, timeout: 30_000}));
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

	/** @returns the address to dial, or why not; every no is reported. */
	async #decide(target: Target, asked: Asked | undefined): Promise<{address: string; rule: string} | {because: string}> {
		const {rules, privateHosts} = this.#hooks.state();
		const verdict = decideEgress(target, rules, asked);
		if (!verdict.allow) {
			return this.#deny(target, verdict.because);
		}

		let addresses: string[];
		try {
			addresses = net.isIP(target.host) ? [target.host] : await (this.#hooks.resolve ?? systemResolve)(target.host);
		} catch {
			return {because: 'the name does not resolve'};
		}

		// One address that must not be dialled spoils the answer: a name that is half public is a rebinding attempt.
		for (const address of addresses) {
			const check = decideAddress(target, address, privateHosts);
			if (!check.allow) {
				return this.#deny(target, check.because);
			}
		}

		const [address] = addresses;
		if (address === undefined) {
			return {because: 'the name does not resolve'};
		}

		// The grant may have gone while the name was looked up.
		const again = decideEgress(target, this.#hooks.state().rules, asked);
		return again.allow ? {address, rule: again.because} : this.#deny(target, again.because);
	}

	#deny(target: {host: string; port?: number}, because: string): {because: string} {
		this.#hooks.onDenied(formatTarget(target), because);
		return {because};
	}

	#refuse(socket: Duplex, because: string, code = '403 Forbidden'): void {
		const body = `fleet: ${because}\n`;
		socket.end(`HTTP/1.1 ${code}\r\nContent-Type: text/plain\r\nX-Fleet-Refusal: ${because}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
	}

	async #tunnel(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
		client.on('error', () => client.destroy());
		const target = parseAuthority(request.url ?? '');
		if ('because' in target) {
			this.#hooks.onDenied(printableAuthority(request.url), target.because);
			this.#refuse(client, target.because, '400 Bad Request');
			return;
		}

		// A tunnel has no body: what comes before it is open is not the tunnel's.
		const shape = readShape({method: 'CONNECT', url: '/', version: request.httpVersion, headers: pairsOf(request.rawHeaders)});
		if ('because' in shape) {
			this.#deny(target, shape.because);
			this.#refuse(client, shape.because, '400 Bad Request');
			return;
		}

		const decision = await this.#decide(target, undefined);
		if ('because' in decision) {
			this.#refuse(client, decision.because);
			return;
		}

		const broker = this.#hooks.broker?.();
		if (broker?.isBound(target)) {
			this.#hooks.onAllowed(formatTarget(target), decision.rule);
			client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
			this.#intercept(broker, target, decision.address, client as net.Socket, head);
			return;
		}

		const upstream = net.connect({host: decision.address, port: target.port, timeout: dialTimeout});
		const connection: Connection = {target, asked: undefined, sockets: [client, upstream]};
		this.#connections.add(connection);
		upstream.once('connect', this.#guarded(client, () => {
			upstream.setTimeout(0);
			this.#hooks.onAllowed(formatTarget(target), decision.rule);
			client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
			upstream.pipe(client);
			this.#checkHello(target, client, upstream, head);
		}));
		upstream.once('timeout', () => upstream.destroy(new Error('timed out')));
		upstream.on('error', error => {
			if (upstream.connecting || upstream.bytesRead === 0) {
				this.#refuse(client, `${formatTarget(target)} could not be reached: ${(error as NodeJS.ErrnoException).code ?? error.message}`, '502 Bad Gateway');
			} else {
				client.destroy();
			}
		});
		upstream.once('close', () => this.#connections.delete(connection));
		client.once('close', () => upstream.destroy());
	}

	/** Hands a tunnel to the broker once it began with a TLS hello for its own target: a bound host is asked in no other way. */
	#intercept(broker: Interceptor, target: Target, address: string, client: net.Socket, head: Buffer): void {
		this.#readHello(client, head, (hello, seen) => {
			if (hello.kind !== 'hello' || (hello.name === undefined ? net.isIP(target.host) === 0 : canonicaliseHost(hello.name) !== target.host)) {
				this.#deny(hello.kind === 'hello' && hello.name !== undefined ? {host: printableAuthority(hello.name), port: target.port} : target, hello.kind === 'hello' ? `the TLS hello in a tunnel to ${formatTarget(target)} names another host` : `${formatTarget(target)} has a secret bound to it, and is asked over TLS alone`);
				client.destroy();
				return;
			}

			client.unshift(seen);
			broker.serve(client, target, address);
		});
	}

	/**
	 * Lets the client's bytes through once they are not a TLS hello that names another host: a shared front end would
	 * otherwise carry the run to every host behind it. What is not TLS passes as it is, unless it carries a pointer.
	 */
	#checkHello(target: Target, client: Duplex, upstream: net.Socket, head: Buffer): void {
		const ended = this.#readHello(client, head, (hello, seen) => {
			if (hello.kind === 'hello' && hello.name !== undefined && canonicaliseHost(hello.name) !== target.host) {
				this.#deny({host: printableAuthority(hello.name), port: target.port}, `the TLS hello in a tunnel to ${formatTarget(target)} names another host`);
				client.destroy();
				upstream.destroy();
				return;
			}

			const pointers = hello.kind === 'hello' ? [] : this.#hooks.pointers?.() ?? [];
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
		const blanker = new Blanker(this.#needlesOf(pointers));
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

		return () => waiting ? seen : undefined;
	}

	async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const refuse = (code: number, because: string) => {
			this.#turns.end(request.socket);
			if (response.headersSent || response.destroyed) {
				response.destroy();
				return;
			}

			response.writeHead(code, {'content-type': 'text/plain', 'x-fleet-refusal': because, connection: 'close'}).end(`fleet: ${because}\n`);
			request.resume();
		};

		const match = /^http:\/\/([^/?#]*)([/?].*)?$/i.exec(request.url ?? '');
		if (!match) {
			refuse(400, 'this is a proxy: ask with an absolute http:// address, or CONNECT');
			return;
		}

		const target = parseAuthority(match[1]!, 80);
		if ('because' in target) {
			this.#hooks.onDenied(printableAuthority(match[1]), target.because);
			refuse(400, target.because);
			return;
		}

		const pathname = match[2] === undefined ? '/' : match[2].startsWith('?') ? `/${match[2]}` : match[2];
		if (target.host === internalHost) {
			const what = pathname.slice(1, 61).replaceAll(/[^a-z0-9/-]/gi, '');
			this.#hooks.onAsked(what);
			refuse(403, 'agents-decide-nothing');
			return;
		}

		const pointers = this.#hooks.pointers?.() ?? [];
		if (pointers.length > 0 && (holdsPointer(request.url!, pointers) || request.rawHeaders.some(text => holdsPointer(text, pointers)))) {
			this.#hooks.onAlarm?.(formatTarget(target), 'a pointer is in a request that is not encrypted');
			refuse(403, 'a pointer goes over TLS, to the host it is bound to');
			return;
		}

		if (this.#hooks.broker?.()?.isBound(target)) {
			this.#deny(target, 'a secret is bound to it, so it is asked over TLS alone');
			refuse(403, 'a secret is bound to this host, so it is asked over TLS alone');
			return;
		}

		const parsed = {method: request.method ?? '', url: pathname, version: request.httpVersion, headers: pairsOf(request.rawHeaders)};
		const shape = readShape(parsed);
		if ('because' in shape) {
			this.#deny(target, shape.because);
			refuse(400, shape.because);
			return;
		}

		const asked = {method: parsed.method, path: pathname, other: otherReading(pathname, parsed.headers)};
		const decision = await this.#decide(target, asked);
		if ('because' in decision) {
			refuse(403, decision.because);
			return;
		}

		const connection: Connection = {target, asked, sockets: [request.socket]};
		this.#connections.add(connection);
		response.once('close', () => this.#connections.delete(connection));
		const {body, keep} = shape;
		this.#hooks.onForwarded?.(request, response);
		deliver(request, response, {
			open: options => http.request({host: decision.address, port: target.port, ...options}),
			agent: keep ? this.#agentFor(target, decision.address) : undefined,
			method: asked.method, path: pathname, body,
			// Host is what was decided on, whatever the request said.
			headers: writeHeaders({method: asked.method, host: formatTarget(target.port === 80 ? {host: target.host} : target), headers: parsed.headers, body, connection: keep ? 'keep' : 'close'}),
			outward: pointers.length === 0 ? undefined : this.#outward(target, pointers),
			onSocket: socket => connection.sockets.push(socket),
			onConnected: () => this.#hooks.onAllowed(formatTarget(target), decision.rule),
			onReply: answer => ({headers: replyHeaders({status: answer.statusCode!, headers: pairsOf(answer.rawHeaders)}), inward: []}),
			refuse,
			unreachable: error => `${formatTarget(target)} could not be reached: ${error.code ?? error.message}`,
			onFault: because => this.#hooks.onDenied(formatTarget(target), because),
		});
	}

	#needlesOf(pointers: readonly string[]): Needles {
		const key = pointers.join(' ');
		if (this.#needles.key !== key) {
			this.#needles = {key, needles: needlesOf(pointers)};
		}

		return this.#needles.needles;
	}

	/** A body that can be read: a pointer ends it. */
	#outward(target: Target, pointers: readonly string[]): Filter {
		const blanker = new Blanker(this.#needlesOf(pointers));
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

function printableAuthority(text: string | undefined): string {
	return (text ?? '').replaceAll(/[^ -~]/g, '?').slice(0, 100);
}
