import assert from 'node:assert/strict';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import {addToNote, notesRef, wordsOf} from '../../source/engine/people/notes.ts';
import {Git} from '../../source/host/git.ts';
import {Fleet} from '../support/fleet.ts';
import {commitPeople, makeKey} from '../support/people.ts';

/* What fleet itself merges, checked from a bare clone that knows nothing of fleet. */

/** A project with one person whose approval counts, and a bare clone's check of it. */
function project(t: TestContext, policy: string): Fleet {
	const fleet = new Fleet(t, {policy: `verify: ["test -f a.txt"]\napprove: {not: []}\n${policy}`});
	const key = makeKey(fleet.folder, 'ada');
	commitPeople(fleet, {ada: {groups: [], keys: [key]}});
	fleet.git('config', 'user.signingKey', key);
	return fleet;
}

function look(fleet: Fleet, ...argv: string[]) {
	const clone = path.join(fleet.folder, 'clone.git');
	fleet.git('clone', '--quiet', '--bare', fleet.project, clone);
	// Nothing of fleet's own is there, and nothing is made.
	return fleet.run(['check', '--repo', clone, ...argv], {cwd: '/', env: {FLEET_HOME: '/nonexistent'}});
}

for (const how of ['merge', 'squash', 'rebase']) {
	test(`a merge of fleet's own holds: ${how}`, async t => {
		const fleet = project(t, `merge: {how: ${how}}\n`);
		await fleet.agent(
			'r',
			'echo b > b.txt; git add b.txt; git commit -qm one; echo c > c.txt; git add c.txt; git commit -qm two',
		);
		fleet.must('verify', 'r');
		fleet.must('approve', 'r', '--because', 'looks right', '--confirm', 'yes');
		const before = fleet.git('rev-parse', 'main');
		const stranger = fleet.run(['merge', 'r', '--key', makeKey(fleet.folder, 'eve')]);
		assert.equal(stranger.code, 3, stranger.stderr);
		assert.match(stranger.stderr, /the key that signs is not one of the project's signers\n {2}hint: /);
		fleet.git('config', '--unset', 'user.signingKey');
		const none = fleet.run(['merge', 'r']);
		assert.equal(none.code, 2, none.stderr);
		assert.match(none.stderr, /you have no key for that\n {2}hint: name one with --key FILE/);
		assert.equal(fleet.git('rev-parse', 'main'), before);
		fleet.must('merge', 'r', '--key', path.join(fleet.folder, 'key-ada'));
		const {code, stdout, stderr} = look(fleet, '--json');
		assert.equal(code, 0, stdout + stderr);
		const report = JSON.parse(stdout);
		assert.equal(report.result, 'holds');
		assert.deepEqual([report.merges, report.before, report.unchecked], [how === 'rebase' ? 2 : 1, 2, 0]);
		assert.equal(report.trusted, fleet.git('rev-parse', `main~${how === 'rebase' ? 2 : 1}`));

		const message = fleet.git('log', '-1', '--format=%B');
		assert.match(message, /^Fleet-Merged-by: ada$/m);
		assert.equal(message.match(/^Fleet-Statement: /gm)?.length, 2);
		// Whoever takes the merge's signature off, and leaves the rest, has nothing that holds.
		const stripped = message.replace(/^Fleet-Statement: .*\n(?=Fleet-Verify)/m, '');
		const parents = fleet
			.git('log', '-1', '--format=%P')
			.split(' ')
			.flatMap(parent => ['-p', parent]);
		const other = path.join(fleet.folder, 'other.git');
		fleet.git('clone', '--quiet', '--bare', fleet.project, other);
		const forged = fleet.git('-C', other, 'commit-tree', 'main^{tree}', ...parents, '-m', stripped);
		const refused = fleet.run(['check', '--repo', other, `main~1..${forged}`, '--branch', 'main'], {cwd: '/'});
		assert.equal(refused.code, 3, refused.stdout);
		assert.match(refused.stderr, /none of the people signed that they merge it/);

		// What was signed is in a note on the tree, too.
		const note = fleet.git('notes', '--ref=fleet', 'show', fleet.git('rev-parse', 'main^{tree}'));
		assert.equal(wordsOf(note).length, 2);
	});
}

test('a train that fleet merged holds, and a forge may merge what was approved', async t => {
	const fleet = project(t, '');
	for (const name of ['one', 'two']) {
		await fleet.agent(name, `echo ${name} > ${name}.txt; git add .; git commit -qm ${name}`);
		fleet.must('verify', name);
		fleet.must('approve', name, '--because', 'looks right', '--confirm', 'yes');
	}

	fleet.run(['merge', '--all']);
	for (const name of ['one', 'two']) {
		if (fleet.stage(name) !== 'merged') {
			fleet.must('approve', name, '--because', 'looks right', '--confirm', 'yes');
		}
	}

	fleet.run(['merge', '--all']);
	assert.deepEqual([fleet.stage('one'), fleet.stage('two')], ['merged', 'merged']);
	const {code, stdout, stderr} = look(fleet);
	assert.equal(code, 0, stdout + stderr);
	assert.doesNotMatch(stdout, /nobody signed/);
	assert.match(stdout, /^main at [\da-f]{12}: nothing came there by itself; 4 commits: 2 came by what people signed, /);
	assert.match(stdout, /^open: [\da-f]{12} one was approved by ada, and by nobody who is known to be somebody else$/m);

	await fleet.agent('three', 'echo 3 > 3.txt; git add .; git commit -qm three');
	fleet.must('verify', 'three');
	fleet.must('approve', 'three', '--because', 'looks right', '--confirm', 'yes');
	fleet.git('merge', '--squash', 'fleet/three');
	fleet.git('commit', '--quiet', '--message=Three (#3)\n\nCo-authored-by: fleet agent <agent@fleet.invalid>');
	const server = path.join(fleet.folder, 'server.git');
	fleet.git('clone', '--quiet', '--bare', '--no-local', fleet.project, server);
	const check = () => fleet.run(['check', '--repo', server]);
	const without = check();
	assert.equal(without.code, 3, without.stdout + without.stderr);
	assert.match(
		without.stderr,
		/hint: git show [\da-f]{12}; where a forge merged it: git fetch origin refs\/notes\/fleet/,
	);
	fleet.git('push', '--quiet', server, 'refs/notes/fleet');
	const {code: now, stdout: said, stderr: words} = check();
	assert.equal(now, 0, words);
	assert.match(said, /^open: [\da-f]{12} nobody signed that they merged three, as where a forge does it$/m);
});

test('notes are added by many at once, each once, and git reads them', async t => {
	const fleet = new Fleet(t, {add: false});
	const git = new Git({gitDir: path.join(fleet.project, '.git')});
	const trees = ['main^{tree}', 'main:.fleet', 'main:a.txt'].map(name => fleet.git('rev-parse', name));
	fleet.git('notes', '--ref=fleet', 'add', '-m', 'by hand', trees[0]!);
	const words = ['YQ==.Yg==', 'Yw==.ZA==', 'ZQ==.Zg=='];
	const all = trees.flatMap(tree => words.map(word => [tree, word] as const));
	const added = await Promise.all([...all, ...all].map(([tree, word]) => addToNote(git, tree, [word])));
	assert.equal(added.filter(Boolean).length, all.length);
	for (const tree of trees) {
		const text = fleet.git('notes', '--ref=fleet', 'show', tree);
		assert.deepEqual(wordsOf(text).toSorted(), words);
	}

	assert.match(fleet.git('notes', '--ref=fleet', 'show', trees[0]!), /^by hand$/m, 'what somebody wrote stays');
	assert.equal(fleet.git('log', '-1', '--format=%an <%ae>', notesRef), 'fleet <fleet@fleet.invalid>');
	assert.equal(fleet.git('fsck', '--strict', '--no-dangling'), '');
});
