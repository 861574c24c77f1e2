import assert from 'node:assert/strict';
import {globSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';

/*
 * What this program writes for people may be reworded at any time, so no line of it may decide anything: what a program
 * acts on is a code, a kind or a field. The rule goes by names. A text for people is called `because`, `hint`,
 * `message` or `stderr` throughout the source; it is never searched, matched or compared. And nothing looks for the
 * `fleet:` and `hint:` that stand before what a verb says.
 */

const source = path.resolve(import.meta.dirname, '../source');

/** Where the words are another program's, or nothing is decided: file, what is found there, and why that is right. */
const exceptions: ReadonlyArray<readonly [file: string, found: string, reason: string]> = [
	['attacks/host.ts', '.test((error as Error).message', 'the Perl that mounts has only words for what it found'],
	[
		'core/run/attention.ts',
		'because.startsWith(',
		'no decision: a reason in a journal may begin with its stage already',
	],
	['core/run/evolve-text.ts', 'because.startsWith(', "no decision: a reason in a journal may be 'by' and a name"],
	['engine/run/fill.ts', '.test(stderr', "git's words: it has no exit code for an object that is missing"],
	...['host/proxy.ts', 'host/proxy-decision.ts', 'tui/forms/new-run.ts', 'tui/forms/new-run/start.ts'].map(
		file => [file, "'because' in", 'a union of its own, in which only what is refused has a reason'] as const,
	),
	[
		'host/git.ts',
		'.test(result.stderr',
		"git's words: a record of a worktree that is half made has no exit code of its own",
	],
	['host/ssh-keygen.ts', '.test(stderr', "ssh-keygen's words: every failure has the same exit code"],
];

/** `message` as a field alone: by itself it is also what is sent, and no text. */
const name = String.raw`(?:because|hint|stderr|(?<=\.)message)`;
/** What leaves a text the same for this rule. */
const chain = String.raw`(?:[!?]?\.(?:trim|trimStart|trimEnd|toLowerCase|toUpperCase|slice|split|at)\([^()]*\))*`;
const forbidden = [
	// because.includes('locked'), message?.trim().startsWith('x')
	String.raw`(?<![\w$])${name}(?![\w$])[!)]*${chain}[!?]?\.(?:includes|startsWith|endsWith|match|matchAll|search|indexOf|lastIndexOf)\(`,
	// /locked/.test(refusal.because), pattern.exec((error as Error).message)
	String.raw`\.(?:test|exec)\(\s*(?:\([^()]*\)|[\w$!?.])*?(?<![\w$])${name}(?![\w$])(?![\w$])`,
	// because === 'it is locked', 'x' !== refusal.hint; the empty text is none
	String.raw`(?<![\w$])${name}(?![\w$])[!)]*${chain} [!=]== (?:'[^'\n]+'|"[^"\n]+"|${'`'}[^${'`'}]+${'`'})`,
	String.raw`(?:'[^'\n]+'|"[^"\n]+") [!=]== (?:[\w$]+[!?]?\.)*${name}(?![\w$.(?!])`,
	// switch (run.because)
	String.raw`switch \((?:[\w$]+[!?]?\.)*${name}${chain}\)`,
	// 'because' in run: runs and grants have a reason, too, and the compiler does not say so; `instanceof Refusal` tells
	String.raw`'because' in \b`,
	// {'it is locked': …}[because]
	String.raw`\[(?:[\w$]+[!?]?\.)*${name}\](?! =)`,
	// line.startsWith('hint: '), /^fleet: /.test(line), text.replace('fleet: ', '')
	String.raw`\.(?:includes|startsWith|endsWith|indexOf|split|replace|replaceAll|match)\(\s*['"/^]*\s*(?:fleet|hint):(?!\/\/)`,
	String.raw`\/[^/\n]*(?<![\w/])(?:fleet|hint)\b[^/\n]*:[^/\n]*\/[a-z]*\.(?:test|exec)\(`,
].map(pattern => new RegExp(pattern, 'g'));

/** Where a file's text decides by words that are for people. */
export function decisionsByWords(text: string): string[] {
	return forbidden.flatMap(pattern => [...text.matchAll(pattern)].map(match => match[0].replaceAll(/\s+/g, ' ')));
}

test('no text for people decides anything', () => {
	const used = new Set<string>();
	for (const file of globSync('**/*.{ts,tsx}', {cwd: source})) {
		const found = decisionsByWords(readFileSync(path.join(source, file), 'utf8')).filter(found => {
			const exception = exceptions.find(([name, piece]) => name === file && found.includes(piece));
			used.add(exception?.[0] ?? '');
			return !exception;
		});
		assert.deepEqual(found, [], `${file}: give a code, a kind or a field that says it`);
	}

	assert.deepEqual(
		exceptions.filter(([file]) => !used.has(file)),
		[],
		'an exception that is not needed any more',
	);
});

test('a planted decision by words is found, and what is none is not', () => {
	for (const planted of [
		"if (refusal.because.includes('locked')) {",
		"message.stderr.trim().startsWith('fleet')",
		'(error as Error).message.match(/locked/)',
		'/nobody to ask/.test(message.stderr)',
		'pattern.exec((error as Error).message)',
		"because === 'it is locked'",
		"'it is locked' !== refusal.hint",
		'switch (run.because) {',
		"if ('because' in run) {",
		"const code = {'it is locked': 1}[because];",
		"line.startsWith('hint: ')",
		'/^(?:fleet|hint):/.test(line)',
		"text.replace('fleet: ', '')",
		"refusal\n\t.because!.split(';')\n\t.at(0)\n\t?.includes('x')".replaceAll('\n\t', ''),
	]) {
		assert.notDeepEqual(decisionsByWords(planted), [], planted);
	}

	for (const fine of [
		"if (because === '') {",
		"message.type === 'done'",
		'refusal.code === "locked"',
		'messages.includes(one)',
		"line('hint', refusal.hint)",
		'`hint: ${hint}`',
		"fields[index] = {because: 'x'}",
	]) {
		assert.deepEqual(decisionsByWords(fine), [], fine);
	}
});
