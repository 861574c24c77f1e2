import assert from 'node:assert/strict';
import {test} from 'node:test';
import {inShort, policy, rules, train, World} from '../support/world.ts';

/* Histories that came by people's approval, as fleet makes them and as a forge does: `fleet check` over each. */

const good: Record<
	string,
	readonly [make: (t: {after(work: () => void): void}) => [World, string], counts: string, warnings?: string[]]
> = {
	'a merge': [
		t => {
			const world = new World(t);
			return [world, world.merge(world.words())];
		},
		'1 0 0 1',
	],
	'a squash': [
		t => {
			const world = new World(t);
			return [world, world.merge(world.words(), {parents: [world.base]})];
		},
		'1 0 0 1',
	],
	'a rebase of three commits': [
		t => {
			const world = new World(t);
			const one = world.commit({...world.content, 'b.txt': '1\n'}, [world.base], {
				message: 'one\n\nFleet-Run: fix-1\n',
			});
			const two = world.commit({...world.content, 'b.txt': '2\n'}, [one], {message: 'two\n\nFleet-Run: fix-1\n'});
			return [world, world.commit({...world.merged, 'e.txt': 'e\n'}, [world.merge(world.words(), {parents: [two]})])];
		},
		'3 0 1 1',
	],
	'a train of two, and of two squashed': [
		t => {
			const world = new World(t);
			return [world, train(world, {isSquash: false})];
		},
		'2 0 0 1',
	],
	'a train of two that is squashed': [
		t => {
			const world = new World(t);
			return [world, train(world, {isSquash: true})];
		},
		'2 0 0 1',
	],
	'a merge that somebody signed who has no say in what is approved': [
		t => {
			const world = new World(t);
			return [world, world.merge(world.wordsBy('cy'), {more: 'Fleet-Merged-by: cy'})];
		},
		'1 0 0 1',
	],
	'a squash that was signed': [
		t => {
			const world = new World(t);
			return [world, world.merge(world.wordsBy('bo'), {parents: [world.base]})];
		},
		'1 0 0 1',
	],
	'a rebase of two commits that was signed': [
		t => {
			const world = new World(t);
			const one = world.commit({...world.content, 'b.txt': '1\n'}, [world.base], {
				message: 'one\n\nFleet-Run: fix-1\n',
			});
			return [world, world.merge(world.wordsBy('bo'), {parents: [one]})];
		},
		'2 0 0 1',
	],
	'a train of two, each signed on what is there': [
		t => {
			const world = new World(t);
			return [world, train(world, {isSquash: false, isSigned: true})];
		},
		'2 0 0 1',
	],
	"a merge from before merges were signed, under a login's name": [
		t => {
			const world = new World(t);
			return [world, world.merge(world.words(), {more: 'Fleet-Merged-by: root'})];
		},
		'1 0 0 1',
	],
	"a forge's squash of what was approved as a merge that is signed, and it is said": [
		t => {
			const world = new World(t);
			world.note(world.tree(world.merged), world.wordsBy());
			return [world, world.commit(world.merged, [world.base], {message: 'Fix the thing (#12)\n'})];
		},
		'1 0 0 1',
		['merger'],
	],
	"a forge's squash with a note": [
		t => {
			const world = new World(t);
			world.note(world.tree(world.merged), world.words());
			return [
				world,
				world.commit(world.merged, [world.base], {
					message: 'Fix the thing (#12)\n\n* work\n\nCo-authored-by: fleet agent <agent@fleet.invalid>\n',
				}),
			];
		},
		'1 0 0 1',
	],
	"a forge's merge with a note on the commit": [
		t => {
			const world = new World(t);
			const tip = world.commit(world.merged, [world.base, world.head], {message: 'Merge pull request #12\n'});
			world.note(tip, world.words());
			return [world, tip];
		},
		'1 0 0 1',
	],
	'break-glass, and it is said': [
		t => {
			const world = new World(t, {approve: `people: 2, ${rules}`});
			const words = [world.word('break-glass', 'ada', {...world.about, because: 'the site is down'})];
			const message = world.message(words, {reviewers: ['ada']}).replace(/^Requested-by: .*\n/m, '');
			return [world, world.commit(world.merged, [world.base, world.head], {message})];
		},
		'1 0 0 1',
		['break-glass'],
	],
	'the approval of one alone, where the policy lets them, and it is said': [
		t => {
			const world = new World(t, {approve: 'not: []'});
			const about = {...world.about, requester: 'bo'};
			const message = world
				.message([world.word('request', 'bo', about), world.word('approve', 'bo', about)])
				.replace(/^Requested-by: cy$/m, 'Requested-by: bo');
			return [world, world.commit(world.merged, [world.base, world.head], {message})];
		},
		'1 0 0 1',
		['four-eyes'],
	],
	"people's commits, signed by a key of theirs, and a merge of them": [
		t => {
			const world = new World(t, {approve: `${rules}, direct: people`});
			const key = world.key('bo');
			const one = world.commit({...world.content, 'c.txt': 'c\n'}, [world.base], {key});
			const side = world.commit({...world.content, 'd.txt': 'd\n'}, [world.base], {key: world.key('ada')});
			return [world, world.commit({...world.content, 'c.txt': 'c\n', 'd.txt': 'd\n'}, [one, side], {key})];
		},
		'0 3 0 1',
	],
	"an owner's own commit to the policy, and a maintainer's to anything else": [
		t => {
			const world = new World(t, {approve: `${rules}, protected: {from: [owners]}, direct: people`});
			const content = {...world.content, '.fleet/policy.yaml': policy(`${rules}, direct: people`)};
			const one = world.commit(content, [world.base], {key: world.key('ada')});
			// From then on the policy has no owners.
			const two = {...content, 'c.txt': 'c\n', 'AGENTS.md': 'x\n'};
			return [world, world.commit(two, [one], {key: world.key('bo')})];
		},
		'0 2 0 1',
	],
	'a key that is taken away later does not undo what it signed': [
		t => {
			const world = new World(t);
			const merged = world.merge(world.words());
			return [world, world.commit({...world.merged, '.fleet/people.yaml': world.people('ada', 'di')}, [merged])];
		},
		'1 0 1 1',
		['rules'],
	],
	'what was good by the policy then stays good under a stricter one': [
		t => {
			const world = new World(t);
			const merged = world.merge(world.words());
			const strict = {...world.merged, '.fleet/policy.yaml': policy(`people: 2, ${rules}, direct: nobody`)};
			const about = {base: merged, head: world.commit(strict, [merged]), tree: world.tree(strict), run: 'two'};
			const words = [world.word('request', 'cy', about), world.word('approve', 'bo', about)];
			return [world, world.commit(strict, [merged, about.head], {message: world.message(words, {run: 'two'})})];
		},
		'2 0 0 1',
	],
	"a protected file that the policy's owners approved": [
		t => {
			const world = new World(t, {
				approve: `${rules}, protected: {from: [owners]}`,
				work: {'.github/workflows/x.yml': 'on: push\n'},
			});
			const words = [world.word('request', 'cy', world.about), world.word('approve', 'ada', world.about)];
			return [
				world,
				world.commit(world.merged, [world.base, world.head], {message: world.message(words, {reviewers: ['ada']})}),
			];
		},
		'1 0 0 1',
	],
	'a list of signers in place of people': [
		t => {
			const world = new World(t);
			const content = {
				'a.txt': 'a\n',
				'.fleet/policy.yaml': policy('sign: true'),
				'.fleet/signers': world.signers('bo'),
			};
			const base = world.commit(content, []);
			const merged = {...content, 'b.txt': 'b\n'};
			const about = {base, head: world.commit(merged, [base]), tree: world.tree(merged), requester: ''};
			const message = world.message([world.word('approve', 'bo', about)]).replace(/^Requested-by: .*\n/m, '');
			return [world, world.commit(merged, [base, about.head], {message})];
		},
		'1 0 0 1',
		['four-eyes'],
	],
};

for (const [name, [make, counts, warnings = []]] of Object.entries(good)) {
	test(`holds: ${name}`, async t => {
		const [world, tip] = make(t);
		assert.deepEqual(inShort(await world.look(tip)), {result: 'holds', counts, warnings});
	});
}
