import assert from 'node:assert/strict';
import {test} from 'node:test';
import {emptyReview} from '../../source/core/review/comments.ts';
import {parseDiff} from '../../source/core/review/diff.ts';
import {withDiff} from '../../source/tui/review/cursor.ts';
import type {State} from '../../source/tui/state.ts';
import {update} from '../../source/tui/update.ts';
import {press, text} from './press.ts';
import {diff, exited, run, started, state} from './states.ts';

/* A change that had no files when it was read is not said to have none after the agent went on. */

const changed = {one: {files: 65, added: 5306, removed: 0, untracked: 65}};
const empty = (files = ''): State =>
	withDiff(state([run('one', started)], {screen: 'run', tab: 'changes', selected: 'one'}), {
		run: 'one',
		files: parseDiff(files),
		review: emptyReview,
	});
const data = (from: State, changes: State['changes'], runs = from.runs) =>
	update(from, {type: 'data', runs, changes, projects: from.projects, now: from.now});

test('an empty change is read again once its run has changed files or has ended, and none is made up meanwhile', () => {
	assert.match(text(empty()), /no changes/);
	for (const {state: after, effects} of [data(empty(), changed), data(empty(), {}, [run('one', started, exited)])]) {
		assert.deepEqual(effects, [{type: 'diff', run: 'one'}]);
		assert.match(text(after), /loading…/);
		assert.doesNotMatch(text(after), /no changes/);
	}

	assert.deepEqual(data(empty(), {}).effects, []);
	// A change that is read by a person stays as it is.
	const shown = data(empty(diff), changed);
	assert.deepEqual(shown.effects, []);
	assert.equal(shown.state.review?.files.length, 3);
});

test('opened again, an empty change is being read', () => {
	const elsewhere = data({...empty(), screen: 'fleet'}, changed);
	assert.deepEqual(elsewhere.effects, []);
	const opened = press(elsewhere.state, 'd').state;
	assert.equal(opened.tab, 'changes');
	assert.match(text(opened), /loading…/);
	assert.match(text(withDiff(opened, {run: 'one', files: parseDiff(diff), review: emptyReview})), /parser\.ts/);
});
