import assert from 'node:assert/strict';
import {test} from 'node:test';
import {formOf} from '../../source/tui/focus.ts';
import type {State} from '../../source/tui/state.ts';
import {update} from '../../source/tui/update.ts';
import {press} from './press.ts';
import {run, started, state} from './states.ts';

/* What was typed for a new run is not lost by leaving the form. */

const valueOf = (from: State, id: string) => formOf(from)?.fields.find(field => field.id === id)?.value;
const typed = () => press(state([run('one', started)]), 'n', ...'true', 'return', ...'a long task', 'ctrl-x').state;

test('a form that is left with esc is there again the next time, as it was, until the run was started', () => {
	const left = press(typed(), 'escape').state;
	assert.equal(left.screen, 'fleet');
	assert.match(left.notice!.text, /not started; what you typed is kept for the next new run/);
	const again = press(left, 'n').state;
	assert.deepEqual([valueOf(again, 'command'), valueOf(again, 'prompt')], ['true', 'a long task']);
	assert.equal(valueOf(again, 'variants'), '1', 'with the fields that few need');

	const begun = press(again, 'ctrl-s');
	assert.equal(begun.effects.filter(effect => effect.type === 'act').length, 1);
	const ended = (code: number) =>
		update(begun.state, {
			type: 'done',
			run: undefined,
			title: 'new run',
			then: 'started',
			code,
			stdout: 'two x\n',
			stderr: '',
			report: code === 0 ? {runs: ['two']} : undefined,
		}).state;
	assert.equal(valueOf(press(ended(0), 'n').state, 'prompt'), '');
	assert.equal(valueOf(press(ended(2), 'escape', 'n').state, 'prompt'), 'a long task');
});

test('a form in which nothing was typed leaves nothing behind', () => {
	const left = press(state([run('one', started)]), 'n', 'escape').state;
	assert.equal(left.draft, undefined);
	assert.equal(left.notice, undefined);
	// Emptied by hand: nothing comes back.
	const emptied = press(typed(), 'escape', 'n', 'ctrl-u', 'down', 'ctrl-u', 'escape').state;
	assert.equal(emptied.draft, undefined);
});
