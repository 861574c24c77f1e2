import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import {plainDate, plainWords} from '../../source/core/git/commit-message.ts';
import {Fleet, until} from '../support/fleet.ts';

/*
 * What a merge leaves in the history: by whom, with what words,
 * signed or not, as the policy and the person's git want it.
 */

const work =
	'echo b > b.txt; git add b.txt; git commit -qm "first of two"; echo c > c.txt; git add c.txt; ' +
	'git commit -qm "second of two"';

async function approved(
	t: TestContext,
	merge: string,
	script = work,
	prepare: (fleet: Fleet) => void = () => {},
): Promise<Fleet> {
	const fleet = new Fleet(t, {policy: `verify: ["test -f a.txt"]\n${merge === '' ? '' : `merge: ${merge}\n`}`});
	prepare(fleet);
	await fleet.agent('r', script);
	fleet.must('verify', 'r');
	fleet.must('approve', 'r', '--because', 'looks right', '--confirm', 'yes');
	return fleet;
}

/** Has the person's git sign with an SSH key, which it also trusts. */
function signs(fleet: Fleet): void {
	const key = path.join(fleet.folder, 'key');
	execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
	const signers = path.join(fleet.folder, 'signers');
	writeFileSync(signers, `test@example.invalid ${execFileSync('ssh-keygen', ['-y', '-f', key], {encoding: 'utf8'})}`);
	for (const [name, value] of [
		['gpg.format', 'ssh'],
		['user.signingkey', `${key}.pub`],
		['commit.gpgsign', 'true'],
		['gpg.ssh.allowedSignersFile', signers],
	] as const) {
		fleet.git('config', name, value);
	}
}

test("a merge is the person's, with the agent as co-author, and what was left in the folder is, too", async t => {
	const fleet = await approved(t, '', 'echo b > b.txt');
	fleet.must('merge', 'r');
	assert.equal(
		fleet.git('log', '-2', '--format=%an <%ae> %cn'),
		'Test Person <test@example.invalid> Test Person\nTest Person <test@example.invalid> Test Person',
	);
	for (const commit of ['main', 'main^2']) {
		assert.equal(
			fleet.git('log', '-1', '--format=%(trailers:key=Co-authored-by,valueonly)', commit).trim(),
			'fleet agent <agent@fleet.invalid>',
		);
	}
});

test('a merge is signed where git is told to sign, and not made where it cannot be', async t => {
	const fleet = await approved(t, '', work, signs);
	const before = fleet.git('rev-parse', 'main');
	fleet.git('config', 'user.signingkey', path.join(fleet.folder, 'gone.pub'));
	const refused = fleet.run(['merge', 'r']);
	assert.equal(refused.code, 3);
	assert.match(refused.stderr, /could not be signed, so nothing was merged: .*\n  hint: git commit -S/);
	assert.equal(fleet.git('rev-parse', 'main'), before);
	fleet.git('config', 'user.signingkey', path.join(fleet.folder, 'key.pub'));
	fleet.must('merge', 'r');
	assert.equal(fleet.git('log', '-1', '--format=%G? %GS'), 'G test@example.invalid');
});

test('the policy says that merges are signed, or that they are not', async t => {
	const fleet = await approved(t, '{sign: true}');
	const refused = fleet.run(['merge', 'r']);
	assert.deepEqual([refused.code, /could not be signed/.test(refused.stderr)], [3, true], refused.stderr);
	const other = await approved(t, '{sign: false}', work, signs);
	other.must('merge', 'r');
	assert.equal(other.git('log', '-1', '--format=%G?'), 'N');
});

test('one commit: squash', async t => {
	const fleet = await approved(t, '{how: squash}', work, signs);
	fleet.must('merge', 'r');
	assert.equal(fleet.git('log', '--format=%s %G?'), 'Work of run r G\nstart N');
	assert.match(
		fleet.git('log', '-1', '--format=%b'),
		/^\* first of two\n\* second of two\n\nCo-authored-by: [^]*Fleet-Run: r\n/,
	);
	assert.equal(fleet.git('ls-tree', '-r', '--name-only', 'main'), '.fleet/policy.yaml\na.txt\nb.txt\nc.txt');
	assert.equal(fleet.git('status', '--porcelain'), '');
	assert.equal(fleet.stage('r'), 'merged');
});

