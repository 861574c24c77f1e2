import assert from 'node:assert/strict';
import {existsSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {ThrowawayProject} from '../../source/attacks/project.ts';
import {jail} from '../../source/engine/sandbox/jail.ts';
import {diskUse} from '../../source/engine/sandbox/limits.ts';
import {closeInheritedLate} from '../support/descriptors.ts';
import {attackContext} from '../support/attack.ts';

test('what a run closed is counted, and read by nothing else', async () => {
	closeInheritedLate();
	const project = await ThrowawayProject.make(attackContext());
	try {
		const {run} = await project.agent('true');
		const places = project.context.paths.run(run.id);
		const count = async () => (await diskUse(project.context, places, [places.worktree]))!;
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
