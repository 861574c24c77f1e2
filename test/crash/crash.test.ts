import assert from 'node:assert/strict';
import {spawn, type ChildProcess} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test, type TestContext} from 'node:test';
import {createRun} from '../../source/engine/run/create.ts';
import {findProject} from '../../source/engine/project/projects.ts';
import {Fleet, until} from '../support/fleet.ts';

/* Whatever dies, and whenever: the journal can be read, the run says what happened, and the next verb works. */

const worker = path.join(import.meta.dirname, 'worker.ts');
const node = [process.execPath, '--disable-warning=ExperimentalWarning', '--import', 'tsx'];

function work(fleet: Fleet, ...argv: string[]): ChildProcess {
	return spawn(node[0]!, [...node.slice(1), worker, ...argv], {
		cwd: path.resolve(import.meta.dirname, '../..'),
		env: fleet.env,
		stdio: ['ignore', 'ignore', 'pipe'],
	});
}

async function killed(child: ChildProcess): Promise<void> {
	const signal = await new Promise(resolve => {
		child.once('exit', (_code, signal) => resolve(signal));
	});
	assert.equal(signal, 'SIGKILL', 'it was to die there');
}

function journalStatus(fleet: Fleet, name: string): string {
	return (JSON.parse(fleet.run(['journal', 'verify', name, '--json']).stdout) as Array<{status: string}>)[0]!.status;
}

/** Processes of a sandbox that belong to this run. */
function left(name: string): string[] {
	return readdirSync('/proc')
		.filter(pid => /^\d+$/.test(pid))
		.filter(pid => {
			try {
				return (
					readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`FLEET_RUN=${name}\0`) &&
					!readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
				);
			} catch {
				return false;
			}
		});
}

async function newRun(t: TestContext, script: string, policy?: string): Promise<Fleet> {
	const fleet = new Fleet(t, policy === undefined ? {} : {policy});
	const context = fleet.context();
	await createRun(context, {
		project: await findProject(context, undefined, fleet.project),
		agent: 'command',
		argv: ['sh', '-c', script],
		name: 'crash',
		allow: [],
		because: '',
	});
	return fleet;
}

const get = (url: string) =>
	`env -u NODE_USE_ENV_PROXY node -e 'require("node:http").get({host: "127.0.0.1", port: 3128, ` +
	`path: "${url}"}, () => process.exit())'`;
const agent =
	`while true; do ${get('http://denied.invalid/')}; ${get('http://fleet.internal/deploy/x')}; ` +
	`${get('http://127.0.0.1:1/')}; sleep 0.2; done`;

/** What brings each record about, while the supervisor runs. */
const records: Array<[type: string, bringAbout?: (fleet: Fleet) => void, script?: string]> = [
	['run.started'],
	['egress.denied'],
	['gate.refused'],
	['scope.granted', fleet => fleet.run(['allow', 'crash', 'network:a.test', '--because', 'x'])],
	[
		'scope.revoked',
		fleet => {
			fleet.run(['allow', 'crash', 'network:a.test', '--because', 'x']);
			fleet.run(['revoke', 'crash', 'network:a.test']);
		},
	],
	['scope.expired', fleet => fleet.run(['allow', 'crash', 'network:a.test', '--because', 'x', '--for', '1s'])],
	['audit.finished', fleet => fleet.run(['audit', 'crash'])],
	['run.exited', undefined, 'echo x > x.txt'],
];

for (const tail of ['whole', 'torn']) {
	for (const [type, bringAbout, script] of records) {
		test(`a supervisor that dies at ${type}, the line after it ${tail === 'torn' ? 'torn' : 'not begun'}`, async t => {
			const fleet = await newRun(t, script ?? agent);
			const child = work(fleet, 'crash', 'supervise', type, tail);
			const dead = killed(child);
			if (bringAbout) {
				await until(() => fleet.stage('crash') === 'running', 'it runs');
				// The answer never comes: the supervisor is killed while it is given.
				bringAbout(fleet);
			}

			await dead;
			assert.equal(journalStatus(fleet, 'crash'), tail === 'torn' ? 'torn' : 'whole');
			const run = fleet.json('show', 'crash');
			assert.equal(run['stage'], type === 'run.exited' ? 'stopped' : 'crashed');
			assert.match(run['because'], type === 'run.exited' ? /finished/ : /supervisor ended unexpectedly/);
			await until(() => left('crash').length === 0, 'its sandbox is gone');

			// The next attempt writes down what happened, and goes on.
			fleet.must('resume', 'crash');
			const types = (JSON.parse(fleet.must('journal', 'crash', '--json')) as Array<{type: string}>).map(
				entry => entry.type,
			);
			assert.equal(types.includes('run.crashed'), type !== 'run.exited');
			assert.equal(journalStatus(fleet, 'crash'), 'whole');
			fleet.run(['stop', 'crash']);
		});
	}
}

