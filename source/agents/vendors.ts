import type {ModelNeed} from '../core/seams.ts';

/* What agents have in common that talk to the same vendor: its hosts, its credential and where that is made, its prices. */

/** Anthropic's API. */
export const anthropic: ModelNeed = {
	secret: 'anthropic',
	binding: {
		class: 'model',
		hosts: ['api.anthropic.com'],
		headers: ['authorization', 'x-api-key'],
		methods: ['GET', 'POST'],
		paths: ['/v1/messages', '/v1/messages/count_tokens', '/v1/models', '/v1/models/*'],
		environment: 'ANTHROPIC_API_KEY',
	},
	made: 'an API key, made at https://console.anthropic.com/settings/keys',
	priced: {asOf: '2025-11', source: 'https://www.anthropic.com/pricing'},
	prices: [
		{model: /claude-opus-4[.-][5-9]/, input: 5, cached: 0.5, output: 25},
		{model: /claude-(?:opus-4|3-opus)/, input: 15, cached: 1.5, output: 75},
		{model: /claude-(?:sonnet-4|3.*sonnet)/, input: 3, cached: 0.3, output: 15},
		{model: /claude-haiku-4/, input: 1, cached: 0.1, output: 5},
		{model: /claude-3.*haiku/, input: 0.8, cached: 0.08, output: 4},
	],
};

/** OpenAI's API. */
export const openai: ModelNeed = {
	secret: 'openai',
	binding: {
		class: 'model',
		hosts: ['api.openai.com'],
		headers: ['authorization'],
		methods: ['GET', 'POST'],
		paths: ['/v1/responses', '/v1/responses/*', '/v1/models'],
		environment: 'OPENAI_API_KEY',
	},
	made: 'an API key, made at https://platform.openai.com/api-keys',
	priced: {asOf: '2025-11', source: 'https://openai.com/api/pricing'},
	prices: [
		{model: /gpt-5.*nano/, input: 0.05, cached: 0.005, output: 0.4},
		{model: /gpt-5.*mini/, input: 0.25, cached: 0.025, output: 2},
		{model: /gpt-5(?:\.1)?(?:-codex)?$/, input: 1.25, cached: 0.125, output: 10},
		{model: /gpt-4\.1-mini/, input: 0.4, cached: 0.1, output: 1.6},
		{model: /gpt-4\.1/, input: 2, cached: 0.5, output: 8},
	],
};

/** Google's Gemini API. */
export const google: ModelNeed = {
	secret: 'gemini',
	binding: {
		class: 'model',
		hosts: ['generativelanguage.googleapis.com'],
		headers: ['x-goog-api-key'],
		methods: ['GET', 'POST'],
		paths: ['/v1beta/models/*', '/v1/models/*'],
		environment: 'GEMINI_API_KEY',
	},
	made: 'an API key, made at https://aistudio.google.com/apikey',
	priced: {asOf: '2025-11', source: 'https://ai.google.dev/gemini-api/docs/pricing'},
	prices: [
		{model: /gemini-2.*flash-lite/, input: 0.1, cached: 0.025, output: 0.4},
		{model: /gemini-2.*flash/, input: 0.3, cached: 0.075, output: 2.5},
		{model: /gemini-3-pro/, input: 2, cached: 0.2, output: 12},
		{model: /gemini-2.*pro/, input: 1.25, cached: 0.31, output: 10},
	],
};
