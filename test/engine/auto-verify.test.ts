import assert from 'node:assert/strict';
import {readFileSync, writeFileSync} from 'node:fs';
import process from 'node:process';
import path from 'node:path';
import {test} from 'node:test';
import {Fleet, until} from '../support/fleet.ts';

/* What happens by itself once an agent has ended: audit, verification, and what failed goes back to the agent. */

type Event = {readonly type: string; readonly actor: string; readonly [name: string]: any};

const policy = (more = '') => `verify:\n  commands: [sh check.sh]\n${more}`;
/** Several attempts, sandboxes and a verification each, milliseconds. */
const patience = 120_000;
const files = {'check.sh': 'test "$(cat answer)" = 3 || { echo "answer is $(cat answer), wanted 3"; false; }\n'};

/** Counts its own attempts in a file of the project, and keeps what it was told. */
const counts =
	'n=$(cat answer 2>/dev/null || echo 0); echo $((n + 1)) > answer; printf "%s\\n" "$FLEET_PROMPT" > told-$n; cat told-$n; git add answer; git commit -qm "answer $n"; true';

function begin(fleet: Fleet, script = counts): void {
	fleet.must('run', '--name', 'counts', 'count to three', '--', 'sh', '-c', script);
}

const eventsOf = (fleet: Fleet): Event[] => fleet.json<Event[]>('journal', 'counts');

test('work that fails its checks twice goes back twice, and passes the third time, without a person', async t => {
	const fleet = new Fleet(t, {policy: policy(), files, autoVerify: true});
	begin(fleet);
	await fleet.until('counts', 'verified', patience);
	const events = eventsOf(fleet);
	const types = events.map(({type}) => type);
	assert.deepEqual(
		types.filter(type => ['run.exited', 'audit.finished', 'verify.finished', 'prompt.sent'].includes(type)),
		[
			'run.exited',
			'verify.finished',
			'prompt.sent',
			'run.exited',
			'verify.finished',
			'prompt.sent',
			'run.exited',
			'audit.finished',
			'verify.finished',
		],
	);
	const found = events.filter(({type}) => type === 'verify.finished');
	assert.deepEqual(
		found.map(({result, goesBack}) => [result, goesBack?.round]),
		[
			['failed', 1],
			['failed', 2],
			['passed', undefined],
		],
	);
	assert.ok(
		events.filter(({type}) => /^(?:verify|prompt|audit)\./.test(type)).every(({actor}) => actor === 'fleet'),
		'nobody else did that',
	);
	const prompts = events.filter(({type}) => type === 'prompt.sent').map(({prompt}) => prompt as string);
	assert.match(prompts[0]!, /^The task was: count to three\n[^]*did not pass[^]*sh check\.sh[^]*answer is 1, wanted 3/);
	assert.match(fleet.must('logs', 'counts'), /answer is 2, wanted 3/, 'the agent was told');
	const shown = fleet.json('show', 'counts');
	assert.equal(shown['stage'], 'verified');
	assert.deepEqual(
		shown['rounds'].map(({attempt, result}: {attempt: number; result: string}) => [attempt, result]),
		[
			[1, 'failed'],
			[2, 'failed'],
			[3, 'passed'],
		],
	);
	assert.match(fleet.must('activity'), /goes back to the agent, retry 1 of 2/);
	fleet.must('approve', 'counts', '--because', 'looks right');
	fleet.must('merge', 'counts');
	assert.equal(readFileSync(path.join(fleet.project, 'answer'), 'utf8'), '3\n');
});

test('after the last retry a person is needed, and what a person says begins to count anew', async t => {
	const fleet = new Fleet(t, {policy: policy('  retries: 1\n'), files, autoVerify: true});
	begin(fleet, counts.replace('$((n + 1))', '7'));
	await fleet.until('counts', 'verify-failed', patience);
	assert.equal(eventsOf(fleet).filter(({type}) => type === 'prompt.sent').length, 1);
	assert.match(fleet.must('show', 'counts'), /round 2 {2,}attempt 2, failed: [^\n]+/);
	fleet.must('resume', 'counts', 'think again');
	await until(
		() => eventsOf(fleet).filter(({type}) => type === 'verify.finished').length === 4,
		'two more rounds',
		patience,
	);
	await fleet.until('counts', 'verify-failed', patience);
});

test('nothing is checked by itself where that is off, the agent failed, was stopped, or changed nothing', async t => {
	const fleet = new Fleet(t, {policy: policy('  auto: false\n'), files, autoVerify: true});
	begin(fleet);
	await fleet.until('counts', 'stopped', patience);
	for (const [name, script] of [
		['fails', 'echo x > answer; exit 3'],
		['idle', 'true'],
	] as const) {
		const other = new Fleet(t, {policy: policy(), files, autoVerify: true});
		other.start(name, script);
		await other.until(name, 'stopped');
		assert.doesNotMatch(other.must('journal', name, '--json'), /"verify\.|"audit\./, name);
	}
});

test('what cannot be merged or looks like a secret is for a person: nothing goes back, and the row says why', async t => {
	const fleet = new Fleet(t, {policy: policy(), files: {...files, answer: '0\n'}, autoVerify: true});
	begin(fleet, 'until test -e go; do sleep 0.1; done; echo mine > answer; git add answer; git commit -qm mine');
	await fleet.until('counts', 'running', patience);
	fleet.git('rm', '-q', 'answer');
	fleet.git('commit', '-qm', 'theirs');
	const worktree = fleet.json('show', 'counts')['worktree'] as string;
	writeFileSync(path.join(worktree, 'go'), '');
	await fleet.until('counts', 'captured', patience);
	assert.match(fleet.must('list'), /conflicts with main/);
	assert.ok(!eventsOf(fleet).some(({type}) => type === 'prompt.sent'));
});

test('a check is stopped like an agent, and a dead supervisor leaves no run that is checked for ever', async t => {
	const fleet = new Fleet(t, {policy: 'verify: [sleep 300]\n', autoVerify: true});
	begin(fleet, 'echo 1 > answer');
	await fleet.until('counts', 'verifying', patience);
	fleet.must('stop', 'counts');
	await fleet.until('counts', 'inconclusive', patience);
	assert.match(fleet.must('show', 'counts'), /stopped by/);
	fleet.must('resume', 'counts', 'go on');
	await fleet.until('counts', 'verifying', patience);
	const started = eventsOf(fleet).findLast(({type}) => type === 'run.started')!;
	process.kill(started['pid'], 'SIGKILL');
	await fleet.until('counts', 'crashed', patience);
	assert.match(fleet.must('show', 'counts'), /verification was interrupted/);
});
