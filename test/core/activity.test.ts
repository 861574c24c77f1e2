import assert from 'node:assert/strict';
import {test} from 'node:test';
import {activityOf, activityText, addEntries, hasWords, noActivity} from '../../source/core/run/activity.ts';
import {eventTypes, type Entry, type RunEvent} from '../../source/core/run/event.ts';
import {after, atBeginning, tell} from '../../source/core/run/event-words.ts';
import {costText, openText, spendRows, spendText, totalSpend} from '../../source/core/run/spend.ts';
import {dayName} from '../../source/core/text/time.ts';
import {excerpt, findIn, patternOf} from '../../source/core/text/search.ts';
import type {Usage} from '../../source/core/run/usage.ts';

/* What happened, in words: of each event, joined where it is the same, and what it cost. */

const hex = (letter: string) => letter.repeat(40);
const created: RunEvent = {
	type: 'run.created',
	id: 'one',
	name: 'one',
	project: {id: 'web', name: 'web', root: '/web'},
	agent: 'codex',
	argv: ['x'],
	prompt: 'Mend the parser',
	branch: 'fleet/one',
	base: hex('b'),
	target: 'refs/heads/main',
	worktree: '/w',
	grants: [],
};
const begin = Date.parse('2026-01-05T10:00:00.000Z');
const time = (minutes: number) => new Date(begin + minutes * 60_000).toISOString();
const started = (attempt: number): RunEvent => ({type: 'run.started', attempt, pid: 1, sandbox: 's', notes: []});
const denied = (target: string, count: number): RunEvent => ({type: 'egress.denied', target, because: 'no', count});
const usage = (requests: number, dollars: number | undefined): RunEvent => ({
	type: 'usage.counted',
	usage: {requests, input: requests * 1000, cached: 0, output: 0, dollars, model: 'm'},
});

/** Entries a minute apart. */
function entries(...events: ReadonlyArray<RunEvent | readonly [minute: number, event: RunEvent]>): Entry[] {
	return events.map((item, index) => {
		const [minute, event] = Array.isArray(item) ? (item as [number, RunEvent]) : [index, item as RunEvent];
		return {seq: index + 1, at: time(minute), actor: 'person:ada', prev: '', ...event};
	});
}

const of = {run: 'one', project: 'web'};
const lines = (all: readonly Entry[], isWhole = true) =>
	activityOf(addEntries(noActivity(isWhole), all, of)).map(line => activityText(line));

test('every kind of event has words of its own', () => {
	const granted: RunEvent = {
		type: 'scope.granted',
		effect: 'now',
		grant: {
			id: '1',
			scope: 'network:docs.test:443',
			because: 'the docs',
			by: 'person:ada',
			at: time(1),
			until: time(31),
			reference: undefined,
		},
	};
	const verify = (passed: boolean, tests: {passed: number; failed: number}): RunEvent => ({
		type: 'verify.finished',
		passed,
		base: hex('b'),
		head: hex('a'),
		tree: hex('c'),
		policy: hex('d'),
		digest: 'e'.repeat(64),
		steps: [{command: 'npm test', code: 0, ms: 2400, tests}],
		because: '1 command passed',
	});
	const cases: ReadonlyArray<readonly [RunEvent, string]> = [
		[created, 'ada asked codex: “Mend the parser”'],
		[started(2), 'started again, attempt 2'],
		[{type: 'run.exited', code: 0, signal: null, because: 'finished'}, 'finished'],
		[{type: 'run.exited', code: 137, signal: null, because: 'exit 137'}, 'failed: exit 137'],
		[denied('evil.test:443', 3), 'blocked evil.test:443 ×3'],
		[granted, 'ada allowed docs.test:443 for 30m: “the docs”'],
		[verify(true, {passed: 33, failed: 0}), 'verified: 33 tests passed, in 2s'],
		[verify(false, {passed: 31, failed: 2}), 'verify failed: 2 of 33 tests failed, in 2s'],
		[
			{
				type: 'review.approved',
				base: hex('b'),
				head: hex('a'),
				tree: hex('c'),
				policy: hex('d'),
				verify: '',
				because: 'read it',
				viewed: {files: 3, unviewed: 1},
			},
			'ada approved it, 2 of 3 files viewed: “read it”',
		],
		[{type: 'review.rejected', because: 'wrong names'}, 'ada rejected it: “wrong names”'],
		[
			{type: 'merge.finished', target: 'refs/heads/main', commit: '99b988d0'.repeat(5), checkout: 'updated'},
			'merged as 99b988d into main',
		],
		[
			{type: 'deploy.finished', target: 'shelf', commit: hex('f'), outcome: 'succeeded', because: ''},
			'deployed fffffff to shelf',
		],
		[
			{type: 'secret.used', scope: 'secret:stripe', target: 'api.test:443'},
			'secret:stripe used by pointer at api.test:443',
		],
		[
			{type: 'alarm.raised', target: 'evil.test:443', because: 'a pointer', count: 1},
			'ALARM: a pointer, evil.test:443',
		],
		[{type: 'run.frozen', because: 'by ada', whole: true}, 'ada paused it'],
		[{type: 'run.frozen', because: 'odd output', whole: true}, 'ada paused it: “odd output”'],
		[{type: 'run.discarded', because: '', kept: []}, 'ada discarded it'],
		[{type: 'run.restored', because: ''}, 'ada restored it'],
		[usage(2, 0.5), 'spent ~$0.50, 2.0k tokens'],
	];
	for (const [event, text] of cases) {
		assert.deepEqual(lines(entries(event)), [text]);
	}

	const revoked: RunEvent = {type: 'scope.revoked', scope: 'network:docs.test:443', because: 'done', cut: 1};
	assert.equal(
		lines(entries([1, granted], [13, revoked]))[0],
		'ada revoked docs.test:443 after 12m, 1 connection cut: “done”',
	);
	assert.equal(lines(entries([13, revoked]))[0], 'ada revoked docs.test:443, 1 connection cut: “done”');
	assert.ok(eventTypes.size > cases.length);
});

