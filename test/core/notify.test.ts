import assert from 'node:assert/strict';
import {test} from 'node:test';
import {notifyAdapters, targetFault, type NotifyTarget} from '../../source/core/notify/adapters.ts';
import {factOf, messageOf, subjectOf} from '../../source/core/notify/facts.ts';
import {Refusal} from '../../source/core/refusal.ts';
import type {Entry, RunEvent} from '../../source/core/run/event.ts';
import {foldRun} from '../../source/core/run/evolve.ts';
import {parseSettings} from '../../source/core/settings-file.ts';

/* What a message says, where it may go, and that nothing of an agent's is in it. */

const created: RunEvent = {
	type: 'run.created',
	id: 'one',
	name: 'one',
	project: {id: 'web', name: 'web', root: '/web'},
	agent: 'codex',
	argv: ['x'],
	branch: 'fleet/one',
	base: 'b'.repeat(40),
	target: 'refs/heads/main',
	worktree: '/w',
	grants: [],
};
const started: RunEvent = {type: 'run.started', attempt: 1, pid: 1, sandbox: 's', notes: []};
const runOf = (...events: RunEvent[]) =>
	foldRun(
		[created, started, ...events].map((event, index): Entry => ({
			seq: index + 1,
			at: '2026-01-05T10:00:00.000Z',
			actor: 'fleet',
			prev: '',
			...event,
		})),
	)!;

test('a message has words of fleet alone: neither a question nor a host that an agent chose', () => {
	const secret = 'hunter2';
	const cases: Array<[RunEvent[], string | undefined]> = [
		[[], undefined],
		[[{type: 'agent.status', state: 'waiting', because: `is ${secret} right?`}], 'its agent waits for an answer'],
		[[{type: 'agent.status', state: 'failed', because: secret}], 'its agent failed'],
		[[{type: 'egress.denied', target: `${secret}.test`, because: secret, count: 1}], 'it was denied the network'],
		[[{type: 'alarm.raised', target: secret, because: secret, count: 1}], 'look at an alarm'],
		[[{type: 'run.frozen', because: secret, whole: true}], 'it is paused: continue or stop it'],
		[[{type: 'run.exited', code: 1, signal: null, because: secret}], 'its agent failed'],
		[[{type: 'run.exited', code: 0, signal: null, because: secret}], 'verify'],
		[[{type: 'run.failed', because: secret, hint: secret}], 'look at it: failed'],
	];
	for (const [events, need] of cases) {
		const fact = factOf(runOf(...events));
		assert.equal(fact?.need, need);
		if (fact) {
			assert.ok(!JSON.stringify([fact, messageOf([fact]), subjectOf([fact])]).includes(secret));
		}
	}

	const fact = factOf(runOf({type: 'run.failed', because: '', hint: ''}))!;
	const many = messageOf(Array.from({length: 25}, () => ({...fact, verdict: 'failed' as const})));
	assert.equal(many.split('\n').length, 21);
	assert.match(many, /^one \(web\): look at it: failed, verification failed\n[^]*\nand 5 more runs$/);
});

test('an address that lets whoever knows it send is in the vault, and no refusal says it', () => {
	const fault = (kind: NotifyTarget['kind'], address: string, token?: string) => {
		const found = targetFault({kind, address, token});
		assert.ok(!/hunter2/.test(JSON.stringify(found ?? '')), address);
		return found === undefined;
	};

	assert.ok(fault('webhook', 'https://example.org/hook'));
	assert.ok(fault('webhook', 'http://127.0.0.1:8080/hook', 'fleet://user/token'));
	assert.ok(fault('slack', 'fleet://user/slack'));
	assert.ok(fault('sendmail', 'ada@example.org'));
	assert.ok(fault('sendmail', 'ada'));
	for (const [kind, address, token] of [
		['slack', 'https://hooks.example.org/hunter2'],
		['webhook', 'https://example.org/hook?key=hunter2'],
		['webhook', 'https://ada:hunter2@example.org/'],
		['webhook', 'http://example.org/hook'],
		['webhook', 'file:///hunter2'],
		['webhook', 'hunter2'],
		['webhook', 'fleet://project/hook'],
		['webhook', 'https://example.org/', 'hunter2'],
		['ntfy', 'fleet://user/BAD hunter2'],
		['slack', 'fleet://user/slack', 'fleet://user/token'],
		['sendmail', '-Xhunter2'],
		['sendmail', 'ada@example.org\nBcc: eve@example.org'],
		['sendmail', 'a b'],
	] as const) {
		assert.ok(!fault(kind, address, token), `${kind} ${address}`);
	}

	const read = parseSettings(
		'notify: {quiet: "22:00-07:00", send: [{kind: ntfy, address: "https://example.org/t"}]}\n',
	);
	assert.ok(!(read instanceof Refusal));
	assert.deepEqual(read.notify.send, [{kind: 'ntfy', address: 'https://example.org/t'}]);
	assert.equal(read.notify.bell, true);
	const bad = parseSettings('theme: dark\nnotify:\n  send:\n    - {kind: slack, address: "https://a.test/hunter2"}\n');
	assert.ok(bad instanceof Refusal);
	assert.match(bad.because, /settings\.yaml:4: .*belongs in the vault/);
	assert.doesNotMatch(bad.because + bad.hint, /hunter2/);
	assert.ok(parseSettings('notify: {send: [{kind: fax, address: x}]}\n') instanceof Refusal);
});

test('each notifier is asked in its own form', () => {
	const facts = [factOf(runOf({type: 'run.exited', code: 0, signal: null, because: ''}))!];
	const make = (kind: NotifyTarget['kind'], address: string, token?: string) => {
		const delivery = notifyAdapters[kind].make(facts, {address, token});
		return delivery.how === 'post' ? {...delivery, headers: Object.fromEntries(delivery.headers)} : delivery;
	};

	const hook = make('webhook', 'https://a.test/x?k=1', 't');
	assert.ok(hook.how === 'post');
	assert.equal(hook.headers['Authorization'], 'Bearer t');
	assert.deepEqual(JSON.parse(hook.body), {
		text: 'fleet: one needs you\none (web): verify',
		runs: [{run: 'one', project: 'web', need: 'verify', verdict: null, at: '2026-01-05T10:00:00.000Z'}],
	});
	const slack = make('slack', 'https://a.test/x');
	assert.ok(slack.how === 'post');
	assert.deepEqual(Object.keys(JSON.parse(slack.body) as object), ['text']);
	const ntfy = make('ntfy', 'https://a.test/topic');
	assert.ok(ntfy.how === 'post');
	assert.deepEqual([ntfy.headers['Title'], ntfy.body], ['fleet: one needs you', 'one (web): verify']);
	const mail = make('sendmail', 'ada@a.test');
	assert.ok(mail.how === 'sendmail');
	assert.deepEqual(mail.argv, ['-i', '--', 'ada@a.test']);
	assert.match(mail.input, /^To: ada@a\.test\nSubject: fleet: one needs you\n[^]*\n\none \(web\): verify\n$/);
});
