import type {Agent as HttpsAgent} from 'node:https';
import type {IncomingMessage, Server, ServerResponse} from 'node:http';
import type net from 'node:net';
import process from 'node:process';
import {Transform, type Duplex} from 'node:stream';
import {decideEgress, formatTarget, type EgressRule, type Target} from '../core/egress.ts';
import {Blanker, copyOf, Needles, Tripwire} from '../core/needles.ts';
import {spellings} from '../core/spellings.ts';
import {boundTo, decideRequest, type HeldSecret} from '../core/swap.ts';
import {FrameWalker} from '../core/websocket-frames.ts';
import {Authority} from './authority.ts';

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
	/** For tests: the port to dial for a target; its own by default. */
	portOf?(target: Target): number;
	/** A request that carries these scopes' values is on its way. @returns what wants to know how it goes on */
	onExchange?(scopes: readonly string[]): Exchange;
};

/** One request, its reply as it is passed on (after blanking), and its end, whichever that is. */
export type Exchange = {reply(contentType: string): ((piece: Uint8Array) => void) | undefined; end(): void};

type Connection = {readonly target: Target; readonly address: string; readonly client: Duplex; readonly used: Set<string>; readonly upstream: Set<Duplex>};

const hopByHop = new Set(['connection', 'proxy-connection', 'proxy-authorization', 'proxy-authenticate', 'keep-alive', 'te', 'trailer', 'upgrade', 'transfer-encoding', 'expect']);
const dialTimeout = 20_000;
const encoder = new TextEncoder();

function needlesOf(texts: readonly string[]): Needles {
	return new Needles([...new Set(texts.flatMap(text => spellings(text)))].map(text => encoder.encode(text)));
}

/** A stream that passes through a function, and at its end through another. */
function through(change: (chunk: Uint8Array) => Uint8Array, end: () => Uint8Array): Transform {
	return new Transform({
		transform(chunk: Uint8Array, _encoding, done) {
			try {
				done(null, change(chunk));
			} catch (error) {
				done(error as Error);
			}
		},
		flush(done) {
			done(null, end());
		},
	});
}

class Alarm extends Error {}

/**
 * Terminates TLS for the hosts that a secret is bound to, puts values in pointers' places on the way out and blanks
 * them on the way back. One for each run; nothing of it is inside the sandbox but its authority's certificate.
 */
export class Broker {
	readonly authority: Authority;
	readonly #hooks: BrokerHooks;
	readonly #server: Server;
	readonly #connections = new Map<Duplex, Connection>();
	readonly #agents = new Map<string, {agent: HttpsAgent; target: Target}>();
	#pointerNeedles: {key: string; needles: Needles} = {key: '', needles: new Needles([])};
	#valueNeedles: {key: string; needles: Needles} = {key: '', needles: new Needles([])};

