import assert from 'node:assert/strict';
import {test} from 'node:test';
import {auditExitCode, judge, summarise, type Probe} from '../../source/core/run/audit.ts';
import {attentionOf} from '../../source/core/run/attention.ts';
import {
	decideApprove,
	decideDeploy,
	decideMerge,
	decideReject,
	decideResume,
	decideScopeChange,
	decideVerify,
	decideWindow,
} from '../../source/core/run/rules.ts';
import {gatesOf} from '../../source/core/run/gates.ts';
import type {Facts} from '../../source/core/run/facts.ts';
import type {Entry, RunEvent} from '../../source/core/run/event.ts';
import {evolve, foldRun, withoutWorker} from '../../source/core/run/evolve.ts';
import {checksOf, type Run} from '../../source/core/run/run.ts';

const at = '2026-01-01T00:00:00.000Z';
const now = Date.parse(at);
const facts: Facts = {base: 'b'.repeat(40), head: 'a'.repeat(40), tree: 'c'.repeat(40), policy: 'd'.repeat(40)};
const person = 'person:ada' as const;

const created: RunEvent = {
	type: 'run.created',
	id: 'r',
	name: 'r',
	project: {id: 'p', name: 'p', root: '/p'},
	agent: 'command',
	argv: ['x'],
	branch: 'fleet/r',
	base: 'b'.repeat(40),
	target: 'refs/heads/main',
	worktree: '/w',
	grants: [],
};
const started: RunEvent = {type: 'run.started', attempt: 1, pid: 1, sandbox: 's', notes: []};
const exited: RunEvent = {type: 'run.exited', code: 0, signal: null, because: 'finished'};
const captured: RunEvent = {
	type: 'run.captured',
	head: facts.head,
	commits: 1,
	files: 1,
	wip: false,
	extra: [],
	notes: [],
};
const verified = (passed = true): RunEvent => ({
	type: 'verify.finished',
	passed,
	...facts,
	digest: 'v',
	steps: [],
	because: passed ? '1 command passed' : 'npm test ended with exit code 1',
});
const approved: RunEvent = {type: 'review.approved', ...facts, verify: 'v', because: ''};
const merged: RunEvent = {
	type: 'merge.finished',
	target: 'refs/heads/main',
	commit: 'e'.repeat(40),
	checkout: 'updated',
};

function run(...events: RunEvent[]): Run {
	return foldRun(
		[created, ...events].map((event, index): Entry => ({seq: index + 1, at, actor: person, prev: '', ...event})),
	)!;
}

test('a run is a fold over its journal', () => {
	const stages: Array<[RunEvent[], string]> = [
		[[], 'starting'],
		[[started], 'running'],
		[[started, exited], 'stopped'],
		[[started, exited, captured], 'captured'],
		[[started, exited, captured, verified()], 'verified'],
		[[started, exited, captured, verified(false)], 'verify-failed'],
		[[started, exited, captured, verified(), approved], 'approved'],
		[[started, exited, captured, verified(), approved, merged], 'merged'],
		[[started, {type: 'run.crashed', because: 'x'}], 'crashed'],
		[[{type: 'run.failed', because: 'x', hint: 'y'}], 'failed'],
		[
			[
				started,
				exited,
				captured,
				verified(),
				approved,
				{type: 'merge.started', target: 'refs/heads/main', ...facts, commit: 'e'.repeat(40)},
				{type: 'merge.aborted', target: 'refs/heads/main', because: 'main moved in the last moment'},
			],
			'approved',
		],
		[[started, exited, {type: 'run.discarded', because: '', kept: []}], 'discarded'],
		[[merged, {type: 'deploy.started', target: 't', commit: 'e', command: 'c', credentials: []}], 'deploying'],
		[
			[
				merged,
				{type: 'deploy.started', target: 't', commit: 'e', command: 'c', credentials: []},
				{type: 'run.crashed', because: 'x'},
			],
			'deploy-unknown',
		],
		[[merged, {type: 'deploy.finished', target: 't', commit: 'e', outcome: 'unknown', because: 'x'}], 'deploy-unknown'],
	];
	for (const [events, stage] of stages) {
		assert.equal(run(...events).stage, stage, events.map(event => event.type).join(' '));
	}

	assert.throws(() => evolve(undefined, {seq: 1, at, actor: 'fleet', prev: '', ...exited}), /starts with run.created/);
});

