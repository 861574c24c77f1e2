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
	assert.deepEqual(await reported(fleet, 'freeze', '--all'), {runs: ['one'], status: 0});
	assert.deepEqual(await reported(fleet, 'list'), {status: 0});
	fleet.must('stop', 'one');
});

test('what another version reports is as nothing', () => {
	assert.deepEqual(parseReport({refusal: {code: 'new', because: 'x', hint: 'y'}}), {});
	assert.deepEqual(parseReport('x'), {});
	assert.deepEqual(parseReport({runs: ['a'], more: 1}), {runs: ['a']});
});
