import assert from 'node:assert/strict';
import {execFileSync, execSync} from 'node:child_process';
import {cpSync, mkdirSync, renameSync, rmSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {Fleet} from '../support/fleet.ts';

/*
 * A repository, or a target, that is moved, renamed, lost or
 * restored can be pointed at again, and nothing is merged elsewhere.
 */

const commits =
	'echo x >> $FLEET_RUN.txt; git add $FLEET_RUN.txt; git commit -qm "mine $(git rev-list --count HEAD)" && ' +
	'git status --short | wc -l';

/** A hint, as a person types it, in another folder. */
function type(fleet: Fleet, result: {stderr: string}): void {
	const hint = /hint: (.*)$/m.exec(result.stderr)![1]!;
	const [word = '', ...argv] = hint.split(' ');
	if (word === 'fleet') {
		fleet.must(...argv);
	} else {
		execSync(hint, {cwd: fleet.home, env: fleet.env, stdio: 'pipe'});
	}
}

function at(fleet: Fleet, folder: string, ...argv: string[]): string {
	return execFileSync('git', ['-C', folder, ...argv], {
		env: fleet.env,
		encoding: 'utf8',
		stdio: ['ignore', 'pipe', 'pipe'],
	}).trim();
}

test('a repository that was moved is known again, and its runs go on there', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('m', commits);
	await fleet.agent('other', commits);
	const moved = path.join(fleet.folder, 'elsewhere', 'renamed');
	mkdirSync(path.dirname(moved));
	renameSync(fleet.project, moved);
	// Verbs are typed in a folder that is there.
	mkdirSync(fleet.project);
	const verb = (...argv: string[]) => fleet.run(argv, {cwd: moved});
	const lost = verb('verify', 'm');
	assert.deepEqual([lost.code, /hint: .*fleet project add PATH/.test(lost.stderr)], [2, true], lost.stderr);
	assert.match(
		verb('project', 'add', '.').stdout,
		/^project is here now, and its runs with it: .*renamed \(it was .*project\)\n/,
	);
	assert.deepEqual(
		fleet.json<Array<{id: string; root: string}>>('project', 'list').map(({id, root}) => [id, root]),
		[['project', moved]],
	);
	assert.match(verb('diff', 'm').stdout, /m\.txt/);
	assert.equal(verb('resume', 'm').code, 0);
	await fleet.until('m', 'stopped');
	assert.match(fleet.must('logs', 'm'), /^0\r?\n0\s*$/, 'git works inside, at the new place');
	for (const step of ['verify', 'approve', 'merge']) {
		const {code, stderr} = verb(step, 'm');
		assert.equal(code, 0, stderr);
	}

	assert.equal(at(fleet, moved, 'show', 'main:m.txt'), 'x\nx');
	assert.equal(verb('discard', 'other').code, 0);
	assert.equal(at(fleet, moved, 'worktree', 'list', '--porcelain').match(/^worktree /gm)!.length, 2);
	assert.equal(verb('restore', 'other').code, 0);
	assert.equal(verb('verify', 'other').code, 0);
	assert.match(verb('show', 'other').stdout, /^project +project, .*renamed$/m);
	assert.match(verb('project', 'add', '.').stdout, /^already there: project/);
});

test('another repository in its place is never taken for it', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('m', commits);
	const moved = path.join(fleet.folder, 'moved');
	renameSync(fleet.project, moved);
	mkdirSync(fleet.project);
	fleet.git('init', '--quiet', '--initial-branch=main');
	fleet.git('commit', '--quiet', '--allow-empty', '--message=another');
	const before = fleet.git('rev-parse', 'main');
	for (const verb of ['verify', 'diff', 'resume', 'discard']) {
		const {code, stderr} = fleet.run([verb, 'm']);
		assert.deepEqual(
			[
				code,
				/is not the repository that m began in.*\n {2}hint: where that is now: fleet project add PATH --as project/.test(
					stderr,
				),
			],
			[2, true],
			stderr,
		);
	}

	assert.equal(fleet.git('for-each-ref', '--format=%(objectname) %(refname)'), `${before} refs/heads/main`);
	// Nor is it by saying so.
	const said = fleet.run(['project', 'add', '.', '--as', 'project']);
	assert.equal(said.code, 0, 'it is that project already');
	assert.match(fleet.run(['project', 'add', moved], {cwd: fleet.home}).stdout, /project is here now/);
	assert.equal(fleet.run(['verify', 'm']).code, 0);
	assert.match(fleet.must('project', 'add', '.'), /^added project-2/);
	assert.match(
		fleet.run(['project', 'add', '.', '--as', 'project']).stderr,
		/cannot be project: that one is where it was/,
	);
	assert.equal(fleet.run(['project', 'add', '.', '--as', 'nobody']).code, 2);

	// A folder that lost its own .git, in a repository of somebody's.
	rmSync(path.join(moved, '.git'), {recursive: true});
	at(fleet, fleet.folder, 'init', '--quiet');
	at(fleet, fleet.folder, 'commit', '--quiet', '--allow-empty', '--message=around');
	assert.match(fleet.run(['verify', 'm']).stderr, /cannot be used: it is a folder of/);
});

