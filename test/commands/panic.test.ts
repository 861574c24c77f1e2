import assert from 'node:assert/strict';
import {spawn, spawnSync} from 'node:child_process';
import {chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {Fleet, program, root, until} from '../support/fleet.ts';

/* A run that took all that the account has of something lets no program of Node's start: two verbs do without. */

test('where Node cannot start, runs are frozen and stopped all the same', async t => {
	const fleet = new Fleet(t);
	const broken = path.join(fleet.folder, 'broken');
	mkdirSync(broken);
	// As Node ends where the kernel gives its event loop nothing.
	writeFileSync(path.join(broken, 'node'), '#!/bin/sh\nkill -s ABRT $$\n');
	chmodSync(path.join(broken, 'node'), 0o755);
	// A checkout has a Node of its own; a package has the one on PATH.
	const installed = path.join(fleet.folder, 'installed', 'dist');
	cpSync(path.join(root, 'dist'), installed, {recursive: true});
	const verb = (...argv: string[]) =>
		spawnSync(path.join(installed, 'fleet'), argv, {
			env: {...process.env, PATH: `${broken}:${process.env['PATH']}`},
			encoding: 'utf8',
		});
	// Named so that no other test's run is meant.
	const names = ['panic-a1', 'panic-a12', 'panic-b'].map(name => `${name}-${process.pid}`);
	for (const name of names) {
		fleet.must('run', '--name', name, '--', 'sleep', '300');
	}

	const [first, , third] = names as [string, string, string];
	assert.notEqual(verb('list').status, 0, 'only two verbs do without');
	const frozen = verb('pause', third.slice(0, 7), '--because', 'x');
	assert.match(frozen.stdout, /told to pause, by a signal since Node cannot start: panic-b/, frozen.stderr);
	await until(() => fleet.stage(third) === 'frozen', 'it is frozen', 90_000);
	assert.equal(verb('stop', 'panic-a').status, 2, 'the beginning of two');
	assert.match(verb('stop', 'no-such-run').stderr, /no supervisor.*\n\s+hint: /);
	assert.equal(verb('stop').status, 2);
	assert.equal(verb('stop', first).status, 0);
	assert.equal(verb('stop', third).status, 0);
	await until(() => fleet.stage(first) === 'stopped' && fleet.stage(third) === 'stopped', 'they are stopped', 90_000);
	assert.equal(fleet.stage(names[1]!), 'running');
	// With a Node that works, the same program is fleet.
	const own = spawnSync(path.join(root, 'dist', 'fleet'), ['stop', names[1]!], {
		env: {...process.env, ...fleet.env},
		encoding: 'utf8',
	});
	assert.match(own.stdout, /stopped; its work is kept/, own.stderr);
	assert.equal(
		spawnSync(path.join(root, 'dist', 'fleet'), ['stop', names[1]!], {
			env: {...process.env, ...fleet.env},
			encoding: 'utf8',
		}).status,
		2,
		'its own exit codes are kept',
	);
});

/** The supervisor of a run, as soon as it says so in its title. */
function supervisorOf(run: string): number | undefined {
	return readdirSync('/proc')
		.filter(name => /^\d+$/.test(name))
		.map(Number)
		.find(pid => {
			try {
				return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0]!.trim() === `fleet-supervisor ${run}`;
			} catch {
				return false;
			}
		});
}

test('a supervisor that is only just starting takes a signal, and does not die of it', async t => {
	const fleet = new Fleet(t);
	for (const [signal, stage] of [
		['SIGUSR2', 'frozen'],
		['SIGTERM', 'stopped'],
	] as const) {
		const name = `early-${signal.slice(3).toLowerCase()}-${process.pid}`;
		const starting = spawn(process.execPath, [program, 'run', '--name', name, '--', 'sleep', '300'], {
			cwd: fleet.project,
			env: fleet.env,
			stdio: 'ignore',
		});
		let pid: number | undefined;
		for (const end = Date.now() + 60_000; pid === undefined && Date.now() < end; pid = supervisorOf(name)) {
			await new Promise(resolve => {
				setImmediate(resolve);
			});
		}

		assert.ok(pid !== undefined, 'its supervisor is there');
		process.kill(pid, signal);
		await until(() => starting.exitCode !== null, 'fleet run ends', 60_000);
		assert.equal(starting.exitCode, 0, signal);
		await until(() => fleet.stage(name) === stage, `it is ${stage}, it is ${fleet.stage(name)}`, 60_000);
	}
});

test('a supervisor that does not answer keeps nobody from ending its run', async t => {
	const fleet = new Fleet(t);
	const name = `panic-hung-${process.pid}`;
	fleet.must('run', '--name', name, '--', 'sleep', '300');
	await until(() => supervisorOf(name) !== undefined, 'its supervisor says so');
	const other = `panic-well-${process.pid}`;
	fleet.must('run', '--name', other, '--', 'sleep', '300');
	process.kill(supervisorOf(name)!, 'SIGSTOP');
	const frozen = fleet.run(['pause', '--all']);
	assert.match(frozen.stderr, new RegExp(`the supervisor of ${name} does not answer\\n {2}hint: fleet stop ${name}`));
	assert.deepEqual([frozen.code, fleet.stage(other)], [3, 'frozen']);
	fleet.must('stop', other);
	assert.match(fleet.must('stop', name), /was ended with its supervisor, which did not answer; its work is kept/);
	assert.equal(supervisorOf(name), undefined);
	assert.equal(fleet.stage(name), 'crashed');
	assert.match(fleet.must('journal', 'verify', name), /whole/);
});
