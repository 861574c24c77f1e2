import {createHash} from 'node:crypto';
import {codes, isObject, type JsonObject} from '../../core/mcp/message.ts';
import type {Definition} from '../../core/mcp/definition.ts';
import {toolFailure, withoutControlsIn, withoutHiddenIn} from '../../core/mcp/protocol.ts';
import {judgeTools, type Judged, type KnownTools} from '../../core/mcp/tools.ts';
import {printable} from '../../core/names.ts';
import type {McpOutcome} from '../../core/run/event.ts';
import {patternsOf} from '../../core/secrets/encodings.ts';
import {Blanker, type Patterns} from '../../core/secrets/patterns.ts';
import {defaults} from './limits.ts';
import {RemoteFault} from '../logins/fault.ts';
import {Connection, ServerFault, type Answer, type OpenTransport} from './connection.ts';

/* One server as a run has it: started when it is first asked for, its tools judged, its answers bounded and blanked. */

/** What is known of a server before it runs. */
export type ServerSetup = {
	readonly name: string;
	readonly definition: Definition;
	readonly open: OpenTransport;
	/** Values that no answer shows. Asked for at each answer. */ values(): readonly string[];
	/** What is known of its tools. Asked for at each list. */ known(): KnownTools;
	/** Remembers tools that are shown for the first time, by name with their digest. */
	remember(fresh: Readonly<Record<string, string>>): void;
	onChanged(): void;
	/** A tool is not what was allowed. */ onWithheld(tool: string, because: string): void;
};

/** What an agent is told, as JSON, and what is written down of it. */
export type Reply = {
	/** The result, or undefined for an error. */ readonly result?: string | undefined;
	readonly error?: {readonly code: number; readonly message: string} | undefined;
	readonly outcome: McpOutcome;
	readonly because?: string | undefined;
	/** Bytes that the server sent for it. */ readonly received: number;
};

/** How often a server that ended is started again for one run. */
const maxStarts = 10;

export const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

export class Served {
	readonly #setup: ServerSetup;
	#connection: Promise<Connection> | undefined;
	#open: Connection | undefined;
	#judged: Promise<Judged> | undefined;
	#starts = 0;
	#over: string | undefined;
	#minute = {began: 0, calls: 0};
	#atOnce = 0;
	#patterns: {readonly key: string; readonly patterns: Patterns} | undefined;
	readonly #alarmed = new Set<string>();

	constructor(setup: ServerSetup) {
		this.#setup = setup;
	}

	/** Whether resources and prompts are served, too. */
	get resources(): boolean {
		return this.#setup.definition.resources;
	}

	/** The tools that an agent gets now, in what is safe to show. @throws ServerFault where the server cannot say */
	async tools(): Promise<Judged> {
		const connection = await this.#connected();
		this.#judged ??= this.#judge(connection);
		const judging = this.#judged;
		try {
			return await judging;
		} catch (error) {
			if (this.#judged === judging) {
				this.#judged = undefined;
			}

			throw error;
		}
	}

	/** `tools/list` as an agent reads it. */
	async list(): Promise<string> {
		// A session begins with a list: what the server says today counts, whether it told of a change or not.
		this.#judged = undefined;
		const {shown} = await this.tools();
		return this.#blank(JSON.stringify({tools: shown.map(tool => withoutHiddenIn(tool))}));
	}

