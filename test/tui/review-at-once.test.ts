import assert from 'node:assert/strict';
import {mkdirSync, writeFileSync} from 'node:fs';
import {test} from 'node:test';
import {countViewed, emptyReview, type Review} from '../../source/core/review/comments.ts';
import {parseDiff} from '../../source/core/review/diff.ts';
import {readReview, writeReview} from '../../source/engine/handover/review-file.ts';
import {dialogOf} from '../../source/tui/focus.ts';
import {openDialog} from '../../source/tui/forms/dialogs.ts';
import {withDiff} from '../../source/tui/review/cursor.ts';
import type {State} from '../../source/tui/state.ts';
import {Fleet} from '../support/fleet.ts';
import {press, pressSlowly, text} from './press.ts';
import {diff, exited, run, started, state, verified} from './states.ts';

/* Many files marked as viewed by one key: what is asked, what is left out, and that it is written down as such. */

/** One file to look at first, and two others. */
const files = parseDiff(diff);

function review(own: Review = emptyReview): State {
	return withDiff(
		state([run('one', started, exited, ...verified)], {
			screen: 'run',
			tab: 'changes',
			selected: 'one',
			columns: 120,
			rows: 30,
		}),
		{run: 'one', files, review: own},
	);
}

test('the rest is marked as viewed once that is confirmed, without what is to be looked at first', () => {
	const asked = press(review(), '*');
	assert.deepEqual(asked.effects, []);
	assert.equal(dialogOf(asked.state)!.title, 'Mark 2 files as viewed at once?');
	assert.match(text(asked.state), /parser\.ts[\s\S]*package-lock\.json/);
	assert.match(text(asked.state), /! 1 file to look at first: each by itself \(space\)/);
	assert.match(text(asked.state), /2 files marked viewed at once/);
	const no = pressSlowly(press(review(), '*').state, 'n');
	assert.deepEqual([no.effects, no.state.review!.review], [[], emptyReview]);
	const {state: done, effects} = pressSlowly(asked.state, 'y');
	assert.equal(done.notice!.text, '2 marked at once, 2 of 3 viewed');
	const [effect] = effects;
	assert.ok(effect?.type === 'save-review');
	assert.deepEqual(countViewed(effect.review, files), {files: 3, unviewed: 1, atOnce: 2});
	assert.equal(effect.review.viewed['.github/workflows/ci.yml'], undefined);
	assert.match(press(done, '*').state.notice!.text, /what is left is to be looked at first/);
	// The approval says it, before and after.
	assert.match(
		text(openDialog(done, 'approve').state),
		/Viewed +! 1 of 3 files not viewed, 2 files marked viewed at once: /,
	);
	const all = press(done, 'home', 'space').state;
	assert.match(
		text(openDialog(all, 'approve').state),
		/Viewed +! all 3 files viewed, 2 files marked viewed at once +│/,
	);
	assert.match(press(all, '*').state.notice!.text, /all files are viewed/);
});

test('a file that is marked by itself, or that changes, is not one of those that were marked at once', () => {
	const done = pressSlowly(press(review(), '*').state, 'y').state;
	const on = press(done, 'tab', 'end').state;
	const again = press(press(on, 'space').state, 'k', 'end', 'space').state;
	assert.deepEqual(countViewed(again.review!.review, files), {files: 3, unviewed: 1, atOnce: 1});
	const changed = parseDiff(diff.replaceAll('3333', '9999'));
	assert.deepEqual(countViewed(done.review!.review, changed), {files: 3, unviewed: 2, atOnce: 1});
	// What came in while the question was open was not asked about.
	const asked = press(review(), '*').state;
	const late = pressSlowly(withDiff(asked, {run: 'one', files: changed, review: emptyReview}), 'y').state;
	assert.deepEqual(countViewed(late.review!.review, changed), {files: 3, unviewed: 2, atOnce: 1});
});

test('that files were marked at once is kept beside the run, and what is no such mark is refused', t => {
	const fleet = new Fleet(t);
	const places = fleet.context().paths.run('one');
	mkdirSync(places.folder, {recursive: true});
	const own: Review = {viewed: {a: '1', b: '2'}, atOnce: {b: '2'}, comments: []};
	writeReview(places, own);
	assert.deepEqual(readReview(places), own);
	writeFileSync(places.review, JSON.stringify({viewed: {}, comments: []}));
	assert.deepEqual(readReview(places), emptyReview);
	writeFileSync(places.review, JSON.stringify({viewed: {}, atOnce: {a: 1}, comments: []}));
	assert.throws(() => readReview(places), /is not a review/);
});
