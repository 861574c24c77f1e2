import assert from 'node:assert/strict';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {ThrowawayProject} from '../../source/attacks/project.ts';
import {jail} from '../../source/engine/sandbox/jail.ts';
import {diskUse} from '../../source/engine/sandbox/limits.ts';
import {closeInheritedLate} from '../support/descriptors.ts';
import {attackContext} from '../support/attack.ts';
import {Fleet, until} from '../support/fleet.ts';

test('what a run closed is counted, and read by nothing else', async () => {
	closeInheritedLate();
	const project = await ThrowawayProject.make(attackContext());
	try {
		const {run} = await project.agent('true');
		const places = project.context.paths.run(run.id);
		const what = {folders: [places.worktree], signal: new AbortController().signal};
		const count = async () => (await diskUse(project.context, places, what))!;
		const before = await count();
		await project.again(
			run,
			'mkdir closed; for n in $(seq 300); do echo x > closed/$n; done; head -c 3000000 /dev/zero > closed/big; ' +
				'chmod 0 closed',
		);
		assert.ok(existsSync(path.join(places.worktree, 'closed')));
		const after = await count();
		assert.equal(after.files - before.files, 302);
		assert.ok(after.bytes - before.bytes > 3_000_000, String(after.bytes - before.bytes));
		// A jail that does more than count has no such right.
		const {stdout} = await jail(project.context, {
			runId: run.id,
			places,
			script: 'find "$1/closed" 2> /dev/null | wc -l; grep CapEff /proc/self/status',
			argv: [places.worktree],
			mounts: [{source: places.worktree, target: places.worktree, mode: 'read'}],
		});
		assert.match(stdout, /^1\nCapEff:\t0+\n$/);
	} finally {
		project.close();
	}
});

type Shown = {stage: string; because: string; limits: Array<{limit: string; because: string}>; notes: string[]};

/** Whether a control group counts a run's memory here. */
function countsMemory(fleet: Fleet, name: string): boolean {
	return fleet.json<Shown>('show', name).notes.some(note => /by control group: .*memory \d/.test(note));
}

const endless = 'perl -e \'my @x; push @x, "a" x 1048576 while 1\'';

test('what hit a limit stands on the row of a run, and is named with its setting', async t => {
	const fleet = new Fleet(t);
	const limits = 'tmp: 16MiB, shm: 16MiB, file: 64MiB, processes: 60';
	const cases: Array<[name: string, script: string, hits: readonly string[], because: RegExp]> = [
		[
			'tmp',
			'head -c 40000000 /dev/zero > /tmp/big || { sleep 2; exit 1; }',
			['tmp'],
			/^exit 1; its \/tmp was full, 16 MiB \(limits: tmp\)$/,
		],
		[
			'shm',
			'head -c 40000000 /dev/zero > /dev/shm/big || { sleep 2; exit 1; }',
			['shm'],
			/its \/dev\/shm was full, 16 MiB \(limits: shm\)$/,
		],
		// In HOME, which is on disk and has no size of its own.
		['file', 'head -c 90000000 /dev/zero > ~/big', ['file'], /a file of it reached 64 MiB \(limits: file\)$/],
		['memory', endless, ['memory'], /out of memory, 256 MiB in all: .* \(limits: memory\)$/],
		[
			'processes',
			"perl -e 'for (1 .. 90) { my $child = fork; exit(sleep(2) * 0 + 1) if !defined $child; exit sleep(4) if !$child }'",
			['processes'],
			/it had 60 processes and could start no more \(limits: processes\)$/,
		],
		['none', 'head -c 1000000 /dev/zero > /tmp/small; exit 3', [], /^exit 3$/],
	];
	for (const [name, script, hits, because] of cases) {
		// Where no group counts it, so little is what other programs of the machine share among themselves.
		fleet.settings(`limits: {${limits}${name === 'memory' ? ', memory: 256MiB' : ''}}\n`);
		await fleet.agent(name, script);
		if (name === 'memory' && !countsMemory(fleet, name)) {
			// Each process is limited by itself then, and all of them are looked at from time to time.
			assert.notEqual(fleet.json<Shown>('show', name).because, 'finished');
			continue;
		}

		const run = fleet.json<Shown>('show', name);
		assert.deepEqual(
			run.limits.map(({limit}) => limit),
			hits,
			JSON.stringify(run),
		);
		assert.match(run.because, because);
	}

	assert.match(fleet.must('show', 'tmp'), /^limit +its \/tmp was full, 16 MiB \(limits: tmp\)$/m);
	assert.match(fleet.must('list', '--all'), /its \/tmp was full/);
});

