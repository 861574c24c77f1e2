import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import type {Context} from '../../source/engine/context.ts';
import {Checkouts} from '../../source/engine/handover/checkouts.ts';
import {merge} from '../../source/engine/handover/merge.ts';
import {readRun, withJournal} from '../../source/engine/runs.ts';
import {exitCodeOf, mergeAll, type MergeAll, type TrainReport} from '../../source/engine/train/merge-all.ts';
import type {Outcome} from '../../source/engine/train/train.ts';
import {attentionOf} from '../../source/core/run/attention.ts';
import {glanceAt} from '../../source/core/run/glance.ts';
import {foldRun} from '../../source/core/run/evolve.ts';
import {decideDeploy} from '../../source/core/run/rules.ts';
import type {RunEvent} from '../../source/core/run/event.ts';
import type {Run} from '../../source/core/run/run.ts';
import {trainOrder} from '../../source/core/run/train.ts';
import {approve} from '../../source/engine/handover/approve.ts';
import {Journal, readJournal} from '../../source/host/journal.ts';
import {Fleet, until} from '../support/fleet.ts';

/*
 * Several runs at once. What becomes of main is held against what plain git makes of the same merges in the same order.
 * The runs are written as their verbs would leave them: an agent's work has no part in it, and takes its time.
 */

/** What a run changes: the content of each file. */
type Work = Record<string, string>;

class Yard {
	readonly fleet: Fleet;
	readonly context: Context;
	#count = 0;

	constructor(t: TestContext, {policy, files}: {policy: string; files?: Record<string, string>}) {
		this.fleet = new Fleet(t, {policy, files: files ?? {}});
		this.fleet.git('config', 'user.name', 'Test Person');
		this.fleet.git('config', 'user.email', 'test@example.invalid');
		this.context = this.fleet.context();
	}

	git(...argv: string[]): string {
		return this.fleet.git(...argv);
	}

	main(): string {
		return this.git('rev-parse', 'main');
	}

	/** Makes a branch of one commit, without a checkout. */
	commit(branch: string, from: string, work: Work): string {
		const files = Object.entries(work).map(
			([name, content]) => `M 100644 inline ${name}\ndata ${Buffer.byteLength(content)}\n${content}\n`,
		);
		const who = 'Agent <agent@example.invalid> 1700000000 +0000';
		const head = `commit refs/heads/${branch}\ncommitter ${who}\ndata ${branch.length}\n${branch}\nfrom ${from}\n`;
		const {fleet} = this;
		execFileSync('git', ['-C', fleet.project, 'fast-import', '--quiet'], {
			env: fleet.env,
			input: `${head}${files.join('')}\n`,
		});
		return this.git('rev-parse', branch);
	}

	/** A run as it is once it was verified alone, and approved. @param options.after the run that it waited for */
	run(id: string, work: Work, options: {approved?: boolean; after?: string} = {}): void {
		const {context, fleet} = this;
		const base = this.main();
		const head = this.commit(`fleet/${id}`, base, work);
		const places = context.paths.run(id);
		const journal = Journal.open(places)!;
		journal.append(
			{
				type: 'run.created',
				id,
				name: id,
				project: {id: 'project', name: 'project', root: fleet.project},
				agent: 'command',
				argv: ['true'],
				branch: `fleet/${id}`,
				base,
				target: 'refs/heads/main',
				worktree: places.worktree,
				grants: [],
				after: options.after,
			},
			context.actor,
		);
		journal.append({type: 'run.captured', head, base, commits: 1, files: 1, wip: false, extra: [], notes: []}, 'fleet');
		const facts = {
			base,
			head,
			tree: this.git('rev-parse', `${head}^{tree}`),
			policy: this.git('rev-parse', 'main:.fleet/policy.yaml'),
		};
		const digest = `${this.#count++}`.padStart(64, '0');
		journal.append(
			{type: 'verify.finished', passed: true, ...facts, digest, steps: [], because: 'passed alone'},
			context.actor,
		);
		if (options.approved !== false) {
			journal.append({type: 'review.approved', ...facts, verify: digest, because: 'looks right'}, context.actor);
		}

		journal.close();
	}

	/** As `fleet approve` does, for work that has no folder any more. */
	async approve(id: string): Promise<void> {
		await withJournal(this.context, id, journal => approve(this.context, journal, {because: 'looks right'}));
	}

