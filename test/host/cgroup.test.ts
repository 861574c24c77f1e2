import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {continueProcesses, measureTree, processTree, stopTree} from '../../source/host/processes.ts';
import {findPlaces, groupName, openCgroup} from '../../source/host/cgroup.ts';
import {findPaths} from '../../source/host/paths.ts';
import {until} from '../support/fleet.ts';

test('the groups of a process, from what the kernel writes', () => {
	const mounts = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n';
	assert.deepEqual(findPlaces('0::/user.slice/user-1000.slice/user@1000.service/app.slice/tmux.scope\n', mounts), [
		{
			version: 2,
			controllers: [],
			folder: '/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/tmux.scope',
		},
	]);
	const old =
		'33 32 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n' +
		'34 32 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n' +
		'35 32 0:31 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n';
	assert.deepEqual(findPlaces('9:name=systemd:/\n4:memory:/box\n3:cpu,cpuacct:/\n', old), [
		{version: 1, controllers: ['memory'], folder: '/sys/fs/cgroup/memory/box'},
		{version: 1, controllers: ['cpu', 'cpuacct'], folder: '/sys/fs/cgroup/cpu,cpuacct'},
	]);
	// A container sees only its own part of the tree.
	assert.deepEqual(
		findPlaces('0::/docker/abc/run\n', '30 23 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n')[0]!.folder,
		'/sys/fs/cgroup/run',
	);
	assert.deepEqual(findPlaces('', ''), []);
});

function ticking() {
	const child = spawn('/bin/sh', ['-c', '(while :; do echo x; sleep 0.01; done) & wait'], {
		stdio: ['ignore', 'pipe', 'ignore'],
		detached: true,
	});
	let count = 0;
	child.stdout.on('data', () => count++);
	return {
		pid: child.pid!,
		count: () => count,
		end() {
			process.kill(-child.pid!, 'SIGKILL');
		},
	};
}

const stands = async (count: () => number) => {
	const before = count();
	await new Promise(resolve => {
		setTimeout(resolve, 200);
	});
	return count() <= before + 1;
};

test('a tree of processes stands, and goes on', async () => {
	const tree = ticking();
	try {
		await until(() => tree.count() > 3 && processTree(tree.pid).length >= 2, 'it ticks');
		assert.ok(measureTree(tree.pid).memory > 100_000);
		const [first] = processTree(tree.pid);
		process.kill(first!, 'SIGSTOP');
		await until(() => /T \(stopped\)/.test(readFileSync(`/proc/${first}/status`, 'utf8')), 'one stands by itself');
		const {stopped, whole} = stopTree(tree.pid);
		assert.ok(whole);
		assert.ok(!stopped.includes(first!), 'who stood before is not continued after');
		assert.ok(await stands(tree.count));
		continueProcesses(stopped);
		const before = tree.count();
		await until(() => tree.count() > before + 3, 'it goes on');
	} finally {
		tree.end();
	}
});

test('a group limits, freezes, and goes', async t => {
	const group = openCgroup(`test-${process.pid}`, {memory: 64 * 1024 ** 2, processes: 20, weight: 50});
	if (!group) {
		// Said in words wherever a run's limits are shown; what stands in for it is tested above.
		t.diagnostic('no control group is writable here');
		return;
	}

	const tree = ticking();
	try {
		for (const file of group.joins) {
			for (const pid of processTree(tree.pid)) {
				try {
					writeFileSync(file, String(pid));
				} catch {
					// It has ended since; what it leaves behind is looked at in its turn.
				}
			}
		}

		await until(() => tree.count() > 3, 'it ticks');
		if (group.freeze(true)) {
			assert.ok(await stands(tree.count));
			group.freeze(false);
			const before = tree.count();
			await until(() => tree.count() > before + 3, 'it goes on');
		}

		if (group.limits.some(text => text.startsWith('memory'))) {
			assert.ok(group.memory()! > 0);
			const script =
				`${group.joins.map(file => `echo $$ > ${file}`).join('; ')}; exec perl -e '$x = "a" x (200 * 1024 * 1024); ` +
				"print length($x)'";
			const hog = spawn('/bin/sh', ['-c', script], {stdio: ['ignore', 'pipe', 'ignore']});
			let output = '';
			hog.stdout.on('data', data => {
				output += String(data);
			});
			const signal = await new Promise(resolve => {
				hog.once('exit', (_code, signal) => resolve(signal));
			});
			assert.equal(signal, 'SIGKILL', output);
		}
	} finally {
		tree.end();
		await until(() => {
			group.remove();
			return group.joins.every(file => !existsSync(file));
		}, 'the group is gone');
	}

	assert.ok(readFileSync('/proc/self/cgroup', 'utf8').length > 0);
});

test('two fleets have groups of their own, though their runs have the same name', () => {
	const group = (home: string) => groupName(findPaths({HOME: home, FLEET_HOME: home}).run('one'));
	const [one, two] = [
		mkdtempSync(path.join(os.tmpdir(), 'fleet-group-')),
		mkdtempSync(path.join(os.tmpdir(), 'fleet-group-')),
	];
	assert.notEqual(group(one), group(two));
	assert.equal(group(one), group(one));
	for (const folder of [one, two]) {
		rmSync(folder, {recursive: true});
	}
});