test('what was denied again is one line, and counts of another supervisor are added', () => {
	const all = entries(
		created,
		denied('a.test:443', 1),
		denied('a.test:443', 2),
		denied('b.test:443', 1),
		denied('a.test:443', 64),
		started(2),
		denied('a.test:443', 1),
		denied('a.test:443', 3),
	);
	assert.deepEqual(lines(all), [
		'blocked a.test:443 ×67',
		'started again, attempt 2',
		'blocked b.test:443',
		'ada asked codex: “Mend the parser”',
	]);
	// In parts it is the same as at once.
	const parts = all.reduce((read, entry) => addEntries(read, [entry], of), noActivity(true));
	assert.deepEqual(activityOf(parts), activityOf(addEntries(noActivity(true), all, of)));
	const [first] = activityOf(parts);
	assert.deepEqual([first!.since, first!.at, first!.kind], [time(1), time(7), 'denial']);
	assert.ok(hasWords(first!, 'BLOCKED web'));
	assert.ok(!hasWords(first!, 'blocked nowhere'));
});

test('spend is told by what was added, never by what is not known', () => {
	assert.deepEqual(lines(entries(created, usage(2, 0.5), usage(3, 0.75)))[0], 'spent ~$0.75, 3.0k tokens');
	// The end of a journal alone: what was spent before is not known, so the first count tells nothing.
	assert.deepEqual(lines(entries(usage(100, 9)), false), []);
	assert.deepEqual(lines(entries(usage(100, 9), usage(101, 9.25)), false), ['spent ~$0.25, 1.0k tokens']);
	assert.deepEqual(lines(entries(usage(2, undefined))), ['spent 2.0k tokens, price not known']);
	assert.match(lines(entries(usage(2, 0.5), usage(4, undefined)))[0]!, /^spent ~\$0\.50 and 2\.0k tokens without/);
});

test('spend by day, project and agent: what nobody reported is no zero', () => {
	const silent = entries({...created, id: 'two', agent: 'command'}, started(1));
	const other = entries(
		{...created, id: 'three', project: {id: 'infra', name: 'infra', root: '/i'}},
		started(1),
		usage(5, undefined),
	);
	const day = 24 * 60;
	const own = entries(created, started(1), usage(1, 1), [day, usage(3, 4)]);
	const sources = [silent, other, own].map(all => ({entries: all}));
	const table = (by: 'day' | 'project' | 'agent', since = 0) =>
		spendRows(sources, {by, since}).map(row => [row.key, costText(row), row.tokens, openText(row)]);
	assert.deepEqual(table('project'), [
		['web', '~$4.00', 3000, '1 more run reports no cost'],
		['infra', 'price not known', 5000, '5.0k tokens without a known price'],
	]);
	assert.deepEqual(table('agent'), [
		['codex', '~$4.00 and more', 8000, '5.0k tokens without a known price'],
		['command', 'not reported', 0, '1 run reports no cost'],
	]);
	assert.deepEqual(
		table('day').map(([key, cost]) => [key, cost]),
		[
			['2026-01-06', '~$3.00'],
			['2026-01-05', '~$1.00 and more'],
		],
	);
	// What was spent before is not counted again.
	assert.deepEqual(table('project', begin + 60 * 60_000), [['web', '~$3.00', 2000, '']]);
	assert.equal(spendText(totalSpend(spendRows(sources, {by: 'day', since: 0}))).startsWith('~$4.00 and 5.0k'), true);
	assert.equal(spendText(totalSpend([])), '');
});

test('a search takes capitals as they are meant, and shows what it found', () => {
	const found = (line: string, words: string) => findIn(line, patternOf(words));
	assert.deepEqual(found('An Error here', 'error'), {from: 3, to: 8});
	assert.equal(found('an error here', 'Error'), undefined);
	assert.deepEqual(found('f(x) [', '('), {from: 1, to: 2});
	assert.equal(found('anything', 'x*'), undefined);
	const long = `${'a'.repeat(300)}needle${'b'.repeat(300)}`;
	const {text, match} = excerpt(long, findIn(long, patternOf('needle'))!, 100);
	assert.equal(text.slice(match.from, match.to), 'needle');
	assert.ok(text.length <= 102 && text.startsWith('…') && text.endsWith('…'));
});

test('days are called as people call them', () => {
	const now = Date.parse('2026-01-05T12:00:00');
	const at = (text: string) => new Date(Date.parse(text)).toISOString();
	assert.equal(dayName(at('2026-01-05T00:00:01'), now), 'Today');
	assert.equal(dayName(at('2026-01-04T23:59:59'), now), 'Yesterday');
	assert.equal(dayName(at('2026-01-03T23:59:59'), now), 'Saturday, 2026-01-03');
});

test('nothing of what an event says is lost on the way to what is known after it', () => {
	const count: Usage = {requests: 1, input: 1, cached: 0, output: 0, dollars: 1, model: ''};
	const [entry] = entries({type: 'usage.counted', usage: count});
	assert.deepEqual(after(atBeginning, entry!).usage, count);
	assert.equal(tell(entry!, atBeginning).spend?.dollars, 1);
});