	/** Takes a run away, so that the next train is without it. */
	discard(id: string): void {
		const journal = Journal.open(this.context.paths.run(id))!;
		journal.append({type: 'run.discarded', because: '', kept: []}, this.context.actor);
		journal.close();
	}

	/** What a person commits on main meanwhile. */
	moveMain(work: Work): void {
		for (const [name, content] of Object.entries(work)) {
			writeFileSync(path.join(this.fleet.project, name), content);
		}

		this.git('add', '--all');
		this.git('commit', '--quiet', '--message=mine');
	}

	/** Whether its journal says so: a run whose worker died is taken for what it was. */
	isVerifying(id: string): boolean {
		return foldRun(readJournal(this.context.paths.run(id).journal).entries)!.stage === 'verifying';
	}

	stage(id: string): string {
		return readRun(this.context.paths.run(id))!.stage;
	}

	/** The tree that plain git makes of these branches, merged in this order into a commit. */
	plain(from: string, ...ids: string[]): string {
		const place = path.join(this.fleet.folder, 'plain');
		this.git('worktree', 'add', '--quiet', '--detach', place, from);
		for (const id of ids) {
			this.git('-C', place, 'merge', '--quiet', '--no-ff', '--no-edit', `fleet/${id}`);
		}

		const tree = this.git('-C', place, 'rev-parse', 'HEAD^{tree}');
		this.git('worktree', 'remove', '--force', place);
		return tree;
	}

	/** Merges all. @returns the one report, with its exit code */
	async all(asked: MergeAll = {}): Promise<TrainReport & {code: number; by: Record<string, Outcome>; states: string}> {
		const reports = await mergeAll(this.context, asked);
		assert.equal(reports.length, 1);
		const {outcomes} = reports[0]!;
		return {
			...reports[0]!,
			code: exitCodeOf(reports),
			by: Object.fromEntries(outcomes.map(outcome => [outcome.run, outcome])),
			states: outcomes.map(({run, state}) => `${run} ${state}`).join(', '),
		};
	}
}

/** No verify folder is left of any run, and no run is taken for one at work. */
function isTidy({context}: Yard, ...ids: string[]): void {
	for (const id of ids) {
		const places = context.paths.run(id);
		assert.equal(existsSync(places.verifyWork), false, id);
		assert.equal(['verifying', 'merging', 'crashed'].includes(readRun(places)!.stage), false, id);
		assert.equal(readRun(places)!.train, undefined, id);
	}
}

const carry = 'approve: {carry: patch-id}\n';

const policyOf = (...commands: string[]) => `verify: ${JSON.stringify(commands)}\n`;
const ten = '1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n';

