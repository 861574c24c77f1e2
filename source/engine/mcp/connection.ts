import {RemoteFault} from '../logins/fault.ts';
import {
	codes,
	errorText,
	isObject,
	notificationText,
	readMessage,
	requestText,
	resultText,
	type Id,
	type Json,
	type JsonObject,
	type Message,
} from '../../core/mcp/message.ts';
import {versions} from '../../core/mcp/protocol.ts';
import {readTools, type Tool} from '../../core/mcp/tools.ts';
import {version} from '../../core/version.ts';

/* fleet as the client of one server, whatever carries the messages. The server is not trusted. */

/** What carries messages to a server: a process's pipes, or HTTPS. */
export type Transport = {
	/** Sends one message. What goes wrong with it comes as `onEnd`, or as an error that answers it. */ send(
		text: string,
	): void;
	/** Says which version was agreed on, where what carries messages names it. */ greeted?(version: string): void;
	/** What it signed in with, where it has that itself: none of it is shown. */ values?(): readonly string[];
	/** Ends the server's process, or the session with it. */ close(): Promise<void>;
};

export type TransportEvents = {
	/** One whole message came. */ onText(text: string): void;
	/** Nothing comes any more. @param because in words, the server's own among them */ onEnd(because: string): void;
};

export type OpenTransport = (events: TransportEvents) => Promise<Transport>;

/** What became of a request. `bytes`: of the whole message that answered it. */
export type Answer =
	| {readonly how: 'result'; readonly result: JsonObject; readonly bytes: number}
	| {readonly how: 'error'; readonly code: number; readonly message: string; readonly bytes: number}
	| {readonly how: 'late' | 'gone' | 'cut'; readonly because: string};

type Pending = {settle(answer: Answer): void; readonly progress: ((params: JsonObject) => void) | undefined};

/** How long a server has to come up, milliseconds. */
const startTimeoutMs = 60_000;

/** Pages and tools of a list that are read: one without end is none. */
const [maxPages, maxTools] = [50, 1000];

/** Messages and bytes that a server may send in ten seconds: reading them is the person's processor. */
const flood = {ms: 10_000, messages: 20_000, bytes: 256 * 1024 ** 2} as const;

/** A server that does not come up, or is not what it should be. */
export class ServerFault extends RemoteFault {}

export class Connection {
	readonly #open: OpenTransport;
	readonly #timeoutMs: number;
	readonly #onToolsChanged: () => void;
	readonly #pending = new Map<Id, Pending>();
	#transport: Transport | undefined;
	#ended: string | undefined;
	#next = 1;
	#window = {began: 0, messages: 0, bytes: 0};

	/** @param options.timeoutMs of one request */
	constructor(open: OpenTransport, options: {timeoutMs: number; onToolsChanged?: () => void}) {
		this.#open = open;
		this.#timeoutMs = options.timeoutMs;
		this.#onToolsChanged = options.onToolsChanged ?? (() => {});
	}

	/** Why it is over; undefined while it is not. */
	get ended(): string | undefined {
		return this.#ended;
	}

	/** What its transport signed in with. */
	values(): readonly string[] {
		return this.#transport?.values?.() ?? [];
	}

