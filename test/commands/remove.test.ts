import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {passphraseVariable} from '../../source/core/names.ts';
import {Fleet, program} from '../support/fleet.ts';
import {VerbOnTerminal} from '../support/verb-on-terminal.ts';

/* Taking away: a project, all of fleet, and the script that leads to it. A person's repository is never touched. */

const change = 'echo more >> a.txt; git commit -qam more';

/** A project with one run that is merged, one with unmerged work and one that did nothing. */
async function threeRuns(fleet: Fleet): Promise<void> {
	await fleet.agent('done', change);
	for (const verb of [['verify'], ['approve', '--because', 'read it'], ['merge']]) {
		fleet.must(...verb, 'done');
	}

	await fleet.agent('open', 'echo two > b.txt; git add b.txt; git commit -qm two');
	await fleet.agent('idle', 'true');
}

function state(fleet: Fleet, ...parts: string[]): string {
	return path.join(fleet.env['FLEET_HOME']!, 'state', ...parts);
}

test('project remove: says what goes, refuses what would lose work, and leaves the repository', async t => {
	const fleet = new Fleet(t);
	await threeRuns(fleet);
	fleet.start('busy', 'sleep 60');
	const branches = () => fleet.git('for-each-ref', 'refs/heads');
	const [main, log] = [fleet.git('rev-parse', 'main'), fleet.git('log', '--format=%H', 'main')];

	let result = fleet.run(['project', 'remove', '--yes']);
	assert.equal(result.code, 3);
	assert.equal(result.stderr, 'fleet: runs are at work: busy\n  hint: fleet stop busy\n');
	fleet.must('stop', 'busy');

	result = fleet.run(['project', 'remove', '--yes']);
	assert.equal(result.code, 3);
	assert.match(
		result.stderr,
		/^fleet: these have unmerged work: (?:busy, )?open\b.*\n {2}hint: fleet project remove project --discard keeps/,
	);

	result = fleet.run(['project', 'remove', 'project', '--discard']);
	assert.equal(result.code, 2);
	assert.match(result.stderr, /nobody to ask\n {2}hint: fleet project remove project --discard --yes\n$/);
	assert.match(result.stderr, /stays as it is, its branches, too\n/);
	assert.ok(existsSync(state(fleet, 'worktrees', 'open')), 'nothing is gone before a person says so');

	assert.match(
		fleet.must('project', 'remove', 'project', '--discard', '--yes'),
		/^project is removed; .* stays, with \d+ refs/,
	);
	assert.equal(fleet.git('rev-parse', 'main'), main);
	assert.equal(fleet.git('log', '--format=%H', 'main'), log);
	assert.match(fleet.git('show', 'refs/fleet/trash/open/head:b.txt'), /^two$/, 'the work is kept');
	assert.doesNotMatch(branches(), /fleet\//);
	assert.equal(fleet.git('worktree', 'list').split('\n').length, 1);
	assert.equal(fleet.must('project', 'list'), 'no project yet: fleet project add PATH\n');
	assert.deepEqual(JSON.parse(fleet.must('list', '--all', '--json')), []);
	for (const name of ['done', 'open', 'idle', 'busy']) {
		assert.ok(!existsSync(state(fleet, 'runs', name)) && !existsSync(state(fleet, 'worktrees', name)), name);
	}

	// And it can be added again, as a new one.
	assert.match(fleet.must('project', 'add'), /^added project/);
	await fleet.agent('open', change);
});

test('project remove --lose-work takes what was kept of its own runs, and of no others', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('open', change);
	const other = fleet.git('rev-parse', 'main');
	fleet.git('update-ref', 'refs/fleet/trash/somebody-elses/head', other);
	fleet.must('project', 'remove', '--lose-work', '--yes');
	assert.equal(fleet.git('for-each-ref', '--format=%(refname)', 'refs/fleet'), 'refs/fleet/trash/somebody-elses/head');
});

