import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import process from 'node:process';
import {test} from 'node:test';
import {parseReport, type VerbReport} from '../../source/protocol/report.ts';
import {Fleet, program} from '../support/fleet.ts';

/* What a verb tells the program that started it. */

async function reported(fleet: Fleet, ...argv: string[]): Promise<VerbReport & {status: number | null}> {
	const child = spawn(process.execPath, [program, ...argv], {
		cwd: fleet.project,
		env: fleet.env,
		stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
	});
	let report: VerbReport = {};
	child.on('message', message => {
		report = {...report, ...parseReport(message)};
	});
	const status = await new Promise<number | null>(resolve => {
		child.once('close', resolve);
	});
	return {...report, status};
}

test('a verb reports its refusal and the runs that it started or froze, in more than words', async t => {
	const fleet = new Fleet(t);
	assert.deepEqual(await reported(fleet, 'show', 'nobody'), {
		refusal: {because: 'there is no run "nobody"', hint: 'fleet list --all'},
		status: 2,
	});
	const {refusal} = await reported(fleet, 'run', '--agent', 'codex', 'x');
	assert.ok(refusal !== undefined);
	fleet.must('secret', 'add', 'openai', '--user', '--from', 'env:NOTHING', '--yes');
	const asks = await reported(fleet, 'run', '--agent', 'codex', 'x');
	assert.equal(asks.refusal?.code, 'needs-person', JSON.stringify(asks));
	assert.deepEqual(await reported(fleet, 'run', '--name', 'one', '--', 'sleep', '60'), {runs: ['one'], status: 0});
	assert.deepEqual(await reported(fleet, 'pause', '--all'), {runs: ['one'], status: 0});
	assert.deepEqual(await reported(fleet, 'list'), {status: 0});
	fleet.must('stop', 'one');
});

test('with --json a refusal is a document on stdout, whoever started the verb', t => {
	const fleet = new Fleet(t);
	for (const [code, argv, refusal] of [
		[2, ['show', 'nobody'], {code: null, because: 'there is no run "nobody"', hint: 'fleet list --all'}],
		[2, ['verify', 'nobody'], {code: null, because: 'there is no run "nobody"', hint: 'fleet list --all'}],
		[2, ['allow', 'one'], {code: null, because: "missing required argument 'scope'", hint: 'fleet allow --help'}],
	] as const) {
		const {code: status, stdout, stderr} = fleet.run([...argv, '--json']);
		assert.equal(status, code);
		assert.deepEqual(JSON.parse(stdout), {refusal});
		assert.equal(stderr, `fleet: ${refusal.because}\n  hint: ${refusal.hint}\n`);
		assert.equal(fleet.run([...argv]).stdout, '');
	}

	fleet.must('run', '--name', 'one', '--', 'true');
	const refused = fleet.run(['approve', 'one', '--json']);
	assert.equal(refused.code, 3, refused.stdout);
	assert.equal(typeof JSON.parse(refused.stdout).refusal.hint, 'string');
	// What stands after "--" is the agent's.
	assert.equal(fleet.run(['run', '--name', 'a/b', '--', 'echo', '--json']).stdout, '');
});

test('a verb that acts on a run prints the run with --json, as show does', async t => {
	const fleet = new Fleet(t);
	const started = JSON.parse(fleet.must('run', '--name', 'one', '--json', '--', 'sleep', '60')) as {id: string};
	assert.equal(started.id, 'one');
	await fleet.until('one', 'running');
	assert.deepEqual(
		(JSON.parse(fleet.must('pause', 'one', '--json')) as Array<{id: string; stage: string}>).map(
			({id, stage}) => `${id} ${stage}`,
		),
		['one frozen'],
	);
	assert.equal(fleet.json('continue', 'one')['stage'], 'running');
	assert.deepEqual(fleet.json('allow', 'one', 'network:example.org', '--because', 'a test')['scopes'], [
		'repo',
		'build',
		'network:example.org',
	]);
	assert.deepEqual(fleet.json('revoke', 'one', 'network:example.org')['scopes'], ['repo', 'build']);
	assert.deepEqual(fleet.json('budget', 'one', '5')['budget'], {dollars: 5});
	assert.equal(fleet.json('stop', 'one')['stage'], 'stopped');
	assert.equal(fleet.json('discard', 'one')['stage'], 'discarded');
	assert.deepEqual(Object.keys(fleet.json('restore', 'one')), Object.keys(fleet.json('show', 'one')));
});

test('what another version reports is as nothing', () => {
	assert.deepEqual(parseReport({refusal: {code: 'new', because: 'x', hint: 'y'}}), {});
	assert.deepEqual(parseReport('x'), {});
	assert.deepEqual(parseReport({runs: ['a'], more: 1}), {runs: ['a']});
});
