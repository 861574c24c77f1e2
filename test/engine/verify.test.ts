import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {rmSync, symlinkSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import type {Context} from '../../source/engine/context.ts';
import {verify} from '../../source/engine/handover/verify.ts';
import {Journal} from '../../source/host/journal.ts';
import {bubblewrap} from '../../source/sandboxes/bubblewrap/index.ts';
import {Fleet, program} from '../support/fleet.ts';

/* A verification that could not check says so. It never passes by accident. */

/** A policy's text with these verify commands. */
const policyOf = (...commands: string[]) => `verify: ${JSON.stringify(commands)}\n`;

/** Commits a policy on main. */
function setPolicy(fleet: Fleet, policy: string): void {
	writeFileSync(path.join(fleet.project, '.fleet', 'policy.yaml'), policy);
	fleet.git('commit', '--quiet', '--all', '--message=policy');
}

/** Verifies, and says what it came to. */
function verdict(fleet: Fleet, name: string): {code: number | null; result: string; doubt?: string; because: string} {
	const {code, stdout, stderr} = fleet.run(['verify', name, '--json']);
	assert.equal(stderr, '');
	return {code, ...JSON.parse(stdout)};
}

function inconclusive(fleet: Fleet, name: string, doubt: string, because: RegExp): void {
	const found = verdict(fleet, name);
	assert.deepEqual([found.code, found.result, found.doubt], [4, 'inconclusive', doubt], JSON.stringify(found));
	assert.match(found.because, because);
	assert.equal(fleet.stage(name), 'inconclusive');
	const approved = fleet.run(['approve', name]);
	assert.equal(approved.code, 3);
	assert.match(approved.stderr, /was inconclusive: .*\n {2}hint: fleet /);
	assert.equal(fleet.run(['merge', name]).code, 3);
}

test("commands that ask git find the merged commit, read-only, with nobody's configuration", async t => {
	const fleet = new Fleet(t, {
		files: {'.gitattributes': '* text=auto\n*.bin filter=own\n', 'x.bin': 'stored\n', 'dos.txt': 'a\nb\n'},
		policy: policyOf(
			'test "$(git describe --tags)" = v1.2-3-g"$(git rev-parse --short HEAD)"',
			'test "$(git rev-parse --abbrev-ref HEAD)" = main',
			'test "$(git ls-files | tr "\\n" " ")" = ".fleet/policy.yaml .gitattributes a.txt dos.txt mine.txt ' +
				'theirs.txt x.bin "',
			'test -z "$(git status --porcelain)" && git diff-index --quiet HEAD && git diff --quiet',
			'test "$(git diff --name-only HEAD^1)" = mine.txt && test "$(git log -1 --format=%s HEAD^2)" = mine',
			'test -z "$(git remote)" && ! git config --get-regexp "^(user|filter|remote|alias)\\\\." && ! test -e .git/hooks',
			'! git -c user.name=x -c user.email=x@x.invalid commit --quiet --allow-empty -m x 2> /dev/null && ' +
				'! touch .git/x 2> /dev/null',
			'echo new > made && test "$(git status --porcelain)" = "?? made"',
			'git fsck --no-dangling 2>&1 | grep -v "^notice" | wc -l | grep -qx 0',
		),
	});
	fleet.git('tag', 'v1.2');
	await fleet.agent('g', 'echo m > mine.txt; git add mine.txt; git commit -qm mine');
	// The person's own filter and alias have no part in it.
	fleet.git('config', 'filter.own.smudge', 'sed s/stored/smudged/');
	fleet.git('config', 'alias.st', 'status');
	writeFileSync(path.join(fleet.project, 'theirs.txt'), 't\n');
	fleet.git('add', 'theirs.txt');
	fleet.git('commit', '--quiet', '--message=theirs');
	const result = fleet.run(['verify', 'g']);
	assert.equal(result.code, 0, result.stdout + result.stderr);
});

test('the history is as deep as the policy says', async t => {
	const fleet = new Fleet(t, {
		policy: `${policyOf('git rev-list --count HEAD; git rev-parse --is-shallow-repository')}verifyDepth: 2\n`,
	});
	for (const number of [1, 2, 3]) {
		fleet.git('commit', '--quiet', '--allow-empty', `--message=${number}`);
	}

	await fleet.agent('d', 'echo m > mine.txt');
	assert.match(fleet.must('verify', 'd'), /^3\ntrue$/m, 'the merge and its two parents');
	setPolicy(fleet, policyOf('git rev-list --count HEAD; git rev-parse --is-shallow-repository'));
	assert.match(fleet.must('verify', 'd'), /^7\nfalse$/m);
});

test('commits of the first of January 1970 are verified like others', async t => {
	const fleet = new Fleet(t, {policy: policyOf('git log -1 --format=%ct')});
	Object.assign(fleet.env, {GIT_AUTHOR_DATE: '@0 +0000', GIT_COMMITTER_DATE: '@0 +0000'});
	fleet.git('commit', '--quiet', '--amend', '--reset-author', '--no-edit');
	await fleet.agent(
		'e',
		'export GIT_AUTHOR_DATE="@0 +0000" GIT_COMMITTER_DATE="@0 +0000"; echo two > a.txt; git commit --quiet -am two',
	);
	assert.match(fleet.must('verify', 'e'), /^0$/m);
});

const unclear: Array<[title: string, command: string, doubt: string, because: RegExp]> = [
	[
		'a program that is not there, in a pipe',
		'nosuchtool --check | tail -n 3',
		'not-run',
		/nosuchtool: not found.*; nosuchtool is not there: packages come from setup/,
	],
	['a script that is not there, by its shell', 'sh check.sh | cat', 'not-run', /No such file/],
	[
		'a program that is not there, in a script',
		'printf "nosuchtool | cat\\n" > /tmp/s; sh /tmp/s',
		'not-run',
		/nosuchtool: not found/,
	],
	['git outside of the repository', 'cd /tmp && git ls-files | xargs -r cat', 'no-git', /not a git repository/],
	['tests that failed, in a pipe', 'printf "# pass 3\\n# fail 2\\n" | cat', 'contradiction', /2 of 5 tests failed/],
	[
		'a runner that finds no test, and says so by its exit code',
		'echo "No tests found, exiting with code 1"; exit 1',
		'no-tests',
		/found no test/,
	],
];

// The words of other shells and programs are in test/core/verdict.test.ts.
test('inconclusive: what was not run, whatever the exit code', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('i', 'echo two >> a.txt');
	for (const [title, command, doubt, because] of unclear) {
		setPolicy(fleet, policyOf(command));
		const found = verdict(fleet, 'i');
		assert.deepEqual(
			[found.code, found.result, found.doubt],
			[4, 'inconclusive', doubt],
			`${title}: ${JSON.stringify(found)}`,
		);
		assert.match(found.because, because, title);
	}

	inconclusive(fleet, 'i', unclear.at(-1)![2], unclear.at(-1)![3]);
	// One that is ended with what is wrong said passes no more than one that ends with 0.
	setPolicy(fleet, policyOf('true', 'nosuchtool | cat', 'true'));
	inconclusive(fleet, 'i', 'not-run', /nosuchtool/);
	setPolicy(fleet, '');
	inconclusive(fleet, 'i', 'no-commands', /no verify commands on main/);
	setPolicy(fleet, policyOf('true'));
	assert.equal(verdict(fleet, 'i').result, 'passed');
});

