import {randomBytes} from 'node:crypto';
import type {IncomingMessage} from 'node:http';
import {StringDecoder} from 'node:string_decoder';
import {urlTarget} from '../../core/mcp/definition.ts';
import {EventReader} from '../../core/mcp/events.ts';
import {codes, errorText, readMessage, type Id} from '../../core/mcp/message.ts';
import {printable} from '../../core/names.ts';
import {formatTarget} from '../../core/network/target.ts';
import {Refusal} from '../../core/refusal.ts';
import {makePointer} from '../../core/secrets/pointer.ts';
import {isBoundTo} from '../../core/secrets/secret.ts';
import {decideRequest, type HeldSecret} from '../../core/secrets/swap.ts';
import {readTrusted, trustContext} from '../../host/trusted.ts';
import type {Context} from '../context.ts';
import {HttpsClient, textOf} from '../logins/https-client.ts';
import type {Refresher} from '../logins/refresher.ts';
import {ServerFault, type OpenTransport, type Transport, type TransportEvents} from './connection.ts';
import {defaults} from './limits.ts';
import {serverLogin, tokenTarget} from './login.ts';
import type {ServerSecret} from './secrets.ts';
import type {TransportOptions} from './transport-options.ts';

/* A server at an address: MCP's Streamable HTTP, over TLS that is checked, with a credential that no run sees. */

/** Characters of a message beyond what is passed on. */
const slack = 8 * 1024 ** 2;

type Target = NonNullable<ReturnType<typeof urlTarget>>;

/** What reaches a server at an address. */
export function httpsTransport(context: Context, options: TransportOptions): OpenTransport {
	return async events => {
		const {server, secrets, hooks} = options;
		const {url, login, limits} = server.definition;
		const target = urlTarget(url ?? '')!;
		const trust = trustContext(await readTrusted(undefined));
		const client = new HttpsClient([target, ...(login ? [tokenTarget(login)] : [])], {
			trust,
			...(hooks ? {hooks} : {}),
		});
		return new HttpsTransport({
			client,
			target,
			events,
			longest: 4 * (limits.result ?? defaults.result) + slack,
			credentials: credentialsFor(target, secrets),
			login: login && serverLogin(context, {server, login, client, project: options.project}),
		});
	};
}

/** The headers that carry secrets, by the same decision as a run's requests. @throws Refusal where one is not for this */
function credentialsFor(target: Target, secrets: readonly ServerSecret[]): Array<readonly [string, string]> {
	const held: HeldSecret[] = secrets.map(({scope, shape, value, binding}) => ({
		scope,
		value,
		binding,
		pointer: makePointer(shape, randomBytes(256)),
	}));
	const host = formatTarget(target.port === 443 ? {host: target.host} : target);
	const headers = secrets.map(
		({as}, index) => [as, as === 'authorization' ? `Bearer ${held[index]!.pointer}` : held[index]!.pointer] as const,
	);
	const unbound = secrets.find(({binding, as}) => !isBoundTo(binding, target) || !binding.headers.includes(as));
	const verdict = decideRequest({method: 'POST', url: target.path, headers: [['host', host], ...headers]}, target, {
		held,
		pointers: held.map(({pointer}) => pointer),
	});
	if (unbound || !verdict.allow) {
		throw new Refusal(
			unbound
				? `${unbound.reference} is not bound to ${host} in ${unbound.as}`
				: `${host} is not asked: ${(verdict as {because: string}).because}`,
			'fleet secret show NAME says where it may go',
		);
	}

	return verdict.headers.filter(([name]) => name !== 'host');
}

type Made = {
	readonly client: HttpsClient;
	readonly target: Target;
	readonly events: TransportEvents;
	readonly longest: number;
	readonly credentials: ReadonlyArray<readonly [string, string]>;
	readonly login: Refresher | undefined;
};

class HttpsTransport implements Transport {
	readonly #made: Made;
	readonly #abort = new AbortController();
	#session: string | undefined;
	#version: string | undefined;

	constructor(made: Made) {
		this.#made = made;
	}

	greeted(version: string): void {
		this.#version = version;
	}

	values(): readonly string[] {
		return this.#made.login?.values() ?? [];
	}

