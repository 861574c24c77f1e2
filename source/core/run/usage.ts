import {Refusal} from '../refusal.ts';

/* What a run used of its model, as read from the replies that passed the broker. */

/**
 * Tokens since the run began; `cached` are input that cost less.
 * `dollars` is an estimate, undefined where a model's price is not known.
 */
export type Usage = {
	readonly requests: number;
	readonly input: number;
	readonly cached: number;
	readonly output: number;
	readonly dollars: number | undefined;
	readonly model: string;
};

/** A limit, in one of two units. */
export type Budget = {readonly dollars: number} | {readonly tokens: number};

export const noUsage: Usage = {requests: 0, input: 0, cached: 0, output: 0, dollars: 0, model: ''};

/** What one reply says that it cost. */
export type ReplyUsage = {
	readonly model: string;
	readonly input: number;
	readonly cached: number;
	readonly output: number;
};

/** What a model costs, in US dollars for a million tokens; `cached` is input that was cached. */
export type Price = {readonly model: RegExp; readonly input: number; readonly cached: number; readonly output: number};

/** An estimate in US dollars; undefined for a model whose price is not known. */
export function priceOf(usage: ReplyUsage, prices: readonly Price[]): number | undefined {
	const price = prices.find(({model}) => model.test(usage.model));
	return price && (usage.input * price.input + usage.cached * price.cached + usage.output * price.output) / 1_000_000;
}

/** One more reply. */
export function addUsage(usage: Usage, reply: ReplyUsage, prices: readonly Price[]): Usage {
	const dollars = priceOf(reply, prices);
	return {
		requests: usage.requests + 1,
		input: usage.input + reply.input,
		cached: usage.cached + reply.cached,
		output: usage.output + reply.output,
		dollars: usage.dollars === undefined || dollars === undefined ? undefined : usage.dollars + dollars,
		model: reply.model || usage.model,
	};
}

function number(value: unknown): number {
	return typeof value === 'number' && Number.isFinite(value) && value >= 0 && value < 1e12 ? value : 0;
}

type Found = {model?: string; input?: number; cached?: number; output?: number; ends: boolean};

function modelOf(inner: Record<string, any>, document: Record<string, any>): string | undefined {
	if (typeof inner['model'] === 'string') {
		return inner['model'];
	}

	const version = inner['modelVersion'] ?? document['modelVersion'];
	return typeof version === 'string' ? version : undefined;
}

/** The numbers of one JSON document, in any of the forms that vendors use. */
function readUsage(document: Record<string, any>): Found | undefined {
	const inner = (document['message'] ?? document['response'] ?? document) as Record<string, any>;
	const model = modelOf(inner, document);
	// With a Google account in place of a key, the same lies in an envelope.
	const google = inner['usageMetadata'] as Record<string, unknown> | undefined;
	if (google) {
		const cached = number(google['cachedContentTokenCount']);
		return {
			...(model === undefined ? {} : {model}),
			input: Math.max(0, number(google['promptTokenCount']) - cached),
			cached,
			output: number(google['candidatesTokenCount']) + number(google['thoughtsTokenCount']),
			ends: false,
		};
	}

	const usage = (inner['usage'] ?? document['usage']) as Record<string, any> | undefined | null;
	if (typeof usage !== 'object' || usage === null) {
		return model === undefined ? undefined : {model, ends: false};
	}

	const ends = document['type'] === 'response.completed';
	if (usage['prompt_tokens'] !== undefined || usage['input_tokens_details'] !== undefined) {
		const cached = number((usage['prompt_tokens_details'] ?? usage['input_tokens_details'])?.cached_tokens);
		return {
			...(model === undefined ? {} : {model}),
			input: Math.max(0, number(usage['prompt_tokens'] ?? usage['input_tokens']) - cached),
			cached,
			output: number(usage['completion_tokens'] ?? usage['output_tokens']),
			ends,
		};
	}

	return {
		...(model === undefined ? {} : {model}),
		input: number(usage['input_tokens']) + number(usage['cache_creation_input_tokens']),
		cached: number(usage['cache_read_input_tokens']),
		output: number(usage['output_tokens']),
		ends,
	};
}

/** Longest line, or whole document, that is looked into; characters. */
const longest = 4 * 1024 ** 2;

/**
 * Reads one reply as it goes by: a JSON document, a stream of events, or the messages of a websocket. Holds one line.
 */
export class UsageReader {
	readonly #found: (usage: ReplyUsage) => void;
	readonly #decoder = new TextDecoder();
	#line = '';
	#whole = '';
	#model = '';
	#last = {input: 0, cached: 0, output: 0};
	#any = false;

	/** @param found is called once for each answer of the model */
	constructor(found: (usage: ReplyUsage) => void) {
		this.#found = found;
	}