test('approved runs are verified together once, and merged in one move as plain git merges them', async t => {
	const yard = new Yard(t, {
		policy: policyOf('test -f a.txt', 'ls | wc -l') + carry,
		files: {'long.txt': ten},
	});
	const {context} = yard;
	yard.run('one', {'long.txt': `x${ten}`});
	yard.run('two', {'long.txt': `${ten}x\n`});
	yard.run('three', {'c.txt': 'c\n', 'a/b.txt': 'b\n'});
	const before = yard.main();
	const planned = yard.fleet.run(['merge', '--all', '--dry-run']);
	assert.deepEqual(planned, {
		code: 0,
		stderr: '',
		stdout: [
			'project, main',
			'  to merge   one    approved; verified together with the others first',
			'  to merge   two    approved; verified together with the others first',
			'  to merge   three  approved; verified together with the others first',
			'',
		].join('\n'),
	});
	assert.equal(yard.main(), before);
	assert.equal(readFileSync(context.paths.run('one').journal, 'utf8').includes('train'), false, 'nothing is done');
	const told: string[] = [];
	const done = await yard.all({because: 'all of them', onProgress: text => told.push(text)});
	assert.deepEqual([done.code, done.states], [0, 'one merged, two merged, three merged'], JSON.stringify(done));
	assert.deepEqual(told, ['verifying one, two, three', 'merging one, two, three']);
	assert.equal(yard.git('rev-parse', 'main^{tree}'), yard.plain(before, 'one', 'two', 'three'));
	assert.equal(yard.git('rev-parse', 'main@{1}'), before, 'one move');
	const trailer = (name: string) =>
		yard.git('log', '-3', '--first-parent', `--format=%(trailers:key=${name},valueonly,separator=)`).split('\n');
	assert.deepEqual(trailer('Fleet-Run'), ['three', 'two', 'one']);
	assert.deepEqual(trailer('Fleet-Because'), ['all of them', 'all of them', 'all of them']);
	assert.equal(yard.git('status', '--porcelain'), '', 'the checkout went along');
	const digests = trailer('Fleet-Verify');
	assert.equal(new Set(digests).size, 3);
	for (const [index, id] of ['three', 'two', 'one'].entries()) {
		const {stage, verification, merge, approval} = readRun(context.paths.run(id))!;
		assert.deepEqual([stage, verification?.digest], ['merged', digests[index]]);
		assert.equal(merge?.commit, yard.git('rev-parse', `main~${index}`));
		assert.equal(yard.git('rev-parse', `${merge?.commit}^2`), yard.git('rev-parse', `fleet/${id}`));
		assert.deepEqual(
			[verification?.train?.place, verification?.train?.runs.map(({run}) => run)],
			[3 - index, ['one', 'two', 'three']],
		);
		assert.equal(approval?.base, before, 'what was said stays');
	}

	const deploys = (id: string) =>
		decideDeploy(readRun(context.paths.run(id))!, context.actor, {target: 'prod', confirmed: 'prod'});
	assert.equal(deploys('three'), undefined);
	assert.equal(deploys('two')?.hint, 'fleet deploy three prod', 'what lies between was not verified by itself');
	isTidy(yard, 'one', 'two', 'three');
	assert.deepEqual(await mergeAll(context, {}), []);
});

test('one that turns the result red is left out, wherever it is, and told with what', async t => {
	const yard = new Yard(t, {policy: policyOf('if ls | grep ^bad; then echo bad is there; exit 7; fi') + carry});
	for (const [index, tries] of [
		['verifying R0, R1, R2', 'verifying R0, R1, without R2', 'verifying R0, without R1, R2', 'verifying main alone'],
		['verifying R0, R1, R2', 'verifying R0, R1, without R2', 'verifying R0, without R1, R2'],
		['verifying R0, R1, R2', 'verifying R0, R1, without R2'],
	].entries()) {
		const ids = [0, 1, 2].map(number => `r${index}-${number}`);
		for (const [number, id] of ids.entries()) {
			yard.run(id, number === index ? {'bad.txt': ''} : {[`${id}.txt`]: ''});
		}

		const before = yard.main();
		const told: string[] = [];
		const {code, by, states} = await yard.all({onProgress: text => told.push(text)});
		const others = ids.filter((_, number) => number !== index);
		assert.equal(code, 3);
		assert.equal(states, [...others.map(id => `${id} merged`), `${ids[index]} left`].join(', '));
		assert.equal(yard.git('rev-parse', 'main^{tree}'), yard.plain(before, ...others));
		assert.deepEqual(
			told.slice(0, tries.length),
			tries.map(text => text.replaceAll('R', `r${index}-`)),
		);
		const red = by[ids[index]!]!;
		assert.deepEqual(red.failed?.end, ['bad.txt', 'bad is there', 'exit code 7']);
		assert.match(red.because, index === 0 ? /^fails on main: / : new RegExp(`^fails on main with ${ids[0]}.*: `));
		const run = readRun(yard.context.paths.run(ids[index]!))!;
		assert.deepEqual([run.stage, run.approval, attentionOf(run)], ['verify-failed', undefined, 'needs you']);
		assert.match(readFileSync(yard.context.paths.run(run.id).verifyLog, 'utf8'), /bad is there/);
		isTidy(yard, ...ids);
		yard.discard(ids[index]!);
	}
});

