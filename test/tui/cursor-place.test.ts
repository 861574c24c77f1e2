import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {Run} from '../../source/core/run/run.ts';
import type {State} from '../../source/tui/state.ts';
import {update} from '../../source/tui/update.ts';
import {pressSlowly} from './press.ts';
import {exited, run, started, state, verified} from './states.ts';

/* Where the cursor of the list is once a run was decided on: at its place, on the next one. */

const ready = (id: string) => run(id, started, exited, ...verified);

/** The screen once a run is as given. */
const change = (from: State, id: string, changes: Partial<Run>): State =>
	update(from, {
		type: 'data',
		runs: from.runs.map(own => (own.id === id ? {...own, ...changes} : own)),
		projects: from.projects,
		now: from.now,
	}).state;

const three = (): State => ({...state([ready('one'), ready('two'), ready('three')]), selected: 'two'});
const approve = (from: State) => pressSlowly(from, 'y', ...'yes', 'return').state;
const reject = (from: State) => pressSlowly(from, 'X', ...'no good', 'return').state;

test('a run that is done with from the list leaves the cursor at its place', () => {
	const asked = reject(three());
	assert.equal(asked.selected, 'two');
	const after = change(asked, 'two', {stage: 'rejected'});
	assert.equal(after.selected, 'three');
	assert.equal(
		change({...asked, selected: 'two'}, 'one', {stage: 'rejected'}).selected,
		'two',
		'another one that goes',
	);
	// The last of its group: the one before it, and not the first of the next group.
	const last = change(reject({...three(), selected: 'three'}), 'three', {stage: 'rejected'});
	assert.equal(last.selected, 'two');
	// The only one of its group.
	const only = state([ready('one'), run('works', started)]);
	assert.equal(change(reject({...only, selected: 'one'}), 'one', {stage: 'rejected'}).selected, 'works');

	const works = {...state([run('one', started), run('two', started), ready('three')]), selected: 'one'};
	const stopped = pressSlowly(works, 'x', 'y').state;
	assert.equal(change(stopped, 'one', {stage: 'stopped'}).selected, 'two');
	// A key pressed twice is for one run: pausing leaves it in its group.
	const paused = pressSlowly(works, '!').state;
	assert.equal(change(paused, 'one', {stage: 'frozen', pausedBy: 'person:a'}).selected, 'one');
});

test('after a verb that more follow for the same run, the cursor goes with it', () => {
	assert.equal(change(approve(three()), 'two', {stage: 'approved'}).selected, 'two');
	const finished = {
		...state([run('one', started, exited), run('two', started, exited), ready('three')]),
		selected: 'two',
	};
	const verifying = pressSlowly(finished, 'v').state;
	assert.deepEqual(verifying.busy, {two: 'verify'});
	const at = change(verifying, 'two', {stage: 'verifying'});
	assert.equal(at.selected, 'two');
	assert.equal(change(at, 'two', {stage: 'verified'}).selected, 'two');
});

test('a run that goes out of view is replaced by the next one', () => {
	const narrowed = {...three(), list: {...three().list, show: 'needs you' as const}};
	assert.equal(change(approve(narrowed), 'two', {stage: 'approved'}).selected, 'three');
	assert.equal(change(three(), 'two', {stage: 'discarded'}).selected, 'three');
});

test('the cursor goes with a run that changes by itself, that its own screen shows, or that a question is about', () => {
	assert.equal(change(three(), 'two', {stage: 'approved'}).selected, 'two');
	const shown = approve({...three(), screen: 'gates'});
	assert.equal(change(shown, 'two', {stage: 'approved'}).selected, 'two');
	const asked = pressSlowly(approve(three()), 'b').state;
	assert.equal(change(asked, 'two', {stage: 'approved'}).selected, 'two');
	// By name, no row goes anywhere.
	const byName = {...three(), list: {...three().list, sort: 'name' as const, group: 'project' as const}};
	assert.equal(change(approve(byName), 'two', {stage: 'approved'}).selected, 'two');
});