test('a new attempt voids verification and approval, and makes the audit stale', () => {
	const again = run(
		started,
		exited,
		captured,
		verified(),
		approved,
		{type: 'audit.finished', items: [{id: 'repo', status: 'PASS'}], because: ''},
		{...started, attempt: 2},
	);
	assert.equal(again.verification, undefined);
	assert.equal(again.approval, undefined);
	assert.deepEqual(checksOf(again), {passed: 0, total: 6});
});

test('a grant answers the denial it is about, and makes the audit stale', () => {
	const denied: RunEvent = {type: 'egress.denied', target: 'a.test:443', because: 'x', count: 3};
	const other: RunEvent = {type: 'egress.denied', target: 'ab.test:443', because: 'x', count: 1};
	const grant: RunEvent = {
		type: 'scope.granted',
		grant: {id: '1', scope: 'network:a.test', because: 'y', by: person, at},
		effect: '',
	};
	const audit: RunEvent = {type: 'audit.finished', items: [], because: ''};
	assert.equal(attentionOf(run(started, denied)), 'blocked a.test:443');
	const after = run(started, denied, other, audit, grant);
	assert.deepEqual(
		after.denials.map(denial => denial.target),
		['ab.test:443'],
	);
	assert.equal(after.audit?.stale, true);
	assert.equal(run(grant, {type: 'scope.expired', scope: 'network:a.test', cut: 1}).grants.length, 0);
});

test('what a grant answered is asked for again once it is taken back, unless something went through', () => {
	const denied: RunEvent = {type: 'egress.denied', target: 'a.test:443', because: 'x', count: 3};
	const grant: RunEvent = {
		type: 'scope.granted',
		grant: {id: '1', scope: 'network:a.test:443', because: 'y', by: person, at},
		effect: '',
	};
	const used: RunEvent = {type: 'egress.allowed', target: 'a.test:443', rule: 'network:a.test:443'};
	const revoked: RunEvent = {type: 'scope.revoked', scope: 'network:a.test:443', because: '', cut: 0};
	const back = run(started, denied, grant, revoked);
	assert.deepEqual(
		back.denials.map(({target, count}) => [target, count]),
		[['a.test:443', 3]],
	);
	assert.equal(attentionOf(back), 'blocked a.test:443');
	for (const [events, expected] of [
		[[started, denied, grant], 0],
		[[started, denied, grant, used, revoked], 0],
		[[started, denied, grant, {...started, attempt: 2}, revoked], 0],
		[[started, denied, grant, {type: 'scope.expired', scope: 'network:a.test:443', cut: 0}, revoked], 0],
		[[started, denied, grant, {type: 'denial.dismissed', target: 'a.test:443', because: ''}, revoked], 0],
		// Asked for again meanwhile: once, with the newer count.
		[[started, denied, grant, {...denied, count: 9}, revoked], 1],
		[[started, denied, {...denied, target: 'b.test:443'}, grant, revoked], 2],
	] as Array<[RunEvent[], number]>) {
		assert.equal(run(...events).denials.length, expected);
	}
});

test('a run that was paused goes on with the time that it had', () => {
	const events: RunEvent[] = [
		started,
		{type: 'run.frozen', because: '', whole: true},
		{type: 'run.thawed', because: ''},
	];
	const times = [created, ...events].map((event, index): Entry => ({
		seq: index + 1,
		at: new Date(now + index * 60_000).toISOString(),
		actor: person,
		prev: '',
		...event,
	}));
	const since = (count: number) => Date.parse(foldRun(times.slice(0, count))!.since) - now;
	assert.deepEqual([since(2), since(3), since(4)], [60_000, 120_000, 60_000]);
});

test('a worker that is gone is told by its stage', () => {
	for (const [events, stage] of [
		[[started], 'crashed'],
		[[], 'crashed'],
		[[{type: 'verify.started', ...facts, commands: []}], 'crashed'],
		[[merged, {type: 'deploy.started', target: 't', commit: 'e', command: 'c', credentials: []}], 'deploy-unknown'],
		[[started, exited], 'stopped'],
	] as Array<[RunEvent[], string]>) {
		assert.equal(withoutWorker(run(...events)).stage, stage);
	}
});