test("the run's commits one after another, on a target that moved: rebase", async t => {
	const fleet = await approved(t, '{how: rebase}', work, signs);
	writeFileSync(path.join(fleet.project, 'd.txt'), 'd\n');
	fleet.git('add', 'd.txt');
	fleet.git('commit', '-qm', 'meanwhile', '--no-gpg-sign');
	fleet.must('verify', 'r');
	fleet.must('approve', 'r', '--because', 'x', '--confirm', 'yes');
	fleet.must('merge', 'r');
	assert.equal(
		fleet.git('log', '--format=%s %G? %an'),
		'second of two G Test Person\nfirst of two G Test Person\nmeanwhile N Test Person\nstart N Test Person',
	);
	assert.equal(fleet.git('log', '--merges', '--format=%s'), '');
	assert.match(fleet.git('log', '-1', '--format=%b'), /Fleet-Verify: [0-9a-f]{64}/);
	assert.equal(fleet.git('ls-tree', '-r', '--name-only', 'main'), '.fleet/policy.yaml\na.txt\nb.txt\nc.txt\nd.txt');
	assert.equal(fleet.git('status', '--porcelain'), '');
});

test('a rebase that would come to something else, or of a branch with merges, is refused and nothing moves', async t => {
	const fleet = await approved(
		t,
		'{how: rebase}',
		`${work}; git checkout -q -b side HEAD~1; echo e > e.txt; git add e.txt; git commit -qm side; ` +
			'git checkout -q fleet/r; git merge -q --no-edit side',
	);
	const before = fleet.git('rev-parse', 'main');
	const refused = fleet.run(['merge', 'r']);
	assert.equal(refused.code, 3);
	assert.match(refused.stderr, /holds merges of its own/);
	assert.equal(fleet.git('rev-parse', 'main'), before);
});

test('nothing that an agent wrote reads as a trailer of ours', async t => {
	const forged =
		'echo b > b.txt; git add b.txt; git commit -qm "a title" -m "Fleet-Approval: by the boss" -m "Reviewed-by: ' +
		'nobody" -m "---" -m "# ------------------------ >8 ------------------------"';
	const fleet = await approved(t, '{how: rebase}', forged);
	fleet.must('merge', 'r');
	assert.match(fleet.git('log', '-1', '--format=%(trailers:key=Reviewed-by,valueonly)').trim(), /^(?!nobody)[\w-]+$/);
	assert.doesNotMatch(fleet.git('log', '-1', '--format=%(trailers)'), /boss|nobody/);
	assert.match(fleet.git('log', '-1', '--format=%B'), /^\| Fleet-Approval: by the boss$/m);
	const parsed = execFileSync('git', ['interpret-trailers', '--parse'], {
		input: fleet.git('log', '-1', '--format=%B'),
		encoding: 'utf8',
	});
	assert.match(parsed, /^Reviewed-by: /m, "no line of an agent's ends the message before them");
});

test("hidden characters in the commits' messages and names are flagged, since a merge brings them to the target", async t => {
	const fleet = await approved(
		t,
		'',
		'echo b > b.txt; git add b.txt; git commit -qm "$(printf \'fix\\342\\200\\256 typo\')"; ' +
			'echo c > c.txt; git add c.txt; git -c user.name="$(printf \'A\\342\\200\\213B\')" commit -qm "plain"',
	);
	const {captured} = fleet.json<{captured: {commitFlags: string[]}}>('show', 'r');
	assert.equal(captured.commitFlags.length, 2, captured.commitFlags.join('\n'));
	assert.match(
		captured.commitFlags.join('\n'),
		/the message of commit [0-9a-f]{10} holds 1 invisible character \(U\+202E\)/,
	);
	assert.match(captured.commitFlags.join('\n'), /the names in commit [0-9a-f]{10} hold .*\(U\+200B\)/);
	assert.match(fleet.must('show', 'r'), /flag +the message of commit/);
});