test('a run at work that filled its /tmp says so while it goes on, and no more in its next attempt', async t => {
	const fleet = new Fleet(t);
	fleet.settings('limits: {tmp: 16MiB}\n');
	fleet.start('full', 'if [ -e again ]; then exit 0; fi; touch again; head -c 40000000 /dev/zero > /tmp/x; sleep 60');
	await until(() => fleet.json<Shown>('show', 'full').limits.length > 0, 'it is told of');
	assert.match(fleet.must('list'), /running .*its \/tmp was full, 16 MiB \(limits: tmp\)/);
	fleet.must('stop', 'full');
	fleet.must('resume', 'full');
	await fleet.until('full', 'stopped');
	const {limits, because} = fleet.json<Shown>('show', 'full');
	assert.deepEqual([limits, because], [[], 'finished']);
});

test('a person widens limits, and a policy does not', async t => {
	const fleet = new Fleet(t, {policy: 'verify: ["true"]\nlimits: {tmp: 900GiB, memory: 900GiB}\n'});
	fleet.settings('limits: {tmp: 3GiB, hours: 30}\n');
	assert.match(await fleet.agent('wide', 'df -B1 --output=size /tmp | tail -n 1'), /^ *3221225472\r?$/m);
	assert.ok(fleet.json<Shown>('show', 'wide').notes.some(note => note.endsWith('ends after 30 hours')));
});

test('a verification that met a limit is inconclusive, and says which', async t => {
	const commands = ['head -c 40000000 /dev/zero > /tmp/big || { sleep 2; exit 1; }', endless];
	const expected = [
		/ended with exit code 1: its \/tmp was full, 16 MiB \(limits: tmp\)$/,
		/it ran out of memory, 256 MiB in all: the kernel ended a process of it \(limits: memory\)$/,
	];
	const fleet = new Fleet(t);
	await fleet.agent('v', 'echo two >> a.txt');
	fleet.settings('limits: {tmp: 16MiB}\n');
	for (const [at, because] of expected.entries()) {
		if (at === 1 && !countsMemory(fleet, 'v')) {
			continue;
		}

		fleet.settings(`limits: {tmp: 16MiB${at === 1 ? ', memory: 256MiB' : ''}}\n`);
		writeFileSync(path.join(fleet.project, '.fleet/policy.yaml'), `verify: ${JSON.stringify([commands[at]])}\n`);
		fleet.git('commit', '--quiet', '--all', '--message=policy');
		const {code, stdout} = fleet.run(['verify', 'v', '--json']);
		const found = JSON.parse(stdout) as {doubt: string; because: string};
		assert.deepEqual([code, found.doubt], [4, 'limit'], stdout);
		assert.match(found.because, because);
	}

	const {stderr} = fleet.run(['approve', 'v']);
	assert.match(stderr, /hint: raise it under limits in settings.yaml, then: fleet verify v/);
});

test('HOME is on disk and kept from attempt to attempt, and goes with what programs closed in it', async t => {
	const fleet = new Fleet(t, {
		policy: 'verify:\n  - test -w ~ && test -z "$(ls -A ~)" && mkdir -p ~/a/b && chmod 0500 ~/a\n',
	});
	const script =
		'if [ -e ~/cache ]; then cat ~/cache/kept; exit; fi; mkdir ~/cache && echo kept > ~/cache/kept && chmod 0500 ~/cache; ' +
		'echo x > x.txt; stat -f -c %T ~';
	const first = await fleet.agent('h', script);
	assert.doesNotMatch(first, /tmpfs/);
	fleet.must('resume', 'h');
	await fleet.until('h', 'stopped');
	assert.match(fleet.must('logs', 'h'), /kept/);
	const {home, folder} = fleet.context().paths.run('h');
	assert.equal(readFileSync(path.join(home, 'cache', 'kept'), 'utf8'), 'kept\n');
	// What an attempt left is not there for a verification.
	fleet.must('verify', 'h');
	assert.ok(!existsSync(path.join(folder, 'verify')));
	fleet.must('discard', 'h', '--because', 'over');
	fleet.must('clean', 'h');
	assert.ok(!existsSync(home));
});

test('sanitizers reserve terabytes, and run where a control group counts memory', async t => {
	const fleet = new Fleet(t);
	const output = await fleet.agent(
		'asan',
		`perl -e 'use strict; my $n = (POSIX::uname())[4] eq "aarch64" ? 222 : 9; use POSIX; ` +
			`my $at = syscall($n, 0, 15 << 40, 3, 0x4022, -1, 0); print $at == -1 ? "refused: $!" : "reserved"'`,
	);
	assert.match(output, countsMemory(fleet, 'asan') ? /reserved/ : /refused/);
});
