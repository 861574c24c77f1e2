import assert from 'node:assert/strict';
import {mkdirSync, symlinkSync} from 'node:fs';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import {grantNamespace, grantText} from '../../source/core/grants/statement.ts';
import type {Definition} from '../../source/core/mcp/definition.ts';
import {parsePolicy} from '../../source/core/policy.ts';
import {Refusal} from '../../source/core/refusal.ts';
import type {Grant} from '../../source/core/scope.ts';
import {openedBy, termsFor, wallsOf} from '../../source/engine/grants/terms.ts';
import {connect} from '../../source/engine/owner.ts';
import {findRun} from '../../source/engine/runs.ts';
import {Journal, readJournal} from '../../source/host/journal.ts';
import {sign} from '../../source/host/ssh-keygen.ts';
import {Fleet} from '../support/fleet.ts';
import {commitFiles, commitPeople, makeKey} from '../support/people.ts';

/* Who may grant what, for how long: by the real program, by the supervisor's socket, and by a journal that was written to. */

const rules = `verify: []
grants:
  - {scope: "network:*.example.org", by: [maintainers], longest: 1h}
  - {scope: "network:*.test", longest: 30m}
  - {scope: "files:/srv/never", never: true}
  - {scope: "network:never.test", never: true}
`;

/** A project whose policy has rules, with people: ada is a maintainer, and bo is not. */
function team(t: TestContext): {fleet: Fleet; ada: string; bo: string} {
	const fleet = new Fleet(t, {policy: rules});
	const [ada, bo] = ['ada', 'bo'].map(name => makeKey(fleet.home, name)) as [string, string];
	commitPeople(fleet, {ada: {groups: ['maintainers'], keys: [ada]}, bo: {groups: [], keys: [bo]}});
	return {fleet, ada, bo};
}

const because = ['--because', 'test'];

/** How long the newest grant is, milliseconds. */
function lasts(fleet: Fleet, run: string): number {
	const {until, at} = fleet.json('show', run)['grants'].at(-1) as Grant;
	return Date.parse(until!) - Date.parse(at);
}

function refused(fleet: Fleet, argv: readonly string[], pattern: RegExp, env: Record<string, string> = {}): void {
	const {code, stderr} = fleet.run(argv, {env});
	assert.match(stderr, pattern);
	assert.match(stderr, /\n\s+hint: /);
	assert.notEqual(code, 0);
}

test('a grant is within the rules of the commit that the run started from, whoever owns the journal', t => {
	const {fleet} = team(t);
	fleet.start('on', 'mkdir -p .fleet; echo "grants: []" > .fleet/policy.yaml; sleep 300');
	fleet.start('off', 'true');
	fleet.must('stop', 'on');
	fleet.must('resume', 'on');
	// What the project decides later, and what an agent writes, is for other runs.
	commitFiles(fleet, {'.fleet/policy.yaml': 'verify: []\ngrants: [{scope: "*", never: true}]\n'});
	for (const run of ['on', 'off']) {
		refused(fleet, ['allow', run, 'network:never.test', ...because], /never granted \(\.fleet\/policy\.yaml:6\)/);
		refused(fleet, ['allow', run, 'network:NEVER.test:8443', ...because], /never granted/);
		refused(fleet, ['allow', run, 'network:*.never.test', ...because, '--for', '31m'], /for 30m at most/);
		refused(
			fleet,
			['allow', run, 'network:a.test', ...because, '--for', '2h'],
			/for 30m at most \(\.fleet\/policy\.yaml:4\)\n\s+hint: --for 30m\n/,
		);
		assert.match(fleet.must('allow', run, 'network:a.test', ...because), /, for 30m\n/);
		assert.equal(lasts(fleet, run), 30 * 60_000);
		fleet.must('allow', run, 'network:a.test', ...because, '--for', '5m');
		assert.equal(lasts(fleet, run), 5 * 60_000);
		fleet.must('allow', run, 'network:free.invalid', ...because);
	}

	fleet.git('reset', '--quiet', '--hard', 'HEAD~1');
	refused(fleet, ['run', '--allow', 'network:never.test', ...because, '--', 'true'], /never granted/);
	fleet.start('first', 'sleep 300', '--allow', 'network:a.test', ...because);
	assert.equal(lasts(fleet, 'first'), 30 * 60_000);
	fleet.must('stop', 'on');
	fleet.must('stop', 'first');
});