	constructor(runId: string, hooks: BrokerHooks) {
		this.authority = new Authority(runId);
		this.#hooks = hooks;
		this.#server = http.createServer({keepAliveTimeout: 30_000, headersTimeout: 20_000, requestTimeout: 0, maxHeaderSize: 128 * 1024, noDelay: true}, (request, response) => {
			this.#forward(request, response);
		});
		this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
			this.#upgrade(request, socket, head);
		});
		this.#server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
			socket.end('HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\n\r\n');
		});
		this.#server.on('clientError', (_error, socket) => {
			socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
		});
	}

	/** Whether a secret in force is bound to this target, so that a tunnel to it is looked into. */
	isBound(target: Target): boolean {
		return boundTo(this.#hooks.held(), target).length > 0;
	}

	/**
	 * Takes a client's connection over, whose first bytes (a TLS hello for this target) are still to be read from it.
	 * @param address the checked address to dial
	 */
	serve(client: net.Socket, target: Target, address: string): void {
		// Small answers must not wait for an acknowledgement of the one before.
		client.setNoDelay(true);
		const {cert, key} = this.authority.leaf(target.host);
		const socket = new tls.TLSSocket(client, {isServer: true, secureContext: tls.createSecureContext({cert, key, minVersion: 'TLSv1.2'}), ALPNProtocols: ['http/1.1']} as ConstructorParameters<typeof tls.TLSSocket>[1]);
		const connection: Connection = {target, address, client, used: new Set(), upstream: new Set()};
		this.#connections.set(socket, connection);
		socket.on('error', () => client.destroy());
		socket.once('close', () => {
			this.#connections.delete(socket);
			client.destroy();
		});
		client.once('close', () => socket.destroy());
		this.#server.emit('connection', socket);
	}

	/** Destroys what is open through a secret that is no longer in force, or to a target that no rule allows any more. @returns how many */
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
	#agentFor({target, address}: Connection): HttpsAgent {
		const key = `${formatTarget(target)} ${address}`;
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

		const agent = new https.Agent({keepAlive: true, maxFreeSockets: 8, timeout: 60_000, ALPNProtocols: ['http/1.1'], minVersion: 'TLSv1.2', ...(isIP(target.host) ? {} : {servername: target.host})});
		this.#agents.set(key, {agent, target});
		return agent;
	}

	#pointers(): Needles {
		const pointers = this.#hooks.pointers();
		const key = pointers.join(' ');
		if (this.#pointerNeedles.key !== key) {
			this.#pointerNeedles = {key, needles: needlesOf(pointers)};
		}

		return this.#pointerNeedles.needles;
	}

	#values(): Needles {
		const values = this.#hooks.values();
		const key = values.join('\n');
		if (this.#valueNeedles.key !== key) {
			this.#valueNeedles = {key, needles: needlesOf(values)};
		}

		return this.#valueNeedles.needles;
	}

	/** Everything that is decided about a request. */
	#decide(connection: Connection, request: IncomingMessage) {
		const {target} = connection;
		const headers = Array.from({length: request.rawHeaders.length / 2}, (_, index) => [request.rawHeaders[index * 2]!, request.rawHeaders[index * 2 + 1]!] as const);
		const egress = decideEgress(target, this.#hooks.rules());
		const held = boundTo(this.#hooks.held(), target);
		// The grant may have gone since the connection was made.
		const verdict = !egress.allow || held.length === 0
			? {allow: false as const, status: 403, because: egress.allow ? 'the secret of this host is no longer granted' : egress.because, alarm: false}
			: decideRequest({method: request.method ?? 'GET', url: request.url ?? '/', headers}, target, held, this.#hooks.pointers());
		if (!verdict.allow) {
			this.#hooks.onRefused(formatTarget(target), verdict.because, verdict.alarm);
			return {verdict, held, isModel: false};
		}

		for (const scope of verdict.used) {
			connection.used.add(scope);
			this.#hooks.onUsed(scope, formatTarget(target));
		}

		return {verdict, held, isModel: held.every(secret => secret.binding.class === 'model')};
	}

	/**
	 * A request's body on its way out. A pointer in it goes no further: to a task's host the request ends there; to a
	 * model's own host it is blanked, since an agent that looked at its environment once would have it in every later turn.
	 */
	#outward(target: Target, isModel: boolean): Transform {
		const needles = this.#pointers();
		const tell = () => this.#hooks.onRefused(formatTarget(target), `a pointer is in the body of a request${isModel ? ', and was blanked' : ''}`, true);
		if (isModel) {
			const blanker = new Blanker(needles);
			let told = false;
			const change = (bytes: Uint8Array) => {
				if (blanker.found > 0 && !told) {
					told = true;
					tell();
				}

				return bytes;
			};

			return through(chunk => change(blanker.push(chunk)), () => change(blanker.end()));
		}

		// A pointer that a chunk cuts is held back, so that not even its beginning goes.
		const blanker = new Blanker(needles);
		return through(chunk => {
			const bytes = blanker.push(chunk);
			if (blanker.found > 0) {
				tell();
				throw new Alarm('a pointer is in the body of the request');
			}

			return bytes;
		}, () => blanker.end());
	}

	#onward(headers: ReadonlyArray<readonly [string, string]>, request: IncomingMessage): string[] {
		const listed = (request.headers.connection ?? '').toLowerCase().split(',').map(name => name.trim());
		const kept = headers.filter(([name]) => {
			const lower = name.toLowerCase();
			// A compressed reply could not be looked into.
			return !hopByHop.has(lower) && !listed.includes(lower) && lower !== 'accept-encoding';
		});
		return [...kept, ['Accept-Encoding', 'identity'] as const, ...(request.headers['transfer-encoding'] ? [['Transfer-Encoding', 'chunked'] as const] : [])].flat();
	}

	/** A reply's headers, blanked. Cookies stay outside: they would be credentials of another kind. */
	#backward(answer: IncomingMessage): string[] {
		const found: string[] = [];
		for (let index = 0; index < answer.rawHeaders.length; index += 2) {
			const name = answer.rawHeaders[index]!;
			const lower = name.toLowerCase();
			if (!hopByHop.has(lower) && lower !== 'set-cookie' && lower !== 'alt-svc') {
				const blanker = new Blanker(this.#values());
				const value = Buffer.from(answer.rawHeaders[index + 1]!, 'latin1');
				found.push(name, Buffer.concat([blanker.push(value), blanker.end()]).toString('latin1'));
			}
		}

		return found;
	}

	#forward(request: IncomingMessage, response: ServerResponse): void {
		const connection = this.#connections.get(request.socket)!;
		const refuse = (status: number, because: string) => {
			if (response.headersSent) {
				response.destroy();
				return;
			}

			response.writeHead(status, {'content-type': 'text/plain', 'x-fleet-refusal': because.replaceAll(/[^ -~]/g, '?'), connection: 'close'}).end(`fleet: ${because}\n`);
			request.resume();
		};

		const {verdict, isModel} = this.#decide(connection, request);
		if (!verdict.allow) {
			refuse(verdict.status, verdict.because);
			return;
		}

		const hasBody = request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
		const agent = this.#agentFor(connection);
		const exchange = this.#hooks.onExchange?.(verdict.used);
		response.once('close', () => exchange?.end());
		const send = (agent: HttpsAgent | false) => {
			const upstream = https.request({
				host: connection.address, port: this.#hooks.portOf?.(connection.target) ?? connection.target.port, method: request.method, path: request.url, headers: this.#onward(verdict.headers, request) as never, setHost: false, agent, timeout: dialTimeout,
				...(isIP(connection.target.host) ? {} : {servername: connection.target.host}),
			});
			upstream.once('socket', socket => {
				connection.upstream.add(socket);
				response.once('close', () => connection.upstream.delete(socket));
				socket.setNoDelay(true);
				const ready = () => upstream.setTimeout(0);
				if (socket.connecting) {
					socket.once('secureConnect', ready);
				} else {
					ready();
				}
			});
			upstream.once('timeout', () => upstream.destroy(new Error('timed out')));
			upstream.once('error', error => {
				if (error instanceof Alarm) {
					refuse(403, error.message);
				} else if (!response.headersSent && upstream.reusedSocket && agent && !hasBody) {
					// The server had closed a connection that was kept: nothing was asked yet.
					send(false);
				} else if (response.headersSent || response.destroyed) {
					response.destroy();
				} else {
					refuse(502, `${formatTarget(connection.target)} could not be reached: ${(error as NodeJS.ErrnoException).code ?? error.message}`);
				}
			});
			upstream.once('response', answer => {
				const listen = exchange?.reply(answer.headers['content-type'] ?? '');
				const blanker = new Blanker(this.#values());
				const hear = (bytes: Uint8Array) => {
					listen?.(bytes);
					return bytes;
				};

				response.writeHead(answer.statusCode ?? 502, this.#backward(answer) as never);
				response.flushHeaders();
				const inward = through(chunk => hear(blanker.push(chunk)), () => hear(blanker.end()));
				inward.once('error', () => response.destroy());
				answer.once('error', () => response.destroy());
				answer.once('aborted', () => response.destroy());
				answer.pipe(inward).pipe(response);
			});
			response.once('close', () => {
				if (!response.writableFinished) {
					upstream.destroy();
				}
			});
			if (hasBody) {
				const outward = this.#outward(connection.target, isModel);
				outward.once('error', error => {
					request.unpipe(outward);
					upstream.destroy(error);
				});
				request.pipe(outward).pipe(upstream);
			} else {
				upstream.end();
			}
		};

		send(agent);
	}

	#upgrade(request: IncomingMessage, client: Duplex, head: Buffer): void {
		const connection = this.#connections.get(request.socket)!;
		const {target} = connection;
		client.on('error', () => client.destroy());
		const refuse = (status: number, because: string) => {
			const body = `fleet: ${because}\n`;
			client.end(`HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? 'Refused'}\r\nContent-Type: text/plain\r\nX-Fleet-Refusal: ${because.replaceAll(/[^ -~]/g, '?')}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
		};

		if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
			this.#hooks.onRefused(formatTarget(target), 'a change to a protocol that is not looked into', false);
			refuse(403, 'only websockets are passed on');
			return;
		}

		const {verdict, isModel} = this.#decide(connection, request);
		if (!verdict.allow) {
			refuse(verdict.status, verdict.because);
			return;
		}

		// Extensions compress: what is compressed could not be looked into.
		const headers = this.#onward(verdict.headers.filter(([name]) => name.toLowerCase() !== 'sec-websocket-extensions'), request);
		const upstream = https.request({
			host: connection.address, port: this.#hooks.portOf?.(target) ?? target.port, method: 'GET', path: request.url, headers: [...headers, 'Connection', 'Upgrade', 'Upgrade', 'websocket'] as never, setHost: false, agent: false, timeout: dialTimeout,
			...(isIP(target.host) ? {} : {servername: target.host}),
		});
		upstream.once('socket', socket => connection.upstream.add(socket));
		upstream.once('timeout', () => upstream.destroy(new Error('timed out')));
		upstream.once('error', error => refuse(502, `${formatTarget(target)} could not be reached: ${(error as NodeJS.ErrnoException).code ?? error.message}`));
		upstream.once('response', answer => {
			const blanker = new Blanker(this.#values());
			const pairs = this.#backward(answer);
			const lines = Array.from({length: pairs.length / 2}, (_, index) => `${pairs[index * 2]}: ${pairs[index * 2 + 1]}\r\n`).filter(line => !/^content-length:/i.test(line));
			client.write(`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage ?? ''}\r\n${lines.join('')}Connection: close\r\n\r\n`, 'latin1');
			answer.pipe(through(chunk => blanker.push(chunk), () => blanker.end())).pipe(client);
		});
		upstream.once('upgrade', (answer, server, early) => {
			upstream.setTimeout(0);
			server.setTimeout(0);
			server.setNoDelay(true);
			const pairs = this.#backward(answer);
			const lines = Array.from({length: pairs.length / 2}, (_, index) => `${pairs[index * 2]}: ${pairs[index * 2 + 1]}\r\n`);
			client.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, 'latin1');
			const end = () => {
				client.destroy();
				server.destroy();
			};

			server.on('error', end);
			server.once('close', end);
			client.once('close', end);
			const exchange = this.#hooks.onExchange?.(verdict.used);
			const listen = exchange?.reply('websocket');
			client.once('close', () => exchange?.end());
			const tell = (because: string) => this.#hooks.onRefused(formatTarget(target), because, true);
			const inward = frames(this.#values(), this.#hooks.values(), inPieces => {
				if (inPieces) {
					tell('a websocket brought a value back in pieces');
					end();
				}
			}, listen);
			const outward = frames(this.#pointers(), this.#hooks.pointers(), inPieces => {
				const ends = inPieces || !isModel;
				tell(`a pointer is in a websocket's message${ends ? '' : ', and was blanked'}`);
				if (ends) {
					end();
				}
			}, undefined);
			server.pipe(inward).pipe(client);
			client.pipe(outward).pipe(server);
			inward.once('error', end);
			outward.once('error', end);
			if (early.length > 0) {
				inward.write(early);
			}

			if (head.length > 0) {
				outward.write(head);
			}
		});
		upstream.end();
	}
}

