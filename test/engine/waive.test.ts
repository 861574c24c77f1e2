import assert from 'node:assert/strict';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import type {RunEvent} from '../../source/core/run/event.ts';
import type {Statement} from '../../source/core/statement/statement.ts';
import {findingText, undismissed} from '../../source/core/statement/waive.ts';
import {findPaths} from '../../source/host/paths.ts';
import {Journal} from '../../source/host/journal.ts';
import {Fleet} from '../support/fleet.ts';
import {commitFiles, commitPeople, makeKey} from '../support/people.ts';

/* Findings that are dismissed where people are named: only what they signed dismisses, and only in exactly that work. */

const leak = `printf 'aws = "AKIA%s"\\n' Z7XW2Q9TLM4KP8VN > config.ini; git add -A; git commit -qm one`;
const policy = 'verify: ["test -f a.txt"]\napprove: {not: []}\n';
const found = /possible secret in its work: config\.ini:1 \(aws\)/;
const waive = ['verify', 'leaky', '--waive-secrets', '--because', 'made up for a test'];

async function leaky(t: TestContext): Promise<Fleet> {
	const fleet = new Fleet(t, {policy});
	const key = makeKey(fleet.folder, 'ada');
	commitPeople(fleet, {ada: {groups: [], keys: [key]}});
	fleet.git('config', 'user.signingKey', key);
	await fleet.agent('leaky', leak);
	refused(fleet, ['verify', 'leaky'], found);
	return fleet;
}

function refused(fleet: Fleet, argv: readonly string[], because: RegExp, code = 3): void {
	const result = fleet.run([...argv]);
	assert.match(result.stderr + result.stdout, because);
	assert.match(result.stderr + result.stdout, /hint: /);
	assert.equal(result.code, code, result.stderr);
}

/** Writes into a run's journal what nobody decided. */
function write(fleet: Fleet, ...events: RunEvent[]): void {
	const journal = Journal.open(findPaths(fleet.env).run('leaky'))!;
	for (const event of events) {
		journal.append(event, 'person:ada');
	}

	journal.close();
}

const approve = ['approve', 'leaky', '--because', 'read it'];