test('what has to be signed is signed by one of those who may, and by nobody else', t => {
	const {fleet, ada, bo} = team(t);
	fleet.start('on', 'sleep 300');
	fleet.start('off', 'true');
	const scope = 'network:api.example.org';
	for (const run of ['on', 'off']) {
		refused(fleet, ['allow', run, scope, ...because], /you have no key for that/);
		refused(fleet, ['allow', run, scope, ...because, '--key', bo], /for maintainers to grant .*bo is none of them/);
		refused(fleet, ['allow', run, scope, ...because, '--key', makeKey(fleet.home, `eve-${run}`)], /not one of/);
		assert.deepEqual(fleet.json('show', run)['grants'], []);
		assert.match(fleet.must('allow', run, scope, ...because, '--key', ada), /, for 1h, signed by ada\n/);
		assert.equal(fleet.json('show', run)['grants'][0].signed.signer, 'ada');
	}

	refused(fleet, ['run', '--allow', scope, ...because, '--key', bo, '--', 'true'], /bo is none of them/);
	fleet.git('config', 'user.signingKey', ada);
	fleet.start('first', 'sleep 300', '--allow', scope, ...because);
	// Signed grants are in force at the next start, too.
	for (const run of ['off', 'first', 'on']) {
		fleet.run(['stop', run]);
		fleet.must('resume', run);
		assert.equal(fleet.json('show', run)['grants'].length, 1, run);
		fleet.run(['stop', run]);
	}
});

test('a rule that names nobody who could sign refuses the start with its line', t => {
	const fleet = new Fleet(t, {policy: rules});
	refused(fleet, ['run', '--', 'true'], /policy\.yaml:3: by names people, and \w+ has no \.fleet\/people\.yaml/);
	const ada = makeKey(fleet.home, 'ada');
	commitPeople(fleet, {ada: {groups: ['owners'], keys: [ada]}});
	refused(fleet, ['run', '--', 'true'], /policy\.yaml:3: maintainers is nobody in \.fleet\/people\.yaml/);
});

test('a request without a signature opens nothing, and a signature is good for one grant', async t => {
	const {fleet, ada, bo} = team(t);
	fleet.start('on', 'sleep 300');
	const context = fleet.context();
	const run = findRun(context, 'on');
	const scope = 'network:api.example.org';
	const ask = async (more: Record<string, unknown>) => {
		const connection = (await connect(context, 'on'))!;
		try {
			return await connection.request({type: 'grant', id: 'aaaaaaaa', scope, because: 'x', ...more} as never);
		} finally {
			connection.close();
		}
	};

	const no = (more: Record<string, unknown>, pattern: RegExp) =>
		assert.rejects(ask(more), (error: Refusal) => pattern.test(error.because) || assert.fail(error.because));
	const hour = 3_600_000;
	const signed = async (key: string, more: Partial<Grant> = {}) => {
		const now = Date.now();
		const grant: Grant = {
			id: 'aaaaaaaa',
			scope,
			because: 'x',
			by: context.actor,
			at: new Date(now).toISOString(),
			until: new Date(now + hour).toISOString(),
			...more,
		};
		return {
			id: grant.id,
			signed: {
				signer: 'ada',
				at: grant.at,
				until: grant.until,
				signature: await sign(grantText(run, grant), key, grantNamespace),
			},
		};
	};

	const later = (ms: number) => new Date(Date.now() + ms).toISOString();
	await no({}, /signed by nobody|longer/);
	await no({durationMs: 60_000}, /signed by nobody/);
	await no({scope: 'network:never.test', ...(await signed(ada, {scope: 'network:never.test'}))}, /never granted/);
	await no({scope: 'network:a.test', durationMs: 2 * hour}, /for 30m at most/);
	await no(await signed(bo), /bo is none of them/);
	await no(await signed(ada, {scope: 'network:b.example.org'}), /not good/);
	await no(await signed(ada, {because: 'y'}), /not good/);
	await no(await signed(ada, {uses: 3}), /not good/);
	await no(await signed(ada, {until: later(2 * hour)}), /longer/);
	await no(await signed(ada, {until: undefined}), /longer/);
	await no(await signed(ada, {at: later(-2 * hour), until: later(-hour)}), /another time/);
	await no(await signed(ada, {at: later(20 * 60_000), until: later(hour)}), /another time/);
	assert.deepEqual(fleet.json('show', 'on')['grants'], []);

	const good = await signed(ada);
	await ask(good);
	assert.equal(fleet.json('show', 'on')['grants'].length, 1);
	fleet.must('revoke', 'on', scope);
	await no(good, /used for a grant already/);
	// With a rule that wants no signature, what is said to be signed says nothing of the time.
	const odd = {scope: 'network:a.test', ...(await signed(bo, {scope: 'network:a.test', until: later(900 * hour)}))};
	await ask({...odd, id: 'bbbbbbbb'});
	assert.ok(lasts(fleet, 'on') <= 30 * 60_000);
	fleet.must('stop', 'on');
});

