import assert from 'node:assert/strict';
import {test} from 'node:test';
import {glanceAt} from '../../source/core/run/glance.ts';
import {dialogOf} from '../../source/tui/focus.ts';
import {planOf, run, screens, started, state} from './states.ts';
import {press, pressSlowly, text} from './press.ts';

/* A plan of tasks on the screen: read, edited, accepted; and what a person decides where it does not go on. */

test('a plan is opened by the key beside its row, shows each task in whole, and is accepted by one question', () => {
	const listed = state([planOf('format')]);
	assert.match(text(listed), /format .*plan of 4 tasks .*i plan/);
	const opened = press(listed, 'i').state;
	assert.equal(opened.screen, 'plan');
	const first = text(opened);
	assert.match(first, /Plan of format {2}plan of 4 tasks/);
	assert.match(first, /guide .*after writer, command/);
	assert.match(first, /Read version 2 of the format\.\n Keep version 1\./);
	assert.match(text(press(opened, 'j').state), /Write the new format {2}agent codex\n Write it\./);

	const asked = pressSlowly(opened, 'return');
	assert.deepEqual(asked.effects, []);
	const question = text(asked.state);
	for (const words of [
		'start 4 runs?',
		'Now .*parser',
		'Later .*3, each when what it waits for is merged',
		'Agent .*command, codex',
		'At once .*no limit',
		'May .*this project, build',
	]) {
		assert.match(question, new RegExp(words));
	}

	const [act] = pressSlowly(asked.state, 'y').effects;
	assert.ok(act?.type === 'act');
	assert.deepEqual(act.argv, ['plan', 'accept', 'format', '--yes', '--revision', '1']);
	assert.deepEqual(press(opened, 'e').effects, [{type: 'terminal', argv: ['plan', 'edit', 'format'], pause: false}]);
	assert.equal(press(opened, 'escape').state.screen, 'fleet');
	assert.match(press(opened, 'r').state.notice?.text ?? '', /does not wait/);
	assert.match(press(state([run('other', started)]), 'i').state.notice?.text ?? '', /no plan of tasks/);
});

test('a task that is held is released or dropped after a question; one that runs is opened', () => {
	const {'plan-accepted': accepted} = screens();
	assert.match(text(accepted!), /parser +Read the new format +parser: discarded/);
	assert.match(text(accepted!), /command +A command for it +waits for parser, which is discarded/);
	assert.equal(
		glanceAt(accepted!.runs.find(({id}) => id === 'format')!).text,
		'command waits for parser, which is discarded',
	);
	for (const [key, verb] of [
		['r', 'release'],
		['x', 'drop'],
	] as const) {
		const asked = pressSlowly(accepted!, key);
		assert.equal(dialogOf(asked.state)?.kind, `plan-${verb}`);
		const [act] = pressSlowly(asked.state, 'return').effects;
		assert.ok(act?.type === 'act');
		assert.deepEqual(act.argv, ['plan', verb, 'format', 'command']);
	}

	assert.match(text(pressSlowly(accepted!, 'x').state), /Behind it .*guide/);
	const run1 = press(accepted!, 'k', 'o').state;
	assert.deepEqual([run1.screen, run1.selected], ['run', 'writer']);
	assert.match(press(accepted!, 'return').state.notice?.text ?? '', /o opens the run/);
	assert.match(press(accepted!, 'e').state.notice?.text ?? '', /accepted already/);
});

test('what does not fit on the screen of a task is said to be there', () => {
	const long = planOf('format', {
		type: 'plan.edited',
		tasks: [
			{id: 'a', title: 'A', task: Array.from({length: 200}, (_, index) => `line ${index}`).join('\n'), after: []},
		],
	});
	const shown = text(state([long], {screen: 'plan', selected: 'format'}));
	assert.match(shown, /… \d+ more lines: e shows all/);
});
