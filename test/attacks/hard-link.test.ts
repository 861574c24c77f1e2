import assert from 'node:assert/strict';
import {linkSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import {createRun, startSupervisor} from '../../source/engine/create.ts';
import {findProject} from '../../source/engine/projects.ts';
import {giveToRun} from '../../source/host/worktree.ts';
import {Fleet} from '../support/fleet.ts';
import {openBox} from '../support/sandbox.ts';

/* Source: package stores make hard links, and a hard link pierces every bind mount. */

const change = 'echo pierced > linked.txt';

async function inARun(t: TestContext): Promise<string> {
	const fleet = new Fleet(t);
	const context = fleet.context();
	const outside = path.join(fleet.folder, 'outside.txt');
	writeFileSync(outside, 'original\n', {mode: 0o666});
	const run = await createRun(context, {project: findProject(context, undefined, fleet.project), agent: 'command', argv: ['sh', '-c', `cat linked.txt; ${change}`], name: 'link', allow: [], because: ''});
	linkSync(outside, path.join(run.worktree, 'linked.txt'));
	giveToRun(run.id, path.join(run.worktree, 'linked.txt'));
	Object.assign(process.env, {FLEET_HOME: fleet.env['FLEET_HOME']});
	await startSupervisor(context, run.id);
	delete process.env['FLEET_HOME'];
	await fleet.until('link', 'stopped');
	assert.match(fleet.must('logs', 'link'), /original/, 'an honest link is still readable');
	return readFileSync(outside, 'utf8');
}

test('write through a hard link: stopped', async t => {
	assert.equal(await inARun(t), 'original\n');
});

test('write through a hard link: works without the sweep', async () => {
	const box = await openBox();
	const outside = path.join(box.folder, 'outside.txt');
	writeFileSync(outside, 'original\n');
	linkSync(outside, path.join(box.work, 'linked.txt'));
	giveToRun('box', path.join(box.work, 'linked.txt'));
	await box.run(change);
	assert.equal(readFileSync(outside, 'utf8'), 'pierced\n');
});