test('a reason with the value of a secret, or with what looks like one, is refused and written nowhere', async t => {
	const value = 'correct-horse-battery-staple-42';
	const fleet = new Fleet(t, {policy: 'verify: ["test -f a.txt"]\n'});
	fleet.must('secret', 'add', 'api', '--user', '--host', 'a.example', '--from', 'env:OUTSIDE');
	await fleet.agent('r', work);
	fleet.must('verify', 'r');
	const say = (verb: string, because: string) =>
		fleet.run([verb, 'r', '--because', because, ...(verb === 'approve' ? ['--confirm', 'yes'] : [])], {
			env: {OUTSIDE: value},
		});
	for (const verb of ['approve', 'merge']) {
		for (const written of [value, Buffer.from(value).toString('base64')]) {
			const {code, stderr} = say(verb, `it works with ${written}`);
			assert.equal(code, 2, stderr);
			assert.match(stderr, /the reason holds the value of fleet:\/\/user\/api\n {2}hint: name it instead/);
			assert.ok(!stderr.includes(written));
		}

		const looks = say(verb, 'with ghp_Zz9Yy8Xx7Ww6Vv5Uu4Tt3Ss2Rr1Qq0Pp9Oo8');
		assert.equal(looks.code, 2);
		assert.match(looks.stderr, /possible secret in the reason \(github\): ghp_…/);
		assert.doesNotMatch(fleet.must('journal', 'r'), /horse|ghp_/);
		assert.equal(say(verb, 'it works with fleet://user/api').code, 0);
	}

	assert.match(fleet.git('log', '-1', '--format=%B'), /^Fleet-Because: it works with fleet:\/\/user\/api$/m);
});

test("words by a template, with the person's commit-msg hook", async t => {
	const fleet = await approved(
		t,
		'{hooks: [commit-msg], message: "feat: {title} ({run} into {target})\\n\\n{commits}"}',
		work,
	);
	const missing = fleet.run(['merge', 'r']);
	assert.equal(missing.code, 3);
	assert.match(missing.stderr, /wants the hook commit-msg at a merge, and there is no program/);
	const hook = path.join(fleet.project, '.git', 'hooks', 'commit-msg');
	writeFileSync(hook, '#!/bin/sh\ngrep -q "^feat: " "$1" || exit 1\necho "Change-Id: I1" >> "$1"\n', {mode: 0o755});
	fleet.must('merge', 'r');
	const message = fleet.git('log', '-1', '--format=%B');
	assert.match(message, /^feat: Work of run r \(r into main\)\n\nfirst of two\nsecond of two\n\nCo-authored-by: /);
	assert.match(message, /\nChange-Id: I1$/);
	assert.equal(fleet.git('log', '-1', '--format=%(trailers:key=Change-Id,valueonly)').trim(), 'I1');
});

test('a hook that refuses, from where core.hooksPath says, is the end of it', async t => {
	const fleet = await approved(t, '{hooks: [commit-msg]}', work);
	mkdirSync(path.join(fleet.folder, 'hooks'));
	writeFileSync(path.join(fleet.folder, 'hooks', 'commit-msg'), '#!/bin/sh\necho "no ticket" >&2\nexit 1\n', {
		mode: 0o755,
	});
	fleet.git('config', 'core.hooksPath', path.join(fleet.folder, 'hooks'));
	const before = fleet.git('rev-parse', 'main');
	const refused = fleet.run(['merge', 'r']);
	assert.match(refused.stderr, /your hook commit-msg refused the merge: no ticket/);
	assert.equal(refused.code, 3);
	assert.equal(fleet.git('rev-parse', 'main'), before);
});

test('the agent as author, where the policy wants it so', async t => {
	const fleet = await approved(t, '{author: agent, how: squash}');
	fleet.must('merge', 'r');
	assert.equal(fleet.git('log', '-1', '--format=%ae %ce'), 'agent@fleet.invalid test@example.invalid');
	assert.equal(fleet.git('log', '-1', '--format=%(trailers:key=Co-authored-by)').trim(), '');
});

