import {diffWordsWithSpace} from 'diff';
import {createHighlighterCore, type HighlighterCore, type LanguageInput} from 'shiki/core';
import {createJavaScriptRegexEngine} from 'shiki/engine/javascript';
import type {Tone} from '../../core/text/spans.ts';
import {forgetColours, setHighlighter, setWordDiff, type Token} from './tokens.ts';

/* Grammars, loaded when a review shows a file that needs one: none of this is in the way of the first frame. */

const grammars: Readonly<Record<string, () => Promise<LanguageInput>>> = {
	typescript: async () => (await import('shiki/langs/typescript.mjs')).default,
	tsx: async () => (await import('shiki/langs/tsx.mjs')).default,
	javascript: async () => (await import('shiki/langs/javascript.mjs')).default,
	json: async () => (await import('shiki/langs/json.mjs')).default,
	yaml: async () => (await import('shiki/langs/yaml.mjs')).default,
	toml: async () => (await import('shiki/langs/toml.mjs')).default,
	python: async () => (await import('shiki/langs/python.mjs')).default,
	go: async () => (await import('shiki/langs/go.mjs')).default,
	rust: async () => (await import('shiki/langs/rust.mjs')).default,
	java: async () => (await import('shiki/langs/java.mjs')).default,
	kotlin: async () => (await import('shiki/langs/kotlin.mjs')).default,
	swift: async () => (await import('shiki/langs/swift.mjs')).default,
	c: async () => (await import('shiki/langs/c.mjs')).default,
	cpp: async () => (await import('shiki/langs/cpp.mjs')).default,
	csharp: async () => (await import('shiki/langs/csharp.mjs')).default,
	ruby: async () => (await import('shiki/langs/ruby.mjs')).default,
	php: async () => (await import('shiki/langs/php.mjs')).default,
	bash: async () => (await import('shiki/langs/bash.mjs')).default,
	sql: async () => (await import('shiki/langs/sql.mjs')).default,
	css: async () => (await import('shiki/langs/css.mjs')).default,
	html: async () => (await import('shiki/langs/html.mjs')).default,
	dockerfile: async () => (await import('shiki/langs/docker.mjs')).default,
	make: async () => (await import('shiki/langs/make.mjs')).default,
	lua: async () => (await import('shiki/langs/lua.mjs')).default,
	elixir: async () => (await import('shiki/langs/elixir.mjs')).default,
};

const byEnding: Readonly<Record<string, string>> = {
	ts: 'typescript',
	mts: 'typescript',
	cts: 'typescript',
	tsx: 'tsx',
	jsx: 'tsx',
	js: 'javascript',
	mjs: 'javascript',
	cjs: 'javascript',
	json: 'json',
	jsonc: 'json',
	yaml: 'yaml',
	yml: 'yaml',
	toml: 'toml',
	py: 'python',
	go: 'go',
	rs: 'rust',
	java: 'java',
	kt: 'kotlin',
	kts: 'kotlin',
	swift: 'swift',
	c: 'c',
	h: 'c',
	cc: 'cpp',
	cpp: 'cpp',
	hpp: 'cpp',
	cs: 'csharp',
	rb: 'ruby',
	php: 'php',
	sh: 'bash',
	bash: 'bash',
	zsh: 'bash',
	sql: 'sql',
	css: 'css',
	html: 'html',
	htm: 'html',
	lua: 'lua',
	ex: 'elixir',
	exs: 'elixir',
};

/** The grammar for a file's name; undefined where there is none. */
function grammarOf(path: string): string | undefined {
	const name = path.split('/').at(-1)!.toLowerCase();
	switch (name) {
		case 'dockerfile': {
			return 'dockerfile';
		}

		case 'makefile': {
			return 'make';
		}

		default: {
			return byEnding[name.split('.').at(-1)!];
		}
	}
}