test('two that are green alone and red together, a conflict, and a target that is red by itself', async t => {
	const yard = new Yard(t, {
		policy: policyOf('test "$(ls | grep -c ^only)" -lt 2', 'if ls | grep ^broken; then exit 1; fi') + carry,
		files: {'long.txt': ten},
	});
	yard.run('x', {'only-x.txt': '', 'long.txt': `x${ten}`});
	yard.run('y', {'only-y.txt': ''});
	yard.run('z', {'long.txt': `z${ten}`});
	yard.run('module', {'.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = https://evil.example/x\n'});
	yard.run('after-y', {'w.txt': ''}, {after: 'y'});
	const before = yard.main();
	const {states, by, code, stopped} = await yard.all();
	assert.deepEqual([code, states, stopped], [3, 'x merged, y left, z left, module left, after-y left', undefined]);
	assert.match(by['y']!.because, /^fails on main with x: /);
	assert.deepEqual(by['z']!.conflicts, ['long.txt']);
	assert.match(by['z']!.because, /^it conflicts with main after x in "?long\.txt"?$/);
	assert.match(by['module']!.because, /holds what is never merged: "\.gitmodules" says something new/);
	assert.match(by['after-y']!.because, /comes after y, which is not merged/);
	assert.equal(yard.git('rev-parse', 'main^{tree}'), yard.plain(before, 'x'));
	assert.deepEqual(readRun(yard.context.paths.run('z'))!.conflicts, ['long.txt']);
	isTidy(yard, 'x', 'y', 'z', 'after-y');
	for (const id of ['y', 'z', 'module', 'after-y']) {
		yard.discard(id);
	}

	yard.run('p', {'p.txt': ''});
	yard.run('q', {'q.txt': ''});
	yard.moveMain({'broken.txt': ''});
	const red = await yard.all();
	assert.deepEqual([red.code, red.states, red.stopped?.because.split(':')[0]], [3, '', 'main itself does not pass']);
	assert.deepEqual([yard.stage('p'), yard.stage('q')], ['approved', 'approved'], 'nobody is to blame');
	yard.moveMain({'.fleet/policy.yaml': carry});
	const unclear = await yard.all();
	assert.deepEqual([unclear.code, unclear.states], [4, '']);
	assert.match(unclear.stopped!.because, /no verify commands on main/);
	isTidy(yard, 'p', 'q');
});

test('without the rule, a yes is for what was seen: the others are verified as they would be, and asked for', async t => {
	const yard = new Yard(t, {policy: policyOf('test -f a.txt')});
	for (const id of ['one', 'two', 'three']) {
		yard.run(id, {[`${id}.txt`]: ''});
	}

	yard.run('four', {'four.txt': ''}, {approved: false});
	const before = yard.main();
	const planned = await yard.all({dryRun: true, without: ['two']});
	assert.equal(planned.states, 'one merge, three verify, four verify');
	const first = await yard.all();
	assert.deepEqual(
		[first.code, first.states],
		[3, 'one merged, two approve, three approve, four approve'],
		JSON.stringify(first),
	);
	assert.match(first.by['three']!.because, /^verified on main after two; needs approval$/);
	assert.equal(yard.git('rev-parse', 'main^{tree}'), yard.plain(before, 'one'));
	assert.equal(yard.stage('two'), 'verified');
	const told: string[] = [];
	assert.equal(
		(await yard.all({onProgress: text => told.push(text)})).states,
		'two approve, three approve, four approve',
	);
	assert.deepEqual(told, [], 'what is known is not found out again');
	// The yes of each is for the result with those before it, in whatever order it is said.
	await yard.approve('three');
	await yard.approve('two');
	await assert.rejects(
		withJournal(yard.context, 'two', journal => merge(yard.context, journal, {because: ''})),
		/two was verified together with three, four/,
	);
	assert.equal(glanceAt(readRun(yard.context.paths.run('two'))!, {isOutdated: false}).next, 'merge-all');
	const middle = yard.main();
	const again: string[] = [];
	const second = await yard.all({onProgress: text => again.push(text)});
	assert.deepEqual(
		again,
		['verifying two, three', 'merging two, three', 'verifying four'],
		'a part of what passed together is a result of its own',
	);
	assert.equal(second.states, 'two merged, three merged, four approve', JSON.stringify(second));
	assert.equal(yard.git('rev-parse', 'main^{tree}'), yard.plain(middle, 'two', 'three'));
	await yard.approve('four');
	const last = yard.main();
	await withJournal(yard.context, 'four', journal => merge(yard.context, journal, {because: ''}));
	assert.equal(yard.git('rev-parse', 'main^{tree}'), yard.plain(last, 'four'), 'alone, it is as any other');
	// What changes the policy is the last of its train: by it, the next one is verified.
	yard.run('policy', {'.fleet/policy.yaml': policyOf('test -f a.txt', 'true')}, {approved: false});
	yard.run('policy-next', {'next.txt': ''}, {approved: false});
	const {states, by} = await yard.all();
	assert.equal(states, 'policy approve, policy-next left');
	assert.match(by['policy-next']!.because, /^policy, which goes in before it, changes the policy/);
	isTidy(yard, 'one', 'two', 'three', 'four', 'policy', 'policy-next');
});

