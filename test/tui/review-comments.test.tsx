import assert from 'node:assert/strict';
import {test} from 'node:test';
import {emptyReview} from '../../source/core/review/comments.ts';
import {parseDiff} from '../../source/core/review/diff.ts';
import {dialogOf} from '../../source/tui/focus.ts';
import {withDiff} from '../../source/tui/review/cursor.ts';
import type {State} from '../../source/tui/state.ts';
import {update} from '../../source/tui/update.ts';
import {frameLines} from '../../source/tui/view.ts';
import {exited, run, started, state, verified} from './states.ts';

/* Comments on any line of either side of a change. */

const text = `diff --git a/a.ts b/a.ts
index ${'1'.repeat(40)}..${'2'.repeat(40)} 100644
--- a/a.ts
+++ b/a.ts
@@ -11,4 +21,4 @@
 same
-old one
-old two
+new one
+new two
 after
@@ -40,2 +50 @@
-gone
 left
diff --git a/dist/b.js b/dist/b.js
index ${'3'.repeat(40)}..${'4'.repeat(40)} 100644
--- a/dist/b.js
+++ b/dist/b.js
@@ -1 +1 @@
-x
+y
`;

function review(columns: number): State {
	return withDiff(
		state([run('one', started, exited, ...verified)], {screen: 'run', tab: 'changes', selected: 'one', columns}),
		{run: 'one', files: parseDiff(text), review: emptyReview},
	);
}

const shown = (from: State) =>
	frameLines(from).map(line => line.spans?.map(span => span.text).join('') ?? line.text ?? '');
const press = (from: State, ...keys: string[]) =>
	keys.reduce((current, key) => update(current, {type: 'keys', keys: [key]}).state, from);
const rowOf = (from: State) => shown(from).find(line => /▌[ \d▾▸]/.test(line))!;
const write = (from: State, key = 'c') => press(from, key, ...'why', 'return');
const last = (from: State) => {
	const {path, side, from: first, to, quoted} = from.review!.review.comments.at(-1)!;
	return [path, side, first, to, quoted];
};

/** The cursor on the row that shows this. */
function goTo(from: State, words: RegExp): State {
	let at = press(from, 'home');
	for (let step = 0; step < 40 && !words.test(rowOf(at)); step++) {
		at = press(at, 'down');
	}

	assert.match(rowOf(at), words);
	return at;
}

test('any line of either side takes a comment, which stands below it, and the cursor stays', () => {
	const one = review(100);
	const beside = press(one, '|');
	for (const [from, row, key, expected] of [
		[one, /-old two/, 'c', ['a.ts', 'old', 13, 13, 'old two']],
		[one, /\+new one/, 'c', ['a.ts', 'new', 22, 22, 'new one']],
		[one, / same/, 'c', ['a.ts', 'new', 21, 21, 'same']],
		[one, / same/, 'C', ['a.ts', 'old', 11, 11, 'same']],
		[one, /-gone/, 'c', ['a.ts', 'old', 40, 40, 'gone']],
		[one, /@@ -40/, 'c', ['a.ts', 'old', 40, 40, 'gone']],
		[beside, /old one.*new one/, 'c', ['a.ts', 'new', 22, 22, 'new one']],
		[beside, /old one.*new one/, 'C', ['a.ts', 'old', 12, 12, 'old one']],
		[beside, /after.*after/, 'C', ['a.ts', 'old', 14, 14, 'after']],
	] as const) {
		const at = goTo(from, row);
		const kept = write(at, key);
		assert.deepEqual(last(kept), expected);
		const rows = shown(kept);
		const cursor = rows.findIndex(line => /▌[ \d▾▸]/.test(line));
		assert.ok(rows[cursor]!.includes(String(expected[4])), 'the cursor is on the line that it is about');
		assert.match(rows[cursor + 1]!, /draft: why/);
		assert.equal(press(kept, 'x', 'y').review!.review.comments.length, 0, 'and x deletes it from there');
		assert.deepEqual(last(write(press(kept, 'down'), key)), expected, 'a second one from the first');
	}
});

test('which side a comment is on is in its question; ranges are on one side, and where none can be, it is said', () => {
	const one = review(100);
	assert.equal(dialogOf(press(goTo(one, /-old two/), 'c'))!.title, 'Comment on a.ts, line 13, as it was');
	assert.equal(dialogOf(press(goTo(one, /\+new two/), 'c'))!.title, 'Comment on a.ts, line 23');
	const range = press(goTo(one, / same/), 'v', 'down', 'down', 'down', 'down');
	assert.deepEqual(last(write(range)), ['a.ts', 'new', 21, 23, 'same\nnew one\nnew two']);
	assert.deepEqual(last(write(range, 'C')), ['a.ts', 'old', 11, 13, 'same\nold one\nold two']);
	assert.match(press(goTo(one, /dist\/b\.js/), 'c').notice!.text, /^comment: the file is folded \(enter/);
	const across = press(goTo(one, /after/), 'v', 'end', 'up', 'c');
	assert.equal(dialogOf(across)!.title, 'Comment on a.ts, lines 24 to 50');
	const files = press(goTo(press(one, 'end', 'return'), / left/), 'v', 'end', 'c');
	assert.match(files.notice!.text, /of several files/);
});

test('a comment at the bottom of the screen is in view together with its line', () => {
	let at: State = {...review(100), rows: 12};
	at = goTo(at, /\+new two/);
	at = {...at, review: {...at.review!, top: at.review!.at - 6}};
	const kept = write(at);
	assert.match(rowOf(kept), /new two/);
	assert.match(shown(kept).join('\n'), /draft: why/);
});
