import assert from 'node:assert/strict';
import {test} from 'node:test';
import {evolve, foldRun} from '../../source/core/run/evolve.ts';
import type {Entry, RunEvent} from '../../source/core/run/event.ts';
import {glanceAt, glanceText} from '../../source/core/run/glance.ts';
import {stages} from '../../source/core/run/stages.ts';
import type {Run} from '../../source/core/run/run.ts';
import {parseFilter} from '../../source/tui/filter.ts';

/* What a row of the list says, for each way that a run can stand. */

const created: RunEvent = {
	type: 'run.created',
	id: 'one',
	name: 'one',
	project: {id: 'p', name: 'p', root: '/p'},
	agent: 'command',
	argv: ['x'],
	branch: 'fleet/one',
	base: 'b',
	target: 'refs/heads/main',
	worktree: '/w',
	grants: [],
};

function run(...events: RunEvent[]): Run {
	return foldRun(
		[created, ...events].map((event, index): Entry => ({
			seq: index + 1,
			at: new Date(Date.parse('2026-01-01T00:00:00.000Z') + index * 1000).toISOString(),
			actor: 'person:ada',
			prev: '',
			...event,
		})),
	)!;
}

const started: RunEvent = {type: 'run.started', attempt: 1, pid: 1, sandbox: 's', notes: []};
const exited = (code: number | null, signal: string | null = null): RunEvent => ({
	type: 'run.exited',
	code,
	signal,
	because: code === 0 ? 'finished' : 'the agent failed',
});
const verified = (passed: boolean, counts: {passed: number; failed: number} | undefined): RunEvent => ({
	type: 'verify.finished',
	passed,
	base: 'b',
	head: 'h',
	tree: 't',
	policy: '',
	digest: 'd',
	steps: [{command: 'npm test', code: passed ? 0 : 1, ms: 1, ...(counts ? {tests: counts} : {})}],
	because: 'npm test',
});
const seen = (of: Run, besides = {}) => {
	const {group, sign, text, next} = glanceAt(of, besides);
	return [group, sign, text, next];
};

test('failure looks like failure, and each row says what to do next', () => {
	assert.deepEqual(seen(run(started)), ['active', 'running', 'running', undefined]);
	assert.deepEqual(seen(run(started, exited(0))), ['needs you', 'changed', 'finished', 'verify']);
	const changes = {files: 3, added: 1, removed: 0, untracked: 0};
	assert.deepEqual(seen(run(started, exited(0)), {changes}), ['needs you', 'changed', 'finished, 3 files', 'verify']);
	assert.deepEqual(seen(run(started, exited(0)), {changes: {...changes, files: 0}}), [
		'needs you',
		'changed',
		'finished, no changes',
		'follow-up',
	]);
	assert.deepEqual(seen(run(started, exited(137))), ['needs you', 'failed', 'killed (exit 137)', 'retry']);
	assert.deepEqual(seen(run(started, exited(1))), ['needs you', 'failed', 'failed: exit 1', 'retry']);
	assert.deepEqual(seen(run(started, exited(null, 'SIGKILL'))), ['needs you', 'failed', 'killed (SIGKILL)', 'retry']);
	const tests = {passed: 31, failed: 2};
	assert.deepEqual(seen(run(started, exited(0), verified(false, tests))), [
		'needs you',
		'failed',
		'2 of 33 tests failed',
		'log',
	]);
	assert.deepEqual(seen(run(started, exited(0), verified(true, {passed: 33, failed: 0}))), [
		'needs you',
		'passed',
		'33 tests passed',
		'review',
	]);
	assert.deepEqual(seen(run(started, exited(0), verified(true, undefined))), [
		'needs you',
		'passed',
		'verified',
		'review',
	]);
});

test('what a person paused waits for nobody; what fleet paused needs a decision', () => {
	const frozen: RunEvent = {type: 'run.frozen', because: '', whole: true};
	assert.deepEqual(seen(run(started, frozen)), ['active', 'paused', 'paused by ada', 'continue']);
	const limit = {...run(started, {...frozen, because: 'its disk is full'}), pausedBy: 'fleet' as const};
	assert.deepEqual(seen(limit), ['needs you', 'paused', 'paused: its disk is full', 'continue']);
	// What has nothing left to use is not continued, but given more.
	const used = {...limit.usage, requests: 2, output: 2500};
	assert.equal(seen({...limit, usage: used, budget: {tokens: 2000}})[3], 'budget');
	assert.equal(seen({...limit, usage: used, budget: {tokens: 3000}})[3], 'continue');
	const denied: RunEvent = {type: 'egress.denied', target: 'a.test:443', because: 'no', count: 1};
	assert.deepEqual(seen(run(started, denied)), ['needs you', 'blocked', 'blocked a.test:443', 'allow']);
});

