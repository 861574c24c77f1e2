import assert from 'node:assert/strict';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import {setTimeout as sleep} from 'node:timers/promises';
import {deployStatementText, type SignedStatement} from '../../source/core/deploy/statement.ts';
import type {Entry, EventOf, RunEvent} from '../../source/core/run/event.ts';
import {requestDeploy} from '../../source/engine/handover/deploy-lease.ts';
import {Journal} from '../../source/host/journal.ts';
import {findPaths} from '../../source/host/paths.ts';
import {sign} from '../../source/host/ssh-keygen.ts';
import {Fleet} from '../support/fleet.ts';
import {commitFiles, commitPeople, makeKey} from '../support/people.ts';

/* Deploys that other people have to say yes to, by real keys; and every way to have one without. */

const policy = (place: string, more = '') =>
	`verify: ["test -f a.txt"]\napprove: {not: []}\ndeploy:\n  production:\n    command: 'echo $FLEET_COMMIT >> ${place}/production'\n` +
	`    approve: {people: 1, from: [owners], not: [requester]}\n    lease: 15m\n` +
	`  staging:\n    command: 'echo x >> ${place}/staging'\n    approve: {from: [owners]}\n${more}`;

type Keys = Readonly<Record<'ada' | 'bo' | 'cy' | 'eve', string>>;

/** A fleet with people and a run that is merged. cy is in the file, and in no group; eve is not in it. */
async function merged(t: TestContext, more = '') {
	const fleet = new Fleet(t, {policy: ''});
	const keys = Object.fromEntries(
		['ada', 'bo', 'cy', 'eve'].map(name => [name, makeKey(fleet.home, name)]),
	) as unknown as Keys;
	commitFiles(fleet, {'.fleet/policy.yaml': policy(fleet.folder, more)});
	people(fleet, keys);
	await next(fleet, 'one', keys.bo);
	return {fleet, keys};
}

function people(fleet: Fleet, {ada, bo, cy}: Keys, without: readonly string[] = []): void {
	const all = {
		ada: {groups: ['owners'], keys: [ada]},
		bo: {groups: ['owners'], keys: [bo]},
		cy: {groups: [], keys: [cy]},
	};
	commitPeople(fleet, Object.fromEntries(Object.entries(all).filter(([name]) => !without.includes(name))));
}

async function next(fleet: Fleet, name: string, key: string): Promise<void> {
	await fleet.agent(name, `echo ${name} > ${name}.txt; git add .; git commit -qm "Add ${name}"`);
	fleet.must('verify', name);
	fleet.must('approve', name, '--because', 'read it', '--key', key);
	fleet.must('merge', name, '--key', key);
}

const ask = (fleet: Fleet, key: string, run = 'one', target = 'production') =>
	fleet.run(['deploy', run, target, '--request', '--because', 'the release', '--key', key]);
const approve = (fleet: Fleet, key: string, run = 'one', target = 'production') =>
	fleet.run(['deploy', run, target, '--approve', '--key', key]);
const deploy = (fleet: Fleet, run = 'one', target = 'production') =>
	fleet.run(['deploy', run, target, '--confirm', target]);

function ok({code, stdout, stderr}: ReturnType<Fleet['run']>): string {
	assert.equal(code, 0, stderr);
	return stdout;
}

const entries = (fleet: Fleet, run = 'one') => fleet.json<Entry[]>('journal', run);

/** It is refused, by a line of the journal, and nothing was deployed. */
function refused(fleet: Fleet, result: ReturnType<Fleet['run']>, pattern: RegExp, run = 'one'): void {
	assert.equal(result.code, 3, `${result.code} ${result.stdout}${result.stderr}`);
	assert.match(result.stderr, pattern);
	const last = entries(fleet, run).at(-1)!;
	assert.equal(last.type, 'gate.refused');
	assert.ok(last.type === 'gate.refused' && last.gate === 'deploy');
	assert.match(last.because, pattern);
}

const deployed = (fleet: Fleet, target = 'production') => {
	const file = path.join(fleet.folder, target);
	return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').length : 0;
};

/** Writes lines into a journal, as somebody could who has the account. */
function forge(fleet: Fleet, run: string, ...events: RunEvent[]): void {
	const journal = Journal.open(findPaths(fleet.env).run(run), 5000)!;
	for (const event of events) {
		journal.append(event, 'person:root');
	}

	journal.close();
}

