import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {npm} from '../../source/core/packages/npm.ts';
import {Fleet} from '../support/fleet.ts';

const registry = `https://${npm.hosts[0]}`;
const entry = (name: string, version: string, more: Record<string, unknown> = {}) => ({
	[`node_modules/${name}`]: {
		version,
		resolved: `${registry}/${name}/-/${name}-${version}.tgz`,
		integrity: `sha512-${name}${version}`,
		...more,
	},
});
const lock = (...entries: Array<Record<string, unknown>>) =>
	`${JSON.stringify({name: 'p', lockfileVersion: 3, packages: Object.assign({'': {}}, ...entries)}, undefined, 2)}\n`;

const before = lock(entry('is-odd', '3.0.0'), entry('left-pad', '1.3.0'), entry('kept', '1.0.0'));

/** A command of a shell that writes a file. */
const write = (name: string, text: string) =>
	`printf %s '${Buffer.from(text).toString('base64')}' | base64 -d > ${name}`;

type Shown = {
	packages: null | {
		came: number;
		went: number;
		changed: number;
		scripts: number;
		unread: number;
		flagged: number;
		flags: string[];
		files: Array<{path: string; state: string; unread?: string; packages: Array<{kind: string; name: string}>}>;
	};
	captured: {packages?: {came: number}} | null;
};

test('what became of packages is said wherever a person decides', async t => {
	const fleet = new Fleet(t, {files: {'package-lock.json': before}});
	const after = lock(
		entry('is-odd', '3.0.1'),
		entry('kept', '1.0.0'),
		entry('esbuild', '0.21.5', {hasInstallScript: true}),
		entry('moved', '1.0.0', {resolved: 'git+ssh://git@h.example/moved.git#0123'}),
	);
	await fleet.agent('w', `${write('package-lock.json', after)}; git add -A; git commit -qm lock`);
	assert.equal(fleet.json<Shown>('show', 'w').packages, null, 'nobody looked yet');

	// Before it is captured, the diff says it; `git apply` passes over that.
	const diff = fleet.must('diff', 'w');
	assert.match(diff, /^packages {3}2 came \(1 runs a script at install\), 1 went, 1 changed\n {2}package-lock\.json\n/);
	assert.match(diff, /^ {4}! esbuild 0\.21\.5: runs a script when it is installed$/m);
	assert.match(diff, /^ {4}! moved 1\.0\.0: comes from git\+ssh:.*which is no registry$/m);
	assert.match(diff, /^ {4}! new host h\.example \(moved\)$/m);
	assert.match(diff, /^ {4}- left-pad 1\.3\.0\n {4}~|^ {4}~ is-odd 3\.0\.0 → 3\.0\.1$/m);
	execFileSync('git', ['-C', fleet.project, 'apply', '--check'], {input: diff});
	assert.ok(fleet.must('diff', 'w', '--raw').startsWith('diff --git '));

	fleet.must('verify', 'w');
	const shown = fleet.must('show', 'w');
	assert.match(shown, /^packages {3}2 came \(1 runs a script at install\), 1 went, 1 changed$/m);
	assert.match(shown, /^ +! esbuild 0\.21\.5: runs a script when it is installed$/m);
	const {packages, captured} = fleet.json<Shown>('show', 'w');
	assert.deepEqual(
		[packages!.came, packages!.went, packages!.changed, packages!.scripts, packages!.unread, packages!.flagged],
		[2, 1, 1, 1, 0, 3],
	);
	assert.deepEqual(packages!.files[0]!.packages.map(({kind, name}) => `${kind} ${name}`).sort(), [
		'came esbuild',
		'came moved',
		'changed is-odd',
		'went left-pad',
	]);
	assert.equal(captured!.packages!.came, 2);
	assert.match(fleet.must('journal', 'w'), /packages: 2 came/);
	const {stdout, stderr} = fleet.run(['approve', 'w', '--because', 'known packages']);
	assert.match(stderr, /^packages {2}2 came \(1 runs a script at install\), .*\n {8}! /);
	assert.match(stderr, /^ {8}! esbuild 0\.21\.5: runs a script when it is installed$/m);
	assert.match(stdout, /^approved w /);
});

