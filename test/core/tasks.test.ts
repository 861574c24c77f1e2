import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {Entry, RunEvent} from '../../source/core/run/event.ts';
import {decide} from '../../source/core/run/decide.ts';
import {evolve, foldRun, withoutWorker} from '../../source/core/run/evolve.ts';
import {Refusal} from '../../source/core/refusal.ts';
import type {Run} from '../../source/core/run/run.ts';
import {duePlans, isLost, standings} from '../../source/core/tasks/order.ts';
import type {Task} from '../../source/core/tasks/plan.ts';

/* Whose turn it is in a plan of tasks, and what is decided about it. */

const at = '2026-01-01T00:00:00.000Z';
const now = Date.parse(at);
const person = 'person:ada';

function runOf(id: string, more: Partial<Extract<RunEvent, {type: 'run.created'}>>, ...events: RunEvent[]): Run {
	const created: RunEvent = {
		type: 'run.created',
		id,
		name: id,
		project: {id: 'p', name: 'p', root: '/p'},
		agent: 'command',
		argv: ['x'],
		branch: `fleet/${id}`,
		base: 'b'.repeat(40),
		target: 'refs/heads/main',
		worktree: '/w',
		grants: [],
		...more,
	};
	return foldRun(
		[created, ...events].map((event, index): Entry => ({seq: index + 1, at, actor: person, prev: '', ...event})),
	)!;
}

const task = (id: string, ...after: string[]): Task => ({id, title: id, task: id, after});
const exited: RunEvent = {type: 'run.exited', code: 0, signal: null, because: 'finished'};
const proposed: RunEvent = {type: 'plan.proposed', head: 'a', tasks: [task('a'), task('b', 'a'), task('c', 'b')]};
const accepted: RunEvent = {type: 'plan.accepted', agent: 'command', argv: ['x'], models: []};
const planned = (...events: RunEvent[]) => runOf('plan', {plan: true}, exited, proposed, ...events);
const states = (run: Run, others: readonly Run[]) =>
	standings(run, [run, ...others]).map(({task: {id}, state, because}) => `${id} ${state} ${because}`.trim());
const merged: RunEvent = {type: 'merge.finished', target: 'refs/heads/main', commit: 'f', checkout: 'updated'};

test('a task starts once what it comes after is merged, and not before', () => {
	assert.deepEqual(states(planned(), []), ['a proposed', 'b proposed after a', 'c proposed after b']);
	assert.deepEqual(duePlans([planned()]), [], 'nobody accepted it');
	const plan = planned(accepted, {type: 'task.started', task: 'a', run: 'a'});
	assert.deepEqual(states(plan, [runOf('a', {}, exited)]), [
		'a started stopped',
		'b waits waits for a',
		'c waits waits for b',
	]);
	assert.deepEqual(duePlans([plan, runOf('a', {}, exited)]), []);
	const done = runOf('a', {}, exited, merged);
	assert.deepEqual(states(plan, [done]), ['a merged', 'b ready', 'c waits waits for b']);
	assert.deepEqual(duePlans([plan, done]), [plan]);
	assert.deepEqual(duePlans([{...plan, stage: 'discarded'}, done]), [], 'what was discarded starts nothing');
});

test('a run whose start could not be written down is found, and not started twice; what is noted as merged may go', () => {
	const plan = planned(accepted);
	const started = runOf('a-3f2a', {of: {plan: 'plan', task: 'a'}});
	assert.equal(standings(plan, [plan, started])[0]!.run, 'a-3f2a');
	assert.deepEqual(duePlans([plan, started]), [plan], 'it is written down');
	assert.deepEqual(states(plan, [runOf('other', {of: {plan: 'another', task: 'a'}})]), [
		'a ready',
		'b waits waits for a',
		'c waits waits for b',
	]);
	const noted = planned(accepted, {type: 'task.started', task: 'a', run: 'a'}, {type: 'task.merged', task: 'a'});
	assert.deepEqual(states(noted, []), ['a merged', 'b ready', 'c waits waits for b']);
	const gone = planned(accepted, {type: 'task.started', task: 'a', run: 'a'});
	assert.deepEqual(states(gone, []), [
		'a started its run is gone',
		'b held waits for a, which is gone',
		'c waits waits for b',
	]);
});

test('a run that was queued when the machine went down is due again, and one that had begun is not', () => {
	const plan = planned(accepted, {type: 'task.started', task: 'a', run: 'a'});
	const queued = withoutWorker(runOf('a', {}, {type: 'run.queued', because: 'run limit reached: 1 at once'}));
	assert.ok(isLost(queued));
	assert.deepEqual(duePlans([plan, queued]), [plan]);
	const begun = withoutWorker(runOf('a', {}, {type: 'run.started', attempt: 1, pid: 1, sandbox: 's', notes: []}));
	assert.equal(begun.stage, 'crashed');
	assert.deepEqual(duePlans([plan, begun]), []);
});

test('a start that failed is not tried at every look; a reason that was another run is', () => {
	const failed = planned(accepted, {type: 'task.held', task: 'a', because: 'the vault is locked'});
	assert.deepEqual(states(failed, [])[0], 'a ready the vault is locked');
	assert.deepEqual(duePlans([failed]), []);
	const plan = planned(
		accepted,
		{type: 'task.started', task: 'a', run: 'a'},
		{type: 'task.held', task: 'b', because: 'waits for a, which is discarded'},
	);
	assert.deepEqual(duePlans([plan, runOf('a', {}, exited, merged)]), [plan]);
});

test('what an agent proposes after a plan was accepted changes nothing, and only a person decides', () => {
	const plan = planned(accepted);
	const again = evolve(plan, {...proposed, tasks: [task('evil')], seq: 9, at, actor: 'fleet', prev: ''});
	assert.deepEqual(again.plan!.tasks, plan.plan!.tasks);
	const open = planned();
	const commands = [
		{type: 'plan-accept', terms: {agent: 'command', argv: [], models: []}},
		{type: 'plan-edit', tasks: [task('z')]},
	] as const;
	for (const command of commands) {
		assert.ok(decide(open, command, {actor: 'agent:plan', now}) instanceof Refusal);
		assert.ok(decide(open, command, {actor: 'fleet', now}) instanceof Refusal);
		assert.ok(decide({...open, stage: 'running'}, command, {actor: person, now}) instanceof Refusal);
		assert.ok(decide({...open, stage: 'discarded'}, command, {actor: person, now}) instanceof Refusal);
		assert.ok(decide(plan, command, {actor: person, now}) instanceof Refusal, 'accepted already');
		assert.equal((decide(open, command, {actor: person, now}) as RunEvent[]).length, 1);
	}

	for (const type of ['task-release', 'task-drop'] as const) {
		assert.ok(decide(open, {type, task: 'b', because: ''}, {actor: person, now}) instanceof Refusal);
		assert.ok(decide(plan, {type, task: 'b', because: ''}, {actor: 'fleet', now}) instanceof Refusal);
		assert.ok(decide(plan, {type, task: 'x', because: ''}, {actor: person, now}) instanceof Refusal);
		assert.equal((decide(plan, {type, task: 'b', because: ''}, {actor: person, now}) as RunEvent[]).length, 1);
	}
});