test('with the rule, a yes goes along with the same change, and with no other', async t => {
	const yard = new Yard(t, {policy: policyOf('test -f a.txt') + carry, files: {'long.txt': ten, 'py.txt': ten}});
	yard.run('same', {'long.txt': ten.replace('1', 'one')});
	yard.run('moved', {'long.txt': ten.replace('10', 'ten')});
	yard.run('near', {'long.txt': ten.replace('3', 'three')});
	yard.run('flagged', {'.github/workflows/ci.yml': 'x\n'});
	yard.run('lock', {'package-lock.json': '{}\n'});
	yard.run('plain', {'plain.txt': ''});
	const done = await yard.all();
	assert.equal(
		done.states,
		'same merged, moved merged, plain merged, near approve, flagged approve, lock approve',
		JSON.stringify(done),
	);
	assert.match(done.by['moved']!.because, /by an approval of the same patch/);
	const {approval} = readRun(yard.context.paths.run('moved'))!;
	assert.match(approval!.carried!.patch!, /^[0-9a-f]{64}$/);
	for (const id of ['near', 'flagged', 'lock']) {
		assert.equal(yard.stage(id), 'verified', id);
		await yard.approve(id);
	}

	// What came in below may decide what verifies it, or how.
	yard.run('later', {'later.txt': ''});
	const next = await yard.all();
	assert.equal(next.states, 'near merged, flagged merged, lock merged, later approve', JSON.stringify(next));
	yard.discard('later');
	yard.run('policy', {'.fleet/policy.yaml': policyOf('test -f a.txt && test ! -e under.txt') + carry});
	yard.run('under', {'under.txt': ''});
	const last = await yard.all();
	assert.equal(last.states, 'policy merged, under left', JSON.stringify(last));
	assert.match(last.by['under']!.because, /^fails on main: /, 'by the new policy');
	isTidy(yard, 'same', 'moved', 'near', 'flagged', 'lock', 'plain', 'policy', 'under');
});

test('a main that moves meanwhile stops it, and a death anywhere leaves nothing half merged', async t => {
	const yard = new Yard(t, {
		policy: policyOf('test -f a.txt; sleep $(cat wait.txt)') + carry,
		files: {'wait.txt': '0'},
	});
	const {context, fleet} = yard;
	yard.run('one', {'one.txt': ''});
	yard.run('two', {'two.txt': ''});
	const stopped = await yard.all({onProgress: text => text.startsWith('verifying') && yard.moveMain({'mine.txt': ''})});
	const mine = yard.main();
	assert.deepEqual([stopped.code, stopped.states], [3, '']);
	assert.match(stopped.stopped!.because, /^stale: main moved in the last moment; nothing was merged$/);
	assert.equal(yard.git('log', '-1', '--format=%s', 'main'), 'mine', 'what the person did is there');
	assert.deepEqual([yard.stage('one'), yard.stage('two')], ['approved', 'approved']);

	// Killed while it verifies.
	yard.moveMain({'wait.txt': '30'});
	const child = fleet.spawn(['merge', '--all']);
	await until(() => yard.isVerifying('two') && existsSync(context.paths.run('two').verifyWork), 'it verifies');
	child.kill('SIGKILL');
	await until(() => yard.stage('one') === 'approved' && yard.stage('two') === 'approved', 'they are as they were');
	yard.moveMain({'wait.txt': '0'});
	const base = yard.main();
	assert.equal(yard.git('merge-base', mine, base), mine);

	// Dies between a journal's line and the move, and between the move and the person's files.
	await assert.rejects(
		dyingAt('merge.started', () => yard.all()),
		/killed/,
	);
	assert.deepEqual([yard.main(), yard.git('status', '--porcelain')], [base, '']);
	const {follow} = Checkouts.prototype;
	Checkouts.prototype.follow = () => Promise.reject(new Error('killed'));
	await assert.rejects(yard.all(), /killed/).finally(() => {
		Checkouts.prototype.follow = follow;
	});
	assert.notEqual(yard.main(), base);
	assert.notEqual(yard.git('status', '--porcelain'), '', 'the files are those of before');

	// Whoever looks next puts it right, whichever of them it is.
	const late = await withJournal(context, 'two', journal => merge(context, journal, {because: ''}));
	assert.deepEqual([late.checkout, yard.git('status', '--porcelain')], ['updated', '']);
	const done = await yard.all();
	assert.deepEqual([done.code, done.states], [0, 'one merged']);
	assert.equal(yard.git('rev-parse', 'main^{tree}'), yard.plain(base, 'one', 'two'));
	assert.equal(done.by['one']!.checkout, 'updated');
	assert.equal(yard.git('rev-list', '--count', '--first-parent', `${base}..main`), '2', 'once each');
	assert.equal(yard.git('status', '--porcelain'), '');
	isTidy(yard, 'one', 'two');
});

