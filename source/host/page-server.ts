import type {Agent, ClientRequest, IncomingMessage, OutgoingHttpHeaders, Server, ServerResponse} from 'node:http';
import net from 'node:net';
import process from 'node:process';
import type {Duplex} from 'node:stream';
import {
	checkRequest,
	cookieName,
	cookieOf,
	deniedTarget,
	innerHeaders,
	outerHeaders,
	outerOrigin,
	reportPath,
	takeTicket,
	ticketParameter,
	type PagePlace,
} from '../core/network/page.ts';
import {refuse, say} from './page-answers.ts';
import {Queue} from './page-dials.ts';
import {listenOnLoopback} from './page-listener.ts';
import {isSame, secretText, Tickets} from './page-tickets.ts';

// An import would load a whole client for the web: see http-forwarding.ts.
const http = process.getBuiltinModule('node:http');

/** What a page server asks and tells. */
export type PageHooks = {
	/** The host of the page, such as `fix-login.localhost`. */ readonly host: string;
	/** The port inside the run. */ readonly port: number;
	/** A new connection to that port. Rejects where nothing listens. */ dial(): Promise<net.Socket>;
	/** Why nothing is passed on now; undefined where it is. */ closed(): string | undefined;
	/** The hosts that the page may use. */ hosts(): readonly string[];
	/** A page was loaded. */ onLoad(): void;
	/** The browser kept the page from a host, `host:port`. */ onDenied(target: string): void;
};

/** The longest report of a browser that is read, bytes. */
const maxReport = 16 * 1024;

/**
 * A listener on this machine's loopback, through which the person's browser reaches one port inside a run. Every program
 * of the machine can connect to it: only who has the cookie, which a ticket is exchanged for, is passed on.
 */
export class PageServer {
	readonly #hooks: PageHooks;
	readonly #servers: readonly Server[];
	readonly #place: PagePlace;
	readonly #cookie = secretText();
	readonly #tickets = new Tickets();
	readonly #dials: Queue<net.Socket>;
	readonly #agent: Agent;
	/** Connections of browsers, and those to the server inside. */
	readonly #outer = new Set<Duplex>();
	readonly #inner = new Set<Duplex>();

