import * as v from 'valibot';
import {anyControl} from '../core/text/controls.ts';

/* What a client says to a run's supervisor, one JSON document per line, and what it hears. */

const actor = v.custom<`person:${string}`>(
	value => typeof value === 'string' && /^person:.{1,64}$/s.test(value) && !anyControl.test(value),
	'an actor is a person',
);
const reason = v.pipe(v.string(), v.maxLength(2000));
const size = v.pipe(v.number(), v.integer(), v.minValue(2), v.maxValue(1000));

const texts = v.pipe(v.array(v.pipe(v.string(), v.maxLength(1000))), v.readonly());

/** A secret on its way from a vault to a supervisor. The only message that holds a value; it is never written down. */
const secret = v.strictObject({
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
});

const budget = v.nullable(v.union([v.strictObject({dollars: v.number()}), v.strictObject({tokens: v.number()})]));

const requestSchema = v.variant('method', [
	v.strictObject({
		id: v.number(),
		method: v.literal('allow'),
		scope: v.string(),
		because: reason,
		duration: v.optional(v.number()),
		secret: v.optional(secret),
		actor,
	}),
	v.strictObject({id: v.number(), method: v.literal('budget'), budget, because: reason, actor}),
	v.strictObject({
		id: v.number(),
		method: v.literal('dismiss'),
		target: v.pipe(v.string(), v.maxLength(300)),
		because: reason,
		actor,
	}),
	v.strictObject({id: v.number(), method: v.literal('acknowledge'), because: reason, actor}),
	v.strictObject({id: v.number(), method: v.literal('revoke'), scope: v.string(), because: reason, actor}),
	v.strictObject({id: v.number(), method: v.literal('stop'), because: reason, actor}),
	v.strictObject({id: v.number(), method: v.literal('freeze'), because: reason, actor}),
	v.strictObject({id: v.number(), method: v.literal('thaw'), because: reason, actor}),
	v.strictObject({id: v.number(), method: v.literal('attach'), columns: size, rows: size, actor}),
	v.strictObject({id: v.number(), method: v.literal('input'), data: v.string()}),
	v.strictObject({id: v.number(), method: v.literal('resize'), columns: size, rows: size}),
	v.strictObject({
		id: v.number(),
		method: v.literal('audited'),
		items: v.array(
			v.strictObject({
				id: v.picklist(['repo', 'secrets', 'network', 'isolation', 'deploy', 'review']),
				status: v.picklist(['PASS', 'FAIL', 'ERROR']),
			}),
		),
		asked: v.array(v.pipe(v.string(), v.maxLength(80))),
		because: reason,
		actor,
	}),
]);

/** A client's request. */
export type Request = v.InferOutput<typeof requestSchema>;

/** An answer to a request, or, without an id, a piece of the terminal's output (base64). */
export type Response =
	| {readonly id: number; readonly ok: true; readonly result: Record<string, unknown>}
	| {
			readonly id: number;
			readonly ok: false;
			readonly because: string;
			readonly hint: string;
			readonly exitCode: number;
	  }
	| {readonly output: string}
	| {readonly ended: string};

/** Reads one line from a client. Undefined for anything that is not a request. */
export function parseRequest(line: string): Request | undefined {
	try {
		const result = v.safeParse(requestSchema, JSON.parse(line));
		return result.success ? result.output : undefined;
	} catch {
		return undefined;
	}
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