test('a repository that was cloned anew, or restored from before there were runs, is the project where a person says so', async t => {
	const fleet = new Fleet(t);
	const backup = path.join(fleet.folder, 'backup');
	cpSync(fleet.project, backup, {recursive: true});
	await fleet.agent('m', commits);
	fleet.must('verify', 'm');
	const clone = path.join(fleet.folder, 'clone');
	at(fleet, fleet.folder, 'clone', '--quiet', backup, clone);
	rmSync(fleet.project, {recursive: true});
	mkdirSync(fleet.project);
	assert.match(
		fleet.run(['project', 'add', clone], {cwd: fleet.home}).stdout,
		/^added clone/,
		'a clone says nothing of runs',
	);
	assert.match(
		fleet.run(['project', 'add', clone, '--as', 'project'], {cwd: fleet.home}).stdout,
		/project is here now/,
	);
	assert.deepEqual(
		fleet.json<Array<{id: string}>>('project', 'list').map(({id}) => id),
		['project'],
	);
	const verb = (...argv: string[]) => {
		const result = fleet.run(argv, {cwd: clone});
		assert.equal(result.code, 0, result.stderr);
	};

	verb('verify', 'm');
	verb('resume', 'm');
	await fleet.until('m', 'stopped');
	verb('verify', 'm');
	verb('approve', 'm');
	verb('merge', 'm');
	assert.equal(at(fleet, clone, 'show', 'main:m.txt'), 'x\nx');
	verb('discard', 'm');
	verb('restore', 'm');

	// The same place, but what it was before: no refs of fleet's, no record of the worktree.
	const again = new Fleet(t);
	const old = path.join(again.folder, 'old');
	cpSync(again.project, old, {recursive: true});
	await again.agent('r', commits);
	await again.agent('s', commits);
	again.must('verify', 'r');
	rmSync(again.project, {recursive: true});
	renameSync(old, again.project);
	for (const argv of [
		['diff', 'r'],
		['verify', 'r'],
		['resume', 'r'],
	]) {
		again.must(...argv);
	}

	await again.until('r', 'stopped');
	again.must('verify', 'r');
	again.must('approve', 'r');
	again.must('merge', 'r');
	again.must('discard', 'r');
	again.must('discard', 's');
	again.must('restore', 's');
	again.must('verify', 's');
});

test('a target that was renamed or is gone: the hint works as typed, and no approval is carried along', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('n', commits);
	fleet.must('verify', 'n');
	fleet.must('approve', 'n', '--because', 'read it');
	fleet.git('branch', '-m', 'main', 'trunk');
	fleet.git('branch', 'another');
	const gone = fleet.run(['merge', 'n']);
	assert.deepEqual(
		[gone.code, gone.stderr],
		[3, 'fleet: main is gone, so there is nothing to merge into\n  hint: fleet retarget n trunk\n'],
	);
	type(fleet, gone);
	const {target, approval, verification, stage} = fleet.json('show', 'n');
	assert.deepEqual([target, approval, verification, stage], ['refs/heads/trunk', null, null, 'captured']);
	assert.match(fleet.run(['merge', 'n']).stderr, /n is not approved/);
	for (const [branch, because] of [
		['trunk', /into trunk already/],
		['nowhere', /no branch "nowhere"/],
		['fleet/n', /a run's own branch/],
		['--x', /unknown option|no branch/],
		['a b', /no branch/],
		['', /no branch/],
	] as Array<[string, RegExp]>) {
		const {code, stderr} = fleet.run(['retarget', 'n', branch]);
		assert.deepEqual([code, because.test(stderr)], [2, true], `${branch}: ${stderr}`);
	}

	fleet.must('verify', 'n');
	// Deleted: brought back by the hint, at what was verified.
	fleet.git('checkout', '--quiet', '--orphan', 'unrelated');
	fleet.git('commit', '--quiet', '--allow-empty', '--message=unrelated');
	assert.match(fleet.run(['retarget', 'n', 'unrelated']).stderr, /has nothing to do with/);
	const tip = fleet.git('rev-parse', 'trunk');
	fleet.git('branch', '-D', 'trunk', 'another');
	const deleted = fleet.run(['verify', 'n']);
	assert.match(deleted.stderr, /trunk is gone/);
	type(fleet, deleted);
	assert.equal(fleet.git('rev-parse', 'trunk'), tip);
	// Its own branch, too.
	fleet.must('verify', 'n');
	fleet.git('update-ref', '-d', 'refs/heads/fleet/n');
	const headless = fleet.run(['approve', 'n']);
	assert.match(headless.stderr, /the branch fleet\/n is gone/);
	type(fleet, headless);
	fleet.must('approve', 'n', '--because', 'read it');
	fleet.must('merge', 'n');
	assert.match(fleet.git('show', 'trunk:n.txt'), /^x$/);
	assert.match(fleet.run(['retarget', 'n', 'unrelated']).stderr, /merged already/);
	assert.match(fleet.must('journal', 'n'), /run\.retargeted +trunk/);
});