	private constructor(hooks: PageHooks, servers: readonly Server[]) {
		this.#hooks = hooks;
		this.#servers = servers;
		const {port} = servers[0]!.address() as net.AddressInfo;
		this.#place = {host: hooks.host, hostPort: port, port: hooks.port};
		this.#dials = new Queue(async () => {
			const socket = await hooks.dial();
			this.#inner.add(socket);
			socket.on('error', () => {});
			socket.once('close', () => this.#inner.delete(socket));
			socket.setNoDelay(true);
			return socket;
		});
		this.#agent = new http.Agent({keepAlive: true, maxSockets: 64, maxFreeSockets: 8, timeout: 0});
		this.#agent.createConnection = (_options, callback) => {
			this.#dials.take().then(
				socket => callback!(null, socket),
				(error: unknown) => callback!(error as Error, undefined as unknown as Duplex),
			);
			return undefined;
		};
	}

	/** Listens, and serves. */
	static async open(hooks: PageHooks): Promise<PageServer> {
		const made = new PageServer(hooks, await listenOnLoopback());
		made.#serve();
		return made;
	}

	/** The address of the page, without which a cookie leads nowhere. */
	get address(): string {
		return `${outerOrigin(this.#place)}/`;
	}

	/** An address that opens the page once, within five minutes. */
	ticketAddress(): string {
		return `${this.address}?${ticketParameter}=${this.#tickets.make()}`;
	}

	/** Cuts what is open; the listener stays. @returns how many connections of browsers were cut */
	cut(): number {
		const count = this.#outer.size;
		for (const socket of [...this.#outer, ...this.#inner]) {
			socket.destroy();
		}

		return count;
	}

	/** Ends it all. @returns how many connections of browsers were cut */
	close(): number {
		for (const server of this.#servers) {
			server.close();
		}

		this.#agent.destroy();
		return this.cut();
	}

	#serve(): void {
		for (const server of this.#servers) {
			server.on('connection', socket => {
				this.#outer.add(socket);
				socket.on('error', () => {});
				socket.once('close', () => this.#outer.delete(socket));
				socket.setNoDelay(true);
			});
			server.on('request', (request, response) => {
				try {
					this.#answer(request, response);
				} catch {
					response.destroy();
				}
			});
			server.on('upgrade', (request, socket, head) => {
				try {
					this.#upgrade(request, socket, head);
				} catch {
					socket.destroy();
				}
			});
			server.on('clientError', (_error, socket) => {
				if (socket.writable) {
					socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
				}
			});
		}
	}

	/** Why a request is not passed on: what of it is wrong, or who asks. */
	#refusal(request: IncomingMessage, upgrade: boolean): {status: number; because: string} | undefined {
		const {method = '', url = '', headers, rawHeaders} = request;
		const hosts = rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]!.toLowerCase() === 'host');
		return checkRequest(this.#place, {method, target: url, hosts, headers, upgrade});
	}

	#isKnown(request: IncomingMessage): boolean {
		return isSame(cookieOf(request.headers.cookie, cookieName(this.#place)) ?? '', this.#cookie);
	}

	#answer(request: IncomingMessage, response: ServerResponse): void {
		const refusal = this.#refusal(request, false);
		if (refusal) {
			say(response, refusal);
			return;
		}

		const {target, ticket} = takeTicket(request.url!);
		if (ticket !== undefined && (request.method === 'GET' || request.method === 'HEAD')) {
			this.#redeem(request, response, {target, ticket});
			return;
		}

		if (!this.#isKnown(request)) {
			// Who comes by a link of another site has sent no cookie; the same address, asked for by this page, sends it.
			say(response, {status: 403, because: 'your browser has not been let in', next: 'link'});
			return;
		}

		if (target.split('?')[0] === reportPath) {
			this.#takeReport(request, response);
			return;
		}

		const closed = this.#hooks.closed();
		if (closed !== undefined) {
			say(response, {status: 503, because: closed, next: 'again'});
			return;
		}

		if (request.headers['sec-fetch-dest'] === 'document') {
			this.#hooks.onLoad();
		}

		this.#forward(request, response);
	}

	/** Exchanges a ticket for the cookie: it is worth nothing from then on. */
	#redeem(
		request: IncomingMessage,
		response: ServerResponse,
		{target, ticket}: {readonly target: string; readonly ticket: string},
	): void {
		const isGood = this.#tickets.isGood(ticket);
		if (!isGood && !this.#isKnown(request)) {
			say(response, {
				status: 403,
				because: 'this address was used already, or is older than five minutes',
				next: 'link',
			});
			return;
		}

		if (request.method === 'GET') {
			this.#tickets.use(ticket);
		}

		response.writeHead(303, {
			location: target,
			'cache-control': 'no-store',
			'referrer-policy': 'no-referrer',
			'content-length': 0,
			...(isGood && request.method === 'GET'
				? {'set-cookie': `${cookieName(this.#place)}=${this.#cookie}; HttpOnly; SameSite=Strict; Path=/`}
				: {}),
		});
		response.end();
	}

	/** A browser says what its policy kept the page from. The page itself could say it, too: it is only counted. */
	#takeReport(request: IncomingMessage, response: ServerResponse): void {
		let text = '';
		request.setEncoding('utf8');
		request.on('data', (part: string) => {
			text = (text + part).slice(0, maxReport);
		});
		request.on('end', () => {
			const denied = deniedTarget(text);
			if (denied !== undefined) {
				this.#hooks.onDenied(denied);
			}

			response.writeHead(204).end();
		});
	}

	/** The request as the server inside gets it. */
	#ask(request: IncomingMessage, more: OutgoingHttpHeaders, agent: Agent | undefined): ClientRequest {
		return http.request({
			// Where no agent keeps connections, each request has one of its own.
			...(agent ? {agent} : {agent: this.#oneTime()}),
			host: 'localhost',
			port: this.#place.port,
			method: request.method!,
			path: request.url!,
			headers: {...innerHeaders(this.#place, request.headersDistinct), ...more},
			setHost: false,
		});
	}

	/** An agent for one connection, which becomes a websocket. */
	#oneTime(): Agent {
		const agent = new http.Agent({keepAlive: false});
		agent.createConnection = this.#agent.createConnection.bind(this.#agent);
		return agent;
	}

	#forward(request: IncomingMessage, response: ServerResponse): void {
		const {headers} = request;
		const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
		const asked = this.#ask(request, {}, this.#agent);
		asked.on('error', () => {
			if (response.headersSent) {
				response.destroy();
			} else {
				say(response, {
					status: 502,
					because: `nothing answers at port ${this.#place.port} inside the run`,
					next: 'again',
				});
			}
		});
		asked.on('response', answer => {
			answer.on('error', () => response.destroy());
			answer.on('aborted', () => response.destroy());
			try {
				response.writeHead(answer.statusCode!, answer.statusMessage, this.#outerHeaders(answer));
				// Events are read as they come, and not with the next full buffer.
				response.flushHeaders();
				answer.pipe(response);
			} catch {
				asked.destroy();
				say(response, {status: 502, because: 'the server inside the run answered what is no HTTP'});
			}
		});
		response.on('close', () => asked.destroy());
		if (hasBody) {
			request.pipe(asked);
		} else {
			asked.end();
		}
	}

	#outerHeaders(answer: IncomingMessage): Record<string, string | string[]> {
		return outerHeaders(this.#place, answer.headersDistinct, {hosts: this.#hooks.hosts()});
	}

	#upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
		socket.on('error', () => {});
		const refusal =
			this.#refusal(request, true) ??
			(request.headers.upgrade?.toLowerCase() === 'websocket'
				? undefined
				: {status: 400, because: 'only websockets are passed on'}) ??
			(this.#isKnown(request) ? undefined : {status: 403, because: 'your browser has not been let in'});
		const closed = this.#hooks.closed();
		if (refusal || closed !== undefined) {
			refuse(socket, refusal ?? {status: 503, because: closed!});
			return;
		}

		const asked = this.#ask(request, {connection: 'Upgrade', upgrade: 'websocket'}, undefined);
		asked.on('error', () => refuse(socket, {status: 502, because: 'nothing answers inside the run'}));
		asked.on('response', answer => {
			answer.resume();
			refuse(socket, {status: answer.statusCode ?? 502, because: 'the server inside the run opens no websocket'});
		});
		asked.on('upgrade', (answer, inner, first) => {
			const lines = Object.entries(this.#outerHeaders(answer)).flatMap(([name, value]) =>
				[value].flat().map(one => `${name}: ${one}\r\n`),
			);
			socket.write(
				Buffer.from(
					`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${lines.join('')}\r\n`,
					'latin1',
				),
			);
			socket.write(first);
			inner.write(head);
			inner.pipe(socket).pipe(inner);
			inner.on('error', () => socket.destroy());
			inner.on('close', () => socket.destroy());
			socket.on('close', () => inner.destroy());
		});
		socket.on('close', () => asked.destroy());
		asked.end();
	}
}
