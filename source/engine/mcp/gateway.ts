import {randomUUID} from 'node:crypto';
import type {IncomingMessage, ServerResponse} from 'node:http';
import {serverName} from '../../core/mcp/names.ts';
import {
	codes,
	errorText,
	isObject,
	notificationText,
	readMessage,
	resultText,
	type Id,
	type JsonObject,
	type Message,
} from '../../core/mcp/message.ts';
import {initializeResult} from '../../core/mcp/protocol.ts';
import {version} from '../../core/version.ts';
import type {OwnService} from '../../host/proxy-hooks.ts';
import {refuseRequest} from '../../host/http-forwarding.ts';
import {answerRequest, faultText, type GatewayHooks} from './answer.ts';
import {accepts, bodyOf, eventText, headerFault, progressOf, streamHeaders} from './gateway-http.ts';
import {Served} from './served.ts';

/*
 * What a run's agent talks to in place of a server: MCP's Streamable HTTP, at /mcp/NAME of the run's own listener.
 * Nothing inside holds a token: only the run's own network namespace reaches that listener.
 */

/** What may be asked at this listener, as a path. */
const pathPattern = /^\/mcp\/([^/?#]{1,60})$/;

const maxSessions = 64;
const keepAliveMs = 30_000;

/** How long an agent has to hear that a scope was taken back, milliseconds. */
const lastWordsMs = 100;

type Session = {
	readonly id: string;
	readonly server: string;
	/** What is asked for and not answered, by the agent's own id. */ readonly calls: Map<Id, AbortController>;
	stream: ServerResponse | undefined;
};

/** A reply that is on its way. */
type Open = {readonly server: string; readonly response: ServerResponse; readonly abort: AbortController};

export class Gateway implements OwnService {
	readonly #hooks: GatewayHooks;
	readonly #servers = new Map<string, Promise<Served>>();
	readonly #sessions = new Map<string, Session>();
	readonly #open = new Set<Open>();
	#closed = false;

	constructor(hooks: GatewayHooks) {
		this.#hooks = hooks;
	}

	async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const refuse = (status: number, because: string) => refuseRequest(request, response, {status, because});
		const name = pathPattern.exec(request.url ?? '')?.[1];
		if (name === undefined || !serverName.test(name)) {
			refuse(404, 'there is nothing of this name here');
			return;
		}

		if (this.#closed || !this.#hooks.granted(name)) {
			refuse(403, `mcp:${name} is not turned on for this run: a person does that with fleet allow`);
			return;
		}

		const fault = headerFault(request);
		if (fault) {
			refuse(fault.status, fault.because);
			return;
		}

		const open: Open = {server: name, response, abort: new AbortController()};
		this.#open.add(open);
		response.on('error', () => response.destroy());
		response.once('close', () => {
			this.#open.delete(open);
			open.abort.abort('the agent went away');
		});
		switch (request.method) {
			case 'POST': {
				await this.#post(request, open);
				break;
			}

			case 'GET': {
				this.#stream(request, open);
				break;
			}

			case 'DELETE': {
				const session = this.#sessionOf(request, name);
				if (session) {
					this.#sessions.delete(session.id);
					session.stream?.end();
				}

				response.writeHead(session ? 204 : 404).end();
				break;
			}

			default: {
				response.writeHead(405, {allow: 'GET, POST, DELETE'}).end();
			}
		}
	}

	/** Ends what is no longer granted: replies that are on their way, and the servers' processes. @returns how many */
	cut(): number {
		let count = 0;
		for (const open of this.#open) {
			if (!this.#hooks.granted(open.server)) {
				count++;
				open.abort.abort('the scope was taken back');
				// What waits for an answer is told, which takes no time, and then its connection goes.
				setTimeout(() => open.response.socket?.destroy(), lastWordsMs);
			}
		}

		for (const [id, session] of this.#sessions) {
			if (!this.#hooks.granted(session.server)) {
				this.#sessions.delete(id);
			}
		}

		for (const [name, served] of this.#servers) {
			if (!this.#hooks.granted(name)) {
				this.#servers.delete(name);
				void end(served, 'the scope was taken back');
			}
		}

		return count;
	}

	async close(): Promise<void> {
		this.#closed = true;
		for (const {response, abort} of this.#open) {
			abort.abort('the run has ended');
			response.destroy();
		}

		await Promise.all([...this.#servers.values()].map(served => end(served, 'the run has ended')));
		this.#servers.clear();
	}

	#served(name: string): Promise<Served> {
		const known = this.#servers.get(name);
		if (known) {
			return known;
		}

		const made = this.#hooks.setup(name, {onChanged: () => this.#tellChanged(name)}).then(setup => new Served(setup));
		this.#servers.set(name, made);
		made.catch(() => {
			if (this.#servers.get(name) === made) {
				this.#servers.delete(name);
			}
		});
		return made;
	}

	#sessionOf(request: IncomingMessage, server: string): Session | undefined {
		const session = this.#sessions.get(String(request.headers['mcp-session-id'] ?? ''));
		return session?.server === server ? session : undefined;
	}

	#tellChanged(name: string): void {
		for (const {server, stream} of this.#sessions.values()) {
			if (server === name) {
				stream?.write(eventText(notificationText('notifications/tools/list_changed')));
			}
		}
	}

	/** The stream on which an agent hears of what it did not ask for: that tools changed, and nothing else. */
	#stream(request: IncomingMessage, {server, response}: Open): void {
		const session = this.#sessionOf(request, server);
		if (!session || !accepts(request, 'text/event-stream')) {
			response.writeHead(session ? 406 : 404).end();
			return;
		}

		if (session.stream) {
			response.writeHead(409).end();
			return;
		}

		session.stream = response;
		const timer = setInterval(() => response.write(': \n\n'), keepAliveMs);
		response.once('close', () => {
			clearInterval(timer);
			session.stream = undefined;
		});
		response.writeHead(200, streamHeaders(session.id));
		response.flushHeaders();
	}

	async #post(request: IncomingMessage, open: Open): Promise<void> {
		const {response, server} = open;
		const say = (status: number, text: string, more: Record<string, string> = {}) => {
			if (!response.destroyed && !response.headersSent) {
				response.writeHead(status, {'content-type': 'application/json', ...more}).end(text);
			}
		};

		const body = await bodyOf(request, response);
		if (body === undefined) {
			refuseRequest(request, response, {status: 413, because: 'the message is larger than is taken'});
			return;
		}

		const message = readMessage(body);
		if (typeof message === 'string') {
			say(400, errorText(null, codes.unreadable, message));
			return;
		}

		if (message.kind === 'request' && message.method === 'initialize') {
			await this.#begin(message, open, say);
			return;
		}

		const session = this.#sessionOf(request, server);
		if (!session) {
			// The protocol's way to have a client begin anew.
			say(404, errorText('id' in message ? message.id : null, codes.invalid, 'there is no such session'));
			return;
		}

		if (message.kind !== 'request') {
			if (message.kind === 'notification' && message.method === 'notifications/cancelled') {
				session.calls.get(message.params['requestId'] as Id)?.abort('the agent cancelled it');
			}

			response.writeHead(202).end();
			return;
		}

		await this.#answer({message, session, open, body, request, say});
	}

	/** The first request of a session: the server is started, so that a fault is told at once. */
	async #begin(
		{id, params}: Extract<Message, {kind: 'request'}>,
		{server}: Open,
		say: (status: number, text: string, more?: Record<string, string>) => void,
	): Promise<void> {
		let resources: boolean;
		try {
			const served = await this.#served(server);
			await served.tools();
			({resources} = served);
		} catch (error) {
			say(200, errorText(id, codes.noAnswer, faultText(error)));
			return;
		}

		const [oldest] = this.#sessions.keys();
		if (this.#sessions.size >= maxSessions) {
			this.#sessions.get(oldest!)?.stream?.end();
			this.#sessions.delete(oldest!);
		}

		const session: Session = {id: randomUUID(), server, calls: new Map(), stream: undefined};
		this.#sessions.set(session.id, session);
		const result = initializeResult(params['protocolVersion'], server, {resources, version});
		say(200, resultText(id, result), {'mcp-session-id': session.id});
	}

	async #answer({
		message: {id, method, params},
		session,
		open,
		body,
		request,
		say,
	}: {
		readonly message: Extract<Message, {kind: 'request'}>;
		readonly session: Session;
		readonly open: Open;
		readonly body: string;
		readonly request: IncomingMessage;
		say(status: number, text: string): void;
	}): Promise<void> {
		const {response, server, abort} = open;
		if (method === 'ping') {
			say(200, resultText(id, {}));
			return;
		}

		if (session.calls.has(id)) {
			say(400, errorText(id, codes.invalid, 'a request with this id is not answered yet'));
			return;
		}

		session.calls.set(id, abort);
		const token = isObject(params['_meta']) ? params['_meta']['progressToken'] : undefined;
		const isStream =
			accepts(request, 'text/event-stream') && (token !== undefined || !accepts(request, 'application/json'));
		if (isStream) {
			response.writeHead(200, streamHeaders(session.id));
			response.flushHeaders();
		}

		const progress =
			isStream && (typeof token === 'string' || typeof token === 'number')
				? (told: JsonObject) => {
						response.write(eventText(notificationText('notifications/progress', progressOf(token, told))));
					}
				: undefined;
		let text: string;
		try {
			text = await answerRequest(
				{hooks: this.#hooks, served: () => this.#served(server), server},
				{id, method, params, body, progress, signal: abort.signal},
			);
		} finally {
			session.calls.delete(id);
		}

		if (response.destroyed) {
			return;
		}

		if (isStream) {
			response.end(eventText(text));
		} else {
			say(200, text);
		}
	}
}

async function end(served: Promise<Served>, because: string): Promise<void> {
	await (await served.catch(() => undefined))?.close(because);
}
