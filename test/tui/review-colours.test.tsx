import assert from 'node:assert/strict';
import {mock, test} from 'node:test';
import {emptyReview} from '../../source/core/review/comments.ts';
import {parseDiff} from '../../source/core/review/diff.ts';
import {flagsOf} from '../../source/core/review/flags.ts';
import {withDiff} from '../../source/tui/review/cursor.ts';
import {loadGrammars} from '../../source/tui/review/syntax.ts';
import {orderFiles} from '../../source/tui/review/order.ts';
import {forgetColours, tokensOf} from '../../source/tui/review/tokens.ts';
import {paint, themes} from '../../source/tui/paint/theme.ts';
import {frameLines} from '../../source/tui/view.ts';
import {exited, run, started, state, verified} from './states.ts';

/* How the lines of a change look, and which of its files come first. */

const file = (path: string, lines: readonly string[], mode = '100644') =>
	`diff --git a/${path} b/${path}\nnew file mode ${mode}\nindex ${'0'.repeat(40)}..${'1'.repeat(40)}\n` +
	`--- /dev/null\n+++ b/${path}\n@@ -0,0 +1,${lines.length} @@\n${lines.map(line => `+${line}\n`).join('')}`;

const code = [
	'import {round} from "./round.mjs";',
	'const total = (a) => round(a) + 12; // sum',
	'class A extends B {}',
];

/** A file of its own for each test, since what was too slow is remembered by its path. */
const parsed = (path: string) => parseDiff(file(path, code))[0]!;
const tonesOf = (own: ReturnType<typeof parsed>) =>
	own.hunks[0]!.lines.map(line => tokensOf(own, 0, line).map(({tone}) => tone));

test('colours are right at the first look, or there are none yet: never those of half a line', async () => {
	await loadGrammars(['a.mjs'], () => {});
	const right = tonesOf(parsed('right.mjs'));
	assert.ok(right.every(tones => new Set(tones).size > 1));
	let now = 0;
	// A machine that is so busy that everything takes a second.
	const clock = mock.method(performance, 'now', () => (now += 1000));
	try {
		const busy = parsed('busy.mjs');
		assert.deepEqual(tonesOf(busy), [[undefined], [undefined], [undefined]]);
		clock.mock.mockImplementation(() => now);
		assert.deepEqual(tonesOf(busy), [[undefined], [undefined], [undefined]], 'not tried again at once');
		now += 10_000;
		assert.deepEqual(tonesOf(busy), right, 'the same lines, once there is time');
		// What is always slow is left alone.
		clock.mock.mockImplementation(() => (now += 5000));
		const data = parsed('data.mjs');
		for (let look = 0; look < 4; look++) {
			tonesOf(data);
		}

		clock.mock.mockImplementation(() => now);
		now += 100_000;
		assert.deepEqual(tonesOf(data), [[undefined], [undefined], [undefined]]);
	} finally {
		clock.mock.restore();
	}
});

test('a line that did not change has the colours of the new file, whichever side was in view first', async () => {
	await loadGrammars(['a.mjs'], () => {});
	const text =
		`diff --git a/x.mjs b/x.mjs\nindex ${'1'.repeat(40)}..${'2'.repeat(40)} 100644\n--- a/x.mjs\n+++ b/x.mjs\n` +
		'@@ -1,3 +1,2 @@\n-/* begins\n const a = 1;\n-*/\n+b();\n';
	const look = (first: number) => {
		forgetColours();
		const [own] = parseDiff(text);
		const {lines} = own!.hunks[0]!;
		tokensOf(own!, 0, lines[first]!);
		return tokensOf(own!, 0, lines[1]!);
	};
	assert.deepEqual(look(0), look(1));
	assert.ok(look(0).every(({tone}) => tone !== 'comment'));
});

test('no syntax colour stands inside a changed word, and nothing on a changed ground has the colour of the terminal', async () => {
	await loadGrammars(['a.mjs'], () => {});
	const text =
		`diff --git a/x.mjs b/x.mjs\nindex ${'1'.repeat(40)}..${'2'.repeat(40)} 100644\n--- a/x.mjs\n+++ b/x.mjs\n` +
		'@@ -1,2 +1,3 @@\n-const total = "a" + 12; // sum\n+const total = "a" + 1 + f("b"); // sum\n+\tx  \n-y\n+plain text\n';
	for (const columns of [100, 200]) {
		const from = withDiff(
			state([run('one', started, exited, ...verified)], {screen: 'run', tab: 'changes', selected: 'one', columns}),
			{run: 'one', files: parseDiff(text), review: emptyReview},
		);
		const spans = frameLines(from).flatMap(line => line.spans ?? []);
		const words = spans.filter(({back}) => back === 'addedWord' || back === 'removedWord');
		assert.ok(words.length > 2);
		assert.ok(words.every(({tone}) => tone === undefined || tone === 'warn'));
		for (const name of ['dark', 'light'] as const) {
			for (const span of spans.filter(({back}) => back !== undefined && back !== 'match')) {
				assert.match(paint([span], themes[name]), /\u001B\[(?:[\d;]*;)?38;5;\d+/, JSON.stringify(span));
			}
		}
	}
});

test('links and what was made executable come first; emoji that are joined are no alarm', () => {
	const files = parseDiff(
		file('Makefile', ['all:']) +
			file('emoji.md', ['👩‍💻 and 🏳️‍🌈 and 👨‍👩‍👧']) +
			file('install.sh', ['curl x | sh'], '100755') +
			file('l', ['/etc/passwd'], '120000') +
			file('bidi.ts', ['if (admin\u202E)']) +
			file('.github/workflows/ci.yml', ['on: push']),
	);
	assert.deepEqual(flagsOf(files[1]!), []);
	const facts = {verify: [], instructions: []};
	assert.deepEqual(
		orderFiles(files, facts).map(({path}) => path),
		['bidi.ts', 'l', 'install.sh', 'Makefile', '.github/workflows/ci.yml', 'emoji.md'],
	);
});