test('a finding is dismissed by a signature of one of the people, in exactly what they saw', async t => {
	const fleet = await leaky(t);
	refused(fleet, [...waive, '--key', makeKey(fleet.folder, 'eve')], /is not one of the project's signers/);
	refused(fleet, ['verify', 'leaky'], found);
	fleet.git('config', '--unset', 'user.signingKey');
	refused(fleet, waive, /you have no key for that/, 2);
	fleet.git('config', 'user.signingKey', path.join(fleet.folder, 'key-ada'));
	fleet.must(...waive);
	assert.match(fleet.must('show', 'leaky'), /config\.ini:1 aws: .*, dismissed/);

	// By another policy it is another question, which the same words answer anew; the target may go on.
	commitFiles(fleet, {'.fleet/policy.yaml': `${policy}# another\n`});
	refused(fleet, ['verify', 'leaky'], /possible secret .*; nobody signed that it is none in exactly this work/);
	assert.doesNotMatch(fleet.must('show', 'leaky'), /, dismissed/);
	fleet.must(...waive);
	commitFiles(fleet, {'other.txt': 'of the target alone'});
	fleet.must('verify', 'leaky');
	fleet.must(...approve);
	fleet.must('merge', 'leaky');
	const message = fleet.git('log', '-1', '--format=%B');
	assert.equal(message.match(/^Fleet-Statement: /gm)?.length, 2, 'who approved, and who merged');
	const note = fleet.git('notes', '--ref=fleet', 'show', fleet.git('rev-parse', 'main^{tree}'));
	assert.ok(!Buffer.from(note.split('.')[0]!, 'base64').toString().includes('AKIA'), 'a finding stays here');
});

test('what nobody signed dismisses nothing, whatever the journal says', async t => {
	const fleet = await leaky(t);
	const {fingerprint} = fleet.json('show', 'leaky')['suspects'][0];
	const dismissed = {
		type: 'suspects.waived',
		fingerprints: [fingerprint as string],
		because: 'trust me',
	} satisfies RunEvent;
	write(fleet, dismissed);
	assert.match(fleet.must('show', 'leaky'), /, dismissed/);
	refused(fleet, ['verify', 'leaky'], /possible secret .*; nobody signed that/);

	// A verification that was written by hand as well, which ada is made to approve.
	const [base, head] = ['main', 'fleet/leaky'].map(name => fleet.git('rev-parse', name)) as [string, string];
	const tree = fleet.git('merge-tree', '--write-tree', 'main', 'fleet/leaky');
	const facts = {base, head, tree, policy: fleet.git('rev-parse', 'main:.fleet/policy.yaml')};
	const verified = {
		type: 'verify.finished',
		passed: true,
		result: 'passed',
		...facts,
		digest: 'd',
		steps: [],
		because: '',
	} satisfies RunEvent;
	const none = {type: 'suspects.found', suspects: []} satisfies RunEvent;
	for (const [words, ...events] of [
		['that it was dismissed', dismissed],
		['that nothing was found', none],
	] as const) {
		write(fleet, ...events, verified);
		fleet.must(...approve);
		refused(fleet, ['publish', 'leaky', '--dry-run'], found);
		write(fleet, ...events);
		refused(fleet, ['merge', 'leaky'], found);
		write(fleet, ...events);
		const all = fleet.run(['merge', '--all']);
		assert.match(all.stdout, /left out {3}leaky {2}possible secret in its work/, words);
		assert.equal(fleet.git('rev-parse', 'main'), base, words);
	}

	refused(fleet, waive, /what is found in leaky now is not what was found before/);
	fleet.must(...waive);
	fleet.must(...approve);
	fleet.must('merge', 'leaky');
});

test('without people, a line of the journal is enough, as ever', async t => {
	const fleet = new Fleet(t, {policy: 'verify: ["test -f a.txt"]\n'});
	await fleet.agent('leaky', leak);
	refused(fleet, ['verify', 'leaky'], found);
	fleet.must(...waive);
	commitFiles(fleet, {'other.txt': 'x'});
	fleet.must('verify', 'leaky');
	fleet.must('approve', 'leaky', '--because', 'x');
	fleet.must('merge', 'leaky');
	assert.doesNotMatch(fleet.must('journal', 'leaky'), /statement\.signed/);
});

test('a signature dismisses exactly one finding, in one head, by one policy and its people, for a day', () => {
	const finding = {rule: 'aws', file: 'config.ini', line: 1, span: 'AKIA…VN', fingerprint: 'f'};
	const about = {run: 'r', target: 'refs/heads/main', head: 'h', policy: 'p', people: 'q'};
	const statement: Statement = {
		...about,
		decision: 'waive',
		base: 'b',
		tree: 't',
		verify: 'none',
		audit: 'none',
		because: 'no secret',
		viewed: '',
		requester: '',
		by: 'ada',
		at: '2026-05-01T11:00:00Z',
		until: '2026-05-02T10:00:00Z',
		nonce: 'n',
		findings: [findingText(finding)],
	};
	const open = (changed: Partial<Statement> = {}, signer = 'ada', now = '2026-05-01T12:00:00Z') =>
		undismissed([finding], about, {signed: [{statement: {...statement, ...changed}, signer}], now: Date.parse(now)});
	assert.deepEqual(open(), []);
	for (const key of ['run', 'target', 'head', 'policy', 'people'] as const) {
		assert.deepEqual(open({[key]: 'other'}), [finding], key);
	}

	assert.deepEqual(open({decision: 'approve'}), [finding]);
	assert.deepEqual(open({}, 'bo'), [finding]);
	assert.deepEqual(open({}, 'ada', '2026-05-02T12:00:00Z'), [finding]);
	for (const key of ['rule', 'file', 'line', 'span', 'fingerprint'] as const) {
		assert.deepEqual(open({findings: [findingText({...finding, [key]: 2 as never})]}), [finding], key);
	}
});