	send(text: string): void {
		const message = readMessage(text);
		const id = typeof message !== 'string' && message.kind === 'request' ? message.id : undefined;
		this.#post(text, id).catch((error: unknown) => {
			if (this.#abort.signal.aborted) {
				return;
			}

			const because = error instanceof Error ? error.message : 'it failed';
			this.#fail(id, because);
		});
	}

	async close(): Promise<void> {
		const {client, target, login} = this.#made;
		if (this.#session !== undefined && !this.#abort.signal.aborted) {
			const goodbye = AbortSignal.timeout(2000);
			// A login is not refreshed to say goodbye.
			const headers = this.#headers(login?.current);
			await client
				.ask(target, {method: 'DELETE', path: target.path, headers, signal: goodbye})
				.then(answer => answer.destroy())
				.catch(() => {});
		}

		this.#abort.abort();
		client.close();
	}

	#fail(id: Id | undefined, because: string): void {
		if (id !== undefined) {
			this.#made.events.onText(errorText(id, codes.noAnswer, because));
		}
	}

	#headers(token: string | undefined): Array<readonly [string, string]> {
		return [
			...this.#made.credentials,
			...(token === undefined ? [] : [['Authorization', `Bearer ${token}`] as const]),
			...(this.#session === undefined ? [] : [['Mcp-Session-Id', this.#session] as const]),
			...(this.#version === undefined ? [] : [['MCP-Protocol-Version', this.#version] as const]),
		];
	}

	/** @returns the answer, and the login's token that was sent */
	async #ask(text: string): Promise<{answer: IncomingMessage; token: string | undefined}> {
		const {client, target, login} = this.#made;
		const token = await login?.token();
		const answer = await client.ask(target, {
			method: 'POST',
			path: target.path,
			headers: [
				['Content-Type', 'application/json'],
				['Accept', 'application/json, text/event-stream'],
				...this.#headers(token),
			],
			body: text,
			signal: this.#abort.signal,
		});
		return {answer, token};
	}

	async #post(text: string, id: Id | undefined): Promise<void> {
		const {login, longest, events} = this.#made;
		let {answer, token} = await this.#ask(text);
		if (answer.statusCode === 401 && login && token !== undefined) {
			answer.destroy();
			login.refuse(token);
			({answer} = await this.#ask(text));
		}

		const status = answer.statusCode!;
		const session = answer.headers['mcp-session-id'];
		if (typeof session === 'string' && /^[\u0021-\u007E]{1,200}$/.test(session)) {
			this.#session = session;
		}

		if (status === 404 && this.#session !== undefined) {
			answer.destroy();
			events.onEnd('the server ended the session');
			return;
		}

		if (status < 200 || status > 299) {
			answer.destroy();
			throw new ServerFault(statusText(status));
		}

		const type = answer.headers['content-type'] ?? '';
		if (/^text\/event-stream\b/i.test(type)) {
			await this.#readEvents(answer, id);
		} else if (/^application\/json\b/i.test(type)) {
			events.onText(await textOf(answer, longest));
		} else {
			answer.destroy();
			if (status !== 202 && id !== undefined) {
				throw new ServerFault(`the server answered with ${printable(type, 60) || 'nothing'}`);
			}
		}
	}

	/** Events until the answer came; a stream that ends without it is a fault. */
	async #readEvents(answer: IncomingMessage, id: Id | undefined): Promise<void> {
		const reader = new EventReader(this.#made.longest);
		const decoder = new StringDecoder('utf8');
		try {
			for await (const bytes of answer as AsyncIterable<Buffer>) {
				// An event without data only says where a stream could be taken up again.
				for (const text of reader.push(decoder.write(bytes)).filter(data => data.trim() !== '')) {
					this.#made.events.onText(text);
					const message = readMessage(text);
					if (typeof message !== 'string' && 'id' in message && message.id === id && message.kind !== 'request') {
						return;
					}
				}
			}
		} finally {
			answer.destroy();
		}

		throw new ServerFault('the server ended its answer before it was whole');
	}
}

function statusText(status: number): string {
	if (status === 401 || status === 403) {
		return `the server refuses the login (${status})`;
	}

	return status >= 300 && status < 400
		? `the server leads elsewhere (${status}), and no login is taken there`
		: `the server answered ${status}`;
}
