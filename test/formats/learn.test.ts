import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {DenialKind, Entry, RunEvent} from '../../source/core/run/event.ts';
import {isMetadata, learn, proposalLines} from '../../source/core/run/learn.ts';
import {withNetwork} from '../../source/core/policy.ts';
import type {Refusal} from '../../source/core/refusal.ts';
import {parsePolicy} from '../../source/core/policy.ts';

const entry = (event: RunEvent, seq: number): Entry => ({
	...event,
	seq,
	at: '2026-01-01T00:00:00.000Z',
	actor: 'fleet',
	prev: '',
});
const denied = (
	target: string,
	because = 'the host is not granted',
	{count = 1, kind = 'not-granted'}: {count?: number; kind?: DenialKind | undefined} = {},
): RunEvent => ({type: 'egress.denied', target, because, count, kind});
const allowed = (target: string, rule: string): RunEvent => ({type: 'egress.allowed', target, rule});

test('what a run asked for becomes lines that a policy takes', () => {
	const lesson = learn(
		[
			denied('registry.example.org:443'),
			denied('registry.example.org:443', 'the host is not granted', {count: 8}),
			denied('api.example.org:8443'),
			allowed('cdn.example.org:80', 'network:cdn.example.org'),
			allowed('known.example.org:443', 'policy'),
			denied(
				'10.0.0.1:443',
				"10.0.0.1 is a private address, which the project's policy does not name under privateHosts",
				{kind: 'address'},
			),
			denied('localhost:80'),
			denied('[::1]:443'),
			denied('front.example.org:443', 'the TLS hello in a tunnel to x names another host', {kind: 'request'}),
			denied('plain.example.org:443', 'no proxy variable is read', {kind: 'past-proxy'}),
			denied('old.example.org:443', 'from before there were kinds', {kind: undefined}),
		].map((event, index) => entry(event, index + 1)),
	);
	assert.deepEqual(lesson.proposal, [
		'api.example.org:8443',
		'cdn.example.org',
		'old.example.org',
		'registry.example.org',
	]);
	assert.deepEqual(lesson.asked[0], {
		target: 'registry.example.org:443',
		allowed: 0,
		denied: 8,
		because: 'the host is not granted',
	});
	assert.equal(lesson.asked.length, 10);
	const policy = parsePolicy(proposalLines(lesson.proposal).join('\n'));
	assert.ok(!(policy instanceof Error));
	assert.deepEqual(policy.network, lesson.proposal);
});

test('what a person ignores, and what another scope opened, is not proposed', () => {
	const ignored = (target: string): RunEvent => ({type: 'denial.dismissed', target, because: 'telemetry'});
	const {proposal} = learn(
		[
			denied('telemetry.example.net:443'),
			ignored('telemetry.example.net:443'),
			denied('telemetry.example.net:443', 'the host is not granted', {count: 8}),
			allowed('api.example.com:443', 'model:codex'),
			allowed('issues.example.com:443', 'secret:issues'),
			denied('other.example.org:443'),
			// Ignored first, then granted after all.
			ignored('late.example.org:443'),
			allowed('late.example.org:443', 'network:late.example.org'),
		].map((event, index) => entry(event, index + 1)),
	);
	assert.deepEqual(proposal, ['late.example.org', 'other.example.org']);
});

test('a metadata service of a cloud comes first, and is never proposed', () => {
	const {asked, proposal} = learn(
		[
			denied('often.example.org:443', 'the host is not granted', {count: 30}),
			denied('169.254.169.254:80', 'not granted'),
			denied('metadata.google.internal:80'),
			denied('[fd00:ec2::254]:80'),
		].map((event, index) => entry(event, index + 1)),
	);
	assert.deepEqual(
		asked.map(({target}) => isMetadata(target)),
		[true, true, true, false],
	);
	assert.deepEqual(proposal, ['often.example.org']);
});

test('nothing asked, nothing proposed', () => {
	assert.deepEqual(learn([]), {asked: [], proposal: [], walls: []});
	assert.deepEqual(proposalLines([]), []);
});

test('hosts are written into a policy file around what a person wrote there; one that cannot be read is left alone', () => {
	const text = '# ours\nverify: ["npm test"] # all of it\nnetwork:\n  - a.test # the mirror\n';
	assert.deepEqual(withNetwork(text, ['a.test', 'b.test:8443']), {
		text: '# ours\nverify: [ "npm test" ] # all of it\nnetwork:\n  - a.test # the mirror\n  - b.test:8443\n',
		added: ['b.test:8443'],
	});
	assert.deepEqual(withNetwork(text, ['a.test']), {text, added: []});
	assert.deepEqual(withNetwork('', ['a.test']), {text: 'network:\n  - a.test\n', added: ['a.test']});
	// Several hosts, where there is no list, or one that holds nothing.
	for (const none of ['', 'verify: ["npm test"]\n']) {
		assert.deepEqual(withNetwork(none, ['a.test', 'b.test']), {
			text: `${none.replace('["npm test"]', '[ "npm test" ]')}network:\n  - a.test\n  - b.test\n`,
			added: ['a.test', 'b.test'],
		});
	}

	for (const empty of ['network: []\n', 'network:\n  []\n']) {
		assert.match((withNetwork(empty, ['a.test', 'b.test']) as {text: string}).text, /a\.test[^]*b\.test/);
	}

	assert.match((withNetwork('verfy: [x]\n', ['a.test']) as Refusal).because, /verfy/);
	assert.match((withNetwork('', ['not a host']) as Refusal).because, /host is written/);
});
