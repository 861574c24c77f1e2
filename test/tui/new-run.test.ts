import assert from 'node:assert/strict';
import {test} from 'node:test';
import {formOf} from '../../source/tui/focus.ts';
import type {State} from '../../source/tui/state.ts';
import {press} from './press.ts';
import {exited, run, runOf, started, state} from './states.ts';

/* What the form of a new run begins with. */

const fieldOf = (from: State, id: string) => formOf(from)!.fields.find(field => field.id === id)?.value;
const project = (from: State) => fieldOf(press(from, 'n').state, 'project');

test("an agent's model is on for the run, as the form says; without it the agent could do nothing", () => {
	const form = press(state([{...run('one', started, exited), agent: 'codex'}]), 'n', ...'mend it');
	assert.equal(fieldOf(form.state, 'agent'), 'codex');
	assert.equal(fieldOf(form.state, 'model'), 'this run');
	const [effect] = press(form.state, 'ctrl-s').effects;
	assert.ok(effect?.type === 'act' && effect.argv.includes('--model'), JSON.stringify(effect));
});

test('the project is that of the folder, of the heading, or of the selected run', () => {
	const both = [runOf('q', 'other', started, exited), run('one', started, exited)];
	const here = state(both, {selected: 'other'});
	assert.equal(project(here), 'p', 'the folder, as in a shell');
	assert.equal(project({...here, heading: 'need:done'}), 'p');
	const elsewhere: State = {...here, here: {folder: '/', project: undefined}};
	assert.equal(project(elsewhere), 'q', 'of the selected run');
	assert.equal(project({...elsewhere, heading: 'need:done'}), 'q');
	const grouped: State = {...here, list: {...here.list, group: 'project'}, heading: 'project:q'};
	assert.equal(project(grouped), 'q', 'of the heading under the cursor');
	// One that was added while the screen was open.
	assert.equal(project({...elsewhere, selected: 'one', here: {folder: '/q', project: ''}}), 'q');
});
