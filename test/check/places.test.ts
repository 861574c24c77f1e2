import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {parse} from 'yaml';
import {program, root} from '../support/fleet.ts';
import {HandMade} from '../support/history.ts';

/* The files to copy that run `fleet check` elsewhere: they parse, and their commands do what they say. */

const read = (name: string) => parse(readFileSync(path.join(root, 'packaging', 'check', name), 'utf8'));

/** A clone of a history, and what runs a command there as a forge would, with the package in its place. */
function place(t: {after(work: () => void): void}, isGood: boolean) {
	const world = new HandMade(t);
	const rules = {'.fleet/people.yaml': world.people('ada'), '.fleet/policy.yaml': 'approve: {direct: nobody}\n'};
	const base = world.commit(rules, []);
	world.git(['update-ref', 'refs/heads/main', isGood ? base : world.commit({...rules, 'a.txt': 'a'}, [base])]);
	const clone = path.join(world.folder, 'clone');
	world.git(['clone', '--quiet', `file://${world.repository}`, clone]);
	const bin = path.join(world.folder, 'bin');
	mkdirSync(bin);
	const {name, bin: programs} = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
	assert.ok(programs['fleet']);
	writeFileSync(
		path.join(bin, 'npx'),
		`#!/bin/sh\n[ "$1 $2 $3" = "--yes --package=${name} fleet" ] || exit 99\nshift 3\nexec '${process.execPath}' '${program}' "$@"\n`,
		{mode: 0o755},
	);
	return (commands: readonly string[]) => {
		const env = world.env({CI_DEFAULT_BRANCH: 'main'});
		return spawnSync('bash', ['-e', '-c', commands.join('\n')], {
			cwd: clone,
			env: {...env, PATH: `${bin}:${env['PATH']}`},
			encoding: 'utf8',
		});
	};
}

test("GitHub's and GitLab's files run the check, on the whole history", t => {
	const github = read('github.yml');
	// A check that is required has to run before a merge, too, and by the name that `fleet doctor --forge` looks for.
	assert.deepEqual(github['on'], {push: {branches: ['main']}, pull_request: {branches: ['main']}});
	assert.equal(github['jobs'].check.name, 'fleet check');
	assert.deepEqual(github['permissions'], {contents: 'read'});
	const {steps} = github['jobs'].check;
	assert.equal(steps[0].with['fetch-depth'], 0);
	const gitlab = read('gitlab.yml')['fleet-check'];
	assert.equal(gitlab.rules.length, 2);
	assert.equal(gitlab.variables['GIT_DEPTH'], '0');
	const [good, bad] = [place(t, true), place(t, false)];
	for (const commands of [
		(steps as Array<{run?: string}>).map(({run}) => run).filter(run => run !== undefined),
		gitlab.script as string[],
	]) {
		const held = good(commands);
		assert.equal(held.status, 0, held.stderr);
		assert.match(
			held.stdout,
			/^main at [\da-f]{12}: nothing came there by itself; 1 commit: 1 commit from before fleet$/m,
		);
		const refused = bad(commands);
		assert.equal(refused.status, 3, refused.stderr);
		assert.match(refused.stderr, /nobody approved it, and the policy lets nobody commit without that/);
	}
});

test('what is no repository, no commit, or two branches is refused with a hint', t => {
	const world = new HandMade(t);
	const run = (...argv: string[]) =>
		spawnSync(process.execPath, [program, 'check', ...argv], {cwd: world.folder, env: world.env(), encoding: 'utf8'});
	for (const [argv, words] of [
		[['--repo', world.folder], /not a git repository[^]*\n {2}hint: name a folder of a repository/],
		[['--repo', world.repository], /HEAD names no commit here\n {2}hint: /],
		[['--repo', world.repository, 'nowhere'], /nowhere names no commit here/],
		[['--repo', world.repository, 'a...b'], /a range is written FROM\.\.TO/],
		[['--repo', world.repository, '--branch', 'a', '--branch', 'b'], /approvals are for one branch/],
		[['--hook', 'main'], /--hook is told by git what to check/],
	] as const) {
		const {status, stderr} = run(...argv);
		assert.equal(status, 2, stderr);
		assert.match(stderr, words);
	}

	const hook = spawnSync(process.execPath, [program, 'check', '--hook'], {
		cwd: world.repository,
		env: world.env(),
		input: 'main\n',
		encoding: 'utf8',
	});
	assert.match(hook.stderr, /a line of the input is not OLD NEW REF\n {2}hint: /);
});
