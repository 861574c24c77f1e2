import assert from 'node:assert/strict';
import {existsSync, mkdtempSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test, type TestContext} from 'node:test';
import {groupName} from '../../source/host/cgroup.ts';
import {processTree} from '../../source/host/processes.ts';
import {Fleet, until} from '../support/fleet.ts';

/* What changes about a run while it goes on: folders, freezing, the end. */

/** A folder outside of every scratch file system, where the sandbox's own root can have a place for it. */
function outside(t: TestContext): string {
	const folder = mkdtempSync('/var/tmp/fleet-given-');
	t.after(() => rmSync(folder, {recursive: true, force: true}));
	mkdirSync(path.join(folder, 'inner'), {mode: 0o755});
	writeFileSync(path.join(folder, 'inner', 'file'), 'granted\n', {mode: 0o644});
	process.getBuiltinModule('node:fs').chmodSync(folder, 0o755);
	return path.join(folder, 'inner');
}

/** A run that says every 50 ms what it sees of a folder. */
function watching(fleet: Fleet, folder: string): {last(): string; sees(what: RegExp): Promise<void>} {
	fleet.must(
		'run',
		'--name',
		'live',
		'--',
		'sh',
		'-c',
		`n=0; while :; do n=$((n+1)); w=$(touch ${folder}/new 2> /dev/null && echo writes || echo reads); ` +
			`echo "$n $(cat ${folder}/file 2>&1) $w"; sleep 0.05; done`,
	);
	const last = () => readFileSync(fleet.context().paths.run('live').output, 'utf8').trim().split(/\r?\n/).at(-1) ?? '';
	return {last, sees: what => until(() => what.test(last()), `the run sees ${what}`)};
}

test('a folder is given to a run that goes on, and taken back', async t => {
	const folder = outside(t);
	const fleet = new Fleet(t);
	const run = watching(fleet, folder);
	await run.sees(/No such file/);
	assert.match(fleet.must('allow', 'live', `files:${folder}`, '--because', 'test'), /effective now/);
	await run.sees(/granted reads/);
	assert.match(fleet.must('revoke', 'live', `files:${folder}`), /what is opened from now on is not there/);
	await run.sees(/No such file/);
	assert.ok(!existsSync(path.join(folder, 'new')));
	fleet.must('allow', 'live', `files:${folder}/file`, '--because', 'one file');
	await run.sees(/granted reads/);
	fleet.must('stop', 'live');
});

test('who stands in a folder that is taken back changes nothing there any more', async t => {
	const folder = outside(t);
	process.getBuiltinModule('node:fs').chmodSync(folder, 0o777);
	const fleet = new Fleet(t);
	fleet.start(
		'stands',
		`cd ${folder}; n=0; while :; do n=$((n+1)); touch "new$n" 2> /dev/null && echo writes || echo keeps off; sleep 0.05; done`,
		'--allow',
		`files:${folder}:rw`,
		'--because',
		'test',
	);
	const last = () =>
		readFileSync(fleet.context().paths.run('stands').output, 'utf8').trim().split(/\r?\n/).at(-1) ?? '';
	await until(() => last() === 'writes', 'it writes');
	assert.match(fleet.must('revoke', 'stands', `files:${folder}:rw`), /is not there\n {2}note: .* stands in it/);
	await until(() => last() === 'keeps off', 'it does not write any more');
	const written = readdirSync(folder).length;
	await new Promise(resolve => {
		setTimeout(resolve, 300);
	});
	assert.equal(readdirSync(folder).length, written);

	// Who has a file of it open for changing goes on; that is said.
	fleet.start(
		'holds',
		`cd ${folder}; exec 3> held; echo holds; sleep 60`,
		'--allow',
		`files:${folder}:rw`,
		'--because',
		'test',
	);
	await until(() => existsSync(path.join(folder, 'held')), 'it holds a file');
	assert.match(fleet.must('revoke', 'holds', `files:${folder}:rw`), /but it stays .* open for changing/);
});

test('a folder given for changing can be changed, and for a while only', async t => {
	const folder = outside(t);
	process.getBuiltinModule('node:fs').chmodSync(folder, 0o777);
	const fleet = new Fleet(t);
	const run = watching(fleet, folder);
	fleet.must('allow', 'live', `files:${folder}:rw`, '--because', 'test', '--for', '2s');
	await run.sees(/granted writes/);
	assert.ok(existsSync(path.join(folder, 'new')));
	assert.match(
		fleet.run(['allow', 'live', `files:${folder}`, '--because', 'test']).stderr,
		/granted already\n\s+hint: fleet revoke/,
	);
	await run.sees(/No such file/);
	assert.deepEqual(fleet.json('show', 'live')['grants'], []);
	fleet.must('stop', 'live');
});

