import assert from 'node:assert/strict';
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {Git} from '../../source/host/git.ts';
import {Fleet} from '../support/fleet.ts';

/* Worktrees of one repository that several processes make at once. */

test('ten worktrees are made at once, over and over, and one beside a record that is not filled yet', async t => {
	const fleet = new Fleet(t);
	const git = new Git({gitDir: path.join(fleet.project, '.git')});
	const half = path.join(fleet.project, '.git', 'worktrees', 'half');
	const add = (name: string) =>
		git.worktree('add', '--quiet', '--no-checkout', '--detach', path.join(fleet.folder, name), 'HEAD');
	// As git leaves it for a moment: the file is there, and nothing is in it.
	mkdirSync(half, {recursive: true});
	writeFileSync(path.join(half, 'gitdir'), '/nonexistent/.git\n');
	writeFileSync(path.join(half, 'HEAD'), 'ref: refs/heads/main\n');
	writeFileSync(path.join(half, 'commondir'), '');
	const before = await git.run(['worktree', 'list']);
	assert.match(before.stderr, /failed to read .*commondir/, 'what git itself makes of it');
	const filled = setTimeout(() => writeFileSync(path.join(half, 'commondir'), '../..\n'), 150);
	t.after(() => clearTimeout(filled));
	const [added, listed] = await Promise.all([add('beside'), git.worktree('list')]);
	assert.deepEqual([added.code, listed.code], [0, 0], added.stderr + listed.stderr);
	rmSync(half, {recursive: true});

	for (let round = 0; round < 2; round++) {
		const made = await Promise.all(Array.from({length: 10}, (_, index) => add(`tree-${round}-${index}`)));
		assert.deepEqual(
			made.filter(({code}) => code !== 0).map(({stderr}) => stderr),
			[],
		);
	}
});
