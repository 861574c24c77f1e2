import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Fleet} from '../support/fleet.ts';

/* What a shell says of a run is what the screen says. */

test('the list and the disk say how a run stands in the words of the screen', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('idle', 'true');
	await fleet.agent('wrote', 'echo b > b.txt');
	const list = fleet.must('list');
	assert.match(list, /idle .*needs you: finished, no changes \(follow up\)/);
	assert.match(list, /wrote .*needs you: finished, 1 file \(verify\)/);
	const disk = fleet.must('clean');
	assert.match(disk, /idle {2}finished, no changes: discarding deletes its worktree/);
	assert.match(disk, /wrote {2}finished, 1 file: unmerged work/);
});