test('gates: only the right way is open', () => {
	const ready = run(started, exited, captured, verified());
	const yes = run(started, exited, captured, verified(), approved);
	assert.equal(decideVerify(run(started, exited), person), undefined);
	assert.match(decideVerify(run(started), person)!.because, /running/);
	assert.equal(decideApprove(ready, facts, {actor: person, now}), undefined);
	assert.equal(decideMerge(yes, facts, {actor: person, now}), undefined);
	assert.equal(
		decideDeploy(run(started, exited, captured, verified(), approved, merged), person, {target: 't', confirmed: 't'}),
		undefined,
	);
	assert.equal(
		decideWindow({target: 't', window: 'mon-fri 09:00-16:00'}, {day: 1, minutes: 959}, undefined),
		undefined,
	);
	assert.equal(
		decideWindow({target: 't', window: 'mon-fri 09:00-16:00'}, {day: 0, minutes: 0}, 'an outage'),
		undefined,
		'a reason opens it',
	);
	assert.equal(decideWindow({target: 't', window: undefined}, {day: 0, minutes: 0}, undefined), undefined);
	const noes: Array<[string, ReturnType<typeof decideApprove>]> = [
		['approve unverified', decideApprove(run(started, exited), facts, {actor: person, now})],
		['approve failed', decideApprove(run(verified(false)), facts, {actor: person, now})],
		['approve as agent', decideApprove(ready, facts, {actor: 'agent:r', now})],
		['approve as policy', decideApprove(ready, facts, {actor: 'policy', now})],
		['approve old', decideApprove(ready, facts, {actor: person, now: now + 25 * 3_600_000})],
		['merge unapproved', decideMerge(ready, facts, {actor: person, now})],
		['merge as agent', decideMerge(yes, facts, {actor: 'agent:r', now})],
		[
			'merge agent-approved',
			decideMerge({...yes, approval: {...yes.approval!, by: 'agent:r'}}, facts, {actor: person, now}),
		],
		[
			'merge other verification',
			decideMerge({...yes, approval: {...yes.approval!, verify: 'w'}}, facts, {actor: person, now}),
		],
		['merge old', decideMerge(yes, facts, {actor: person, now: now + 25 * 3_600_000})],
		['merge twice', decideMerge(run(verified(), approved, merged), facts, {actor: person, now})],
		[
			'merge rejected',
			decideMerge(run(verified(), approved, {type: 'review.rejected', because: 'no'}), facts, {actor: person, now}),
		],
		[
			'merge discarded',
			decideMerge(run(verified(), approved, {type: 'run.discarded', because: '', kept: []}), facts, {
				actor: person,
				now,
			}),
		],
		['deploy unmerged', decideDeploy(yes, person, {target: 't', confirmed: 't'})],
		['deploy unconfirmed', decideDeploy(run(merged), person, {target: 't', confirmed: undefined})],
		['deploy wrong name', decideDeploy(run(merged), person, {target: 't', confirmed: 'T'})],
		[
			'deploy on a Sunday',
			decideWindow({target: 't', window: 'mon-fri 09:00-16:00'}, {day: 0, minutes: 720}, undefined),
		],
		[
			'deploy outside of its window, without a word',
			decideWindow({target: 't', window: 'mon-fri 09:00-16:00'}, {day: 1, minutes: 960}, ' '),
		],
		['deploy as agent', decideDeploy(run(merged), 'agent:r', {target: 't', confirmed: 't'})],
		['reject merged', decideReject(run(merged), person)],
		['resume merged', decideResume(run(merged))],
		['grant as agent', decideScopeChange(run(started), 'agent:r', 'x')],
		['grant without reason', decideScopeChange(run(started), person, ' ')],
	];
	for (const [title, refusal] of noes) {
		assert.ok(refusal, title);
		assert.ok(refusal.because !== '' && refusal.hint !== '', title);
	}

	for (const key of ['base', 'head', 'tree', 'policy'] as const) {
		const changed = {...facts, [key]: '9'.repeat(40)};
		assert.match(decideApprove(ready, changed, {actor: person, now})!.because, /^stale/);
		assert.match(decideMerge(yes, changed, {actor: person, now})!.because, /^stale/);
		assert.equal(decideMerge(yes, changed, {actor: person, now})!.exitCode, 3);
	}
});