	/** Starts the server and greets it. @throws ServerFault where it does not come up */
	async start(): Promise<void> {
		this.#transport = await this.#open({
			onText: text => this.#take(text),
			onEnd: because => this.#end(because),
		});
		if (this.#ended !== undefined) {
			throw new ServerFault(this.#ended);
		}

		const answer = await this.request(
			'initialize',
			{protocolVersion: versions[0], capabilities: {}, clientInfo: {name: 'fleet', version}},
			{timeoutMs: startTimeoutMs},
		);
		if (answer.how !== 'result') {
			await this.close('it did not come up');
			throw new ServerFault(answer.how === 'error' ? `it refused to begin: ${answer.message}` : answer.because);
		}

		if (!versions.some(version => version === answer.result['protocolVersion'])) {
			await this.close('it speaks another version');
			throw new ServerFault('it speaks a version of the protocol that is not known here');
		}

		this.#transport.greeted?.(String(answer.result['protocolVersion']));
		this.#transport.send(notificationText('notifications/initialized'));
	}

	/**
	 * Asks for something, and waits for the answer or its time.
	 * @param options.signal ends the wait: the server is told, and what it still says is dropped
	 */
	request(
		method: string,
		params: JsonObject,
		options: {timeoutMs?: number; progress?: (params: JsonObject) => void; signal?: AbortSignal} = {},
	): Promise<Answer> {
		const {timeoutMs = this.#timeoutMs, progress, signal} = options;
		if (this.#ended !== undefined) {
			return Promise.resolve({how: 'gone', because: this.#ended});
		}

		const id = this.#next++;
		return new Promise(resolve => {
			const settle = (answer: Answer) => {
				clearTimeout(timer);
				signal?.removeEventListener('abort', onAbort);
				this.#pending.delete(id);
				resolve(answer);
			};

			const leave = (how: 'late' | 'cut', because: string) => {
				this.#transport?.send(notificationText('notifications/cancelled', {requestId: id, reason: because}));
				settle({how, because});
			};

			const onAbort = () => leave('cut', String(signal?.reason ?? 'it was cancelled'));
			const timer = setTimeout(
				() => leave('late', `the server did not answer in ${Math.round(timeoutMs / 1000)} s`),
				timeoutMs,
			);
			this.#pending.set(id, {settle, progress});
			if (signal?.aborted) {
				onAbort();
				return;
			}

			signal?.addEventListener('abort', onAbort);
			this.#transport!.send(
				requestText(id, method, progress ? {...params, _meta: {...metaOf(params), progressToken: id}} : params),
			);
		});
	}

	/** Every tool that the server lists. @throws ServerFault where it does not */
	async listTools(): Promise<Tool[]> {
		const listed: Json[] = [];
		let cursor: string | undefined;
		for (let page = 0; page < maxPages && listed.length < maxTools; page++) {
			const answer = await this.request('tools/list', cursor === undefined ? {} : {cursor});
			if (answer.how !== 'result') {
				throw new ServerFault(answer.how === 'error' ? answer.message : answer.because);
			}

			const {tools, nextCursor} = answer.result;
			listed.push(...(Array.isArray(tools) ? (tools as Json[]) : []));
			if (typeof nextCursor !== 'string' || nextCursor === '') {
				break;
			}

			cursor = nextCursor;
		}

		return readTools(listed.slice(0, maxTools));
	}

	/** Ends it, and every request that waits. */
	async close(because: string): Promise<void> {
		this.#end(because);
		await this.#transport?.close();
	}

	#end(because: string): void {
		this.#ended ??= because;
		for (const {settle} of this.#pending.values()) {
			settle({how: 'gone', because: this.#ended});
		}
	}

	#take(text: string): void {
		const bytes = Buffer.byteLength(text);
		if (this.#ended !== undefined || this.#floods(bytes)) {
			return;
		}

		const message = readMessage(text);
		if (typeof message === 'string') {
			// What follows on something unreadable may be anything.
			void this.close(`the server sent what is no message: ${message}`);
			return;
		}

		this.#hear(message, bytes);
	}

	#floods(bytes: number): boolean {
		const now = performance.now();
		if (now - this.#window.began > flood.ms) {
			this.#window = {began: now, messages: 0, bytes: 0};
		}

		this.#window.messages++;
		this.#window.bytes += bytes;
		if (this.#window.messages > flood.messages || this.#window.bytes > flood.bytes) {
			void this.close('the server sent more than can be read');
			return true;
		}

		return false;
	}

	#hear(message: Message, bytes: number): void {
		switch (message.kind) {
			case 'result': {
				this.#pending.get(message.id)?.settle({how: 'result', result: message.result, bytes});
				break;
			}

			case 'error': {
				if (message.id !== null) {
					this.#pending.get(message.id)?.settle({how: 'error', ...message.error, bytes});
				}

				break;
			}

			case 'request': {
				// Sampling would spend the person's model, roots and elicitation ask what a server need not know.
				this.#transport?.send(
					message.method === 'ping'
						? resultText(message.id, {})
						: errorText(message.id, codes.noMethod, `${message.method.slice(0, 60)} is not served`),
				);
				break;
			}

			case 'notification': {
				if (message.method === 'notifications/tools/list_changed') {
					this.#onToolsChanged();
				} else if (message.method === 'notifications/progress') {
					const token = message.params['progressToken'];
					this.#pending.get(token as Id)?.progress?.(message.params);
				}

				break;
			}
		}
	}
}

function metaOf(params: JsonObject): JsonObject {
	const meta = params['_meta'];
	return isObject(meta) ? meta : {};
}