test('uninstall takes everything of fleet away, also where a repository is gone', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('open', change);
	const secret = fleet.run(['secret', 'add', 'key', '--user', '--host', 'a.test', '--store', 'age'], {
		input: 'a-value-of-some-length\n',
		env: {[passphraseVariable]: 'a passphrase'},
	});
	assert.equal(secret.code, 0, secret.stderr);
	const moved = `${fleet.project}-elsewhere`;
	renameSync(fleet.project, moved);
	const run = (...argv: string[]) => fleet.run(argv, {cwd: fleet.folder});
	let result = run('uninstall', '--discard', '--yes');
	assert.equal(result.code, 3);
	assert.match(result.stderr, /can be kept nowhere: open\n {2}hint: .*: fleet uninstall --lose-work\n$/);
	renameSync(moved, fleet.project);
	result = run('uninstall', '--discard');
	assert.equal(result.code, 2);
	assert.match(result.stderr, /vault\.age/);
	result = run('uninstall', '--discard', '--yes');
	assert.equal(result.code, 0, result.stderr);
	assert.match(
		result.stdout,
		/^kept: \d+ refs? of work: git -C \S+ for-each-ref refs\/fleet\nfleet keeps nothing here any more; the program itself: rm -rf \S+\n$/,
	);
	assert.ok(!existsSync(fleet.env['FLEET_HOME']!));
	assert.match(fleet.git('show', 'refs/fleet/trash/open/head:a.txt'), /more/);
	assert.equal(fleet.git('status', '--porcelain'), '');
});

test('fleet on PATH: offered, written, found, refused where another is, and taken away by uninstall', async t => {
	const fleet = new Fleet(t, {add: false});
	const own = path.join(fleet.home, '.local', 'bin');
	const bin = path.join(fleet.folder, 'bin');
	mkdirSync(bin);
	mkdirSync(own, {recursive: true});
	// Without the folders of this machine that may hold a fleet, or that root would be offered.
	for (const name of ['sh', 'git', 'readlink', 'node', 'rm', 'chmod', 'stty', 'cat']) {
		const target =
			name === 'node'
				? process.execPath
				: execFileSync('/bin/sh', ['-c', `command -v ${name}`], {encoding: 'utf8'}).trim();
		execFileSync('ln', ['-s', target, path.join(bin, name)]);
	}

	const env = {PATH: `${bin}:${own}`, HOME: fleet.home};
	const unasked = fleet.run(['doctor', '--path'], {env});
	assert.match(unasked.stderr, /nobody to ask\n {2}hint: fleet doctor --path --yes\n$/);
	const terminal = new VerbOnTerminal(fleet, 'doctor --path', {env, columns: 200});
	await terminal.see(/write it\? \[Y\/n\]/);
	terminal.write('\r');
	await terminal.see(/ended-0/);
	const file = path.join(own, 'fleet');
	assert.equal(readFileSync(file, 'utf8'), `#!/bin/sh\nexec ${path.join(path.dirname(program), 'fleet')} "$@"\n`);
	assert.equal(statSync(file).mode & 0o777, 0o755);
	const said = spawnSync('fleet', ['--version'], {env: {...fleet.env, ...env}, encoding: 'utf8'});
	assert.match(said.stdout, /^\d+\.\d+\.\d+\n$/, said.stderr);
	assert.match(fleet.run(['doctor', '--path'], {env}).stderr, /^fleet is on PATH: /);
	const gone = fleet.run(['uninstall', '--yes'], {env});
	assert.equal(gone.code, 0, gone.stderr);
	assert.ok(!existsSync(file));

	writeFileSync(file, '#!/bin/sh\necho somebody elses\n', {mode: 0o644});
	assert.match(fleet.run(['doctor', '--path', '--yes'], {env}).stderr, /is there and is not fleet's\n/);
});

test('where the shell has no fleet, a hint and a next command are as npm start is typed', t => {
	const fleet = new Fleet(t, {add: false});
	const env = {FLEET_TYPED: 'npm start --'};
	assert.match(
		fleet.run(['show', 'ghost'], {env}).stderr,
		/\n {2}hint: npm start -- list --all\n {2}note: npm start -- doctor --path makes that "fleet"\n$/,
	);
	assert.match(fleet.run(['show', 'ghost']).stderr, /\n {2}hint: fleet list --all\n$/);
	assert.equal(fleet.run(['list'], {env}).stdout, 'no runs: npm start -- run -- CMD…\n');
	assert.equal(JSON.parse(fleet.run(['show', 'ghost', '--json'], {env}).stdout).refusal.hint, 'fleet list --all');
});