test('a supervisor that dies before its first record', async t => {
	const fleet = await newRun(t, 'true');
	assert.equal(fleet.stage('crash'), 'crashed');
	assert.match(fleet.json('show', 'crash')['because'], /before the agent started/);
	fleet.must('resume', 'crash');
	await fleet.until('crash', 'stopped');
});

const policy = 'verify:\n  - test -f x.txt\ndeploy:\n  shelf:\n    command: cp x.txt ../shelf.txt\n';
const gates: Array<[work: string, type: string, before: string[], stage: string, after: string[]]> = [
	['verify', 'run.captured', [], 'captured', ['verify', 'approve', 'merge']],
	['verify', 'verify.started', [], 'crashed', ['verify', 'approve', 'merge']],
	['verify', 'verify.finished', [], 'verified', ['approve', 'merge']],
	['approve', 'review.approved', ['verify'], 'approved', ['merge']],
	['merge', 'merge.started', ['verify', 'approve'], 'crashed', []],
	['merge', 'merge.finished', ['verify', 'approve'], 'merged', []],
	['deploy', 'deploy.started', ['verify', 'approve', 'merge'], 'deploy-unknown', []],
	['deploy', 'deploy.finished', ['verify', 'approve', 'merge'], 'deployed', []],
	['discard', 'run.discarded', [], 'discarded', ['restore']],
];

for (const [verb, type, before, stage, after] of gates) {
	test(`${verb} that dies at ${type}`, async t => {
		const fleet = await newRun(t, 'echo x > x.txt', policy);
		fleet.must('resume', 'crash');
		await fleet.until('crash', 'stopped');
		for (const step of before) {
			fleet.must(step, 'crash', ...(step === 'approve' ? ['--because', 'read it'] : []));
		}

		const main = fleet.git('rev-parse', 'main');
		await killed(work(fleet, 'crash', verb, type));
		assert.equal(journalStatus(fleet, 'crash'), 'whole');
		assert.equal(fleet.stage('crash'), stage);
		if (type === 'merge.started') {
			assert.equal(fleet.git('rev-parse', 'main'), main, 'intent is on disk before the act');
		}

		if (type === 'deploy.started') {
			assert.equal(
				fleet.json('show', 'crash')['deployments'][0].outcome,
				'unknown',
				'a deploy that was interrupted is never called anything else',
			);
		}

		for (const step of after) {
			fleet.must(step, 'crash', ...(step === 'approve' ? ['--because', 'read it'] : []));
		}

		assert.ok(existsSync(path.join(fleet.json('show', 'crash')['worktree'], 'x.txt')), 'the work is where it was');
	});
}

test('a merge that dies once its target has moved is finished by the next one, checkout and journal', async t => {
	const fleet = await newRun(t, 'echo x > x.txt; echo more >> a.txt', policy);
	fleet.must('resume', 'crash');
	await fleet.until('crash', 'stopped');
	fleet.must('verify', 'crash');
	fleet.must('approve', 'crash', '--because', 'read it');
	const bin = path.join(fleet.folder, 'bin');
	mkdirSync(bin);
	writeFileSync(
		path.join(bin, 'git'),
		'#!/bin/sh\ncase "$*" in\n*"fleet: merge run"*) /usr/bin/git "$@"; kill -9 $PPID; exit 0 ;;\nesac\nexec /usr/bin/git "$@"\n',
		{mode: 0o755},
	);
	const before = fleet.git('rev-parse', 'main');
	fleet.run(['merge', 'crash'], {env: {PATH: `${bin}:${fleet.env['PATH']}`}});
	assert.notEqual(fleet.git('rev-parse', 'main'), before, 'the target moved');
	assert.equal(fleet.stage('crash'), 'crashed');
	assert.notEqual(fleet.git('status', '--porcelain'), '', 'and its checkout did not follow');
	assert.match(fleet.must('merge', 'crash'), /merged into main as [0-9a-f]{10}; local checkout updated/);
	assert.equal(fleet.git('status', '--porcelain'), '');
	assert.equal(fleet.stage('crash'), 'merged');
	assert.equal(journalStatus(fleet, 'crash'), 'whole');
	assert.equal(fleet.run(['merge', 'crash']).code, 3, 'it is merged already');
});