test('where approvals are signed, none that a journal carries elsewhere is one', async t => {
	const yard = new Yard(t, {policy: `${policyOf('test -f a.txt')}approve: {carry: patch-id, sign: true}\n`});
	const {context} = yard;
	yard.run('forged', {'b.txt': ''});
	const before = yard.main();
	// A line that says that it goes on to hold on a commit without that policy.
	const none = yard.git('commit-tree', '-m', 'none', yard.git('mktree'));
	const journal = Journal.open(context.paths.run('forged'))!;
	const {base, head, tree, policy} = journal.run.approval!;
	const carried = (base: string, digest: string, patch?: string) =>
		({
			type: 'verify.finished',
			passed: true,
			base,
			head,
			tree,
			policy,
			digest,
			steps: [],
			because: '',
			keeps: {patch},
		}) satisfies RunEvent;
	journal.append(carried(none, 'x'), context.actor);
	journal.close();
	assert.equal((await yard.all()).states, 'forged approve');
	const again = Journal.open(context.paths.run('forged'))!;
	again.append({type: 'review.approved', base: none, head, tree, policy, verify: 'y', because: ''}, context.actor);
	again.append(carried(base, 'y', 'x'), context.actor);
	again.close();
	await assert.rejects(
		withJournal(context, 'forged', journal => merge(context, journal, {because: ''})),
		/the policy wants approvals signed, and names nobody who may sign/,
	);
	assert.equal(yard.main(), before);
});

/** Does work of which nothing more is written down from the second line of a type on, as where the process dies. */
async function dyingAt<Result>(type: string, work: () => Promise<Result>): Promise<Result> {
	const {append} = Journal.prototype;
	let left = 2;
	Journal.prototype.append = function (event, ...rest) {
		left -= left > 0 && event.type === type ? 1 : 0;
		if (left === 0) {
			throw new Error('killed');
		}

		return append.call(this, event, ...rest);
	};
	try {
		return await work();
	} finally {
		Journal.prototype.append = append;
	}
}

test('the order is that of the approvals, of a train, and of what waited for another', () => {
	const run = (id: string, at: number, more: Partial<Run> = {}) =>
		({id, approval: at === 0 ? undefined : {at: `2026-01-0${at}`}, createdAt: '2025', ...more}) as unknown as Run;
	const inTrain = (place: number) => ({verification: {at: '2026-01-01', train: {id: 't', place}}}) as Partial<Run>;
	const order = (...runs: Run[]) =>
		trainOrder(runs)
			.map(({id}) => id)
			.join(' ');
	assert.equal(order(run('c', 3), run('a', 0), run('b', 2)), 'b c a');
	assert.equal(order(run('b', 2), run('a', 2)), 'a b');
	assert.equal(order(run('late', 3, inTrain(1)), run('early', 1, inTrain(2)), run('mid', 2)), 'late early mid');
	assert.equal(order(run('child', 1, {after: 'parent'}), run('parent', 3), run('x', 2)), 'x parent child');
	assert.equal(order(run('a', 1, {after: 'b'}), run('b', 2, {after: 'a'})), 'a b');
});
