import {createHash} from 'node:crypto';
import type {Agent as HttpsAgent, RequestOptions as HttpsOptions} from 'node:https';
import type {IncomingMessage, Server, ServerResponse} from 'node:http';
import type net from 'node:net';
import type {SecureContext} from 'node:tls';
import process from 'node:process';
import type {Duplex, Readable, Transform} from 'node:stream';
import {createBrotliDecompress, createGunzip, createInflate} from 'node:zlib';
import {decideEgress} from '../core/network/egress.ts';
import {type EgressRule} from '../core/network/rules.ts';
import {formatTarget, hostName, type Target} from '../core/network/target.ts';
import {
	fitsHeader,
	pairsOf,
	readShape,
	refuseHandshake,
	refuseReply,
	replyHeaders,
	writeHeaders,
	type HeaderPairs,
	type RequestShape,
} from '../core/network/forward.ts';
import {Blanker, copyOf, Patterns} from '../core/secrets/patterns.ts';
import {patternsOf} from '../core/secrets/encodings.ts';
import {boundTo, decideRequest, type HeldSecret} from '../core/secrets/swap.ts';
import {FrameBlanker} from '../core/network/websocket-frames.ts';
import {Authority} from './authority.ts';
import {
	contain,
	deliver,
	dialTimeout,
	guardIdle,
	mostInformation,
	requestEvents,
	Stopped,
	through,
	tooMuch,
	Turns,
	type Filter,
} from './forward.ts';
import {addressOptions, connectingBy, openRoute, routeKey, type Route} from './route.ts';
import {Refusal} from '../core/refusal.ts';

// As in proxy.ts: an import would load a whole client for the web.
const http = process.getBuiltinModule('node:http');
const https = process.getBuiltinModule('node:https');
const tls = process.getBuiltinModule('node:tls');
const {isIP} = process.getBuiltinModule('node:net');

export type BrokerHooks = {
	/** What the run may reach now; asked for at every request. */
	rules(): readonly EgressRule[];
	/** The secrets in force now. */
	held(): readonly HeldSecret[];
	/** Every pointer of the run, in force or not. */
	pointers(): readonly string[];
	/** Every value that the run could use since it started. */
	values(): readonly string[];
	onUsed(scope: string, target: string): void;
	/** `alarm`: a pointer was where it does not belong. */
	onRefused(target: string, because: string, alarm: boolean): void;
	/** Whom the connections to servers trust; by default whom Node does. */
	trust?(): SecureContext | undefined;
	/** For tests: where to dial for a target; where it was decided by default. */
	placeOf?(target: Target): {readonly host: string; readonly port: number};
	/** For tests: a request that was decided on, as it is about to go on; no response for a websocket's. */
	onForwarded?(request: IncomingMessage, response: ServerResponse | undefined): void;
	/** A request that carries these scopes' values is on its way. @returns what wants to know how it goes on */
	onExchange?(scopes: readonly string[]): Exchange;
};

/** One request, its reply as it is passed on (after blanking), and its end, whichever that is. */
export type Exchange = {reply(contentType: string): ((piece: Uint8Array) => void) | undefined; end(): void};

type Connection = {
	readonly target: Target;
	readonly route: Route;
	readonly client: Duplex;
	readonly used: Set<string>;
	readonly upstream: Set<Duplex>;
};