test('every stage has a place in the list', () => {
	for (const stage of stages) {
		const {group, sign, text} = glanceAt({...run(started), stage, because: 'so'});
		assert.ok(group && sign && text, stage);
	}

	const merged = {...run(started), stage: 'merged' as const, merge: {target: 'm', commit: 'abcdef012', checkout: ''}};
	assert.deepEqual(seen(merged), ['done', 'done', 'merged abcdef0', undefined]);
	assert.deepEqual(seen(merged, {hasDeploy: true}), ['ready', 'passed', 'merged abcdef0', 'deploy']);
});

test('a filter is words and a few keys', () => {
	assert.deepEqual(parseFilter('is:failed project:Web fix  the'), {
		is: ['failed'],
		project: 'web',
		agent: undefined,
		text: 'fix the',
	});
	assert.deepEqual(parseFilter('is: a:b'), {is: [], project: undefined, agent: undefined, text: 'a:b'});
});

test('where no group says it, the words of the list say that a person is needed, and for what', () => {
	const text = (own: Run, files?: number) =>
		glanceText(glanceAt(own, files === undefined ? {} : {changes: {files, added: 0, removed: 0, untracked: 0}}));
	assert.equal(text(run(started, exited(0)), 0), 'needs you: finished, no changes (follow up)');
	assert.equal(text(run(started, exited(0)), 2), 'needs you: finished, 2 files (verify)');
	assert.equal(text(run(started)), 'running');
});

test('a failed verification without counted tests says the exit code and the last line', () => {
	const text = (steps: Array<{command: string; code: number; ms: number; last?: string}>) => {
		const event = {...verified(false, undefined), steps} as RunEvent;
		return glanceAt(run(started, exited(0), event)).text;
	};
	const lint = {command: 'npm run lint', code: 1, ms: 1};
	assert.equal(text([{...lint, last: '3 problems'}]), 'exit 1: 3 problems');
	assert.equal(text([lint]), 'exit 1: npm run lint');
	// Tests that passed are not what failed.
	const tests = {command: 'npm test', code: 0, ms: 1, tests: {passed: 5, failed: 0}};
	assert.equal(text([tests, lint]), 'exit 1: npm run lint');
});

test('where there is no verify command, setting one comes next', () => {
	const none = {...verified(false, undefined), result: 'inconclusive', doubt: 'no-commands', steps: []} as RunEvent;
	assert.deepEqual(seen(run(started, exited(0)), {hasVerify: false})[3], 'set-verify');
	assert.deepEqual(seen(run(started, exited(0), none)), ['needs you', 'unclear', 'no verify command', 'set-verify']);
	assert.deepEqual(seen(run(started, exited(0), none), {hasVerify: true})[3], 'verify');
});

test('an outdated result that is known to conflict says so, and how to go on', () => {
	const conflict: RunEvent = {type: 'gate.refused', gate: 'verify', because: 'it conflicts', conflicts: ['a']};
	const ready = [started, exited(0), verified(true, undefined)];
	assert.deepEqual(seen(run(...ready), {isOutdated: true}), ['needs you', 'unclear', 'outdated: main moved', 'verify']);
	assert.deepEqual(seen(run(...ready, conflict), {isOutdated: true}), [
		'needs you',
		'failed',
		'conflicts with main',
		'rebase',
	]);
});

test('what went back by itself is counted on the row; what a person has verified is not', () => {
	const round = (actor: Entry['actor'], at: number): Entry => ({
		...verified(false, {passed: 1, failed: 1}),
		seq: at,
		at: new Date(0).toISOString(),
		actor,
		prev: '',
	});
	const begun = run(started, exited(0));
	const text = (...actors: Array<Entry['actor']>) =>
		glanceAt(actors.reduce((before, actor, index) => evolve(before, round(actor, 10 + index)), begun)).text;
	assert.equal(text('fleet'), '1 of 2 tests failed');
	assert.equal(text('fleet', 'fleet', 'fleet'), '1 of 2 tests failed (after 2 retries)');
	assert.equal(text('fleet', 'person:ada', 'person:ada'), '1 of 2 tests failed');
});
