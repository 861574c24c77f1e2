import * as v from 'valibot';
import {isPerson, type Person} from '../core/actor.ts';
import {itemIds} from '../core/run/audit.ts';
import type {OwnerCommand} from '../core/run/command.ts';
import {anyControl} from '../core/text/controls.ts';

/*
 * What a client says to a run's supervisor, one JSON document per line, and what it hears. A request is a command, which
 * `decide` knows, or something about the terminal or a port, which changes nothing of the run. Both ends read by these schemas.
 */

const actor = v.custom<Person>(
	value => typeof value === 'string' && isPerson(value) && /^[^:]+:.{1,64}$/s.test(value) && !anyControl.test(value),
	'an actor is a person',
);
const because = v.pipe(v.string(), v.maxLength(2000));
const size = v.pipe(v.number(), v.integer(), v.minValue(2), v.maxValue(1000));

const texts = v.pipe(v.array(v.pipe(v.string(), v.maxLength(1000))), v.readonly());

/** A secret on its way from a vault to a supervisor. The only part that holds a value; it is never written down. */
const secretEntries = {
	scope: v.string(),
	reference: v.string(),
	shape: v.string(),
	value: v.pipe(v.string(), v.maxLength(64 * 1024)),
	previous: v.optional(v.string()),
	binding: v.strictObject({
		class: v.picklist(['model', 'task']),
		hosts: texts,
		headers: texts,
		methods: texts,
		paths: texts,
		environment: v.optional(v.string()),
		longest: v.optional(v.number()),
	}),
	/** Of a subscription's login. What it is refreshed with stays in the vault. */
	login: v.optional(
		v.strictObject({
			name: v.string(),
			title: v.string(),
			made: v.number(),
			until: v.optional(v.number()),
			plan: v.optional(v.string()),
			account: v.optional(v.strictObject({header: v.string(), value: v.string()})),
		}),
	),
};
const secret = v.strictObject(secretEntries);

/** What an MCP server signs in with: `as` is the variable or the header that carries it. */
const serverSecret = v.strictObject({...secretEntries, as: v.pipe(v.string(), v.maxLength(100))});

const budget = v.nullable(v.union([v.strictObject({dollars: v.number()}), v.strictObject({tokens: v.number()})]));

/** What is known of a grant besides these, whoever owns the journal looks at itself. */
const grant = v.strictObject({
	type: v.literal('grant'),
	id: v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/)),
	scope: v.string(),
	because,
	durationMs: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1e15))),
	/** Where a rule wants it signed: what was signed besides, and by whom. The supervisor checks it by its own rules. */
	signed: v.optional(
		v.strictObject({
			signer: v.pipe(v.string(), v.maxLength(200)),
			at: v.pipe(v.string(), v.isoTimestamp()),
			until: v.optional(v.pipe(v.string(), v.isoTimestamp())),
			uses: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
			signature: v.pipe(v.string(), v.maxLength(20_000)),
		}),
	),
});

const commands = [
	grant,
	v.strictObject({type: v.literal('revoke'), scope: v.string(), because}),
	v.strictObject({type: v.literal('stop'), because}),
	v.strictObject({type: v.literal('release'), because}),
	v.strictObject({type: v.literal('freeze'), because}),
	v.strictObject({type: v.literal('thaw'), because}),
	v.strictObject({type: v.literal('budget'), budget, because}),
	v.strictObject({type: v.literal('dismiss'), target: v.pipe(v.string(), v.maxLength(300)), because}),
	v.strictObject({type: v.literal('acknowledge'), because}),
	v.strictObject({
		type: v.literal('audit'),
		items: v.array(v.strictObject({id: v.picklist(itemIds), status: v.picklist(['PASS', 'FAIL', 'ERROR'])})),
		asked: v.array(v.pipe(v.string(), v.maxLength(80))),
		because,
	}),
] as const;

const views = [
	v.strictObject({type: v.literal('attach'), columns: size, rows: size}),
	v.strictObject({type: v.literal('input'), /** Base64. */ data: v.string()}),
	/** A line for its terminal, and enter after it: as a whole, whoever else types. */
	v.strictObject({type: v.literal('reply'), text: v.pipe(v.string(), v.maxLength(4000)), enter: v.boolean()}),
	v.strictObject({type: v.literal('resize'), columns: size, rows: size}),
	v.strictObject({type: v.literal('open'), port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535))}),
] as const;

