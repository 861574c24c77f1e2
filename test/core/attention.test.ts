import assert from 'node:assert/strict';
import process from 'node:process';
import {test} from 'node:test';
import type {Viewed} from '../../source/core/run/viewed.ts';
import {needOf, stageText} from '../../source/core/run/attention.ts';
import {gatesOf} from '../../source/core/run/gates.ts';
import type {Entry, RunEvent} from '../../source/core/run/event.ts';
import {waitsForEver} from '../../source/core/run/queue.ts';
import {foldRun} from '../../source/core/run/evolve.ts';
import {timeWorked, type Run} from '../../source/core/run/run.ts';
import {localStamp, localTime, zoneOf} from '../../source/core/text/time.ts';

const begin = Date.parse('2026-01-01T00:00:00.000Z');

/** A run whose events came at these seconds. */
function run(...events: Array<readonly [seconds: number, event: RunEvent]>): Run {
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
	return foldRun(
		[[0, created] as const, ...events].map(([seconds, event], index): Entry => ({
			seq: index + 1,
			at: new Date(begin + seconds * 1000).toISOString(),
			actor: 'person:ada',
			prev: '',
			...event,
		})),
	)!;
}

const started: RunEvent = {type: 'run.started', attempt: 1, pid: 1, sandbox: 's', notes: []};
const ended: RunEvent = {type: 'run.exited', code: 0, signal: null, because: 'finished'};
const verified: RunEvent = {
	type: 'verify.finished',
	passed: true,
	base: 'b',
	head: 'h',
	tree: 't',
	policy: '',
	digest: 'd',
	steps: [],
	because: 'fine',
};
const refused: RunEvent = {type: 'gate.refused', gate: 'approve', because: 'stale'};
const since = (one: Run) => (Date.parse(needOf(one)!.since) - begin) / 1000;

test('a wait is counted from what began it, and nothing that only touches the run begins it anew', () => {
	assert.equal(since(run([1, started], [10, ended], [400, refused])), 10);
	assert.equal(
		since(
			run(
				[1, started],
				[10, ended],
				[20, verified],
				[400, refused],
				[500, {type: 'audit.finished', items: [], because: ''}],
			),
		),
		20,
	);
	assert.equal(since(run([1, started], [10, {type: 'run.failed', because: 'x', hint: ''}], [400, refused])), 10);
	assert.equal(
		since(
			run(
				[1, started],
				[30, {type: 'run.frozen', because: '', whole: true}],
				[90, {type: 'budget.set', budget: null, because: ''}],
			),
		),
		30,
	);
	const denied = (count: number): RunEvent => ({type: 'egress.denied', target: 'a.test:443', because: 'x', count});
	assert.equal(since(run([1, started], [10, denied(1)], [70, denied(2)])), 10);
	assert.equal(
		since(
			run(
				[1, started],
				[10, {type: 'alarm.raised', target: 'a', because: 'x', count: 1}],
				[70, {type: 'alarm.raised', target: 'a', because: 'x', count: 2}],
			),
		),
		10,
	);
	const waits = (because: string): RunEvent => ({type: 'agent.status', state: 'waiting', because});
	assert.equal(since(run([1, started], [10, waits('a')], [70, waits('b')])), 10);
	assert.equal(
		since(
			run(
				[1, started],
				[10, waits('a')],
				[20, {type: 'agent.status', state: 'working', because: ''}],
				[70, waits('b')],
			),
		),
		70,
		'what begins again is a new wait',
	);
	assert.equal(since(run([1, started], [10, ended], [400, refused])), 10);
});

test('how long a run took is the time of its agent, whatever was tried on it later', () => {
	const took = (...events: Parameters<typeof run>) => timeWorked(run(...events), begin + 1_000_000);
	assert.equal(took([1, started], [2, ended], [400, refused]), 1000);
	assert.equal(
		took(
			[1, started],
			[10, {type: 'run.frozen', because: '', whole: true}],
			[60, {type: 'run.thawed', because: ''}],
			[65, ended],
		),
		14_000,
	);
	assert.equal(took([1, started], [2, ended], [100, {...started, attempt: 2}], [103, ended]), 4000);
	assert.equal(
		took([1, started], [5, refused], [500, {type: 'run.crashed', because: 'gone'}]),
		4000,
		'a crash that was found late',
	);
	assert.equal(took([1, started]), 999_000);
	assert.equal(took([3, {type: 'run.queued', because: 'waits'}]), 0);
});

test('an agent that failed is no work to verify', () => {
	const exit = (code: number | null, signal: string | null): RunEvent => ({
		type: 'run.exited',
		code,
		signal,
		because: 'x',
	});
	assert.deepEqual(
		[exit(1, null), exit(137, null), exit(null, 'SIGKILL')].map(event => needOf(run([1, started], [2, event]))!.kind),
		['trouble', 'trouble', 'trouble'],
	);
	assert.match(needOf(run([1, started], [2, exit(137, null)]))!.because, /failed/);
	assert.match(needOf(run([1, started], [2, exit(0, null)]))!.because, /verify/);
	assert.match(needOf(run([1, started], [2, exit(null, null)]))!.because, /verify/, 'a person stopped it');
});

