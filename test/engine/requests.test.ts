import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {test} from 'node:test';
import {answerRef, requestRef} from '../../source/core/git/refs.ts';
import {peopleFile, shared, Teammate} from '../support/teammate.ts';

/* Three people on three machines, who have nothing in common but a repository. */

const policy = 'verify: ["test -d ."]\napprove:\n  people: 2\n  from: [maintainers]\n  protected: {from: [owners]}\n';

test('a run is approved by two others from their own machines, through git alone', async t => {
	const [cy, ada, bo] = ['cy', 'ada', 'bo'].map(name => new Teammate(t, name)) as [Teammate, Teammate, Teammate];
	cy.commit('people', {
		'.fleet/people.yaml': peopleFile([[ada, 'owners', 'maintainers'], [bo, 'maintainers'], [cy]]),
		'.fleet/policy.yaml': policy,
	});
	const remote = shared(cy, [ada, bo]);
	const refused = (who: Teammate, argv: string[], pattern: RegExp, code = 3) => {
		const result = who.run(argv);
		assert.match(result.stderr, pattern, `${argv.join(' ')}: ${result.stdout}${result.stderr}`);
		assert.equal(result.code, code, result.stderr);
	};

	await cy.agent('work', 'echo two >> a.txt; git commit -qam "Add two"');
	refused(cy, ['request', 'work'], /work is not verified/);
	cy.must('verify', 'work');
	refused(cy, ['approve', 'work'], /cy is not one of those whose yes counts[^]*maintainers \(ada, bo\)/);
	refused(cy, ['request', 'work', '--to', 'nowhere'], /no remote called nowhere/, 2);
	assert.match(
		cy.must('request', 'work', '--to', 'origin', '--because', 'for the demo'),
		/^cy asks for work to be approved, at origin/,
	);
	refused(cy, ['merge', 'work'], /2 people have to approve it; may: ada, bo/);
	// What was pushed is in cy's own refs of the remote now, and no other run's agent sees it there.
	assert.match(cy.git('for-each-ref', 'refs/remotes'), /fleet-requests/);
	assert.doesNotMatch(await cy.agent('looks', 'git for-each-ref'), /fleet-requests/);

	const [asked] = ada.json<Array<Record<string, string>>>('requests');
	assert.deepEqual([asked!['run'], asked!['by'], asked!['because']], ['work', 'cy', 'for the demo']);
	assert.match(ada.must('requests'), /^work {2}cy asks {2}main/);
	// What is asked is nobody's branch here: agents see those of a remote.
	assert.doesNotMatch(ada.git('for-each-ref', 'refs/remotes', 'refs/heads'), /fleet-requests/);
	assert.match(ada.must('requests', 'show', 'work'), /^\+two$/m);
	assert.match(ada.must('requests', 'approve', 'work', '--because', 'read it'), /^approved work as ada/);
	refused(cy, ['merge', 'work'], /2 people have to approve it: ada did; may: bo/);
	assert.match(cy.must('request', 'work', '--answers'), /^2 people have to approve it: ada did/);

	// Who asked has no say, and a no of somebody who has one stands until they say yes.
	refused(cy, ['requests', 'approve', 'work'], /cy is not one of those/);
	assert.match(bo.must('requests', 'reject', 'work', '--because', 'not yet'), /^rejected work as bo/);
	refused(cy, ['merge', 'work'], /bo rejected it: not yet/);
	assert.match(bo.must('requests', 'approve', 'work'), /^approved work as bo/);
	assert.match(cy.must('request', 'work', '--answers'), /bo: approve\napproved by ada, bo\n$/);
	// A no counts after a yes as well, whoever has it in their journal.
	bo.must('requests', 'reject', 'work', '--because', 'wait');
	refused(cy, ['merge', 'work'], /bo rejected it: wait/);
	bo.must('requests', 'approve', 'work');
	cy.must('merge', 'work');
	const message = cy.git('log', '-1', '--format=%B');
	assert.match(message, /^Requested-by: cy\nReviewed-by: ada\nReviewed-by: bo$/m);
	assert.equal(message.match(/^Fleet-Statement: /gm)?.length, 4, 'three decided, and who merged signed that');
	assert.match(message, /^Fleet-Merged-by: cy$/m);
	assert.doesNotMatch(message, /Four-Eyes/);
	assert.equal(
		execFileSync('git', ['-C', remote, 'branch', '--list', 'fleet-*'], {encoding: 'utf8'}),
		'',
		'what was asked is gone',
	);
	assert.equal(ada.must('requests'), 'nobody asks for anything at origin\n');
});

