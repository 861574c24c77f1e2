import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, readdirSync, readlinkSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import {allWatches} from '../../source/host/held-watches.ts';

test('counts what an event loop waits for', async t => {
	const program = [
		'import os, select, sys',
		'loop = select.epoll()',
		'for _ in range(70):',
		'    loop.register(os.pipe()[0])',
		'print("ready", flush=True)',
		'sys.stdin.read()',
	].join('\n');
	const child = spawn('python3', ['-c', program], {stdio: ['pipe', 'pipe', 'inherit']});
	t.after(() => child.kill());
	await once(child.stdout, 'data');
	const folder = `/proc/${child.pid}`;
	const loops = readdirSync(`${folder}/fd`).filter(
		fd => readlinkSync(`${folder}/fd/${fd}`) === 'anon_inode:[eventpoll]',
	);
	assert.equal(
		await allWatches(
			loops.map(fd => `${folder}/fdinfo/${fd}`),
			1000,
		),
		70,
	);
});

test('an answer that comes late on a busy machine is not taken for a very large event loop', async t => {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-watches-'));
	t.after(() => rmSync(folder, {recursive: true}));
	const pipe = path.join(folder, 'info');
	execFileSync('mkfifo', [pipe]);
	// It is opened at once and says nothing for four seconds, in which nobody needs the processor.
	const late = spawn('sh', ['-c', 'exec > "$0"; sleep 4; printf "tfd: 1\\ntfd: 2\\n"', pipe]);
	t.after(() => late.kill());
	assert.equal(await allWatches([pipe], 1000), 2);
});