/**
 * Frames of one direction. A needle within a piece is blanked in place. Of one that is cut, by frames or by what the network
 * cuts, the first part is gone already: `found` hears of it once the greater part of it went by.
 */
function frames(needles: Needles, texts: readonly string[], found: (inPieces: boolean) => void, listen: ((piece: Uint8Array) => void) | undefined): Transform {
	const beginnings = [...new Set(texts.flatMap(text => spellings(text)))].map(text => encoder.encode(text)).map(bytes => bytes.subarray(0, Math.max(8, Math.ceil(bytes.length * 0.6))));
	const wire = new Tripwire(new Needles(beginnings));
	let kept: Uint8Array[] = [];
	const walker = new FrameWalker((bytes, end) => {
		const blanker = new Blanker(needles);
		// What it holds back comes out of its end, at the same place: nothing waits in a frame.
		bytes.set(Buffer.concat([blanker.push(bytes), blanker.end()]));
		if (blanker.found > 0) {
			found(false);
		}

		if (wire.push(bytes)) {
			found(true);
		}

		if (listen) {
			kept.push(copyOf(bytes));
			if (end) {
				listen(Buffer.concat([...kept, Buffer.from('\n')]));
				kept = [];
			}
		}
	});
	return through(chunk => {
		const bytes = copyOf(chunk);
		walker.push(bytes);
		if (walker.broken) {
			throw new Alarm('frames that cannot be looked into');
		}

		return bytes;
	}, () => new Uint8Array());
}
