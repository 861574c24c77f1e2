import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Refusal} from '../../source/core/refusal.ts';
import type {People} from '../../source/core/people/people.ts';
import {accept, type ApprovalRule, type Signed, type Subject} from '../../source/core/statement/accept.ts';
import {
	envelopeJson,
	envelopeWord,
	isAbout,
	parseEnvelopeWord,
	signedText,
} from '../../source/core/statement/envelope.ts';
import {type Decision} from '../../source/core/statement/decision.ts';
import {parseStatement, statementText, type Statement} from '../../source/core/statement/statement.ts';

const now = Date.parse('2026-05-01T12:00:00Z');
const [one, two, three] = ['1', '2', '3'].map(digit => digit.repeat(40)) as [string, string, string];
const subject: Subject = {
	run: 'fix-1',
	target: 'refs/heads/main',
	base: one,
	head: two,
	tree: three,
	policy: 'p',
	people: 'q',
	verify: 'v',
};
const people: People = [
	{name: 'ada', keys: ['a'], groups: ['owners', 'maintainers']},
	{name: 'bo', keys: ['b'], groups: ['maintainers']},
	{name: 'cy', keys: ['c'], groups: []},
];
const rule: ApprovalRule = {people: 1, notRequester: true, from: ['maintainers'], breakGlass: ['owners']};

function signed(decision: Decision, by: string, changed: Partial<Statement> = {}): Signed {
	const statement: Statement = {
		...subject,
		decision,
		audit: 'none',
		because: 'read it',
		viewed: '',
		requester: 'cy',
		by,
		at: '2026-05-01T11:00:00Z',
		until: '2026-05-02T10:00:00Z',
		nonce: 'n',
		...changed,
	};
	return {statement, signer: by};
}

const request = signed('request', 'cy');

function outcome(all: readonly Signed[], changed: Partial<ApprovalRule> = {}, of: Partial<Subject> = {}): string {
	const result = accept({...subject, ...of}, {signed: all, rule: {...rule, ...changed}, people, now});
	return result instanceof Refusal ? result.because : `${result.by.join(' ')}${result.fourEyes ? '' : ' alone'}`;
}

test('who may say yes to a merge, and who may not', () => {
	assert.equal(outcome([request, signed('approve', 'bo')]), 'bo');
	assert.equal(outcome([request, signed('approve', 'bo'), signed('approve', 'ada')], {people: 2}), 'bo ada');
	assert.match(
		outcome([request, signed('approve', 'bo')], {people: 2}),
		/^2 people have to approve it: bo did; may: ada$/,
	);
	assert.match(
		outcome([request, signed('approve', 'bo'), signed('approve', 'bo', {nonce: 'm'})], {people: 2}),
		/^2 people/,
	);
	assert.match(outcome([request, signed('approve', 'cy')]), /^1 person has to approve it; may: ada, bo$/);
	assert.match(outcome([request, signed('approve', 'eve')]), /^1 person/);
	assert.match(outcome([signed('approve', 'bo')]), /^nobody has said whose work this is/);
	// Whoever asked does not count, whoever else asked, too.
	assert.match(outcome([request, signed('request', 'bo', {requester: 'bo'}), signed('approve', 'bo')]), /^1 person/);
	assert.match(outcome([request, signed('approve', 'bo', {requester: 'ada'})]), /^1 person/);
	assert.equal(outcome([signed('approve', 'bo', {requester: ''})], {notRequester: false}), 'bo alone');
	assert.match(outcome([request, signed('approve', 'bo')], {from: ['owners']}), /may: ada$/);
	assert.match(outcome([request], {from: ['nobody']}), /nobody else may$/);
	// Without the others: with a reason, and only who may.
	assert.equal(outcome([signed('break-glass', 'ada')], {people: 2}), 'ada alone');
	assert.match(outcome([request, signed('break-glass', 'bo')]), /^1 person/);
	assert.match(outcome([request, signed('break-glass', 'ada', {because: ' '})]), /^1 person/);
});

