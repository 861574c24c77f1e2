import assert from 'node:assert/strict';
import {existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import {findPaths} from '../../source/host/paths.ts';

/* Where fleet's own things lie. */

function homeOf(t: TestContext, name = 'home'): string {
	const base = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'fleet-paths-'));
	t.after(() => rmSync(base, {recursive: true, force: true}));
	const home = path.join(base, name);
	mkdirSync(home, {mode: 0o700});
	return home;
}

test('no worktree lies below a hidden folder of the usual places, and none is made before there is one', t => {
	const home = homeOf(t);
	const paths = findPaths({HOME: home});
	assert.equal(paths.state, path.join(home, '.local/state/fleet'));
	assert.equal(paths.run('a').worktree, path.join(home, 'fleet-worktrees/a'));
	assert.ok(!existsSync(paths.worktrees));
	mkdirSync(paths.worktrees, {mode: 0o755});
	assert.throws(() => findPaths({HOME: home}), /fleet-worktrees is not a private folder of yours/);
	assert.equal(statSync(paths.worktrees).mode & 0o777, 0o755, 'it is looked at, and left as it is');
});

test('runs that were there before keep their worktrees where they are', t => {
	const home = homeOf(t);
	const inState = path.join(home, '.local/state/fleet/worktrees');
	const run = path.join(home, '.local/state/fleet/runs/a');
	mkdirSync(inState, {recursive: true, mode: 0o700});
	mkdirSync(run, {recursive: true, mode: 0o700});
	assert.equal(findPaths({HOME: home}).worktrees, inState);
	rmSync(run, {recursive: true});
	assert.equal(findPaths({HOME: home}).worktrees, path.join(home, 'fleet-worktrees'));
});

test('a person who names a place has everything there', t => {
	const home = homeOf(t);
	for (const own of ['fleet', '.fleet'].map(name => path.join(home, name))) {
		assert.equal(findPaths({HOME: home, FLEET_HOME: own}).worktrees, path.join(own, 'state/worktrees'));
	}

	const named = path.join(home, 'state');
	assert.equal(findPaths({HOME: home, XDG_STATE_HOME: named}).worktrees, path.join(named, 'fleet/worktrees'));
	const hidden = homeOf(t, '.home');
	assert.equal(findPaths({HOME: hidden}).worktrees, path.join(hidden, '.local/state/fleet/worktrees'));
});