const requestSchema = v.strictObject({
	id: v.number(),
	actor,
	/** For a grant: the value behind it. */
	secret: v.optional(secret),
	/** For a grant of an MCP server: what that signs in with. */
	server: v.optional(v.pipe(v.array(serverSecret), v.readonly())),
	ask: v.variant('type', [...commands, ...views]),
});

/** Something about the terminal of a run, or a port of its. */
export type View = v.InferOutput<(typeof views)[number]>;
type SentCommand = v.InferOutput<(typeof commands)[number]>;

/** What a supervisor is asked for. */
export type Ask = SentCommand | View;
export type AskOf<Type extends Ask['type']> = Extract<Ask, {readonly type: Type}>;
export type Request = v.InferOutput<typeof requestSchema>;
export type SentSecret = v.InferOutput<typeof secret>;
/** What goes with a grant besides: the values behind it. */
export type Behind = Pick<Request, 'secret' | 'server'>;

/** Does not compile where a command that `decide` knows has no message, or a message is no command. */
type Same<One, Other> = [One] extends [Other] ? ([Other] extends [One] ? true : never) : never;
export const complete: Same<SentCommand['type'], OwnerCommand['type']> = true;

/** What a request is answered with. */
const answers = {
	/** When it takes effect, in words. */
	grant: v.object({effect: v.string()}),
	/** Connections that were cut, and why a mount stayed, where one did. */
	revoke: v.object({cut: v.number(), left: v.optional(v.string())}),
	stop: v.object({}),
	release: v.object({}),
	freeze: v.object({}),
	thaw: v.object({}),
	budget: v.object({}),
	dismiss: v.object({}),
	acknowledge: v.object({}),
	audit: v.object({}),
	attach: v.object({}),
	input: v.object({}),
	reply: v.object({}),
	resize: v.object({}),
	/** An address that lets a browser in once, the page's own, and whether a program listens there now. */
	open: v.object({url: v.string(), address: v.string(), lifeMs: v.number(), listens: v.boolean()}),
} satisfies {readonly [Type in Ask['type']]: v.GenericSchema};

export type AnswerOf<Type extends Ask['type']> = v.InferOutput<(typeof answers)[Type]>;

const responseSchema = v.union([
	v.object({/** A piece of the terminal's output, base64. */ output: v.string()}),
	v.object({/** How the run ended. */ ended: v.string()}),
	v.object({id: v.number(), ok: v.literal(true), result: v.unknown()}),
	v.object({id: v.number(), ok: v.literal(false), because: v.string(), hint: v.string(), exitCode: v.number()}),
]);

/** An answer to a request, by its id, or what a viewer is told. */
export type Response = Readonly<v.InferOutput<typeof responseSchema>>;

function parseLine<Schema extends v.GenericSchema>(schema: Schema, line: string): v.InferOutput<Schema> | undefined {
	try {
		const result = v.safeParse(schema, JSON.parse(line));
		return result.success ? result.output : undefined;
	} catch {
		// Not JSON.
		return undefined;
	}
}

/** Reads one line from a client. Undefined for anything that is not a request. */
export function parseRequest(line: string): Request | undefined {
	return parseLine(requestSchema, line);
}

/** Reads one line from a supervisor. Undefined for anything that this version does not know. */
export function parseResponse(line: string): Response | undefined {
	return parseLine(responseSchema, line);
}

/** Reads what a request was answered with. Undefined for what is no answer to it. */
export function parseAnswer<Type extends Ask['type']>(type: Type, result: unknown): AnswerOf<Type> | undefined {
	const parsed = v.safeParse(answers[type], result);
	return parsed.success ? parsed.output : undefined;
}

/** Cuts a stream into lines; a line that grows past the limit ends the stream. */
export class LineSplitter {
	#rest = '';
	readonly #limit: number;

	/** @param limit characters of one line */
	constructor(limit = 1024 ** 2) {
		this.#limit = limit;
	}

	/** @throws RangeError for an endless line */
	push(text: string): string[] {
		const lines = (this.#rest + text).split('\n');
		this.#rest = lines.pop()!;
		if (this.#rest.length > this.#limit) {
			throw new RangeError('the line is too long');
		}

		return lines;
	}
}
