import assert from 'node:assert/strict';
import {mkdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {Fleet} from '../support/fleet.ts';

const files = {'.gitignore': '*.local\nsecret/\n', '.worktreeinclude': '*.local\n!not.local\n'};

test('what the project names is copied once a person said yes to exactly that, and never through a link', async t => {
	const fleet = new Fleet(t, {files});
	const at = (name: string) => path.join(fleet.project, name);
	writeFileSync(at('app.local'), 'port 1\n');
	writeFileSync(at('not.local'), 'no\n');
	mkdirSync(at('sub'));
	writeFileSync(at('sub/deep.local'), 'deep\n');
	writeFileSync(path.join(fleet.home, 'outside'), 'of the person\n');
	symlinkSync(path.join(fleet.home, 'outside'), at('link.local'));
	mkdirSync(at('secret'));
	writeFileSync(at('secret/key'), 'k\n');
	const look = [
		'--',
		'sh',
		'-c',
		'ls -A; cat app.local sub/deep.local; echo changed >> app.local && git status --short',
	];
	const asked = fleet.run(['run', '--name', 'asks', ...look]);
	assert.equal(asked.code, 2);
	assert.match(asked.stderr, /names 2 files .*nobody to ask/);
	fleet.must('run', '--name', 'without', '--no-include', ...look);
	await fleet.until('without', 'stopped');
	assert.doesNotMatch(fleet.must('logs', 'without'), /port 1/);
	fleet.must('run', '--name', 'with', '--include', ...look);
	await fleet.until('with', 'stopped');
	const said = fleet.must('logs', 'with');
	assert.match(said, /app\.local[^]*port 1\r?\ndeep/);
	assert.doesNotMatch(said, /link\.local|not\.local|of the person|secret\n/);
	assert.equal(readFileSync(at('app.local'), 'utf8'), 'port 1\n', 'the run has a copy');
	fleet.must('run', '--name', 'again', ...look);
	writeFileSync(at('new.local'), 'more\n');
	assert.equal(fleet.run(['run', '--name', 'more', ...look]).code, 2, 'another file is asked about again');
	assert.deepEqual(fleet.json<Array<Record<string, unknown>>>('journal', 'with')[0]!['included'], [
		'app.local',
		'sub/deep.local',
	]);
});

test('a branch cannot name more for itself, and a folder that is a link in the worktree is not written through', async t => {
	const fleet = new Fleet(t, {files});
	writeFileSync(path.join(fleet.project, 'app.local'), 'x\n');
	fleet.must(
		'run',
		'--name',
		'first',
		'--include',
		'--',
		'sh',
		'-c',
		'cat app.local; echo "*" > .worktreeinclude; git commit -qam widen',
	);
	await fleet.until('first', 'stopped');
	assert.match(fleet.must('logs', 'first'), /^x/);
	fleet.must('run', '--name', 'second', '--', 'cat', 'app.local');
	await fleet.until('second', 'stopped');
	assert.match(fleet.must('logs', 'second'), /^x/, 'what was said yes to is as it was');
	const outside = path.join(fleet.home, 'target');
	mkdirSync(outside);
	fleet.git('checkout', '--quiet', '-b', 'linked');
	symlinkSync(outside, path.join(fleet.project, 'conf'));
	fleet.git('add', 'conf');
	fleet.git('commit', '--quiet', '--message=link');
	fleet.git('checkout', '--quiet', 'main');
	mkdirSync(path.join(fleet.project, 'conf'));
	writeFileSync(path.join(fleet.project, 'conf', 'x.local'), 'through\n');
	fleet.must('run', '--name', 'third', '--base', 'linked', '--include', '--', 'cat', 'app.local');
	await fleet.until('third', 'stopped');
	assert.match(fleet.must('logs', 'third'), /^x/);
	assert.throws(() => readFileSync(path.join(outside, 'x.local')));
});

test("teardown runs in the sandbox once the agent has ended, and its exit code is not the agent's", async t => {
	const fleet = new Fleet(t, {
		policy: 'setup:\n  - echo before\nteardown:\n  - echo "after it\'s done"; pwd\n  - exit 9\nverify: ["true"]\n',
	});
	fleet.must('run', '--name', 'ends', '--', 'sh', '-c', 'echo at work; exit 3');
	await fleet.until('ends', 'stopped');
	assert.match(fleet.must('logs', 'ends'), /before\r?\n[^]*at work[^]*after it's done\r?\n.*worktrees\/ends/);
	assert.deepEqual(fleet.json('show', 'ends')['exit'], {code: 3, signal: null});
});

test('a verification has those of the files that the run was given which the policy names, and no others', async t => {
	const fleet = new Fleet(t, {
		files,
		policy:
			'verify: ["cat app.local sub/deep.local; ls -A; test ! -e other.local"]\nverifyInclude: [app.local, sub, none.local]\n',
	});
	mkdirSync(path.join(fleet.project, 'sub'));
	for (const name of ['app.local', 'sub/deep.local', 'other.local']) {
		writeFileSync(path.join(fleet.project, name), `of ${name}\n`);
	}

	fleet.must('run', '--name', 'with', '--include', '--', 'sh', '-c', 'echo > b.txt');
	fleet.must('run', '--name', 'without', '--no-include', '--', 'sh', '-c', 'echo > b.txt');
	await fleet.until('with', 'stopped');
	await fleet.until('without', 'stopped');
	assert.match(fleet.must('verify', 'with'), /of app\.local\nof sub\/deep\.local\n/);
	assert.doesNotMatch(
		fleet.run(['verify', 'without']).stdout,
		/of app\.local/,
		'what the run was not given, nor is it',
	);
});
