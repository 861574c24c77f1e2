import assert from 'node:assert/strict';
import {test} from 'node:test';
import {emptyReview} from '../../source/core/review/comments.ts';
import {parseDiff} from '../../source/core/review/diff.ts';
import {withDiff} from '../../source/tui/review/cursor.ts';
import type {State} from '../../source/tui/state.ts';
import {update} from '../../source/tui/update.ts';
import {frameLines} from '../../source/tui/view.ts';
import {exited, run, started, state, verified} from './states.ts';

/* Finding one's way in a change: the search, the files, and what was not viewed yet. */

function file(path: string, ...lines: string[]): string {
	const count = (signs: string) => lines.filter(line => signs.includes(line[0]!)).length;
	return (
		`diff --git a/${path} b/${path}\nindex ${'1'.repeat(40)}..${'2'.repeat(40)} 100644\n--- a/${path}\n+++ b/${path}\n` +
		`@@ -1,${count(' -')} +1,${count(' +')} @@\n${lines.map(line => `${line}\n`).join('')}`
	);
}

const text =
	file('a.ts', ' const total = 1;', '-const sum = total;', '+const sum = total + total;') +
	file('b.ts', '+nothing', `+${'x'.repeat(200)} Total`) +
	file('dist/c.js', '+total()');

function review(columns: number, rows = 30): State {
	return withDiff(
		state([run('one', started, exited, ...verified)], {screen: 'run', tab: 'changes', selected: 'one', columns, rows}),
		{run: 'one', files: parseDiff(text), review: emptyReview},
	);
}

const shown = (from: State) =>
	frameLines(from).map(line => line.spans?.map(span => span.text).join('') ?? line.text ?? '');
const press = (from: State, ...keys: string[]) =>
	keys.reduce((current, key) => update(current, {type: 'keys', keys: [key]}).state, from);
const current = (from: State) => shown(from).find(line => line.includes('▌') && /▌[ \d▾▸]/.test(line))!;
const search = (from: State, words: string) => press(from, '/', ...words, 'return');

test('a search goes from match to match, back, around, and into files that are folded', () => {
	for (const columns of [80, 200]) {
		let at = search(review(columns), 'total');
		const places = [];
		for (let step = 0; step < 6; step++) {
			places.push(at.notice!.text);
			at = press(at, 'n');
		}

		assert.deepEqual(places, [
			'match 1/5',
			'match 2/5',
			'match 3/5',
			'match 4/5',
			'match 5/5',
			'match 1/5, again from the top',
		]);
		assert.match(shown(at).join('\n'), /\/total 2\/5/);
		const folded = press(search(review(columns), 'total'), 'N');
		assert.equal(folded.notice!.text, 'match 5/5, again from the bottom');
		assert.match(shown(folded).join('\n'), /▌.*\+total\(\)/, 'the file that holds it is unfolded');
		assert.match(shown(press(folded, 'N')).join('\n'), /▌.*Total/, 'the row of a wrapped line that holds it');
		// From where the cursor is, not from the last match.
		assert.equal(press(at, 'home', 'n').notice!.text, 'match 1/5');
		const frame = frameLines(at).flatMap(line => line.spans ?? []);
		const found = frame.filter(span => span.back === 'match').map(span => span.text.toLowerCase());
		assert.ok(found.length >= 4 && found.every(word => word === 'total'), 'every match in view is marked');
		assert.ok(!frameLines(press(at, 'escape')).some(line => line.spans?.some(span => span.back === 'match')));
		assert.equal(press(at, 'escape').screen, 'run');
	}
});

test('what is not there is said; capitals, names and patterns are searched as in the output', () => {
	const none = search(review(80), 'nowhere');
	assert.deepEqual(none.notice, {text: 'no match for "nowhere"', bad: true});
	assert.equal(press(review(80), 'n').notice!.text, 'next match: no search yet (/)');
	assert.equal(search(review(80), 'Total').notice!.text, 'match 1/1');
	assert.equal(search(review(80), 'b\\.ts').notice!.text, 'match 1/1');
	assert.match(current(search(review(80), 'b\\.ts')), /M b\.ts/);
	assert.equal(search(review(80), 'sum.*(').notice!.text, 'no match for "sum.*("');
	assert.equal(search(review(80), 'total (').notice!.bad, true);
	assert.equal(search(search(review(80), 'total'), '').review!.search, undefined);
	assert.match(
		search(press(review(80), 'w'), 'x Total').notice!.text,
		/match 1\/1, in the part .* not shown \(w wraps\)/,
	);
});

test('the next file that is not viewed, with the count; space marks one and goes on to it', () => {
	const opened = review(80);
	assert.match(shown(opened)[2]!, /^ a\.ts {2}1\/3 +0 of 3 viewed/);
	const second = press(opened, 'space');
	assert.match(shown(second)[2]!, /^ b\.ts {2}2\/3 +1 of 3 viewed/);
	const last = press(second, ']', 'space');
	assert.match(shown(last)[2]!, /^ b\.ts {2}2\/3 +2 of 3 viewed/, 'around, since the third was marked');
	assert.match(shown(press(last, '[', 'U'))[2]!, /^ b\.ts {2}2\/3/);
	const all = press(last, 'space');
	assert.equal(all.notice!.text, '3 of 3 viewed');
	assert.deepEqual(press(all, 'U').notice, {text: '3 of 3 viewed', bad: true});
});

test('below 110 columns the files are a list that opens, and everything works at 40 columns', () => {
	for (const columns of [40, 80, 109]) {
		const list = press(review(columns, 12), 'f');
		assert.match(shown(list)[2]!, /a\.ts {2}1\/3/);
		assert.match(shown(list).join('\n'), /▌.*M a\.ts +\+1 -1/);
		assert.match(shown(press(list, 'down')).join('\n'), /▌.*M b\.ts/);
		const open = press(list, 'down', 'return');
		assert.match(current(open), /▾.*M b\.ts/);
		assert.match(current(press(list, 'end', 'f')), /▸.*dist\/c\.js/);
		assert.equal(press(list, 'escape').screen, 'run');
		assert.equal(press(list, 'escape').review!.isListing, false);
		assert.match(shown(press(list, 'space')).join('\n'), /✓ M a\.ts/, 'marked in the list');
		assert.ok(
			shown(list)
				.slice(2, -2)
				.every(line => line.length <= columns),
		);
		const clicked = update(list, {type: 'mouse', kind: 'press', column: 5, row: 5}).state;
		assert.match(shown(clicked)[2]!, /b\.ts {2}2\/3/, 'a click in the list');
	}

	assert.match(press(review(120), 'f').notice!.text, /beside the change/);
});