test('inconclusive: no test is run, and the target cannot tell whether there is one', async t => {
	const fleet = new Fleet(t, {
		files: {
			'test/a.test.js': 'require("node:test")("a", () => { throw new Error("red"); });\n',
			'package.json': '{"scripts": {"test": "node --test"}}\n',
		},
		policy: policyOf('npm test'),
	});
	await fleet.agent('emptied', 'rm -r test');
	inconclusive(fleet, 'emptied', 'no-tests', /ran no test, and does not pass on main alone/);
	await fleet.agent('mended', 'echo "require(\\"node:test\\")(\\"b\\", () => {});" > test/a.test.js');
	assert.deepEqual(verdict(fleet, 'mended').result, 'passed');
});

test('inconclusive: no test is run where there were some', async t => {
	const fleet = new Fleet(t, {
		files: {
			'test/a.test.js': 'require("node:test")("a", () => {});\n',
			'package.json': '{"scripts": {"test": "node --test"}}\n',
		},
		policy: policyOf('npm test'),
	});
	// Nobody verified anything before: what the target alone runs is looked at.
	await fleet.agent('first', 'rm -r test');
	inconclusive(fleet, 'first', 'no-tests', /ran no test; it ran 1 on main/);
	await fleet.agent('good', 'echo "require(\\"node:test\\")(\\"b\\", () => {});" > test/b.test.js');
	assert.deepEqual(
		[verdict(fleet, 'good').because, fleet.stage('good')],
		['1 command passed, 2 tests passed', 'verified'],
	);
	await fleet.agent('emptied', 'rm -r test');
	inconclusive(fleet, 'emptied', 'no-tests', /it ran 2 the last time/);
	await fleet.agent('script', 'echo \'{"scripts": {"test": "echo fine"}}\' > package.json');
	inconclusive(fleet, 'script', 'no-tests', /says of no test that it ran; it ran 2 the last time/);
	// Fewer are told, and pass.
	await fleet.agent('fewer', 'echo two >> a.txt');
	assert.equal(verdict(fleet, 'fewer').because, '1 command passed, 1 test passed (2 the last time)');
});

test('what another run had said of tests is not held against a project that has none', async t => {
	const fleet = new Fleet(t, {policy: policyOf('cat said 2> /dev/null; true')});
	await fleet.agent('boasts', 'printf "# pass 5\\n" > said');
	assert.equal(verdict(fleet, 'boasts').result, 'passed');
	fleet.must('discard', 'boasts');
	await fleet.agent('honest', 'echo two >> a.txt');
	const found = verdict(fleet, 'honest');
	assert.deepEqual([found.result, found.because], ['passed', '1 command passed'], JSON.stringify(found));
	// The target alone is asked, not believed where it fails.
	setPolicy(fleet, policyOf('cat said 2> /dev/null; test -f two.txt'));
	await fleet.agent('boasts-too', 'printf "# pass 5\\n" > said; touch two.txt');
	assert.equal(verdict(fleet, 'boasts-too').result, 'passed');
	await fleet.agent('silent', 'touch two.txt');
	inconclusive(fleet, 'silent', 'no-tests', /it ran 5 the last time/);
});