	push(bytes: Uint8Array): void {
		this.#line += this.#decoder.decode(bytes, {stream: true});
		const lines = this.#line.split('\n');
		this.#line = lines.pop()!;
		if (this.#line.length > longest) {
			this.#line = '';
		}

		for (const line of lines) {
			this.#read(line);
		}
	}

	end(): void {
		this.#read(this.#line);
		this.#line = '';
		// A document over several lines is read as one.
		if (!this.#any && this.#whole.includes('sage')) {
			this.#take(this.#whole);
		}

		this.#whole = '';
		this.#settle();
	}

	#read(line: string): void {
		const text = line.startsWith('data:') ? line.slice(5).trim() : line.trim();
		if (!line.startsWith('data:') && !line.startsWith('event:') && this.#whole.length < longest) {
			this.#whole += `${line}\n`;
		}

		if (text.startsWith('{') && (text.includes('sage') || (this.#model === '' && text.includes('"model')))) {
			this.#take(text);
		}
	}

	#take(text: string): void {
		let found: Found | undefined;
		try {
			const document: unknown = JSON.parse(text);
			// Some stream an array of documents.
			const last: unknown = Array.isArray(document) ? document.at(-1) : document;
			found = typeof last === 'object' && last !== null ? readUsage(last as Record<string, any>) : undefined;
		} catch {
			// No whole document, such as one line of several, or one that was cut.
		}

		if (!found) {
			return;
		}

		this.#model = found.model ?? this.#model;
		if (found.input !== undefined) {
			// A stream says its numbers several times, growing; the last word counts, where it says one.
			this.#any = true;
			this.#last = {
				input: found.input || this.#last.input,
				cached: found.cached || this.#last.cached,
				output: found.output || this.#last.output,
			};
		}

		if (found.ends) {
			this.#settle();
		}
	}

	#settle(): void {
		if (this.#any && this.#last.input + this.#last.cached + this.#last.output > 0) {
			this.#found({model: this.#model, ...this.#last});
		}

		this.#any = false;
		this.#last = {input: 0, cached: 0, output: 0};
	}
}

/** Reads `5`, `$5`, `2.50` as US dollars, and `200k`, `2M` or `5000tokens` as tokens. */
export function parseBudget(text: string): Budget | Refusal {
	const money = /^\$?(\d{1,6}(?:\.\d{1,2})?)\$?$/.exec(text.trim());
	if (money && Number(money[1]) > 0) {
		return {dollars: Number(money[1])};
	}

	const tokens = /^(\d{1,9}(?:\.\d)?) ?(k|m)? ?(?:tokens|tok)?$/i.exec(text.trim());
	const count = tokens ? Number(tokens[1]) * {k: 1000, m: 1_000_000, '': 1}[(tokens[2] ?? '').toLowerCase() as 'k'] : 0;
	return count >= 1
		? {tokens: Math.round(count)}
		: new Refusal(
				`"${text.slice(0, 40)}" is not a budget`,
				'write dollars, such as 5 or 2.50, or tokens, such as 200k or 2M',
			);
}

/** "1.2k", "3.4M". */
export function formatTokens(count: number): string {
	if (count < 1000) {
		return String(count);
	}

	return count < 1_000_000
		? `${(count / 1000).toFixed(count < 10_000 ? 1 : 0)}k`
		: `${(count / 1_000_000).toFixed(1)}M`;
}

function formatDollars(dollars: number): string {
	return dollars < 0.995 ? dollars.toFixed(2) : dollars.toFixed(dollars < 100 ? 1 : 0);
}

/** Tokens and estimated cost in a few characters; empty where nothing was used. */
export function formatUsage(usage: Usage): string {
	const tokens = usage.input + usage.cached + usage.output;
	return tokens === 0
		? ''
		: `${formatTokens(tokens)}${usage.dollars === undefined ? '' : ` ~$${formatDollars(usage.dollars)}`}`;
}

/** A budget as it is typed. */
export function formatBudget(budget: Budget): string {
	return 'dollars' in budget ? `$${budget.dollars}` : `${formatTokens(budget.tokens)} tokens`;
}

/** Why a budget stops a run; undefined while it does not. What a cost cannot be told of cannot be held to a cost. */
export function overBudget(usage: Usage, budget: Budget | undefined): string | undefined {
	if (!budget || usage.requests === 0) {
		return undefined;
	}

	if ('tokens' in budget) {
		const tokens = usage.input + usage.cached + usage.output;
		return tokens >= budget.tokens ? `its budget of ${formatBudget(budget)} is used up` : undefined;
	}

	if (usage.dollars === undefined) {
		return (
			`the price of ${usage.model || 'its model'} is not known, ` +
			`so its budget of ${formatBudget(budget)} cannot be kept; give it in tokens`
		);
	}

	return usage.dollars >= budget.dollars ? `its budget of ${formatBudget(budget)} is used up` : undefined;
}