/** Each tone as a colour that stands for nothing else, since a theme of this library knows colours alone. */
const tones: ReadonlyArray<readonly [Tone, string, readonly string[]]> = [
	['comment', '#000001', ['comment', 'punctuation.definition.comment']],
	['string', '#000002', ['string', 'constant.character', 'markup.inline.raw']],
	['number', '#000003', ['constant.numeric', 'constant.language', 'constant.other', 'support.constant']],
	['keyword', '#000004', ['keyword', 'storage', 'variable.language', 'entity.name.tag', 'markup.heading']],
	[
		'type',
		'#000005',
		['entity.name.type', 'entity.name.class', 'support.type', 'support.class', 'entity.other.inherited-class'],
	],
	[
		'name',
		'#000006',
		[
			'entity.name.function',
			'support.function',
			'entity.other.attribute-name',
			'meta.object-literal.key',
			'support.type.property-name',
		],
	],
];
const byColour = new Map(tones.map(([tone, colour]) => [colour, tone]));

/** A line longer than this is not coloured: it is data. */
const longest = 2000;

setWordDiff((left, right) => diffWordsWithSpace(left, right));

let highlighter: HighlighterCore | undefined;
const loading = new Map<string, Promise<void>>();

/** Loads the grammars that a set of files needs, and says so when there are new ones. */
export async function loadGrammars(paths: readonly string[], loaded: () => void): Promise<void> {
	const wanted = [...new Set(paths.map(path => grammarOf(path)))].filter(
		name => name !== undefined && !loading.has(name),
	) as string[];
	if (wanted.length === 0) {
		return;
	}

	for (const name of wanted) {
		loading.set(name, Promise.resolve());
	}

	highlighter ??= await createHighlighterCore({
		engine: createJavaScriptRegexEngine({forgiving: true}),
		langs: [],
		themes: [
			{
				name: 'tones',
				type: 'dark',
				fg: '#ffffff',
				bg: '#000000',
				settings: tones.map(([, foreground, scope]) => ({scope: [...scope], settings: {foreground}})),
			},
		],
	});
	setHighlighter(tokenise);
	await Promise.all(wanted.map(async name => highlighter!.loadLanguage(await grammars[name]!())));
	forgetColours();
	loaded();
}

/** Files that took too long to be coloured, how often, and until when it is not tried again, milliseconds. */
const slow = new Map<string, {readonly tries: number; readonly until: number}>();

/** After so many times a file is data, or made to take long; before, the machine may have been busy. */
const maxTries = 3;

/** How long after one that took too long it is tried again, milliseconds. */
const pauseMs = 2000;

/**
 * How long one line may take, milliseconds, at each try: a
 * grammar is slow the first time, and the machine may be busy.
 */
const limits = [50, 100, 400];

/**
 * What a work comes to that stops early, and does not say so,
 * where it takes too long: only what took less than it may counts.
 * @returns undefined where no try was quick enough
 */
export function inTime<Result>(
	work: (limit: number) => Result,
	limits: readonly number[],
	clock: () => number,
): Result | undefined {
	for (const limit of limits) {
		const began = clock();
		const result = work(limit);
		if (clock() - began < limit) {
			return result;
		}
	}

	return undefined;
}

/** Lines that follow one another as tokens with tones; undefined where there is no grammar for them, or not yet. */
function tokenise(path: string, lines: readonly string[]): Token[][] | undefined {
	const name = grammarOf(path);
	if (!highlighter || name === undefined || !highlighter.getLoadedLanguages().includes(name)) {
		return undefined;
	}

	const code = lines.map(line => line.slice(0, longest)).join('\n');
	const {tries, until} = slow.get(path) ?? {tries: 0, until: 0};
	const isTried = tries < maxTries && performance.now() >= until;
	const tokens = isTried
		? inTime(
				limit =>
					highlighter!.codeToTokens(code, {
						lang: name,
						theme: 'tones',
						tokenizeMaxLineLength: longest,
						tokenizeTimeLimit: limit,
					}).tokens,
				limits,
				() => performance.now(),
			)
		: undefined;
	if (!tokens) {
		// No colours are better than those of half a line; what is not kept is asked for again.
		if (isTried) {
			slow.set(path, {tries: tries + 1, until: performance.now() + pauseMs});
		}

		return (slow.get(path)?.tries ?? 0) < maxTries ? undefined : lines.map(line => [{text: line}]);
	}

	return lines.map((line, index) => {
		const own = (tokens[index] ?? []).map((token): Token => ({
			text: token.content,
			tone: byColour.get((token.color ?? '').toLowerCase()),
		}));
		return line.length > longest ? [...own, {text: line.slice(longest)}] : own;
	});
}