test('a project that never had a test passes, and it is said', async t => {
	const fleet = new Fleet(t, {policy: policyOf('node --test')});
	await fleet.agent('n', 'echo two >> a.txt');
	const found = verdict(fleet, 'n');
	assert.deepEqual(
		[found.result, found.because],
		['passed', '1 command passed, no test was run'],
		JSON.stringify(found),
	);
});

/** Verifies below the verbs, in a context of one's own. */
async function below(
	fleet: Fleet,
	name: string,
	change: (context: Context) => Context,
	options: {commandTimeoutMs?: number} = {},
): Promise<Record<string, unknown>> {
	const context = change(fleet.context());
	const journal = Journal.open(context.paths.run(name), 1000)!;
	try {
		assert.equal(await verify(context, journal, {...options, onOutput() {}}), false);
		return {...journal.run.verification};
	} finally {
		journal.close();
	}
}

// A sandbox that does not come up may end with any exit code.
test('inconclusive: a time limit, a sandbox that does not start, words that cannot be kept', async t => {
	const fleet = new Fleet(t, {policy: policyOf('echo started; sleep 30')});
	await fleet.agent('b', 'echo two >> a.txt');
	const timed = await below(fleet, 'b', context => context, {commandTimeoutMs: 1500});
	assert.deepEqual([timed['result'], timed['doubt']], ['inconclusive', 'timeout']);
	setPolicy(fleet, policyOf('true'));
	for (const alone of [['/bin/false'], ['/bin/true'], ['/nonexistent/program'], ['/bin/sh', '-c', 'kill -9 $$']]) {
		const broken: Context['sandboxes'][number] = {
			...bubblewrap,
			prepare(plan, folder) {
				const prepared = bubblewrap.prepare(plan, folder);
				return {
					...prepared,
					alone: inner => (inner.argv.includes('verify') ? {argv: alone, cwd: '/', env: {}} : prepared.alone(inner)),
				};
			},
		};
		const found = await below(fleet, 'b', context => ({...context, sandboxes: [broken]}));
		assert.deepEqual([found['result'], found['doubt']], ['inconclusive', 'sandbox'], String(alone));
	}

	const log = path.join(fleet.context().paths.run('b').folder, 'verify.log');
	rmSync(log, {force: true});
	symlinkSync('/dev/full', log);
	inconclusive(fleet, 'b', 'log', /could not be kept: ENOSPC/);
	rmSync(log);
	assert.equal(verdict(fleet, 'b').result, 'passed');
});

test('whoever stops reading does not decide what a verification says', async t => {
	const fleet = new Fleet(t, {policy: policyOf('seq 1 200000; exit 1')});
	await fleet.agent('r', 'echo two >> a.txt');
	const {stdout} = spawnSync(
		'bash',
		['-c', 'node "$0" verify r | head -n 1 > /dev/null; echo "${PIPESTATUS[0]}"', program],
		{cwd: fleet.project, env: fleet.env, encoding: 'utf8'},
	);
	assert.equal(stdout.trim(), '3');
	assert.equal(fleet.stage('r'), 'verify-failed');
});

test("what a merged tree holds of git's own files does not steer what the commands ask", async t => {
	const fleet = new Fleet(t, {policy: policyOf('git status --porcelain && git log -1 --format=%s')});
	await fleet.agent(
		'e',
		"git config core.fsmonitor 'touch /tmp/ran; false'; mkdir sub; " +
			"printf '[core]\\n\\tfsmonitor = x\\n' > sub/config; printf '*.txt diff=evil\\n*.none filter=evil\\n' > " +
			'.gitattributes',
	);
	const {code, stdout} = fleet.run(['verify', 'e']);
	assert.equal(code, 0, stdout);
	assert.match(stdout, /^The merge that is verified$/m);
	assert.equal(
		execFileSync('git', ['-C', fleet.project, 'status', '--porcelain'], {env: fleet.env, encoding: 'utf8'}),
		'',
	);
});

test('a package manager in a verification gives up at once', async t => {
	const fleet = new Fleet(t, {
		policy: 'verify:\n  - npm install --loglevel=http\n',
		files: {'package.json': '{"name": "x", "version": "1.0.0", "dependencies": {"is-number": "7.0.0"}}\n'},
	});
	await fleet.agent('one', 'echo b > b.txt && git add -A && git commit -qm b');
	// npm would ask three times, for more than a minute: told not to, it asks once.
	const {stdout, code} = fleet.run(['verify', 'one']);
	assert.equal(code, 3);
	assert.match(stdout, /is-number attempt 1 failed/);
	assert.doesNotMatch(stdout, /is-number attempt 2/);
});