test('a run that waits for one that will not end well needs a person, and says what to do', () => {
	const before = (...events: Parameters<typeof run>) => waitsForEver({...run(), after: 'other'}, run(...events));
	assert.deepEqual(
		[
			before([1, started]),
			before([1, started], [2, ended]),
			before([1, started], [2, {type: 'run.exited', code: 1, signal: null, because: ''}]),
			before([1, started], [2, {type: 'run.exited', code: null, signal: null, because: ''}]),
			before([1, started], [2, {type: 'run.frozen', because: '', whole: true}]),
			before([1, {type: 'run.discarded', because: '', kept: []}]),
			before([1, {type: 'review.rejected', because: ''}]),
			before([1, {type: 'run.queued', because: '', stuck: true}]),
		],
		[false, false, true, true, false, true, true, true],
	);
	assert.equal(waitsForEver({...run(), after: 'other'}, undefined), true);
	assert.equal(waitsForEver(run(), undefined), false);
	const stuck = {
		...run(
			[1, {type: 'run.queued', because: 'waits for other, which is running'}],
			[5, {type: 'run.queued', because: 'waits for other, which is stopped', stuck: true}],
		),
		after: 'other',
	};
	assert.match(needOf(stuck)!.because, /^waits for other, which is stopped; resume other, or stop this one$/);
	assert.equal(
		needOf(run([1, {type: 'run.queued', because: 'waits', stuck: true}], [2, {type: 'run.queued', because: 'waits'}])),
		undefined,
	);
	assert.equal(
		needOf(run([1, {type: 'run.queued', because: 'waits', stuck: true}], [2, {type: 'run.dequeued', because: ''}])),
		undefined,
	);
});

test('what a person did to a run reads as that', () => {
	const text = (...events: Parameters<typeof run>) => stageText(run(...events));
	assert.equal(
		text(
			[1, started],
			[2, {type: 'run.frozen', because: 'by ada', whole: true}],
			[3, {type: 'run.thawed', because: 'by ada'}],
		),
		'running: continued by ada',
	);
	assert.equal(
		text([1, started], [3, {type: 'run.thawed', because: 'it may go on'}]),
		'running: continued: it may go on',
	);
	assert.equal(
		text(
			[1, started],
			[2, ended],
			[3, {type: 'run.discarded', because: '', kept: []}],
			[4, {type: 'run.restored', because: ''}],
		),
		'restored by ada',
	);
	assert.equal(
		text([1, started], [2, {type: 'run.exited', code: null, signal: null, because: 'stopped by ada'}]),
		'stopped by ada',
	);
	assert.equal(text([1, started], [2, {type: 'run.frozen', because: 'by ada', whole: true}]), 'paused by ada');
	assert.equal(text([1, started], [2, {type: 'run.frozen', because: 'too fast', whole: true}]), 'paused: too fast');
	assert.equal(text([1, started], [2, ended]), 'finished');
	assert.equal(
		text([1, started], [2, {type: 'run.exited', code: 137, signal: null, because: 'killed (exit 137)'}]),
		'failed: killed (exit 137)',
	);
	assert.equal(text([1, started]), 'running');
	assert.equal(text([1, {...started, attempt: 2}]), 'running: attempt 2');
});

test('an approval says how much was viewed, and never more', () => {
	const approved = (viewed: Viewed | undefined, because = '') =>
		run(
			[1, started],
			[2, ended],
			[3, verified],
			[
				4,
				{
					type: 'review.approved',
					base: 'b',
					head: 'h',
					tree: 't',
					policy: '',
					verify: 'd',
					because,
					...(viewed ? {viewed} : {}),
				},
			],
		);
	const review = (one: Run) => gatesOf(one).find(gate => gate.id === 'review')!.because;
	assert.equal(review(approved({files: 3, unviewed: 3})), 'approved by ada (0 of 3 files viewed)');
	assert.equal(review(approved({files: 3, unviewed: 1})), 'approved by ada (2 of 3 files viewed)');
	assert.equal(review(approved({files: 3, unviewed: 0})), 'approved by ada (3 of 3 files viewed)');
	assert.equal(review(approved(undefined)), 'approved by ada (files viewed: not recorded)');
	assert.equal(
		review(approved({files: 14, unviewed: 1, atOnce: 12})),
		'approved by ada (13 of 14 files viewed, 12 files marked viewed at once)',
	);
	assert.equal(
		approved({files: 14, unviewed: 0, atOnce: 12}).because,
		'by ada; all 14 files viewed, 12 files marked viewed at once',
	);
	assert.equal(approved({files: 3, unviewed: 2}).because, 'by ada; 2 of 3 files not viewed');
	assert.equal(approved({files: 1, unviewed: 0}, 'read it').because, 'read it; the one file viewed');
});

test("times are those of this machine's clock, with the zone", () => {
	const zone = process.env['TZ'];
	try {
		process.env['TZ'] = 'Asia/Tokyo';
		assert.equal(localStamp('2026-01-01T17:13:20.123Z'), '2026-01-02T02:13:20+09:00');
		assert.equal(localTime('2026-01-01T17:13:20.123Z', Date.parse('2026-01-01T18:00:00Z')), '02:13:20');
		assert.equal(localTime('2026-01-01T14:59:59Z', Date.parse('2026-01-01T18:00:00Z')), '2026-01-01 23:59:59');
		assert.equal(zoneOf(begin), 'UTC+9');
		process.env['TZ'] = 'America/St_Johns';
		assert.equal(localStamp('2026-01-01T17:13:20Z'), '2026-01-01T13:43:20-03:30');
		assert.equal(zoneOf(begin), 'UTC-3:30');
		process.env['TZ'] = 'UTC';
		assert.equal(zoneOf(begin), 'UTC');
	} finally {
		process.env['TZ'] = zone ?? '';
		if (zone === undefined) {
			delete process.env['TZ'];
		}
	}
});