test('a lock file that cannot be read, is a link, is too long, is gone or was moved', async t => {
	const fleet = new Fleet(t, {
		files: {
			'a/package-lock.json': before,
			'b/yarn.lock': '"a@1":\n  version "1.0.0"\n',
			'c/go.sum': 'a.example/a v1.0.0 h1:x\n',
			'd/Cargo.lock': '[[package]]\nname = "a"\nversion = "1.0.0"\n',
			'e/poetry.lock': '',
		},
	});
	await fleet.agent(
		'w',
		[
			write('a/package-lock.json', '{"lockfileVersion": 3, "packages": {}}<<<'),
			'ln -sf ../a/package-lock.json b/yarn.lock',
			'git rm -q c/go.sum',
			'mkdir f; git mv d/Cargo.lock f/Cargo.lock',
			`awk 'BEGIN {for (i = 0; i < 200000; i++) printf "# a long line of nothing at all, forty-eight bytes\\n"}' > e/poetry.lock`,
			"printf 'six==1.0\\n' > \"$(printf 'requ\\033[31mirements')\".txt; printf 'six==1.0\\n' > requirements.txt",
			'git add -A; git commit -qm lock',
		].join('; '),
	);
	fleet.must('diff', 'w', '--stat');
	const {packages} = fleet.json<Shown>('show', 'w');
	assert.deepEqual(Object.fromEntries(packages!.files.map(file => [file.path, file.unread ?? file.state])), {
		'a/package-lock.json': 'it is not as npm writes it',
		'b/yarn.lock': 'it is a link',
		'c/go.sum': 'deleted',
		'e/poetry.lock': 'it is longer than 8 MiB, or is not there',
		'requirements.txt': 'made',
	});
	assert.deepEqual([packages!.unread, packages!.came, packages!.went], [3, 1, 1]);
	const shown = fleet.must('show', 'w');
	assert.match(shown, /! a\/package-lock\.json could not be read: it is not as npm writes it/);
	assert.match(shown, /3 files could not be read/);
});

test('what runs at an install is said beside the packages', async t => {
	const fleet = new Fleet(t, {
		files: {'package.json': '{"scripts": {"test": "x"}}', '.npmrc': 'ignore-scripts=true\n'},
	});
	await fleet.agent(
		'w',
		[
			write('package.json', '{"scripts": {"test": "x", "postinstall": "node x.js"}}'),
			"printf 'registry=https://r.example/\\n' > .npmrc; mkdir a; ln -s ../.npmrc a/.npmrc",
			'git add -A; git commit -qm scripts',
		].join('; '),
	);
	fleet.must('verify', 'w');
	const shown = fleet.must('show', 'w');
	assert.match(shown, /^packages {3}a file could not be read$/m);
	assert.match(shown, /! package\.json: scripts\.postinstall is now: node x\.js/);
	assert.match(shown, /! \.npmrc: ignore-scripts is gone/);
	assert.match(shown, /! a\/\.npmrc could not be read: it is a link/);
	assert.match(fleet.must('diff', 'w'), /^packages {3}a file could not be read/);
	const {packages} = fleet.json<{packages: {install: number}}>('show', 'w');
	assert.equal(packages.install, 2);
});

test('names of an agent reach a terminal without their control characters, and the value of a secret does not', async t => {
	const value = 'correct-horse-battery-staple-42';
	const fleet = new Fleet(t, {files: {'package-lock.json': before}});
	const after = lock(
		entry('a\u001B[2Jb\u202E', '1.0.0', {hasInstallScript: true}),
		entry('t', '1.0.0', {resolved: `https://h.example/${value}/t.tgz`}),
		entry('p', '1.0.0', {resolved: 'git+https://me:hunter2hunter2@h.example/p.git#01'}),
	);
	await fleet.agent('w', `${write('package-lock.json', after)}; git add -A; git commit -qm lock`);
	// Afterwards: a task that holds a value is refused.
	fleet.env['OUTSIDE'] = value;
	fleet.must('secret', 'add', 'api', '--user', '--host', 'a.example', '--from', 'env:OUTSIDE');
	const diff = fleet.must('diff', 'w');
	const shown = fleet.must('show', 'w');
	for (const text of [shown, diff]) {
		assert.ok(!/[\u001B\u202E]/.test(text));
		assert.ok(!text.includes(value));
	}

	assert.ok(!shown.includes('hunter2'));
	assert.match(shown, /t 1\.0\.0: comes from https:\/\/h\.example\/.*\/t\.tgz, which is no registry/);
	assert.ok(!readFileSync(fleet.context().paths.run('w').packages, 'utf8').includes(value));
});

test('what was found is looked up, and looked for again where it is gone or of other commits', async t => {
	const fleet = new Fleet(t, {files: {'package-lock.json': before}});
	await fleet.agent(
		'w',
		`${write('package-lock.json', lock(entry('kept', '1.0.0')))}; git add -A; git commit -qm lock`,
	);
	fleet.must('verify', 'w');
	const file = fleet.context().paths.run('w').packages;
	const first = readFileSync(file, 'utf8');
	writeFileSync(file, first.replace('"went":2', '"went":7'));
	fleet.must('diff', 'w');
	assert.match(readFileSync(file, 'utf8'), /"went":7/, 'the same commits are not read again');
	for (const damaged of ['', '{}', first.replace(/"head":"[0-9a-f]{8}/, '"head":"00000000')]) {
		writeFileSync(file, damaged);
		fleet.must('diff', 'w');
		assert.equal(readFileSync(file, 'utf8'), first);
	}

	assert.equal(path.basename(file), 'packages.json');
});
