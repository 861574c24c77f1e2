import assert from 'node:assert/strict';
import {test} from 'node:test';
import {
	addUsage,
	formatUsage,
	noUsage,
	overBudget,
	parseBudget,
	priceOf,
	UsageReader,
	type Budget,
	type ReplyUsage,
} from '../../source/core/run/usage.ts';
import {Refusal} from '../../source/core/refusal.ts';
import {anthropic} from '../../source/agents/vendors.ts';

const {prices} = anthropic;

function read(text: string, size = 7): ReplyUsage[] {
	const found: ReplyUsage[] = [];
	const reader = new UsageReader(usage => found.push(usage));
	const bytes = new TextEncoder().encode(text);
	for (let at = 0; at < bytes.length; at += size) {
		reader.push(bytes.subarray(at, at + size));
	}

	reader.end();
	return found;
}

test("usage is read from every vendor's replies, streamed or whole", () => {
	const event = (value: unknown) => `event: x\ndata: ${JSON.stringify(value)}\n\n`;
	const cases: Array<[string, string, ReplyUsage[]]> = [
		[
			'anthropic stream',
			event({
				type: 'message_start',
				message: {
					model: 'claude-sonnet-4-5',
					usage: {input_tokens: 10, cache_read_input_tokens: 5, cache_creation_input_tokens: 3, output_tokens: 1},
				},
			}) + event({type: 'message_delta', usage: {output_tokens: 40}}),
			[{model: 'claude-sonnet-4-5', input: 13, cached: 5, output: 40}],
		],
		[
			'anthropic whole',
			JSON.stringify({type: 'message', model: 'claude-x', usage: {input_tokens: 10, output_tokens: 2}}),
			[{model: 'claude-x', input: 10, cached: 0, output: 2}],
		],
		[
			'responses',
			event({type: 'response.created', response: {model: 'gpt-x', usage: null}}) +
				event({
					type: 'response.completed',
					response: {
						model: 'gpt-x',
						usage: {input_tokens: 100, input_tokens_details: {cached_tokens: 60}, output_tokens: 7},
					},
				}),
			[{model: 'gpt-x', input: 40, cached: 60, output: 7}],
		],
		[
			'gemini with an account',
			event({
				response: {
					modelVersion: 'gemini-x',
					usageMetadata: {promptTokenCount: 30, cachedContentTokenCount: 10, candidatesTokenCount: 4},
				},
			}),
			[{model: 'gemini-x', input: 20, cached: 10, output: 4}],
		],
		[
			'two responses on one socket',
			`${JSON.stringify({
				type: 'response.completed',
				response: {model: 'g', usage: {input_tokens: 1, input_tokens_details: {}, output_tokens: 1}},
			})}\n`.repeat(2),
			[
				{model: 'g', input: 1, cached: 0, output: 1},
				{model: 'g', input: 1, cached: 0, output: 1},
			],
		],
		[
			'completions',
			event({model: 'g', choices: []}) +
				event({
					model: 'g',
					choices: [],
					usage: {prompt_tokens: 9, prompt_tokens_details: {cached_tokens: 4}, completion_tokens: 3},
				}) +
				'data: [DONE]\n\n',
			[{model: 'g', input: 5, cached: 4, output: 3}],
		],
		[
			'gemini',
			event({modelVersion: 'gemini-x', usageMetadata: {promptTokenCount: 8}}) +
				event({
					modelVersion: 'gemini-x',
					usageMetadata: {
						promptTokenCount: 8,
						cachedContentTokenCount: 2,
						candidatesTokenCount: 5,
						thoughtsTokenCount: 1,
					},
				}),
			[{model: 'gemini-x', input: 6, cached: 2, output: 6}],
		],
		[
			'pretty',
			JSON.stringify({model: 'g', usage: {prompt_tokens: 9, completion_tokens: 3}}, undefined, 2),
			[{model: 'g', input: 9, cached: 0, output: 3}],
		],
		['an error', JSON.stringify({error: {message: 'no'}}), []],
		['nothing', '', []],
		['not JSON', 'usage usage {"usage', []],
		['nonsense', JSON.stringify({usage: {input_tokens: 'many', output_tokens: -4}}), []],
	];
	for (const [what, text, expected] of cases) {
		for (const size of [1, 7, 100_000]) {
			assert.deepEqual(read(text, size), expected, `${what} in pieces of ${size}`);
		}
	}
});

test('prices are estimates, and a model without one has none', () => {
	assert.equal(
		priceOf({model: 'claude-sonnet-4-5-20250929', input: 1_000_000, cached: 1_000_000, output: 1_000_000}, prices),
		18.3,
	);
	assert.equal(priceOf({model: 'a-model-of-tomorrow', input: 1, cached: 0, output: 0}, prices), undefined);
	const once = addUsage(noUsage, {model: 'claude-sonnet-4-5', input: 100_000, cached: 0, output: 10_000}, prices);
	assert.equal(formatUsage(once), '110k ~$0.45');
	const twice = addUsage(once, {model: 'unknown', input: 1, cached: 0, output: 0}, prices);
	assert.deepEqual([twice.dollars, twice.requests, formatUsage(twice)], [undefined, 2, '110k']);
	assert.equal(formatUsage(noUsage), '');
});

test('budgets stop at their limit, and one that cannot be kept stops at once', () => {
	assert.deepEqual(
		['5', '$2.50', '200k', '2M', '1.5m', '5000 tokens'].map(text => parseBudget(text)),
		[{dollars: 5}, {dollars: 2.5}, {tokens: 200_000}, {tokens: 2_000_000}, {tokens: 1_500_000}, {tokens: 5000}],
	);
	for (const text of ['', '0', '-1', 'x', '5€', '1.234', '0k']) {
		assert.ok(parseBudget(text) instanceof Refusal, text);
	}

	const used = addUsage(noUsage, {model: 'claude-sonnet-4-5', input: 100_000, cached: 0, output: 10_000}, prices);
	const over = (budget: Budget | undefined, usage = used) => overBudget(usage, budget);
	assert.equal(over(undefined), undefined);
	assert.equal(over({dollars: 1}), undefined);
	assert.match(over({dollars: 0.45})!, /\$0\.45 is used up/);
	assert.match(over({tokens: 110_000})!, /110k tokens is used up/);
	assert.equal(over({tokens: 110_001}), undefined);
	assert.match(
		over({dollars: 100}, addUsage(noUsage, {model: 'm', input: 1, cached: 0, output: 0}, prices))!,
		/price of m is not known.*tokens/,
	);
	assert.equal(over({dollars: 100}, noUsage), undefined);
});