test('the guided sequence says what is done, what is ready and why the rest is not', () => {
	const states = (run: Run) => Object.fromEntries(gatesOf(run).map(gate => [gate.id, gate.state]));
	assert.deepEqual(states(run(started)), {
		audit: 'ready',
		verify: 'blocked',
		review: 'blocked',
		approve: 'blocked',
		merge: 'blocked',
		deploy: 'blocked',
	});
	assert.deepEqual(states(run(started, exited, captured, verified())), {
		audit: 'ready',
		verify: 'done',
		review: 'ready',
		approve: 'ready',
		merge: 'blocked',
		deploy: 'blocked',
	});
	assert.deepEqual(states(run(started, exited, captured, verified(), approved)), {
		audit: 'ready',
		verify: 'done',
		review: 'done',
		approve: 'done',
		merge: 'ready',
		deploy: 'blocked',
	});
	assert.deepEqual(states(run(started, exited, captured, verified(), approved, merged)), {
		audit: 'blocked',
		verify: 'done',
		review: 'done',
		approve: 'done',
		merge: 'done',
		deploy: 'ready',
	});
	assert.ok(
		gatesOf(run(started))
			.filter(gate => gate.state === 'blocked')
			.every(gate => gate.because !== ''),
	);
});

test('an attempt passes only on agreement', () => {
	assert.equal(judge({blocked: true, hostAgrees: true, control: true}), 'PASS');
	assert.equal(judge({blocked: false, hostAgrees: true, control: true}), 'FAIL');
	assert.equal(judge({blocked: true, hostAgrees: false, control: true}), 'FAIL');
	assert.equal(judge({blocked: true, hostAgrees: true, control: false}), 'ERROR');
	assert.equal(judge({blocked: undefined, hostAgrees: true, control: true}), 'ERROR');
	const probe = (item: Probe['item'], status: Probe['status']): Probe => ({
		id: '',
		item,
		tried: '',
		expected: '',
		seen: '',
		host: '',
		status,
	});
	const all = (status: Probe['status']) =>
		(['repo', 'secrets', 'network', 'isolation', 'deploy', 'review'] as const).flatMap(item =>
			[1, 2, 3].map(() => probe(item, status)),
		);
	assert.equal(auditExitCode(summarise(all('PASS'))), 0);
	assert.equal(auditExitCode(summarise([])), 4, 'no report proves nothing');
	assert.equal(auditExitCode(summarise(all('PASS').slice(1))), 4, 'too few attempts');
	assert.equal(auditExitCode(summarise([...all('PASS'), probe('repo', 'FAIL')])), 3);
});

test('what came last is what a person is waited for, and an alarm comes before everything', () => {
	const at = (second: number) => `2026-01-01T00:00:0${second}.000Z`;
	const created = {
		type: 'run.created',
		id: 'r',
		name: 'r',
		project: {id: 'p', name: 'p', root: '/p'},
		agent: 'command',
		argv: ['x'],
		branch: 'b',
		base: 'c',
		target: 't',
		worktree: '/w',
		grants: [],
	};
	const events: Array<[Record<string, unknown>, string | undefined]> = [
		[created, undefined],
		[{type: 'run.started', attempt: 1, pid: 1, sandbox: 's', notes: []}, undefined],
		[{type: 'agent.status', state: 'working', because: 'thinking'}, undefined],
		[{type: 'egress.denied', target: 'a.test:443', because: 'x', count: 1}, 'blocked a.test:443'],
		[{type: 'agent.status', state: 'waiting', because: 'it is silent'}, 'needs you: it is silent'],
		[{type: 'egress.denied', target: 'b.test:443', because: 'x', count: 1}, 'blocked b.test:443'],
		[{type: 'alarm.raised', target: 'c.test:443', because: 'a pointer', count: 1}, 'ALARM: a pointer, c.test:443'],
		[{type: 'alarm.acknowledged', because: ''}, 'blocked b.test:443'],
	];
	const entries: Entry[] = [];
	for (const [index, [event, expected]] of events.entries()) {
		entries.push({seq: index + 1, at: at(index), actor: 'fleet', prev: '', ...event} as unknown as Entry);
		assert.equal(attentionOf(foldRun(entries)!), expected, JSON.stringify(event));
	}
});

test('a run that changed nothing says so, and is not offered for verification', () => {
	const nothing = run(started, exited, {...captured, commits: 0, files: 0});
	assert.equal(nothing.because, 'no changes');
	assert.equal(attentionOf(nothing), 'needs you: no changes: follow up or discard');
	assert.equal(attentionOf(run(started, exited, captured)), 'needs you: verify');
});