test('a request that is not what it says is answered by nobody', async t => {
	const [cy, ada] = ['cy', 'ada'].map(name => new Teammate(t, name)) as [Teammate, Teammate];
	const eve = new Teammate(t, 'eve');
	cy.commit('people', {'.fleet/people.yaml': peopleFile([[ada], [cy]]), '.fleet/policy.yaml': 'verify: ["true"]\n'});
	const remote = shared(cy, [ada, eve]);
	await cy.agent('work', 'echo two >> a.txt; git commit -qam "Add two"');
	cy.must('verify', 'work');
	cy.must('request', 'work', '--to', 'origin');
	const request = requestRef('work');
	const push = (commit: string, ref = request) => eve.git('push', '--quiet', '--force', 'origin', `${commit}:${ref}`);
	eve.git('fetch', '--quiet', 'origin', request);
	const good = eve.git('rev-parse', 'FETCH_HEAD');
	const plumb = (...argv: string[]) => eve.git(...argv);
	const expect = (pattern: RegExp, argv = ['requests', 'approve', 'work', '--because', 'x']) => {
		const {code, stderr} = ada.run(argv);
		assert.match(stderr, pattern);
		assert.notEqual(code, 0);
		assert.match(ada.run(['requests']).stderr, /^left out: /m);
	};

	// The statement is of other commits than those that it comes with.
	push(plumb('commit-tree', `${good}^{tree}`, '-p', 'main', '-m', 'other'));
	expect(/does not come with what it is about/);
	// Another run's name.
	push(good, 'refs/heads/fleet-requests/other');
	expect(/what cy signed is about another run/, ['requests', 'approve', 'other', '--because', 'x']);
	eve.git('push', '--quiet', 'origin', ':refs/heads/fleet-requests/other');
	// Nothing that can be read.
	const blob = execFileSync('git', ['-C', eve.project, 'hash-object', '-w', '--stdin'], {
		input: '{"version": 2}',
		encoding: 'utf8',
	}).trim();
	const tree = execFileSync('git', ['-C', eve.project, 'mktree'], {
		input: `100644 blob ${blob}\trequest.json\n`,
		encoding: 'utf8',
	}).trim();
	push(plumb('commit-tree', tree, '-p', `${good}^`, '-m', 'x'));
	expect(/is no request that this fleet reads/);
	// Signed by nobody of the project: eve says that it is her work.
	eve.git('config', 'user.email', 'eve@example.invalid');
	await eve.agent('hers', 'echo three >> a.txt; git commit -qam "Add three"');
	eve.must('verify', 'hers');
	assert.match(eve.run(['request', 'hers', '--to', 'origin']).stderr, /not one of the project's signers/);
	// A target that moved makes it another question.
	push(good);
	ada.commit('meanwhile', {'b.txt': ''});
	ada.git('push', '--quiet', 'origin', 'main');
	expect(/stale: main moved since cy asked/);
	// An answer of somebody's that is no signature of theirs is left out where it is collected.
	const forged = execFileSync('git', ['-C', eve.project, 'hash-object', '-w', '--stdin'], {
		input: JSON.stringify({version: 1, statement: 'bm8=.bm8='}),
		encoding: 'utf8',
	}).trim();
	const answer = execFileSync('git', ['-C', eve.project, 'mktree'], {
		input: `100644 blob ${forged}\tanswer.json\n`,
		encoding: 'utf8',
	}).trim();
	push(plumb('commit-tree', answer, '-p', good, '-m', 'x'), answerRef('work', 'ada'));
	const collected = cy.run(['request', 'work', '--answers']);
	assert.match(collected.stderr, /left out: a statement is not JSON/);
	assert.match(collected.stdout, /1 person has to approve it; may: ada/);
	assert.equal(
		execFileSync('git', ['-C', remote, 'log', '-1', '--format=%s', 'main'], {encoding: 'utf8'}).trim(),
		'meanwhile',
	);
});
