import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {copyFileSync, mkdirSync, rmSync, symlinkSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {envelopeWord, parseEnvelopeWord, signedText, type Envelope} from '../../source/core/statement/envelope.ts';
import {check} from '../../source/engine/check/check.ts';
import {start} from '../support/history.ts';
import {hardwareSigner} from '../support/ssh-sign.ts';
import {inShort, rules, train, World} from '../support/world.ts';

/* What `fleet check` says of a part of a history, of one that is not all there, and of what cannot be proved. */

test('a range that begins in the midst of a train is judged with what came before it', async t => {
	const world = new World(t);
	const tip = train(world, {isSquash: false});
	assert.deepEqual(inShort(await world.look(`${tip}^..${tip}`)), {result: 'holds', counts: '1 0 0 0', warnings: []});
});

test('a range that begins in the midst of a rebase is judged as a whole', async t => {
	const world = new World(t);
	const one = world.commit({...world.content, 'b.txt': '1\n'}, [world.base], {message: 'one\n\nFleet-Run: fix-1\n'});
	const tip = world.merge(world.words(), {parents: [one]});
	assert.deepEqual(inShort(await world.look(`${one}..${tip}`)), {result: 'holds', counts: '1 0 0 0', warnings: []});
	assert.match((await world.look(`${world.base}..${one}`)).refused!.because, /^it is an agent's/);
});

test('names of the other length are read alike', async t => {
	const world = new World(t, {format: 'sha256'});
	const tip = train(world, {isSquash: false});
	assert.equal(tip.length, 64);
	assert.deepEqual(inShort(await world.look(tip)), {result: 'holds', counts: '2 0 0 1', warnings: []});
	const evil = world.merge(world.words(), {content: {...world.merged, 'b.txt': 'evil\n'}});
	assert.equal((await world.look(evil)).result, 'refused');
});

test("an object whose content is another's is no proof", async t => {
	const world = new World(t);
	const file = (name: string) => path.join(world.repository, 'objects', name.slice(0, 2), name.slice(2));
	const tip = world.merge(world.words());
	const evil = world.git(['hash-object', '-w', '--stdin'], {input: world.people('ada', 'eve')});
	const people = file(world.blob(world.base, '.fleet/people.yaml'));
	rmSync(people);
	copyFileSync(file(evil), people);
	const report = await world.look(tip);
	assert.match(report.refused!.because, /^the object [\da-f]{12} is not what its name says$/);
});

test('what cannot be proved is said as that', async t => {
	const world = new World(t, {approve: `${rules}, carry: patch-id`});
	const next = world.commit({...world.content, 'c.txt': 'c\n'}, [world.base]);
	const content = {...world.merged, 'c.txt': 'c\n'};
	const carried = (words: readonly string[]) =>
		world.merge(words, {content, parents: [next, world.head], more: 'Fleet-Approval-Carried: same patch'});
	const report = await world.look(carried(world.words()));
	assert.equal(report.result, 'inconclusive');
	assert.match(report.inconclusive[0]!.because, /^it was approved as the same change on an older target/);
	assert.equal((await world.look(carried(world.words({until: new Date(start - 1).toISOString()})))).result, 'refused');

	// A part of the history that is not here.
	world.git(['update-ref', 'refs/heads/main', world.merge(world.words())]);
	const shallow = `${world.folder}/shallow`;
	world.git(['clone', '--quiet', '--depth=1', `file://${world.repository}`, shallow]);
	const cut = await check(shallow, {range: undefined, branch: undefined, instructions: []});
	assert.equal(cut.result, 'inconclusive');
	assert.deepEqual(
		cut.inconclusive.map(({because, hint}) => [because, hint]),
		[['this clone is shallow, and a part of the history is not in it', 'git fetch --unshallow']],
	);
	const partial = `${world.folder}/partial`;
	world.git(['config', 'uploadpack.allowFilter', 'true']);
	world.git(['clone', '--quiet', '--bare', '--filter=blob:none', `file://${world.repository}`, partial]);
	const empty = await check(partial, {range: undefined, branch: undefined, instructions: []});
	assert.equal(empty.result, 'inconclusive');
	assert.match(empty.inconclusive[0]!.because, /policy\.yaml is not in this repository$/);
});

test('what comes after a carried approval in its train is judged all the same', async t => {
	const world = new World(t, {approve: `${rules}, carry: patch-id`});
	const next = world.commit({...world.content, 'c.txt': 'c\n'}, [world.base]);
	const content = {...world.merged, 'c.txt': 'c\n'};
	const more = 'Fleet-Approval-Carried: same patch\nFleet-Train: t-1 1/2';
	const first = world.merge(world.words(), {content, parents: [next, world.head], more});
	const head = world.commit({...world.content, 'd.txt': 'd\n'}, [world.base], {email: 'agent@fleet.invalid'});
	const both = {...content, 'd.txt': 'd\n'};
	const base = world.chain(world.treeOf(first), next, world.head);
	const about = {base, head, tree: world.tree(both), run: 'fix-2'};
	const words = [world.word('request', 'cy', about), world.word('approve', 'bo', about)];
	const message = world.message(words, {run: 'fix-2', more: 'Fleet-Train: t-1 2/2'});
	const report = await world.look(world.commit(both, [first, head], {message}));
	assert.deepEqual([report.result, report.merges, report.inconclusive.length], ['inconclusive', 1, 1]);
});

test("a hardware key's signature is asked of ssh-keygen, and without that nothing is proved", async t => {
	const own = hardwareSigner();
	const world = new World(t);
	const content = {
		...world.content,
		'.fleet/people.yaml': `${world.people('cy')}  bo: {groups: [maintainers], keys: ["${own.line}"]}\n`,
	};
	const base = world.commit(content, []);
	const merged = {...content, 'b.txt': 'b\n'};
	const about = {base, head: world.commit(merged, [base]), tree: world.tree(merged)};
	const {payload} = parseEnvelopeWord(world.word('approve', 'bo', about)) as Envelope;
	const yes = envelopeWord({payload, signature: own.sign(signedText(payload), 'fleet-approval')});
	const message = world.message([world.word('request', 'cy', about), yes]);
	const tip = world.commit(merged, [base, about.head], {message});
	assert.deepEqual(inShort(await world.look(tip)), {result: 'holds', counts: '1 0 0 1', warnings: []});

	const before = process.env['PATH'];
	const bin = path.join(world.folder, 'bin');
	mkdirSync(bin);
	symlinkSync(execFileSync('sh', ['-c', 'command -v git'], {encoding: 'utf8'}).trim(), path.join(bin, 'git'));
	process.env['PATH'] = bin;
	try {
		const report = await world.look(tip);
		assert.equal(report.result, 'inconclusive');
		assert.match(report.inconclusive[0]!.because, /^ssh-keygen did not run/);
	} finally {
		process.env['PATH'] = before;
	}
});

test('commits from before fleet are counted, and so is a gap', async t => {
	const world = new World(t);
	const old = world.commit({'a.txt': 'a\n'}, [], {message: 'one', email: 'agent@fleet.invalid'});
	const named = world.commit(world.content, [world.commit({'a.txt': 'b\n'}, [old])]);
	const gone = world.commit({'a.txt': 'b\n'}, [named]);
	const report = await world.look(world.commit({'a.txt': 'c\n'}, [gone]));
	assert.deepEqual(inShort(report), {result: 'holds', counts: '0 0 1 4', warnings: ['no-people', 'rules']});
	assert.equal(report.trusted, named);
});
