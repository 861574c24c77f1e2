import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {chmodSync, existsSync, mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {Fleet} from '../support/fleet.ts';
import {addToken, login, speak, withForge} from '../support/forge.ts';

/*
 * Publishing at a forge on the loopback: git by the real `git http-backend` over TLS, the API as GitHub and GitLab document it.
 */

const work = 'echo two >> b.txt; git add b.txt; git commit -qm work';

test('what was verified is pushed with the person’s own login, and asked for once', async t => {
	const fleet = new Fleet(t);
	const {forge, env} = await withForge(t, fleet);
	// Hooks of the repository and of the person: none runs.
	const hooks = path.join(fleet.project, '.git', 'hooks');
	const ran = path.join(fleet.folder, 'hook-ran');
	mkdirSync(hooks, {recursive: true});
	for (const name of ['pre-push', 'reference-transaction']) {
		writeFileSync(path.join(hooks, name), `#!/bin/sh\ntouch ${ran}\n`);
		chmodSync(path.join(hooks, name), 0o755);
	}

	fleet.git('-c', 'core.hooksPath=/dev/null', 'tag', '-a', '-m', 'private', 'private');
	fleet.git('config', 'push.followTags', 'true');
	fleet.git('config', '--add', 'remote.origin.push', 'refs/tags/*:refs/tags/*');
	await fleet.agent('fix', work);
	const early = await speak(fleet, ['publish', 'fix'], env);
	assert.equal(early.code, 3);
	assert.match(early.stderr, /fix is not verified\n\s+hint: fleet verify fix/);
	fleet.must('verify', 'fix');
	const none = await speak(fleet, ['publish', 'fix', '--with', 'rest'], env);
	assert.match(none.stderr, /the vault has no token for host\.fleet\.internal:\d+\n\s+hint: fleet secret add forge/);
	assert.equal(forge.asked.length, 0);
	addToken(fleet, forge);

	const plan = await speak(fleet, ['publish', 'fix', '--dry-run', '--json'], env);
	assert.equal(plan.code, 0, plan.stderr);
	assert.equal(forge.asked.length, 0);
	const done = await speak(fleet, ['publish', 'fix'], env);
	assert.equal(done.code, 0, done.stderr);
	assert.match(done.stdout, /fix published at [\da-f]{10}: draft of pull request 1\n {2}https:\/\/host\.fleet/);
	const head = fleet.json('show', 'fix')['verification'].head as string;
	assert.equal(forge.tip('fleet/fix'), head);
	assert.deepEqual(forge.refs(), ['refs/heads/fleet/fix', 'refs/heads/main']);
	assert.equal(existsSync(ran), false, 'no hook ran');
	const [pull] = forge.pulls;
	assert.equal(pull!['draft'], true);
	assert.equal(pull!['head'].sha, head);
	assert.match(pull!['body'] as string, new RegExp(`commit    ${head}`));
	assert.match(pull!['body'] as string, /\+1 -0 {2}b\.txt/);
	// The token went to the API, the person's password to git, and neither to the other.
	for (const {to, authorization} of forge.seen.filter(({authorization}) => authorization !== '')) {
		assert.equal(authorization.startsWith('Bearer '), to === 'api');
	}

	const published = fleet.json('show', 'fix')['published'];
	assert.equal(published.number, 1);
	assert.equal(published.commit, head);
	assert.equal(published.url, `https://host.fleet.internal:${forge.port}/ada/project/pull/1`);

	// The same again does nothing twice; approved, it is no draft any more.
	fleet.must('approve', 'fix', '--because', 'looked');
	const again = await speak(fleet, ['publish', 'fix'], env);
	assert.equal(again.code, 0, again.stderr);
	assert.match(again.stdout, /: pull request 1\n/);
	assert.equal(forge.pulls.length, 1);
	assert.equal(pull!['draft'], false);
	assert.equal(forge.asked.filter(one => one.startsWith('POST /repos')).length, 1);
	assert.doesNotMatch(`${done.stdout}${done.stderr}${fleet.must('journal', 'fix')}`, new RegExp(login.token));

	// More work is pushed over what fleet pushed, and over nothing else.
	fleet.must('resume', 'fix');
	await fleet.until('fix', 'stopped');
	fleet.must('verify', 'fix');
	const next = fleet.json('show', 'fix')['verification'].head as string;
	assert.notEqual(next, head);
	const foreign = spawnSync(
		'git',
		['-C', forge.repository, 'commit-tree', '-m', 'theirs', '-p', head, `${head}^{tree}`],
		{
			encoding: 'utf8',
			env: {
				...fleet.env,
				GIT_AUTHOR_NAME: 'x',
				GIT_AUTHOR_EMAIL: 'x@x',
				GIT_COMMITTER_NAME: 'x',
				GIT_COMMITTER_EMAIL: 'x@x',
			},
		},
	).stdout.trim();
	spawnSync('git', ['-C', forge.repository, 'update-ref', 'refs/heads/fleet/fix', foreign]);
	const stopped = await speak(fleet, ['publish', 'fix'], env);
	assert.equal(stopped.code, 3);
	assert.match(stopped.stderr, /fleet\/fix at origin is [\da-f]{10}, which fleet did not push/);
	assert.equal(forge.tip('fleet/fix'), foreign);
	const replaced = await speak(fleet, ['publish', 'fix', '--replace', foreign.slice(0, 12)], env);
	assert.equal(replaced.code, 0, replaced.stderr);
	assert.equal(forge.tip('fleet/fix'), next);
	assert.equal(forge.pulls.length, 1);
});

test('a lost answer is looked up before anything is done twice', async t => {
	const fleet = new Fleet(t);
	const {forge, env} = await withForge(t, fleet);
	addToken(fleet, forge);
	await fleet.agent('one', work);
	fleet.must('verify', 'one');
	forge.lose.add('push').add('make');
	const done = await speak(fleet, ['publish', 'one'], env);
	assert.equal(done.code, 0, done.stderr);
	assert.equal(forge.pulls.length, 1);

	await fleet.agent('two', work);
	fleet.must('verify', 'two');
	forge.lose.add('find');
	const unheard = await speak(fleet, ['publish', 'two'], env);
	assert.equal(unheard.code, 3);
	assert.match(unheard.stderr, /hint: fleet publish two asks again/);
	assert.notEqual(forge.tip('fleet/two'), '');
	assert.match(fleet.must('activity'), /not published: /);
	assert.equal((await speak(fleet, ['publish', 'two'], env)).code, 0);
	assert.deepEqual(
		forge.pulls.map(pull => pull['head'].ref),
		['fleet/one', 'fleet/two'],
	);
});

test('what of the person’s is not at the remote does not go along', async t => {
	const fleet = new Fleet(t);
	const {forge, env} = await withForge(t, fleet);
	addToken(fleet, forge);
	fleet.git('commit', '--quiet', '--allow-empty', '--message=not pushed');
	await fleet.agent('one', work);
	fleet.must('verify', 'one');
	const refused = await speak(fleet, ['publish', 'one'], env);
	assert.equal(refused.code, 3);
	assert.match(refused.stderr, /1 commit of your branches is not at origin.*\n\s+hint: git push origin main/);
	assert.equal(forge.tip('fleet/one'), '');
	fleet.git('branch', 'private');
	fleet.git('reset', '--quiet', '--hard', 'HEAD^');
	fleet.git('checkout', '--quiet', 'private');
	writeFileSync(path.join(fleet.project, 'diary.txt'), 'mine\n');
	fleet.git('add', 'diary.txt');
	fleet.git('commit', '--quiet', '--message=diary');
	fleet.git('checkout', '--quiet', 'main');
	await fleet.agent('two', `${work}; git merge -q --no-edit private`);
	fleet.must('verify', 'two');
	const merged = await speak(fleet, ['publish', 'two'], env);
	assert.match(merged.stderr, /2 commits of your branches are not at origin/);
	assert.deepEqual(forge.refs(), ['refs/heads/main']);
	assert.equal(forge.asked.length, 0);
});