test("a commit is UTF-8 and says nothing else, whatever encoding the person's git is told", async t => {
	const fleet = await approved(t, '{how: rebase}', 'echo b > b.txt; git add b.txt; git commit -qm "größer"', fleet => {
		fleet.git('config', 'i18n.commitEncoding', 'ISO-8859-1');
		fleet.git('config', 'i18n.logOutputEncoding', 'ISO-8859-1');
	});
	fleet.must('merge', 'r');
	const commit = fleet.git('cat-file', 'commit', 'main');
	assert.match(commit, /^größer$/m);
	assert.doesNotMatch(commit, /^encoding /m);
});

test('a checkout whose git folder is elsewhere follows, and nothing is written into that folder', async t => {
	const fleet = new Fleet(t, {policy: 'verify: ["test -f a.txt"]\n', add: false});
	const gitDir = path.join(fleet.folder, 'elsewhere.git');
	fleet.git('init', '--quiet', `--separate-git-dir=${gitDir}`);
	fleet.must('project', 'add');
	await fleet.agent(
		'r',
		'mkdir hooks; printf "#!/bin/sh\\n" > hooks/pre-commit; chmod +x hooks/pre-commit; echo b > b.txt',
	);
	fleet.must('verify', 'r');
	fleet.must('approve', 'r', '--because', 'looks right', '--confirm', 'yes');
	fleet.must('merge', 'r');
	assert.equal(fleet.git('status', '--porcelain'), '');
	assert.deepEqual(
		[path.join(fleet.project, 'b.txt'), path.join(gitDir, 'b.txt'), path.join(gitDir, 'hooks', 'pre-commit')].map(
			file => existsSync(file),
		),
		[true, false, false],
	);

	// Added by another of its checkouts, the first one's files cannot be found: it is not left behind in silence.
	const linked = path.join(fleet.folder, 'linked');
	fleet.git('worktree', 'add', '--quiet', '-b', 'topic', linked);
	const home = {...fleet.env, FLEET_HOME: path.join(fleet.folder, 'second')};
	fleet.settings('', home.FLEET_HOME);
	const second = (...argv: string[]) => fleet.run(argv, {cwd: linked, env: home});
	assert.equal(second('project', 'add').code, 0);
	assert.equal(second('run', '--name', 's', '--base', 'main', '--', 'sh', '-c', 'echo c > c.txt').code, 0);
	await until(() => JSON.parse(second('show', 's', '--json').stdout)['stage'] === 'stopped', 's has ended');
	assert.equal(second('verify', 's').code, 0);
	assert.equal(second('approve', 's', '--because', 'looks right', '--confirm', 'yes').code, 0);
	const refused = second('merge', 's');
	assert.equal(refused.code, 3);
	assert.match(
		refused.stderr,
		/is checked out where git does not name[^]*hint: git --git-dir=\S+elsewhere\.git config core\.worktree PATH/,
	);
	fleet.git('config', 'core.worktree', fleet.project);
	assert.equal(second('merge', 's').code, 0);
	assert.deepEqual(
		[
			fleet.git('status', '--porcelain'),
			existsSync(path.join(fleet.project, 'c.txt')),
			existsSync(path.join(gitDir, 'c.txt')),
		],
		['', true, false],
	);
});

test("a date and words of an agent's are taken over as far as they are any", () => {
	const now = 1_700_000_000_000;
	assert.deepEqual(
		[
			'1600000000 +0200',
			'5 -0930',
			'1600000000 +10039',
			'1600000000 +9999',
			'1600000000 +0170',
			'1700000001 +0000',
			'99999999999999 +0000',
			'',
		].map(raw => plainDate(raw, now)),
		[
			'@1600000000 +0200',
			'@5 -0930',
			'@1600000000 +0000',
			'@1600000000 +0000',
			'@1600000000 +0000',
			undefined,
			undefined,
			undefined,
		],
	);
	assert.equal(plainWords('a\u{E0061}b \u202Ec\n\u200BReviewed-by: x'), 'a·b ·c\n·Reviewed-by: x');
	assert.equal(
		plainWords('a\n\n  Reviewed-by : x\n--- a line\n----\n; ---- >8 ----\n'),
		'a\n\n|   Reviewed-by : x\n| --- a line\n----\n| ; ---- >8 ----\n',
	);
});
