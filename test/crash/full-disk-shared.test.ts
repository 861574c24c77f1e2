import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {test, type TestContext} from 'node:test';
import type {Entry} from '../../source/core/run/event.ts';
import {Fleet} from '../support/fleet.ts';
import {addToken, withForge} from '../support/forge.ts';
import {codes, failingVerb, journalStatus, save, tried} from '../support/full-disk.ts';
import {commitFiles, commitPeople, makeKey} from '../support/people.ts';
import {peopleFile, shared, Teammate} from '../support/teammate.ts';

/*
 * A disk that takes no more at each write in turn, under the verbs that others see the work of: publishing, asking
 * them, signed decisions. What was done elsewhere is found by the same verb. `requests approve` and `journal push` write by
 * git alone.
 */

type Verb = {
	readonly fleet: Fleet;
	readonly run: string;
	readonly argv: readonly string[];
	readonly env?: Readonly<Record<string, string>>;
	/** What there is to see of it, at the remote and here. */
	readonly seen: () => unknown;
	/** Puts back what is outside of the fleet's folder. */
	readonly back?: () => void;
};

async function tryEach(t: TestContext, {fleet, run, argv, env, seen, back}: Verb): Promise<void> {
	t.after(() => {
		spawnSync('rm', ['-rf', '--', `${fleet.folder}-saved`]);
	});
	const restore = save(fleet);
	const reset = () => {
		restore();
		back?.();
	};

	const whole = await failingVerb(fleet, 1e9, 'ENOSPC', argv, env);
	assert.equal(whole.code, 0, whole.stderr);
	assert.ok(whole.writes > 0, 'nothing was written, so nothing is tried');
	const wanted = seen();
	for (const number of tried(whole.writes)) {
		reset();
		const how = codes[number % codes.length]!;
		const place = `${argv[0]}: ${how} at write ${number} of ${whole.writes}`;
		const {code, stderr} = await failingVerb(fleet, number, how, argv, env);
		assert.match(journalStatus(fleet, run), /^(?:whole|torn)$/, place);
		if (code !== 0) {
			// A deploy says before what it is about.
			assert.match(stderr, /^(?:[a-z ]+ {2}[^\n]+\n)*fleet: (?!internal error)[^\n]+\n {2}hint: [^\n]+\n$/, place);
			assert.match(stderr, /disk|quota/, place);
			const again = await failingVerb(fleet, 1e9, 'ENOSPC', argv, env);
			assert.equal(again.code, 0, `${place}, then again: ${again.stderr}`);
		}

		assert.deepEqual(seen(), wanted, place);
		assert.equal(journalStatus(fleet, run), 'whole', place);
	}
}

test('publishing on a disk that takes no more pushes and asks once', async t => {
	const fleet = new Fleet(t);
	const {forge, env} = await withForge(t, fleet);
	addToken(fleet, forge);
	await fleet.agent('fix', 'echo two >> b.txt; git add b.txt; git commit -qm work');
	fleet.must('verify', 'fix');
	const back = () => {
		forge.pulls.length = 0;
	};

	const seen = () => [forge.pulls.length, forge.tip('fleet/fix'), fleet.json('show', 'fix')['published']?.number];
	await tryEach(t, {fleet, run: 'fix', argv: ['publish', 'fix'], env, seen, back});
	await tryEach(t, {
		fleet,
		run: 'fix',
		argv: ['publish', 'fix', '--refresh'],
		env,
		seen: () => fleet.json('show', 'fix')['published'].state,
	});
});

async function team(t: TestContext): Promise<{cy: Teammate; remote: string}> {
	const [cy, ada] = ['cy', 'ada'].map(name => new Teammate(t, name)) as [Teammate, Teammate];
	cy.commit('people', {
		'.fleet/people.yaml': peopleFile([[ada, 'owners'], [cy]]),
		'.fleet/policy.yaml': 'verify: ["true"]\n',
	});
	const remote = shared(cy, [ada]);
	await cy.agent('work', 'echo two >> a.txt; git commit -qam "Add two"');
	cy.must('verify', 'work');
	return {cy, remote};
}

const refs = (remote: string, pattern: string) =>
	execFileSync('git', ['-C', remote, 'for-each-ref', '--format=%(refname:short)', pattern], {encoding: 'utf8'})
		.trim()
		.split('\n');

test('asking others on a disk that takes no more asks once', async t => {
	const {cy, remote} = await team(t);
	await tryEach(t, {
		fleet: cy,
		run: 'work',
		argv: ['request', 'work', '--to', 'origin'],
		seen: () => refs(remote, 'refs/heads/fleet-requests'),
	});
});

test('signed decisions on a disk that takes no more are whole or not there', async t => {
	const fleet = new Fleet(t, {policy: ''});
	const key = makeKey(fleet.home, 'ada');
	commitFiles(fleet, {
		'.fleet/policy.yaml':
			'verify: ["true"]\napprove: {not: []}\ndeploy:\n  shelf:\n    command: "true"\n    approve: {people: 1, from: [owners], not: []}\n',
	});
	commitPeople(fleet, {ada: {groups: ['owners'], keys: [key]}});
	await fleet.agent('one', 'echo x > x.txt; git add .; git commit -qm x');
	fleet.must('verify', 'one');
	const signed = (type: string) => fleet.json<Entry[]>('journal', 'one').filter(entry => entry.type === type).length;
	const say = (argv: readonly string[], types: readonly string[]) =>
		tryEach(t, {fleet, run: 'one', argv: [...argv, '--key', key], seen: () => types.map(type => signed(type) > 0)});
	await say(['approve', 'one', '--because', 'x'], ['statement.signed', 'review.approved']);
	assert.equal(signed('review.approved'), 1);
	fleet.must('merge', 'one', '--key', key);
	await say(['deploy', 'one', 'shelf', '--request', '--because', 'x'], ['deploy.requested']);
	await say(['deploy', 'one', 'shelf', '--approve'], ['deploy.approved']);
	assert.equal(signed('deploy.approved'), 1);
});