test('a line that somebody wrote into the journal opens nothing at the next start', async t => {
	const {fleet, ada} = team(t);
	await fleet.agent('off', 'true');
	const context = fleet.context();
	const run = findRun(context, 'off');
	const now = Date.now();
	const forged = (scope: string, more: Partial<Grant> = {}): Grant => ({
		id: 'cccccccc',
		scope,
		because: 'x',
		by: context.actor,
		at: new Date(now).toISOString(),
		until: new Date(now + 20 * 60_000).toISOString(),
		...more,
	});
	const other = forged('network:c.example.org');
	const signature = await sign(grantText(run, other), ada, grantNamespace);
	const grants = [
		forged('network:a.example.org'),
		// A signature of something else.
		forged('network:b.example.org', {signed: {signer: 'ada', signature}}),
		forged('network:never.test'),
		forged('network:a.test', {until: undefined}),
		forged('network:ok.test'),
		{...other, signed: {signer: 'ada', signature}},
	];
	const journal = Journal.open(context.paths.run('off'))!;
	for (const grant of grants) {
		journal.append({type: 'scope.granted', grant, effect: ''}, context.actor);
	}

	journal.close();
	fleet.must('resume', 'off');
	const {entries} = readJournal(context.paths.run('off').journal);
	const started = entries.findIndex(({seq, type}) => type === 'run.started' && seq > entries.length - 20);
	const before = entries.slice(
		0,
		entries.findLastIndex(({type}) => type === 'run.started'),
	);
	assert.ok(started > 0);
	const taken = before.flatMap(entry => (entry.type === 'scope.revoked' ? `${entry.scope}: ${entry.because}` : []));
	assert.deepEqual(
		taken.map(line => line.split(': ')[0]),
		['network:a.example.org', 'network:b.example.org', 'network:never.test', 'network:a.test'],
	);
	assert.match(taken[0]!, /signed by nobody/);
	assert.match(taken[1]!, /not good/);
	assert.equal(before.filter(({type}) => type === 'alarm.raised').length, 4);
	fleet.run(['stop', 'off']);
	const left = fleet.json('show', 'off')['grants'].map((grant: Grant) => grant.scope);
	assert.deepEqual(left, ['network:ok.test', 'network:c.example.org']);
});

test('a grant is held against the rules with all that it opens, under all its names', t => {
	const fleet = new Fleet(t, {add: false});
	const secret = {reference: 'fleet://user/key', hosts: ['api.test', '*.cdn.test:8443']};
	assert.deepEqual(openedBy('model:codex', {secret}), {
		opened: ['model:codex', 'network:api.test:443', 'network:*.cdn.test:8443'],
		aliases: ['secret:user/key'],
	});
	const [folder, link] = ['real', 'link'].map(name => path.join(fleet.folder, name)) as [string, string];
	mkdirSync(folder);
	symlinkSync(folder, link);
	const server = {
		url: 'https://MCP.test/x',
		network: ['a.test'],
		files: [{path: link, mode: 'write' as const}],
		secrets: {authorization: 'fleet://project/token'},
		resources: false,
		limits: {},
	} as unknown as Definition;
	const {opened, aliases} = openedBy('mcp:issues', {server});
	assert.deepEqual(opened, ['mcp:issues', 'network:a.test', 'network:mcp.test:443', `files:${link}:rw`]);
	assert.deepEqual(aliases, [`files:${folder}:rw`, 'secret:project/token']);
	// A rule that names a folder by a link means what that leads to, too.
	const read = parsePolicy(`grants: [{scope: "files:${link}", never: true}]\n`);
	assert.ok(!(read instanceof Refusal));
	const walls = wallsOf(read, []);
	assert.ok(termsFor({walls}, `files:${folder}/inner`, {}) instanceof Refusal);
	assert.ok(termsFor({walls}, 'mcp:issues', {server}) instanceof Refusal);
});

test("a run begins at no agent's branch that changed who decides", async t => {
	const fleet = new Fleet(t, {policy: 'verify: ["true"]\n'});
	await fleet.agent('code', 'echo two >> a.txt; git commit -qam two');
	await fleet.agent('rules', 'echo "network: [example.org]" >> .fleet/policy.yaml; git commit -qam more');
	for (const name of ['code', 'rules']) {
		fleet.must('verify', name);
	}

	fleet.must('run', '--name', 'after', '--base', 'fleet/code', '--', 'true');
	const {code, stderr} = fleet.run(['run', '--name', 'more', '--base', 'fleet/rules', '--', 'true']);
	assert.equal(code, 3, stderr);
	assert.match(stderr, /is an agent's, which changed \.fleet\/[^]*fleet merge rules first, or begin at main/);
});
