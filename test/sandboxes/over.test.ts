import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {openBox, type Box} from '../support/sandbox.ts';

/* A folder that is laid over another one: what is in either is seen, what is written is in the upper one alone. */

const isRoot = process.getuid?.() === 0;
/** A user whose files no sandbox's own are. */
const owner = 210_000_777;

async function layered(mode: 'write' | 'read' = 'write'): Promise<Box & {readonly lower: string}> {
	let lower = '';
	const box = await openBox({
		plan(plan, folder) {
			lower = path.join(folder, 'lower');
			const work = path.join(folder, 'kernel');
			mkdirSync(path.join(lower, 'node_modules', 'a'), {recursive: true});
			mkdirSync(path.join(lower, 'node_modules', 'old'));
			mkdirSync(work);
			writeFileSync(path.join(lower, 'node_modules', 'a', 'index.js'), 'one\n');
			writeFileSync(path.join(lower, 'node_modules', 'old', 'index.js'), 'old\n');
			chmodSync(path.join(lower, 'node_modules', 'a', 'index.js'), 0o600);
			if (isRoot) {
				execFileSync('chown', ['-R', `${owner}:${owner}`, lower]);
				chownSync(work, plan.dropUid, plan.dropUid);
			}

			const over = {folder: lower, work, owner: isRoot ? owner : undefined};
			return {
				...plan,
				mounts: plan.mounts.map(mount => (mount.target === plan.cwd ? {...mount, mode, over} : mount)),
			};
		},
	});
	return Object.assign(box, {lower});
}

for (const network of [true, false]) {
	test(`a run changes, removes and adds what a lower folder holds, and that stays as it was: ${network ? 'with' : 'without'} a proxy`, async () => {
		const box = await layered();
		const {output, code} = await box.run(
			'set -e; cat node_modules/a/index.js; echo two > node_modules/a/index.js; cat node_modules/a/index.js; ' +
				'rm -r node_modules/old; mkdir node_modules/new; echo n > node_modules/new/f; mv node_modules/a node_modules/b; ' +
				'ls node_modules; cat node_modules/b/index.js; echo t > tracked; [ -O node_modules/b/index.js ]',
			{network},
		);
		assert.deepEqual([output, code], ['one\ntwo\nb\nnew\ntwo', 0]);
		assert.equal(readFileSync(path.join(box.lower, 'node_modules', 'a', 'index.js'), 'utf8'), 'one\n');
		assert.ok(existsSync(path.join(box.lower, 'node_modules', 'old', 'index.js')));
		assert.equal(readFileSync(path.join(box.work, 'tracked'), 'utf8'), 't\n');
		assert.equal(readFileSync(path.join(box.work, 'node_modules', 'new', 'f'), 'utf8'), 'n\n');
		assert.ok(lstatSync(path.join(box.work, 'node_modules', 'old')).isCharacterDevice(), 'what was removed is marked');
		assert.deepEqual((await box.run('ls node_modules; cat node_modules/b/index.js', {network})).output, 'b\nnew\ntwo');
		await box.close();
	});
}

test('what is only looked at is seen as the run sees it, and nothing of it can be written', async () => {
	const box = await layered('read');
	const {output} = await box.run('cat node_modules/a/index.js; echo x > node_modules/a/index.js || echo no', {
		network: false,
	});
	assert.match(output, /^one\n/);
	assert.match(output, /Read-only file system/);
	assert.match(output, /^no$/m);
	await box.close();
});

test('a run cannot make a file of the lower folder run as somebody else, nor reach what its links lead to', async () => {
	const box = await layered();
	execFileSync('ln', ['-s', path.join(box.folder, 'secret'), path.join(box.lower, 'link')]);
	writeFileSync(path.join(box.folder, 'secret'), 'canary', {mode: 0o644});
	chmodSync(path.join(box.lower, 'node_modules', 'old', 'index.js'), 0o4755);
	const {output} = await box.run('cat link; stat -f -c %T .; grep " $PWD " /proc/self/mountinfo');
	assert.doesNotMatch(output, /canary/);
	assert.match(output, /overlayfs/);
	assert.match(output, /nosuid/);
	await box.close();
});