test('a folder that was given before the start is taken back while the run goes on', async t => {
	const folder = outside(t);
	const fleet = new Fleet(t);
	fleet.must(
		'run',
		'--name',
		'live',
		'--allow',
		`files:${folder}`,
		'--because',
		'test',
		'--',
		'sh',
		'-c',
		`while :; do cat ${folder}/file; sleep 0.05; done`,
	);
	const last = () => readFileSync(fleet.context().paths.run('live').output, 'utf8').trim().split(/\r?\n/).at(-1) ?? '';
	await until(() => last() === 'granted', 'it is there from the start');
	fleet.must('revoke', 'live', `files:${folder}`);
	await until(() => /No such file/.test(last()), 'it is gone');
	fleet.must('stop', 'live');
});

test('below a folder that the agent can write nothing is mounted: it waits for the next start', async t => {
	const fleet = new Fleet(t);
	const folder = path.join(fleet.folder, 'beside');
	mkdirSync(folder);
	writeFileSync(path.join(folder, 'file'), 'granted\n');
	// The agent prepares a link where the mount would have to go: to its own worktree.
	fleet.must(
		'run',
		'--name',
		'live',
		'--',
		'sh',
		'-c',
		`ln -s "$PWD" ${folder}; mkdir -p /tmp/x; echo ready; sleep 60`,
	);
	await until(() => fleet.must('logs', 'live').includes('ready'), 'ready');
	assert.match(
		fleet.must('allow', 'live', `files:${folder}`, '--because', 'test'),
		/when the run is next started \(.*(?:mount of its own|symbolic)/,
	);
	fleet.must('stop', 'live');
	fleet.must('resume', 'live');
	fleet.must('stop', 'live');
});

test('a frozen run stands whole, reaches nothing, and goes on where it was', async t => {
	const fleet = new Fleet(t, {policy: 'verify: ["true"]\nnetwork: [host.fleet.internal:9]\n'});
	// A process that ignores what can be ignored, and one that stops itself: neither has a say.
	fleet.must(
		'run',
		'--name',
		'live',
		'--',
		'sh',
		'-c',
		'trap "" HUP INT TERM CONT TSTP; (while :; do date +%N; sleep 0.02; done) & kill -STOP $$',
	);
	const size = () => readFileSync(fleet.context().paths.run('live').output).length;
	await until(() => size() > 100, 'it writes');
	fleet.must('pause', 'live', '--because', 'looks wrong');
	assert.deepEqual((({stage, because}) => ({stage, because}))(fleet.json('show', 'live')), {
		stage: 'frozen',
		because: 'looks wrong',
	});
	const before = size();
	await new Promise(resolve => {
		setTimeout(resolve, 300);
	});
	assert.equal(size(), before);
	assert.match(fleet.run(['pause', 'live']).stderr, /paused already/);
	assert.equal(fleet.run(['verify', 'live']).code, 3);
	fleet.must('continue', 'live');
	await until(() => size() > before, 'it goes on');
	fleet.must('pause', 'live');
	fleet.must('stop', 'live');
	assert.equal(fleet.json('show', 'live')['stage'], 'stopped');
	assert.match(fleet.run(['pause', 'live']).stderr, /not running/);
});

test('a panic for all', async t => {
	const fleet = new Fleet(t);
	for (const name of ['one', 'two']) {
		fleet.must('run', '--name', name, '--', 'sleep', '60');
	}

	fleet.must('pause', '--all');
	assert.deepEqual(
		fleet.json<Array<{stage: string}>>('list').map(run => run.stage),
		['frozen', 'frozen'],
	);
	for (const name of ['one', 'two']) {
		fleet.must('stop', name);
	}
});

function isAlive(pid: number): boolean {
	try {
		return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
	} catch {
		return false;
	}
}

/** Everything that a run's life leaves on the machine. */
function leftovers(fleet: Fleet, pids: number[]): string[] {
	const {paths} = fleet.context();
	const places = paths.run('live');
	const groups: string[] = [];
	for (const hierarchy of existsSync('/sys/fs/cgroup') ? readdirSync('/sys/fs/cgroup') : []) {
		const find = (folder: string, depth: number) => {
			for (const name of depth > 3
				? []
				: readdirSync(folder, {withFileTypes: true})
						.filter(entry => entry.isDirectory())
						.map(entry => entry.name)) {
				if (name === groupName(places)) {
					groups.push(path.join(folder, name));
				} else {
					find(path.join(folder, name), depth + 1);
				}
			}
		};

		try {
			find(path.join('/sys/fs/cgroup', hierarchy), 0);
		} catch {
			// Not every entry is a folder, and a group may go while it is read.
		}
	}

	return [
		...pids.filter(pid => isAlive(pid)).map(pid => `process ${pid}`),
		...(existsSync(places.socket) ? ['socket'] : []),
		...readdirSync(places.folder).filter(
			name =>
				![
					'dotgit',
					'journal.jsonl',
					'lock.sqlite',
					'output.log',
					'private.git',
					'quarantine.git',
					'sandbox',
					'supervisor.log',
					'jail.git',
					'changes',
					'changes.json',
					'first-index',
					'home',
					'refs',
				].includes(name),
		),
		...groups,
		...readFileSync('/proc/self/mountinfo', 'utf8')
			.split('\n')
			.filter(line => line.includes(fleet.folder)),
	];
}

async function started(fleet: Fleet): Promise<{supervisor: number; pids: number[]}> {
	fleet.must(
		'run',
		'--name',
		'live',
		'--',
		'sh',
		'-c',
		'trap "" HUP INT TERM; (setsid sleep 300 &) ; echo ready; sleep 300',
	);
	await until(() => fleet.must('logs', 'live').includes('ready'), 'ready');
	const entries = readFileSync(fleet.context().paths.run('live').journal, 'utf8')
		.trim()
		.split('\n')
		.map(line => JSON.parse(line) as {type: string; pid: number});
	const supervisor = entries.findLast(entry => entry.type === 'run.started')!.pid;
	const pids = processTree(supervisor);
	assert.ok(pids.length >= 5, pids.join());
	return {supervisor, pids};
}

const endings: Record<string, (fleet: Fleet, started: {supervisor: number; pids: number[]}) => void> = {
	stop: fleet => {
		fleet.must('stop', 'live');
	},
	'the supervisor is killed': (_fleet, {supervisor}) => {
		process.kill(supervisor, 'SIGKILL');
	},
	'the supervisor is killed while the run is frozen': (fleet, {supervisor}) => {
		fleet.must('pause', 'live');
		process.kill(supervisor, 'SIGKILL');
	},
	'bubblewrap is killed': (_fleet, {pids}) => {
		for (const pid of pids.filter(
			pid => isAlive(pid) && readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'bwrap',
		)) {
			try {
				process.kill(pid, 'SIGKILL');
			} catch {
				// One that ended with another that was killed just now.
			}
		}
	},
};
for (const [title, end] of Object.entries(endings)) {
	test(`nothing is left after: ${title}`, async t => {
		const fleet = new Fleet(t);
		const life = await started(fleet);
		end(fleet, life);
		await until(() => {
			fleet.run(['list']);
			return leftovers(fleet, life.pids).length === 0;
		}, 'nothing is left').catch(() => {
			assert.deepEqual(leftovers(fleet, life.pids), []);
		});
		assert.match(fleet.json('show', 'live')['stage'], /stopped|crashed/);
		fleet.must('discard', 'live');
		const {paths} = fleet.context();
		assert.ok(!existsSync(paths.run('live').worktree));
		assert.deepEqual(readdirSync(path.join(paths.state, 'worktrees')), []);
		assert.equal(fleet.git('worktree', 'list').split('\n').length, 1);
	});
}

test('a fork bomb, a memory hog and a disk hog among others hurt only themselves', async t => {
	const fleet = new Fleet(t, {policy: 'verify: ["true"]\nlimits:\n  processes: 60\n  memory: 256MiB\n  disk: 64MiB\n'});
	fleet.must('run', '--name', 'bomb', '--', 'perl', '-e', 'while (1) { fork; select(undef, undef, undef, 0.05) }');
	fleet.must('run', '--name', 'hog', '--', 'perl', '-e', 'my @x; while (1) { push @x, "a" x (8 * 1024 * 1024) }');
	fleet.must('run', '--name', 'disk', '--', 'sh', '-c', 'head -c 200000000 /dev/zero > big; echo "wrote $?"');
	for (const name of ['one', 'two', 'three']) {
		fleet.must(
			'run',
			'--name',
			name,
			'--',
			'sh',
			'-c',
			'n=0; for i in 1 2 3 4 5 6 7 8 9 10; do n=$(expr $n + $i); done; echo "sum $n"',
		);
	}

	for (const name of ['one', 'two', 'three']) {
		await fleet.until(name, 'stopped');
		assert.match(fleet.must('logs', name), /sum 55/);
	}

	await fleet.until('hog', 'stopped');
	assert.notEqual(fleet.json('show', 'hog')['exit']['code'], 0);
	await fleet.until('disk', 'stopped');
	assert.doesNotMatch(fleet.must('logs', 'disk'), /wrote 0/);
	assert.equal(fleet.stage('bomb'), 'running');
	fleet.must('stop', 'bomb');
	assert.match(fleet.json('show', 'bomb')['notes'].join('\n'), /60 processes/);
});
