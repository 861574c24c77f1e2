import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {Command} from '../../source/core/run/command.ts';
import {decide} from '../../source/core/run/decide.ts';
import type {Entry, RunEvent} from '../../source/core/run/event.ts';
import {evolve, foldRun} from '../../source/core/run/evolve.ts';
import type {Facts} from '../../source/core/run/facts.ts';
import type {Run} from '../../source/core/run/run.ts';
import {stages, type Stage} from '../../source/core/run/stages.ts';
import {Refusal} from '../../source/core/refusal.ts';

const at = '2026-01-01T00:00:00.000Z';
const now = Date.parse(at);
const facts: Facts = {base: 'b'.repeat(40), head: 'a'.repeat(40), tree: 'c'.repeat(40), policy: 'd'.repeat(40)};
const person = 'person:ada' as const;

function entry(event: RunEvent, seq: number): Entry {
	return {seq, at, actor: person, prev: '', ...event};
}

/** A run of which everything is known that a command could ask for, but for its end. */
const full = foldRun(
	(
		[
			{
				type: 'run.created',
				id: 'r',
				name: 'r',
				project: {id: 'p', name: 'p', root: '/p'},
				agent: 'command',
				argv: ['x'],
				branch: 'fleet/r',
				base: facts.base,
				target: 'refs/heads/main',
				worktree: '/w',
				grants: [{id: '1', scope: 'network:a.test', because: 'x', by: person, at}],
			},
			{type: 'run.started', attempt: 1, pid: 1, sandbox: 's', notes: []},
			{type: 'egress.denied', target: 'b.test:443', because: 'no', count: 1},
			{type: 'alarm.raised', target: 'c.test:443', because: 'odd', count: 1},
			{type: 'run.exited', code: 0, signal: null, because: 'the agent finished'},
			{type: 'run.captured', head: facts.head, commits: 1, files: 1, wip: false, extra: [], notes: []},
			{
				type: 'suspects.found',
				suspects: [{rule: 'r', file: 'f', line: 1, span: '***', fingerprint: 'p'}],
			},
			{type: 'verify.finished', passed: true, ...facts, digest: 'v', steps: [], because: '1 command passed'},
			{type: 'review.approved', ...facts, verify: 'v', because: ''},
		] satisfies RunEvent[]
	).map((event, index) => entry(event, index + 1)),
)!;

const isMerged = (stage: Stage) => /^(?:merged|deploy)/.test(stage);

function runIn(stage: Stage): Run {
	return {
		...full,
		stage,
		merge: isMerged(stage) ? {target: full.target, commit: 'e'.repeat(40), checkout: 'updated'} : undefined,
	};
}

const commands: {readonly [Type in Command['type']]: Extract<Command, {readonly type: Type}>} = {
	grant: {type: 'grant', id: '00000000', scope: 'network:d.test', because: 'x', durationMs: 60_000},
	revoke: {type: 'revoke', scope: 'network:a.test', because: ''},
	stop: {type: 'stop', because: ''},
	release: {type: 'release', because: ''},
	freeze: {type: 'freeze', because: ''},
	thaw: {type: 'thaw', because: ''},
	budget: {type: 'budget', budget: {dollars: 1}, because: ''},
	dismiss: {type: 'dismiss', target: 'b.test:443', because: ''},
	acknowledge: {type: 'acknowledge', because: ''},
	audit: {type: 'audit', items: [{id: 'repo', status: 'PASS'}], asked: ['merge'], because: ''},
	resume: {type: 'resume', prompt: 'go on'},
	verify: {type: 'verify', facts, commands: ['true']},
	'plan-edit': {type: 'plan-edit', tasks: [{id: 'a', title: 'A', task: 'a', after: []}]},
	'plan-accept': {type: 'plan-accept', terms: {agent: 'command', argv: ['true'], models: []}},
	'task-release': {type: 'task-release', task: 'a', because: ''},
	'task-drop': {type: 'task-drop', task: 'a', because: ''},
	waive: {type: 'waive', because: 'it is none'},
	approve: {type: 'approve', facts, because: ''},
	reject: {type: 'reject', because: ''},
	merge: {type: 'merge', facts, commit: 'f'.repeat(40)},
	publish: {
		type: 'publish',
		when: 'verified',
		head: facts.head,
		remote: 'origin',
		place: {forge: 'github', host: 'github.com', path: 'ada/web'},
		ref: 'refs/heads/fleet/r',
		expected: null,
		draft: true,
		via: 'gh',
	},
	deploy: {
		type: 'deploy',
		target: 'shelf',
		confirmed: 'shelf',
		window: undefined,
		outside: false,
		because: '',
		command: 'true',
		credentials: [],
	},
	retarget: {type: 'retarget', target: 'refs/heads/other', because: ''},
	discard: {type: 'discard', because: '', kept: []},
	restore: {type: 'restore', because: ''},
};