test('a no stands until whoever said it says yes', () => {
	const no = signed('reject', 'ada', {at: '2026-05-01T11:30:00Z', tree: one, until: '2026-05-01T11:31:00Z'});
	assert.match(outcome([request, no, signed('approve', 'bo')]), /^ada rejected it: read it$/);
	assert.match(
		outcome([request, no, signed('request', 'ada', {at: '2026-05-01T11:40:00Z'}), signed('approve', 'bo')]),
		/^ada rejected/,
	);
	assert.match(outcome([request, no, signed('break-glass', 'ada', {at: '2026-05-01T11:40:00Z'})]), /^ada rejected/);
	assert.equal(outcome([request, no, signed('approve', 'ada', {at: '2026-05-01T11:40:00Z'})]), 'ada');
	assert.match(outcome([request, no, signed('approve', 'ada', {at: '2026-05-01T11:20:00Z'})]), /^ada rejected/);
	assert.equal(outcome([request, signed('reject', 'cy'), signed('approve', 'bo')]), 'bo', 'who has no say says no no');
	assert.equal(outcome([request, signed('reject', 'ada', {run: 'other'}), signed('approve', 'bo')]), 'bo');
});

test('a yes is to exactly one thing, for a day', () => {
	const yes = signed('approve', 'bo');
	for (const key of ['base', 'head', 'tree'] as const) {
		assert.match(outcome([request, yes], {}, {[key]: '4'.repeat(40)}), /^nobody has said/, key);
		assert.match(outcome([request, signed('approve', 'bo', {[key]: '4'.repeat(40)})]), /^1 person/, key);
	}

	for (const key of ['run', 'target', 'policy', 'people', 'verify'] as const) {
		assert.match(outcome([request, signed('approve', 'bo', {[key]: 'other'})]), /^1 person/, key);
	}

	assert.match(outcome([request, signed('approve', 'bo', {until: '2026-05-01T11:59:59Z'})]), /^1 person/);
	assert.match(outcome([request, signed('approve', 'bo', {until: '2027-05-01T11:59:59Z'})]), /^1 person/);
	assert.match(
		outcome([request, signed('approve', 'bo', {at: '2026-05-01T12:06:00Z', until: '2026-05-01T13:00:00Z'})]),
		/^1 person/,
	);
	assert.match(outcome([request, {...yes, signer: 'ada'}]), /^1 person/, 'signed with the key of another');
});

test('a signed statement is one word, DSSE in JSON, and reads back as it was', () => {
	const {statement} = signed('approve', 'bo', {because: 'größer – "so"\n'});
	const payload = statementText(statement);
	assert.equal(signedText('ä'), 'DSSEv1 28 application/vnd.in-toto+json 2 ä');
	const signature = `-----BEGIN SSH SIGNATURE-----\n${'U1NIU0lH'.repeat(10).replace(/(.{70})/, '$1\n')}\n-----END SSH SIGNATURE-----\n`;
	const word = envelopeWord({payload, signature});
	assert.match(word, /^[\w+/=]+\.[\w+/=]+$/);
	assert.deepEqual(parseEnvelopeWord(word), {payload, signature});
	assert.deepEqual(parseStatement(payload), statement);
	assert.ok(isAbout(word, subject) && !isAbout(word, {...subject, base: two}));
	const json = JSON.parse(envelopeJson({payload, signature}));
	assert.equal(Buffer.from(json.payload, 'base64').toString(), payload);
	assert.deepEqual(Object.keys(json), ['payload', 'payloadType', 'signatures']);
	const parsed = JSON.parse(payload);
	assert.deepEqual(parsed.subject, [{name: 'refs/heads/main', digest: {gitTree: three}}]);
	for (const broken of ['', 'x', 'a.b.c', `${word}.`, `!${word}`, word.split('.')[0]!]) {
		assert.ok(parseEnvelopeWord(broken) instanceof Refusal, broken);
	}

	for (const broken of [
		{...parsed, more: 1},
		{...parsed, predicateType: 'urn:other'},
		{...parsed, subject: [...parsed.subject, ...parsed.subject]},
		{...parsed, predicate: {...parsed.predicate, decision: 'deploy'}},
		{...parsed, predicate: {...parsed.predicate, base: 'main'}},
		{...parsed, predicate: {...parsed.predicate, at: 'soon'}},
	]) {
		assert.ok(parseStatement(JSON.stringify(broken)) instanceof Refusal, JSON.stringify(broken));
	}
});
