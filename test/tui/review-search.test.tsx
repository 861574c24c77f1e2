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
});

const wide = () => review(140, 20);
const hasFocus = (from: State) =>
	frameLines(from).some(line => line.spans?.some(span => span.back === 'selected' && span.text.includes('▌')));

test('from 110 columns on, tab goes between the files and the change, and the arrows follow it', () => {
	const files = press(wide(), 'tab');
	assert.ok(hasFocus(files) && !hasFocus(wide()), 'what has the keys is to be seen');
	const second = press(files, 'down');
	assert.match(
		shown(second).find(line => line.startsWith('▌'))!,
		/M b\.ts/,
	);
	assert.match(shown(second)[3]!, /│▌▾ +M b\.ts/, 'the change begins with that file');
	assert.match(
		shown(press(second, 'end')).find(line => line.startsWith('▌'))!,
		/c\.js/,
	);
	assert.deepEqual(press(second, 'home').review!.at, files.review!.at);
	for (const key of ['tab', 'shift-tab', 'f', 'return', 'escape']) {
		const back = press(second, key);
		assert.deepEqual([back.review!.isListing, back.tab, back.screen], [false, 'changes', 'run'], key);
		assert.equal(press(back, 'down').review!.at, back.review!.at + 1, 'and there the arrows go by lines');
	}

	assert.equal(press(wide(), 'right').tab, 'scopes', 'the arrows to the sides are for the tabs');
	assert.equal(press({...wide(), tab: 'scopes'}, 'tab').tab, 'checklist');
});

test('in the list of the files, space and v mark one as viewed; a click and the wheel go there', () => {
	for (const key of ['space', 'v']) {
		const marked = press(wide(), 'tab', key);
		assert.equal(marked.notice!.text, '1 of 3 viewed', key);
		assert.match(
			shown(marked).find(line => line.startsWith('▌'))!,
			/M b\.ts/,
			'the next one is there',
		);
		assert.ok(hasFocus(marked));
	}

	const mouse = (from: State, kind: 'press' | 'down', column: number, row: number) =>
		update(from, {type: 'mouse', kind, column, row, at: 1}).state;
	const clicked = mouse(wide(), 'press', 8, 4);
	assert.ok(hasFocus(clicked));
	assert.match(
		shown(clicked).find(line => line.startsWith('▌'))!,
		/M b\.ts/,
	);
	assert.ok(!hasFocus(mouse(clicked, 'press', 80, 5)), 'a click on the change goes back to it');
	assert.match(
		shown(mouse(wide(), 'down', 8, 4)).find(line => line.startsWith('▌'))!,
		/M b\.ts/,
	);
	assert.equal(mouse(clicked, 'down', 80, 4).review!.at, clicked.review!.at + 3);
});

test('files that are not in view are counted above and below', () => {
	const files = Array.from({length: 30}, (_, index) => file(`file-${index + 10}.ts`, '+x')).join('');
	const many = withDiff(review(140, 16), {run: 'one', files: parseDiff(files), review: emptyReview});
	const pane = (from: State) => shown(from).map(line => line.split('│')[0]!.trim());
	const number = (from: State, mark: string) =>
		Number(new RegExp(`^${mark} (\\d+) more$`, 'm').exec(pane(from).join('\n'))?.[1] ?? 0);
	for (let at = press(many, 'tab'), step = 0; step < 30; step++, at = press(at, 'down')) {
		const inView = pane(at).filter(line => line.includes('.ts')).length;
		assert.equal(number(at, '↑') + inView + number(at, '↓'), 30, pane(at).join('\n'));
		assert.ok(
			pane(at).some(line => line.startsWith('▌') && line.includes(`file-${step + 10}`)),
			String(step),
		);
	}

	assert.ok(number(many, '↓') > 0);
	const list = press({...many, columns: 80}, 'f');
	assert.match(shown(list).join('\n'), /↓ \d+ more/, 'in place of the change as well');
	// A click on a mark is none on a file.
	const row = shown(many).findIndex(line => line.includes('more'));
	const clicked = update(many, {type: 'mouse', kind: 'press', column: 4, row, at: 1}).state;
	assert.equal(clicked.review!.at, many.review!.at);
});