/** What undoes a compression that nobody asked for. */
const decoders: Readonly<Record<string, () => Transform>> = {
	gzip: createGunzip,
	'x-gzip': createGunzip,
	deflate: createInflate,
	br: createBrotliDecompress,
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
	readonly #agents = new Map<string, {agent: HttpsAgent; target: Target}>();
	#pointerNeedles: {key: string; patterns: Patterns} = {key: '', patterns: new Patterns([])};
	#valueNeedles: {key: string; patterns: Patterns} = {key: '', patterns: new Patterns([])};

	constructor(runId: string, hooks: BrokerHooks) {
		this.authority = new Authority(runId);
		this.#hooks = hooks;
		// Every header is seen: those past a limit would be left out, and the request framed by what is not there.
		this.#server = http.createServer({
			keepAliveTimeout: 30_000,
			headersTimeout: 20_000,
			requestTimeout: 0,
			maxHeaderSize: 128 * 1024,
			noDelay: true,
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

		this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
			this.#guarded(request.socket, () => this.#upgrade(request, socket, head))();
		});
		this.#server.on('connect', (request: IncomingMessage, socket: Duplex) => {
			socket.on('error', () => socket.destroy());
			this.#unreadable(request.socket, 'CONNECT is not passed on', '405 Method Not Allowed');
		});
		this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
			this.#guarded(socket, () =>
				this.#unreadable(
					socket,
					error.code?.startsWith('HPE_') ? `the request cannot be read (${error.code})` : undefined,
					'400 Bad Request',
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
	#unreadable(socket: Duplex, because: string | undefined, status: string): void {
		const connection = this.#connections.get(socket);
		const isFree = this.#turns.isFree(socket);
		if (this.#turns.end(socket) && because !== undefined && connection) {
			this.#hooks.onRefused(formatTarget(connection.target), because, false);
		}

		// A reply that is on its way is not mixed with another.
		if (isFree && socket.writable) {
			socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
		} else {
			socket.destroy();
		}
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

		for (const [key, {agent, target}] of this.#agents) {
			if (isOver(target)) {
				agent.destroy();
				this.#agents.delete(key);
			}
		}

		return count;
	}

	close(): void {
		for (const connection of this.#connections.values()) {
			this.#end(connection);
		}

		for (const {agent} of this.#agents.values()) {
			agent.destroy();
		}

		this.#server.close();
	}

	#end(connection: Connection): void {
		connection.client.destroy();
		for (const socket of connection.upstream) {
			socket.destroy();
		}
	}

	/** One agent for a host, since a check of the certificate that is set for a request would keep no connection alive. */
	#agentFor(connection: Connection): HttpsAgent {
		const {target} = connection;
		const key = routeKey(target, connection.route);
		const known = this.#agents.get(key);
		if (known) {
			return known.agent;
		}

		// As many as the plain proxy keeps: see there.
		if (this.#agents.size >= 64) {
			const [oldest, known] = this.#agents.entries().next().value!;
			known.agent.destroy();
			this.#agents.delete(oldest);
		}

		const agent = guardIdle(
			this.#byRoute(new https.Agent({keepAlive: true, maxFreeSockets: 8, timeout: 60_000}), connection),
		);
		this.#agents.set(key, {agent, target});
		return agent;
	}

	#pointers(): Patterns {
		const pointers = this.#hooks.pointers();
		const key = pointers.join(' ');
		if (this.#pointerNeedles.key !== key) {
			this.#pointerNeedles = {key, patterns: patternsOf(pointers)};
		}

		return this.#pointerNeedles.patterns;
	}

	#values(): Patterns {
		const values = this.#hooks.values();
		const key = values.join('\n');
		if (this.#valueNeedles.key !== key) {
			this.#valueNeedles = {key, patterns: patternsOf(values)};
		}

		return this.#valueNeedles.patterns;
	}

	/** Everything that is decided about a request. */
	#decide(
		connection: Connection,
		request: IncomingMessage,
		isHandshake: boolean,
	):
		| {readonly refusal: {readonly status: number; readonly because: string}}
		| {
				readonly shape: RequestShape;
				readonly headers: HeaderPairs;
				readonly used: readonly string[];
				readonly isModel: boolean;
		  } {
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
		const verdict = decideRequest(parsed, target, held, this.#hooks.pointers());
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

	/**
	 * A request's body on its way out. A pointer in it goes no further: to a task's host the request ends there; to a
	 * model's own host it is blanked, since an agent that looked
	 * at its environment once would have it in every later turn.
	 */
	#outward(target: Target, isModel: boolean): Filter {
		const tell = () =>
			this.#hooks.onRefused(
				formatTarget(target),
				`a pointer is in the body of a request${isModel ? ', and was blanked' : ''}`,
				true,
			);
		// A pointer that a chunk cuts is held back, so that not even its beginning goes.
		const blanker = new Blanker(this.#pointers());
		let told = false;
		const change = (bytes: Uint8Array) => {
			if (blanker.found > 0 && !told) {
				told = true;
				tell();
				if (!isModel) {
					throw new Stopped(403, 'a pointer is in the body of the request');
				}
			}

			return bytes;
		};

		return {push: chunk => change(blanker.push(chunk)), end: () => change(blanker.end())};
	}

	/**
	 * Where a request goes, for Node's client. The person's own
	 * machine has no name that a certificate is for, but localhost.
	 */
	#place({
		target,
		route,
	}: Connection): HttpsOptions & {readonly ALPNProtocols: string[]; readonly secureContext?: SecureContext} {
		const secureContext = this.#hooks.trust?.();
		const servername = isIP(target.host) ? {} : {servername: target.host === hostName ? 'localhost' : target.host};
		return {
			...(this.#hooks.placeOf?.(target) ?? addressOptions(route.addresses ?? [target.host], target.port)),
			ALPNProtocols: ['http/1.1'],
			minVersion: 'TLSv1.2',
			...servername,
			...(secureContext === undefined ? {} : {secureContext}),
		};
	}

	/** Has an agent connect by the way that was decided, where that is more than an address. */
	#byRoute(agent: HttpsAgent, connection: Connection): HttpsAgent {
		const {target, route} = connection;
		return route.proxy === undefined
			? agent
			: connectingBy(agent, async () => {
					const {servername, ALPNProtocols, minVersion, secureContext} = this.#place(connection);
					const socket = tls.connect({
						socket: await openRoute(target, route),
						ALPNProtocols,
						...(minVersion ? {minVersion} : {}),
						...(servername ? {servername} : {host: target.host}),
						...(secureContext ? {secureContext} : {}),
					});
					return new Promise((resolve, reject) => {
						socket.once('error', reject);
						socket.once('secureConnect', () => {
							socket.off('error', reject);
							resolve(socket);
						});
					});
				});
	}

	/** The headers of a request as they go out: a compressed reply could not be looked into, so none is asked for. */
	#headers(connection: Connection, decided: Omit<Parameters<typeof writeHeaders>[0], 'host' | 'fixed'>): HeaderPairs {
		const {host, port} = connection.target;
		return writeHeaders({
			...decided,
			host: formatTarget(port === 443 ? {host} : {host, port}),
			fixed: [['Accept-Encoding', 'identity']],
		});
	}

	/** A reply's headers, blanked. Cookies stay outside: they would be credentials of another kind. */
	#backward(answer: IncomingMessage): HeaderPairs {
		const blank = (text: string) => {
			const blanker = new Blanker(this.#values());
			const bytes = Buffer.concat([blanker.push(Buffer.from(text, 'latin1')), blanker.end()]);
			return {text: bytes.toString('latin1'), found: blanker.found > 0};
		};

		return replyHeaders({status: answer.statusCode!, headers: pairsOf(answer.rawHeaders)})
			.filter(([name]) => !/^(?:set-cookie2?|alt-svc)$/i.test(name) && !blank(name).found)
			.map(([name, value]) => [name, blank(value).text] as const);
	}

	/**
	 * How a reply comes back: what it was compressed with is undone,
	 * though it was not asked for, since nothing in it could be found.
	 * @param listen hears the body as it is passed on
	 * @throws Stopped where that is not known here
	 */
	#reply(
		answer: IncomingMessage,
		method: string,
		listen: ((piece: Uint8Array) => void) | undefined,
	): {headers: HeaderPairs; inward: Transform[]} {
		const coding = (answer.headers['content-encoding'] ?? '').trim().toLowerCase();
		const isPlain = coding === '' || coding === 'identity';
		const decoder = isPlain ? undefined : decoders[coding];
		const hasBody = method !== 'HEAD' && answer.statusCode !== 204 && answer.statusCode !== 304;
		if (!isPlain && hasBody && (!decoder || answer.statusCode === 206)) {
			throw new Stopped(502, 'the reply is compressed in a way that cannot be looked into');
		}

		const blanker = new Blanker(this.#values());
		const hear = (bytes: Uint8Array) => {
			listen?.(bytes);
			return bytes;
		};

		return {
			headers: this.#backward(answer).filter(
				([name]) => !/^content-encoding$/i.test(name) && (isPlain || !/^content-length$/i.test(name)),
			),
			inward: [
				...(decoder && hasBody ? [decoder()] : []),
				through({push: chunk => hear(blanker.push(chunk)), end: () => hear(blanker.end())}),
			],
		};
	}

	#forward(request: IncomingMessage, response: ServerResponse): void {
		const connection = this.#connections.get(request.socket);
		if (!connection) {
			request.socket.destroy();
			return;
		}

		const refuse = (status: number, because: string) => {
			this.#turns.end(request.socket);
			if (response.headersSent) {
				response.destroy();
				return;
			}

			response
				.writeHead(status, {
					'content-type': 'text/plain',
					'x-fleet-refusal': because.replaceAll(/[^ -~]/g, '?'),
					connection: 'close',
				})
				.end(`fleet: ${because}\n`);
			request.resume();
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
		const place = this.#place(connection);
		this.#hooks.onForwarded?.(request, response);
		deliver(request, response, {
			open: options =>
				https.request({
					...place,
					...options,
					agent: options.agent || this.#byRoute(new https.Agent({keepAlive: false}), connection),
				}),
			agent: keep ? this.#agentFor(connection) : undefined,
			method,
			path: request.url!,
			body,
			headers: this.#headers(connection, {method, headers, body, connection: keep ? 'keep' : 'close'}),
			outward: this.#outward(connection.target, isModel),
			onSocket(socket) {
				connection.upstream.add(socket);
				response.once('close', () => connection.upstream.delete(socket));
				socket.setNoDelay(true);
			},
			onConnected() {},
			onReply: answer => this.#reply(answer, method, exchange?.reply(answer.headers['content-type'] ?? '')),
			refuse,
			unreachable: error => `${formatTarget(connection.target)} could not be reached: ${error.code ?? error.message}`,
			onFault: because => this.#hooks.onRefused(formatTarget(connection.target), because, false),
		});
	}

	#upgrade(request: IncomingMessage, client: Duplex, head: Buffer): void {
		client.on('error', () => client.destroy());
		const connection = this.#connections.get(request.socket);
		// A handshake behind a request that is still being answered belongs to no conversation.
		if (!connection || !this.#turns.isFree(request.socket)) {
			client.destroy();
			return;
		}

		this.#turns.end(request.socket);
		const {target} = connection;
		let answered = false;
		const refuse = (status: number, because: string) => {
			if (answered) {
				client.destroy();
				return;
			}

			answered = true;
			const body = `fleet: ${because}\n`;
			client.end(
				`HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? 'Refused'}\r\nContent-Type: text/plain\r\n` +
					`X-Fleet-Refusal: ${because.replaceAll(/[^ -~]/g, '?')}\r\n` +
					`Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
			);
		};

		const decided = this.#decide(connection, request, true);
		if ('refusal' in decided) {
			refuse(decided.refusal.status, decided.refusal.because);
			return;
		}

		const {headers, used, isModel} = decided;
		this.#hooks.onForwarded?.(request, undefined);
		const upstream = https.request({
			...this.#place(connection),
			method: 'GET',
			path: request.url,
			setHost: false,
			agent: this.#byRoute(new https.Agent({keepAlive: false}), connection),
			timeout: dialTimeout,
			insecureHTTPParser: false,
			headers: this.#headers(connection, {
				method: 'GET',
				headers,
				body: 'none',
				connection: 'websocket',
			}).flat() as never,
		});
		upstream.once('socket', socket => connection.upstream.add(socket));
		upstream.once('timeout', () => upstream.destroy(new Error('timed out')));
		let told = 0;
		upstream.on('information', () => {
			if (++told > mostInformation) {
				upstream.destroy(new Stopped(502, tooMuch));
			}
		});
		upstream.on('error', error =>
			refuse(
				502,
				error instanceof Stopped
					? error.message
					: `${formatTarget(target)} could not be reached: ${(error as NodeJS.ErrnoException).code ?? error.message}`,
			),
		);
		client.once('close', () => upstream.destroy());
		const headOf = (status: number, pairs: HeaderPairs) =>
			`HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? 'Unknown'}\r\n` +
			pairs.map(([name, value]) => `${name}: ${value}\r\n`).join('');
		upstream.once(
			'response',
			this.#guarded(request.socket, answer => {
				const unusual = refuseReply({status: answer.statusCode ?? 0, headers: pairsOf(answer.rawHeaders)});
				if (unusual !== undefined) {
					refuse(502, unusual);
					upstream.destroy();
					return;
				}

				let reply: {headers: HeaderPairs; inward: Transform[]};
				try {
					reply = this.#reply(answer, 'GET', undefined);
				} catch (error) {
					refuse(502, (error as Error).message);
					upstream.destroy();
					return;
				}

				const {headers, inward} = reply;
				answered = true;
				// Without a length, the end of the connection ends the body.
				client.write(
					`${headOf(
						answer.statusCode!,
						headers.filter(([name]) => name.toLowerCase() !== 'content-length'),
					)}Connection: close\r\n\r\n`,
					'latin1',
				);
				for (const stream of [answer, ...inward]) {
					stream.on('error', () => client.destroy());
				}

				inward.reduce<Readable>((from, to) => from.pipe(to), answer).pipe(client);
			}),
		);
		upstream.once(
			'upgrade',
			this.#guarded(request.socket, (answer, server, early) => {
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
					refuse(502, 'the server took the request for a websocket in a way of its own');
					server.destroy();
					return;
				}

				answered = true;
				upstream.setTimeout(0);
				server.setTimeout(0);
				server.setNoDelay(true);
				client.write(
					`${headOf(
						101,
						this.#backward(answer).filter(([name]) => name.toLowerCase() !== 'content-length'),
					)}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
					'latin1',
				);
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
					this.#guarded(request.socket, () => exchange?.end()),
				);
				const tell = (because: string) => this.#hooks.onRefused(formatTarget(target), because, true);
				const inward = frames(
					this.#values(),
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
					this.#pointers(),
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
			}),
		);
		upstream.end();
	}
}

/** Frames of one direction, blanked. @param listen hears what goes on, with a line end after each frame */
function frames(
	patterns: Patterns,
	onBlanked: (cut: boolean) => void,
	listen: ((piece: Uint8Array) => void) | undefined,
): Transform {
	let kept: Uint8Array[] = [];
	const blanker = new FrameBlanker(
		() => new Blanker(patterns),
		onBlanked,
		listen &&
			((bytes, end) => {
				kept.push(copyOf(bytes));
				if (end) {
					listen(Buffer.concat([...kept, Buffer.from('\n')]));
					kept = [];
				}
			}),
	);
	return through({
		push(chunk) {
			const passed = blanker.push(chunk);
			if (blanker.broken) {
				throw new Error('frames that cannot be looked into');
			}

			return passed;
		},
		end: () => blanker.end(),
	});
}
