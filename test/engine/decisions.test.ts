import assert from 'node:assert/strict';
import path from 'node:path';
import {test} from 'node:test';
import {Refusal} from '../../source/core/refusal.ts';
import {ownKey, readPeople, signDecision, whoseSignature} from '../../source/engine/people/decisions.ts';
import {Git} from '../../source/host/git.ts';
import {Fleet} from '../support/fleet.ts';
import {commitFiles, commitPeople, makeKey, publicKey} from '../support/people.ts';

/* Whose decision something is: by real keys, and the people of a commit. */

const namespace = 'fleet-test';
const target = 'refs/heads/main';

test('a decision is whose key signed it, by the people of a commit', async t => {
	const fleet = new Fleet(t, {add: false});
	const git = new Git({gitDir: path.join(fleet.project, '.git')});
	assert.deepEqual(await readPeople(git, target), {people: [], blob: 'none'});

	const [ada, bo, eve] = ['ada', 'bo', 'eve'].map(name => makeKey(fleet.home, name)) as [string, string, string];
	commitPeople(fleet, {ada: {groups: ['owners'], keys: [ada]}, bo: {groups: [], keys: [bo]}});
	const {people, blob} = await readPeople(git, target);
	assert.equal(blob, fleet.git('rev-parse', 'main:.fleet/people.yaml'));

	const by = {people, namespace, target};
	const {person, signature} = await signDecision('yes\n', {...by, key: bo});
	assert.deepEqual([person.name, person.keys], ['bo', [publicKey(bo).split(' ').slice(0, 2).join(' ')]]);
	const whose = (text: string, than: Partial<typeof by> = {}) => whoseSignature(text, {...by, signature, ...than});
	assert.equal(((await whose('yes\n')) as {name: string}).name, 'bo');

	const refused = async (asked: ReturnType<typeof whose>, pattern: RegExp) => {
		const answer = await asked;
		assert.ok(answer instanceof Refusal, 'nobody signed that');
		assert.match(answer.because, pattern);
	};

	await refused(whose('no\n'), /not good/);
	await refused(whose('yes\n', {namespace: 'fleet-other'}), /not good/);
	await refused(whose('yes\n', {people: people.slice(0, 1)}), /not one of the project's/);
	await assert.rejects(signDecision('yes\n', {...by, key: eve}), (error: Refusal) => {
		assert.equal(error.hint, '.fleet/people.yaml on main says who they are');
		return error.exitCode === 3;
	});

	// What is in the folder, and in no commit, decides nothing; a file with a mistake is no people at all.
	commitFiles(fleet, {'.fleet/people.yaml': 'people: {ada: {keys: [x]}}\n'});
	await assert.rejects(readPeople(git, target), /people\.yaml:1: /);
});

test('the key is the one that was named, or that of git', async t => {
	const fleet = new Fleet(t, {add: false});
	const git = new Git({gitDir: path.join(fleet.project, '.git'), workTree: fleet.project, own: true});
	assert.equal(await ownKey(git, '/some/key'), '/some/key');
	fleet.git('config', 'user.signingKey', '/mine.pub');
	assert.equal(await ownKey(git, undefined), '/mine.pub');
});