const all = stages;
const without = (...some: Stage[]) => all.filter(stage => !some.includes(stage));
const working = ['queued', 'starting', 'running', 'frozen', 'checking', 'verifying', 'merging', 'deploying'] as const;
const merged = ['merged', 'deploying', 'deployed', 'deploy-failed', 'deploy-unknown'] as const;
const open = without(...working, ...merged, 'discarded', 'rejected');

/** In which stages a person's command has its way, where nothing else is in it. */
const accepted: {readonly [Type in Command['type']]: readonly Stage[]} = {
	grant: without('discarded'),
	revoke: all,
	stop: without('merging', ...merged, 'discarded'),
	release: ['queued'],
	freeze: ['running'],
	thaw: ['frozen'],
	budget: all,
	dismiss: all,
	acknowledge: all,
	audit: all,
	resume: [...open, 'rejected'],
	verify: open,
	// Of a run that was asked for a plan: test/engine/plan.test.ts.
	'plan-edit': [],
	'plan-accept': [],
	'task-release': [],
	'task-drop': [],
	waive: all,
	approve: open,
	reject: [...open, 'rejected'],
	merge: open,
	// Not with an open finding, as this run has one: test/core/publish.test.ts.
	publish: [],
	deploy: without(...without(...merged), 'deploying'),
	retarget: [...open, 'rejected'],
	discard: without(...working, 'discarded'),
	restore: ['discarded'],
};

test('every command in every stage is decided: events that can be folded, or a refusal with a hint', () => {
	for (const [type, command] of Object.entries(commands)) {
		const found = stages.filter(stage => {
			const run = runIn(stage);
			const decided = decide(run, command, {actor: person, now});
			if (decided instanceof Refusal) {
				assert.ok(decided.because !== '' && decided.hint !== '', `${type} in ${stage}`);
				return false;
			}

			assert.ok(decided.length > 0, `${type} in ${stage}`);
			decided.reduce((before, event) => evolve(before, entry(event, before.seq + 1)), run);
			return true;
		});
		assert.deepEqual(
			found,
			stages.filter(stage => accepted[type as Command['type']].includes(stage)),
			type,
		);
	}
});

test('an agent has no command, in any stage', () => {
	for (const command of Object.values(commands)) {
		for (const stage of stages) {
			for (const actor of ['agent:r', 'fleet', 'policy'] as const) {
				const decided = decide(runIn(stage), command, {actor, now});
				const byItself =
					actor === 'fleet' &&
					((command.type === 'verify' && stage === 'checking') ||
						(command.type === 'audit' && ['checking', 'verifying'].includes(stage)));
				assert.equal(decided instanceof Refusal, !byItself, `${actor}: ${command.type} in ${stage}`);
			}
		}
	}
});

test('a command about what is not there is refused', () => {
	const run = runIn('running');
	const because = (command: Command, of = run) => {
		const decided = decide(of, command, {actor: person, now});
		assert.ok(decided instanceof Refusal, command.type);
		return decided.because;
	};

	assert.equal(because({...commands.revoke, scope: 'network:d.test'}), 'network:d.test is not granted to r');
	assert.equal(because({...commands.dismiss, target: 'd.test:443'}), 'r was not denied d.test:443');
	assert.equal(because(commands.acknowledge, {...run, alarms: []}), 'r has no alarm');
	assert.equal(because({...commands.grant, because: ' '}), 'a grant needs a reason');
	assert.equal(because({...commands.waive, because: ' '}), 'dismissing a finding needs a reason');
	assert.match(because(commands.waive, {...run, waived: ['p']}), /no possible secret was found in r/);
	const spent = {
		...run,
		stage: 'frozen' as const,
		budget: {dollars: 1},
		usage: {...run.usage, requests: 1, dollars: 2},
	};
	assert.match(because(commands.thaw, spent), /budget/);
	assert.match(because({...commands.retarget, target: full.target}, runIn('captured')), /merged into main already/);
	assert.match(because({...commands.retarget, target: 'refs/heads/fleet/r'}, runIn('captured')), /a run's own branch/);
});

test('what a command does is written as it is: who, until when, when it takes effect', () => {
	assert.deepEqual(
		decide(runIn('running'), {...commands.grant, because: ' x ', reaches: 'now'}, {actor: person, now}),
		[
			{
				type: 'scope.granted',
				grant: {
					id: '00000000',
					scope: 'network:d.test',
					because: 'x',
					by: person,
					at,
					reference: undefined,
					identity: undefined,
					until: '2026-01-01T00:01:00.000Z',
				},
				effect: 'effective now',
			},
		],
	);
	assert.deepEqual(decide(runIn('running'), commands.stop, {actor: person, now}), [
		{type: 'run.exited', code: null, signal: null, because: 'stopped by ada'},
	]);
	assert.deepEqual(decide(runIn('running'), commands.audit, {actor: person, now}), [
		{type: 'gate.refused', gate: 'merge', because: 'agents decide nothing'},
		{type: 'audit.finished', items: [{id: 'repo', status: 'PASS'}], because: ''},
	]);
});