type Requested = EventOf<'deploy.requested'> & {asked: SignedStatement};
type Approved = EventOf<'deploy.approved'>;

/** What was asked for and approved, as the journal of a run has it: to be copied. */
function said(fleet: Fleet, run = 'one'): {request: Requested; approval: Approved} {
	return {
		request: lastOf(fleet, 'deploy.requested', run) as Requested,
		approval: lastOf(fleet, 'deploy.approved', run),
	};
}

/** The last event of a type, without what the journal adds. */
function lastOf<Type extends RunEvent['type']>(fleet: Fleet, type: Type, run = 'one'): EventOf<Type> {
	const entry = entries(fleet, run).findLast(entry => entry.type === type)!;
	return Object.fromEntries(
		Object.entries(entry).filter(([key]) => !['seq', 'at', 'prev', 'actor'].includes(key)),
	) as EventOf<Type>;
}

test('a deploy that somebody else has to say yes to: asked for, approved, begun once', async t => {
	const {fleet, keys} = await merged(t);
	refused(fleet, deploy(fleet), /a deploy to production needs a yes of ada, bo, and has none/);
	assert.match(ok(ask(fleet, keys.ada)), /^ada asks for a deploy of one to production, which waits for bo, until /);
	assert.equal(fleet.json('show', 'one')['needs'], 'needs you: production waits for bo');
	assert.match(fleet.must('list'), /needs you: production waits for bo/);
	refused(fleet, deploy(fleet), /production waits for a yes of 1 of ada, bo/);

	refused(fleet, approve(fleet, keys.ada), /ada asked for it, and has to be approved by somebody else/);
	refused(fleet, approve(fleet, keys.cy), /cy is none of those who may approve a deploy to production/);
	refused(fleet, approve(fleet, keys.eve), /the key is not one of the project's people/);
	refused(fleet, deploy(fleet), /waits for a yes/);

	const approved = approve(fleet, keys.bo);
	assert.match(ok(approved), /^bo approved one deploy of one to production, until \d\d:\d\d\n$/);
	assert.match(approved.stderr, /^target +production\ncommand +echo \$FLEET_COMMIT/m);
	const shown = fleet.json('show', 'one');
	assert.equal(shown['needs'], 'needs you: production approved by bo');
	const {until, approvals} = shown['deployRequest'];
	const left = Date.parse(until) - Date.now();
	assert.ok(left > 13 * 60_000 && left <= 15 * 60_000, `the lease is 15 minutes: ${left}`);
	assert.deepEqual(
		approvals.map(({approver}: {approver: string}) => approver),
		['bo'],
	);
	refused(fleet, approve(fleet, keys.bo), /bo approved it already/);

	ok(deploy(fleet));
	assert.equal(deployed(fleet), 1);
	refused(fleet, deploy(fleet), /has none; the last one was used/);

	// The same lines once more: a lease counts once, whatever the journal says after that.
	const {request, approval} = said(fleet);
	forge(fleet, 'one', request, approval);
	refused(fleet, deploy(fleet), /the approval was used, by the deploy of/);
	assert.equal(deployed(fleet), 1);
});

test('a no stands, asked again or not, until whoever said it says yes', async t => {
	const {fleet, keys} = await merged(t, "  both: {command: 'true', approve: {people: 1, from: [owners, cy]}}\n");
	const reject = (key: string, because = 'not today', target = 'production') =>
		fleet.run(['deploy', 'one', target, '--reject', '--because', because, '--key', key]);
	refused(fleet, reject(keys.bo), /nobody asked for a deploy of one to production/);
	ok(ask(fleet, keys.ada));
	const without = fleet.run(['deploy', 'one', 'production', '--reject', '--key', keys.bo]);
	assert.match(without.stderr, /^fleet: a no needs a reason/);
	refused(fleet, reject(keys.cy), /cy is none of those who may approve/);
	refused(fleet, reject(keys.eve), /the key is not one of the project's people/);
	assert.match(ok(reject(keys.bo)), /^bo rejected deploys of one to production, until bo approves one\n$/);
	assert.equal(fleet.json('show', 'one')['needs'], 'needs you: production rejected by bo: not today');
	const no = /production: rejected by bo: not today/;
	const hinted = deploy(fleet);
	assert.match(hinted.stderr, /hint: it stands until bo approves: fleet deploy one production --approve$/m);
	refused(fleet, hinted, no);

	// Asking again takes nothing back, nor does a line that somebody writes.
	assert.match(ok(ask(fleet, keys.ada)), /which is rejected by bo: not today, until/);
	refused(fleet, deploy(fleet), no);
	const {nonce} = fleet.json('show', 'one')['deployRequest'].asked;
	const rejected = lastOf(fleet, 'deploy.rejected');
	const yes = {
		...rejected,
		type: 'deploy.approved',
		decision: 'approve',
		nonce,
		issued: new Date().toISOString(),
		until: new Date(Date.now() + 60_000).toISOString(),
	} as const;
	forge(fleet, 'one', {...yes, signature: rejected.signature});
	forge(fleet, 'one', {...yes, signature: await sign(deployStatementText(yes), keys.ada, 'fleet-deploy')});
	refused(fleet, deploy(fleet), no);
	// It is about that target alone, and forged by nobody: a no that its person did not sign is none.
	forge(fleet, 'one', {...rejected, target: 'both', approver: 'cy'});
	ok(ask(fleet, keys.ada, 'one', 'both'));
	ok(approve(fleet, keys.bo, 'one', 'both'));
	ok(deploy(fleet, 'one', 'both'));

	ok(ask(fleet, keys.ada));
	ok(approve(fleet, keys.bo));
	// A no counts after a yes, too, and another yes of theirs after that.
	ok(reject(keys.bo, 'wait'));
	refused(fleet, deploy(fleet), /production: rejected by bo: wait/);
	assert.equal(deployed(fleet), 0);
	ok(approve(fleet, keys.bo));
	ok(deploy(fleet));
	assert.equal(deployed(fleet), 1);
});

test('a yes is for one run, one target, one commit and one command', async t => {
	const {fleet, keys} = await merged(t);
	await next(fleet, 'two', keys.bo);
	ok(ask(fleet, keys.ada));
	ok(approve(fleet, keys.bo));
	const {request, approval} = said(fleet);

	// Of another run: the lines of one in the journal of the other.
	forge(fleet, 'two', request, approval);
	refused(fleet, deploy(fleet, 'two'), /the request is for another run, one/, 'two');

	// With what it says about the run changed, its signature is none; so it is with the approval alone.
	const {commit} = fleet.json('show', 'two')['merge'];
	const other = {run: 'two', commit};
	const {asked} = request;
	forge(fleet, 'two', {...request, commit, asked: {...asked, ...other}}, {...approval, ...other});
	refused(fleet, deploy(fleet, 'two'), /the request: its signature is not good/, 'two');
	ok(ask(fleet, keys.ada, 'two'));
	const {nonce} = fleet.json('show', 'two')['deployRequest'].asked;
	forge(fleet, 'two', {...approval, ...other, nonce});
	refused(fleet, deploy(fleet, 'two'), /the approval of bo: its signature is not good/, 'two');
	forge(fleet, 'two', {...approval, ...other});
	refused(fleet, deploy(fleet, 'two'), /the approval of bo is for another request/, 'two');
	const {signature: _, ...unsigned} = {...approval, ...other, nonce};
	forge(fleet, 'two', unsigned as RunEvent);
	refused(fleet, deploy(fleet, 'two'), /the approval of bo is not signed/, 'two');

	// Of another target.
	refused(fleet, deploy(fleet, 'one', 'staging'), /a deploy to staging needs a yes of ada, bo, and has none/);
	forge(fleet, 'one', {...request, target: 'staging'}, approval);
	refused(fleet, deploy(fleet, 'one', 'staging'), /the request is for another target, production/);

	// Of another commit, and of another command.
	forge(fleet, 'one', request, {...approval, commit});
	refused(fleet, deploy(fleet), /the approval of bo is for another commit/);
	forge(fleet, 'one', request, {...approval, command: 'true'});
	refused(fleet, deploy(fleet), /the approval of bo is for another command/);

	// Signed by one, in the name of another; and by ada in the name of bo, with her own key.
	const named = {...approval, approver: 'ada'};
	forge(fleet, 'one', request, {...named, signature: await sign(deployStatementText(named), keys.bo, 'fleet-deploy')});
	refused(fleet, deploy(fleet), /ada asked for it, and has to be approved by somebody else/);
	const posed = await sign(deployStatementText(approval), keys.ada, 'fleet-deploy');
	forge(fleet, 'one', request, {...approval, signature: posed});
	refused(fleet, deploy(fleet), /the approval of bo is signed by ada, not by bo/);
	const elsewhere = await sign(deployStatementText(approval), keys.bo, 'fleet-approval');
	forge(fleet, 'one', request, {...approval, signature: elsewhere});
	refused(fleet, deploy(fleet), /the approval of bo: its signature is not good/);

	// In the name of another requester, so that one could approve one's own.
	const lent = {...asked, requester: 'bo'};
	const mine = {...approval, approver: 'ada', requester: 'bo'};
	const signature = await sign(deployStatementText(mine), keys.ada, 'fleet-deploy');
	const lentSignature = await sign(deployStatementText(lent), keys.ada, 'fleet-deploy');
	forge(fleet, 'one', {...request, asked: {...lent, signature: lentSignature}}, {...mine, signature});
	refused(fleet, deploy(fleet), /the request is signed by ada, not by bo/);

	assert.deepEqual([deployed(fleet), deployed(fleet, 'staging')], [0, 0]);
	forge(fleet, 'one', request, approval);
	ok(deploy(fleet));
	assert.equal(deployed(fleet), 1, 'the true one counts');
});

test('a yes is for some minutes', async t => {
	const {fleet, keys} = await merged(
		t,
		"  brief: {command: 'true', approve: {from: [owners]}, lease: 2s, expires: 2s}\n",
	);
	ok(ask(fleet, keys.ada, 'one', 'brief'));
	await sleep(2100);
	refused(fleet, approve(fleet, keys.bo, 'one', 'brief'), /the request expired/);
	refused(fleet, deploy(fleet, 'one', 'brief'), /the request expired/);
	ok(ask(fleet, keys.ada, 'one', 'brief'));
	ok(approve(fleet, keys.bo, 'one', 'brief'));
	await sleep(2100);
	assert.equal(fleet.json('show', 'one')['deployRequest'], null, 'it is on no row any more');
	refused(fleet, deploy(fleet, 'one', 'brief'), /the approval of bo expired/);

	// One that its approver signed for longer than the policy lets them, or for later.
	const {request, approval} = said(fleet);
	const at = (ms: number) => new Date(Date.now() + ms).toISOString();
	const own = async (times: Partial<SignedStatement>) => {
		const longer = {...approval, ...times};
		const signature = await sign(deployStatementText(longer), keys.bo, 'fleet-deploy');
		forge(fleet, 'one', request, {...longer, signature});
		refused(fleet, deploy(fleet, 'one', 'brief'), /the approval of bo expired/);
	};

	await own({issued: at(0), until: at(3_600_000)});
	await own({issued: at(600_000), until: at(601_000)});
	await own({issued: at(0), until: 'never'});
	ok(ask(fleet, keys.ada, 'one', 'brief'));
	ok(approve(fleet, keys.bo, 'one', 'brief'));
	ok(deploy(fleet, 'one', 'brief'));
});

test('a yes is void once the people or the policy changed, and a key that is gone says nothing', async t => {
	const {fleet, keys} = await merged(t);
	const both = () => {
		ok(ask(fleet, keys.ada));
		ok(approve(fleet, keys.bo));
	};

	both();
	people(fleet, keys, ['bo']);
	refused(fleet, deploy(fleet), /is void: the people file changed since/);
	ok(ask(fleet, keys.ada));
	refused(fleet, approve(fleet, keys.bo), /the key is not one of the project's people/);
	refused(fleet, ask(fleet, keys.bo), /the key is not one of the project's people/);
	people(fleet, keys);
	both();

	// A stricter rule that came since counts at once.
	commitFiles(fleet, {'.fleet/policy.yaml': policy(fleet.folder).replace('people: 1', 'people: 2')});
	refused(fleet, deploy(fleet), /is void: the policy changed since/);
	both();
	refused(fleet, deploy(fleet), /production waits for a yes of 1 of ada, bo/);

	// One that is taken away on the branch does not free what was merged under it.
	commitFiles(fleet, {'.fleet/policy.yaml': `verify: ["test -f a.txt"]\n`});
	refused(fleet, deploy(fleet), /is void: the policy changed since/);
	both();
	ok(deploy(fleet));
	assert.equal(deployed(fleet), 1);

	fleet.git('rm', '--quiet', '.fleet/people.yaml');
	fleet.git('commit', '--quiet', '--message=nobody');
	refused(fleet, deploy(fleet), /nobody is named who may say it/);
	writeFileSync(path.join(fleet.project, '.fleet', 'people.yaml'), 'people: {}\n');
	refused(fleet, ask(fleet, keys.ada), /nobody is named who may say it/);
});

test('two have to say yes; nobody does twice, and an agent never', async t => {
	const {fleet, keys} = await merged(t, "  both: {command: 'true', approve: {people: 2, from: [owners, cy]}}\n");
	ok(ask(fleet, keys.ada, 'one', 'both'));
	ok(approve(fleet, keys.bo, 'one', 'both'));
	assert.equal(fleet.json('show', 'one')['needs'], 'needs you: both waits for 1 of bo, cy');
	refused(fleet, deploy(fleet, 'one', 'both'), /both waits for a yes of 1 of ada, bo, cy/);
	const {approval} = said(fleet);
	forge(fleet, 'one', approval);
	refused(fleet, deploy(fleet, 'one', 'both'), /both waits for a yes of 1 of ada, bo, cy/);
	ok(approve(fleet, keys.cy, 'one', 'both'));
	ok(deploy(fleet, 'one', 'both'));

	const context = {...fleet.context(), actor: 'agent:one' as never};
	const journal = Journal.open(findPaths(fleet.env).run('one'), 5000)!;
	await assert.rejects(
		requestDeploy(context, journal, {target: 'both', because: 'x', key: keys.ada}),
		/deploy is a person's decision, and agent:one is not a person/,
	);
	journal.close();
	assert.equal(entries(fleet).at(-1)!.type, 'gate.refused');
});

test('what cannot be asked for, and what a key is needed for', async t => {
	const {fleet, keys} = await merged(t, "  shelf: {command: 'true'}\n");
	const bad = (argv: string[], pattern: RegExp, code = 2) => {
		const result = fleet.run(['deploy', 'one', ...argv]);
		assert.equal(result.code, code, result.stderr);
		assert.match(result.stderr, pattern);
	};

	bad(['production', '--request'], /wants to know why/);
	bad(['production', '--request', '--approve', '--because', 'x'], /do not go together/);
	bad(
		['shelf', '--request', '--because', 'x'],
		/a deploy to shelf needs nobody's yes\n {2}hint: fleet deploy one shelf/,
	);
	bad(['production', '--request', '--because', 'x'], /you have no key for that/);
	bad(['production', '--approve'], /nobody asked for a deploy of one to production/, 3);
	bad(['production', '--request', '--because', 'x', '--key', `${keys.ada}.none`], /could not sign/);
	fleet.git('config', 'user.signingKey', `${keys.ada}.pub`);
	fleet.must('deploy', 'one', 'production', '--request', '--because', 'x');
	assert.equal(fleet.json('show', 'one')['deployRequest'].asked.requester, 'ada');
	ok(deploy(fleet, 'one', 'shelf'));
});

test('what is approved stays so while it waits for a credential, and no longer than the yes counts', async t => {
	const {fleet, keys} = await merged(
		t,
		"  vaulted: {command: 'true', credentials: [SHOP_TOKEN], approve: {from: [owners]}}\n",
	);
	ok(ask(fleet, keys.ada, 'one', 'vaulted'));
	ok(approve(fleet, keys.bo, 'one', 'vaulted'));
	const {until} = fleet.json('show', 'one')['deployRequest'];
	const waits = deploy(fleet, 'one', 'vaulted');
	assert.deepEqual([waits.code, /waits for SHOP_TOKEN, until/.test(waits.stderr)], [2, true], waits.stderr);
	const shown = fleet.json('show', 'one');
	assert.deepEqual([shown['needs'], shown['deployRequest'].until], ['needs you: vaulted waits for SHOP_TOKEN', until]);
	const argv = ['deploy', 'one', 'vaulted', '--confirm', 'vaulted', '--credential', 'SHOP_TOKEN=-'];
	ok(fleet.run(argv, {input: 'shop-value\n'}));
	refused(fleet, fleet.run(argv, {input: 'shop-value\n'}), /has none; the last one was used/);
});