	/**
	 * Calls a tool, if it is one that the agent was shown.
	 * @param options.progress hears of it on the way; `signal` ends it
	 */
	async call(
		params: JsonObject,
		options: {progress?: ((params: JsonObject) => void) | undefined; signal: AbortSignal},
	): Promise<Reply> {
		const tool = params['name'];
		if (typeof tool !== 'string' || (params['arguments'] !== undefined && !isObject(params['arguments']))) {
			return refused(codes.badParameters, 'a call names a tool, and its arguments are an object');
		}

		return this.#bounded(async () => {
			const {shown, withheld} = await this.tools();
			if (!shown.some(({name}) => name === tool)) {
				const because = withheld.find(({name}) => name === tool)?.because ?? 'there is no such tool';
				return refused(codes.badParameters, `${printable(tool)} is not called: ${because}`);
			}

			// Only what a call is made of goes on.
			const sent = {name: tool, arguments: params['arguments'] ?? {}};
			return this.#read(await (await this.#connected()).request('tools/call', sent, requestOptions(options)), true);
		});
	}

	/** Any other request that is served. */
	async other(method: string, params: JsonObject, signal: AbortSignal): Promise<Reply> {
		return this.#bounded(async () =>
			this.#read(await (await this.#connected()).request(method, params, {signal}), false),
		);
	}

	/** Ends the server's process. It is not started again. */
	async close(because: string): Promise<void> {
		this.#over ??= because;
		const going = this.#connection;
		await this.#open?.close(because);
		await (await going?.catch(() => undefined))?.close(because);
	}

	async #bounded(work: () => Promise<Reply>): Promise<Reply> {
		const {callsPerMinute = defaults.callsPerMinute} = this.#setup.definition.limits;
		const now = performance.now();
		if (now - this.#minute.began > 60_000) {
			this.#minute = {began: now, calls: 0};
		}

		if (++this.#minute.calls > callsPerMinute) {
			return refused(codes.tooMany, `more than ${callsPerMinute} calls in a minute`);
		}

		if (this.#atOnce >= defaults.atOnce) {
			return refused(codes.tooMany, `more than ${defaults.atOnce} calls at one time`);
		}

		this.#atOnce++;
		try {
			return await work();
		} catch (error) {
			if (!(error instanceof RemoteFault)) {
				throw error;
			}

			const message = printable(error.message, 300);
			return {outcome: 'failed', because: message, error: {code: codes.noAnswer, message}, received: 0};
		} finally {
			this.#atOnce--;
		}
	}

	#connected(): Promise<Connection> {
		if (this.#over !== undefined) {
			return Promise.reject(new ServerFault(this.#over));
		}

		if (this.#connection && this.#open?.ended === undefined) {
			return this.#connection;
		}

		if (++this.#starts > maxStarts) {
			return Promise.reject(new ServerFault(`it ended ${maxStarts} times, and is not started again`));
		}

		const {definition, open, onChanged} = this.#setup;
		const connection = new Connection(open, {
			timeoutMs: definition.timeout ?? defaults.timeoutMs,
			onToolsChanged: () => {
				this.#judged = undefined;
				onChanged();
			},
		});
		this.#open = connection;
		this.#judged = undefined;
		const started = connection.start().then(
			() => connection,
			async (error: unknown) => {
				this.#connection = undefined;
				await connection.close('it did not come up');
				throw error;
			},
		);
		// Whoever asks hears of it; nobody may.
		started.catch(() => {});
		this.#connection = started;
		return started;
	}

	async #judge(connection: Connection): Promise<Judged> {
		const {definition, known, remember, onWithheld} = this.#setup;
		const judged = judgeTools(await connection.listTools(), definition, {known: known(), digest: digestOf});
		if (Object.keys(judged.fresh).length > 0) {
			remember(judged.fresh);
		}

		for (const {name, because, changed} of judged.withheld) {
			if (changed && !this.#alarmed.has(name)) {
				this.#alarmed.add(name);
				onWithheld(name, because);
			}
		}

		return judged;
	}

	#read(answer: Answer, isCall: boolean): Reply {
		if (answer.how === 'error') {
			const message = this.#blank(printable(answer.message, 1000));
			return {
				outcome: 'failed',
				because: printable(message),
				error: {code: answer.code, message},
				received: answer.bytes,
			};
		}

		if (answer.how !== 'result') {
			const because = this.#blank(printable(answer.because, 300));
			const outcome = ({late: 'late', gone: 'failed', cut: 'cut'} as const)[answer.how];
			return isCall
				? {outcome, because, result: JSON.stringify(toolFailure(because)), received: 0}
				: {outcome, because, error: {code: codes.noAnswer, message: because}, received: 0};
		}

		const {bytes} = answer;
		const limit = this.#setup.definition.limits.result ?? defaults.result;
		const text = JSON.stringify(withoutControlsIn(answer.result));
		const size = Buffer.byteLength(text);
		if (size > limit) {
			const because = `the answer is larger than is passed on: ${size} bytes, ${limit} are allowed (limits: result)`;
			return isCall
				? {
						outcome: 'too-large',
						because,
						result: JSON.stringify(toolFailure(`${because}; ask for less`)),
						received: bytes,
					}
				: {outcome: 'too-large', because, error: {code: codes.internal, message: because}, received: bytes};
		}

		if (isCall && !Array.isArray(answer.result['content'])) {
			const because = 'what the server answered is no result of a tool';
			return {outcome: 'failed', because, result: JSON.stringify(toolFailure(because)), received: bytes};
		}

		const failed = isCall && answer.result['isError'] === true;
		return {outcome: failed ? 'failed' : 'answered', result: this.#blank(text), received: bytes};
	}

	/** What is known to be a secret is blanked, at the same length: the text stays JSON. */
	#blank(text: string): string {
		const values = [...this.#setup.values(), ...(this.#open?.values() ?? [])];
		if (values.length === 0) {
			return text;
		}

		const key = values.join('\n');
		if (this.#patterns?.key !== key) {
			this.#patterns = {key, patterns: patternsOf(values)};
		}

		const blanker = new Blanker(this.#patterns.patterns);
		return Buffer.concat([blanker.push(Buffer.from(text)), blanker.end()]).toString('utf8');
	}
}

function refused(code: number, message: string): Reply {
	return {outcome: 'refused', because: message, error: {code, message}, received: 0};
}

function requestOptions({
	progress,
	signal,
}: {
	progress?: ((params: JsonObject) => void) | undefined;
	signal: AbortSignal;
}): {progress?: (params: JsonObject) => void; signal: AbortSignal} {
	return progress ? {progress, signal} : {signal};
}
