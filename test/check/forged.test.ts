import assert from 'node:assert/strict';
import {test} from 'node:test';
import {hour, start} from '../support/history.ts';
import {policy, rules, train, World} from '../support/world.ts';

/* Histories that did not come by people's approval: real git, real keys, `fleet check` over each. */

/** A policy with owners of its own. */
const guarded = `${rules}, protected: {from: [owners]}`;

const unsigned = /^none of the people signed that they merge it, as those who approved it signed it has to be$/;

/** A forged history: its tip, and the commit that does not hold, where that is another. */
type Forged = {readonly tip: string; readonly at?: string};

const forged: Record<
	string,
	readonly [make: (t: {after(work: () => void): void}) => [World, Forged], because: RegExp]
> = {
	'a merge whose tree was edited': [
		t => {
			const world = new World(t);
			return [world, {tip: world.merge(world.words(), {content: {...world.merged, 'b.txt': 'evil\n'}})}];
		},
		/^what bo signed is about another merged tree$/,
	],
	'a trailer that was edited': [
		t => {
			const world = new World(t);
			const message = world.message(world.words()).replace(/^Fleet-Verify: .*$/m, 'Fleet-Verify: other');
			return [world, {tip: world.commit(world.merged, [world.base, world.head], {message})}];
		},
		/^what bo signed is about another verification$/,
	],
	'a reviewer in the trailers who signed nothing': [
		t => {
			const world = new World(t);
			const message = world.message(world.words(), {reviewers: ['bo', 'ada']});
			return [world, {tip: world.commit(world.merged, [world.base, world.head], {message})}];
		},
		/^it says that ada approved it, who did not sign that$/,
	],
	'a statement that was edited after it was signed': [
		t => {
			const world = new World(t);
			const [request, yes] = world.words() as [string, string];
			const [payload, signature] = yes.split('.') as [string, string];
			const edited = Buffer.from(Buffer.from(payload, 'base64').toString().replace('read it', 'read IT')).toString(
				'base64',
			);
			return [world, {tip: world.merge([request, `${edited}.${signature}`])}];
		},
		/^its signature is not good: /,
	],
	"another run's statement": [
		t => {
			const world = new World(t);
			return [world, {tip: world.merge(world.words({run: 'other-2'}))}];
		},
		/^what bo signed is about another run$/,
	],
	'a statement for another branch': [
		t => {
			const world = new World(t);
			return [world, {tip: world.merge(world.words({target: 'refs/heads/next'}))}];
		},
		/^what bo signed is about another branch$/,
	],
	'a statement on another base': [
		t => {
			const world = new World(t);
			const next = world.commit({...world.content, 'c.txt': 'c\n'}, [world.base]);
			const content = {...world.merged, 'c.txt': 'c\n'};
			const words = world.words({tree: world.tree(content)});
			return [world, {tip: world.merge(words, {content, parents: [next, world.head]})}];
		},
		/^what bo signed is about another tip of the target$/,
	],
	'a statement about another head': [
		t => {
			const world = new World(t);
			const other = world.commit(world.merged, [world.base], {message: 'other history, same files'});
			return [world, {tip: world.merge(world.words(), {parents: [world.base, other]})}];
		},
		/^what bo signed is about another head$/,
	],
	'a key that was taken away before': [
		t => {
			const world = new World(t);
			const content = {...world.content, '.fleet/people.yaml': world.people('ada', 'cy')};
			const base = world.commit(content, [world.base]);
			const merged = {...content, 'b.txt': 'b\n'};
			const words = world.words({base, tree: world.tree(merged)});
			return [world, {tip: world.merge(words, {content: merged, parents: [base, world.head]})}];
		},
		/^bo, who signed it, was not one of the people/,
	],
	'a key that nobody knows': [
		t => {
			const world = new World(t);
			const words = [
				world.word('request', 'cy', world.about),
				world.word('approve', 'bo', {...world.about, key: world.key('eve')}),
			];
			return [world, {tip: world.merge(words)}];
		},
		/^the key that signed for bo was not one of theirs/,
	],
	"somebody's signature in another's name": [
		t => {
			const world = new World(t);
			const words = [
				world.word('request', 'cy', world.about),
				world.word('approve', 'bo', {...world.about, key: world.key('cy')}),
			];
			return [world, {tip: world.merge(words)}];
		},
		/^the key that signed for bo was not one of theirs, but cy's/,
	],
	'a signature that was for something else': [
		t => {
			const world = new World(t);
			const words = [
				world.word('request', 'cy', world.about),
				world.word('approve', 'bo', {...world.about, namespace: 'git'}),
			];
			return [world, {tip: world.merge(words)}];
		},
		/^what bo signed was signed for "git", and not as an approval/,
	],
	"the approval of whoever asked, who may approve others' work": [
		t => {
			const world = new World(t);
			const words = [
				world.word('request', 'bo', {...world.about, requester: 'bo'}),
				world.word('approve', 'bo', {...world.about, requester: 'bo'}),
			];
			return [world, {tip: world.merge(words)}];
		},
		/^1 person has to approve it; may: ada, di$/,
	],
	'one person twice, where two have to': [
		t => {
			const world = new World(t, {approve: `people: 2, ${rules}`});
			return [world, {tip: world.merge([...world.words(), world.word('approve', 'bo', {...world.about, nonce: 'm'})])}];
		},
		/^2 people have to approve it: bo did; may: ada, di$/,
	],
	'a statement whose time was over': [
		t => {
			const world = new World(t);
			return [world, {tip: world.merge(world.words(), {at: start + 21 * hour})}];
		},
		/^what bo signed is over$/,
	],
	'a people file that lets somebody in with the same merge': [
		t => {
			const files = {'.fleet/people.yaml': ''};
			const world = new World(t);
			files['.fleet/people.yaml'] = `${world.people('ada', 'bo', 'cy')}${world.people('eve').replace('people:\n', '')}`;
			const content = {...world.merged, ...files};
			const about = {
				...world.about,
				tree: world.tree(content),
				people: world.git(['hash-object', '--stdin'], {input: files['.fleet/people.yaml']}),
			};
			return [
				world,
				{tip: world.merge([world.word('request', 'cy', about), world.word('approve', 'eve', about)], {content})},
			];
		},
		/^eve, who signed it, was not one of the people/,
	],
	'a people file that lets somebody in with the same push': [
		t => {
			const world = new World(t, {approve: `${rules}, direct: people`});
			const content = {...world.content, '.fleet/people.yaml': world.people('ada', 'eve', 'cy')};
			const base = world.commit(content, [world.base], {key: world.key('eve')});
			const merged = {...content, 'b.txt': 'b\n'};
			const about = {...world.about, base, tree: world.tree(merged)};
			const words = [world.word('request', 'cy', about), world.word('approve', 'eve', about)];
			return [world, {tip: world.merge(words, {content: merged, parents: [base, world.head]}), at: base}];
		},
		/^it is signed by none of the people: its key was none of theirs$/,
	],
	'a policy that opens the branch with the same push': [
		t => {
			const world = new World(t, {approve: `${rules}, direct: nobody`});
			const open = world.commit({...world.content, '.fleet/policy.yaml': policy(`${rules}, direct: anybody`)}, [
				world.base,
			]);
			return [world, {tip: world.commit({...world.content, 'c.txt': 'c\n'}, [open]), at: open}];
		},
		/^nobody approved it, and the policy lets nobody commit without that/,
	],
	'a later policy that would have to be passed over': [
		t => {
			const world = new World(t);
			const strict = {...world.content, '.fleet/policy.yaml': policy(`people: 2, ${rules}`)};
			const base = world.commit(strict, [world.base]);
			const merged = {...strict, 'b.txt': 'b\n'};
			const words = world.words({base, tree: world.tree(merged)});
			return [world, {tip: world.merge(words, {content: merged, parents: [base, world.head]})}];
		},
		/^2 people have to approve it: bo did; may: ada, di$/,
	],
	'an old policy under which a later commit would be good': [
		t => {
			const world = new World(t);
			const strict = {...world.content, '.fleet/policy.yaml': policy(`people: 2, ${rules}`)};
			const base = world.commit(strict, [world.base]);
			const merged = {...strict, 'b.txt': 'b\n'};
			const about = {...world.about, base, tree: world.tree(merged)};
			// Signed as the policy before would have it.
			const words = [world.word('request', 'cy', about, world.base), world.word('approve', 'bo', about, world.base)];
			return [world, {tip: world.merge(words, {content: merged, parents: [base, world.head]})}];
		},
		/^what bo signed is about another policy$/,
	],
	"a merge without its trailers, by fleet's author": [
		t => {
			const world = new World(t);
			return [world, {tip: world.commit(world.merged, [world.base], {email: 'agent@fleet.invalid', message: 'tidy'})}];
		},
		/^it is an agent's \(agent@fleet\.invalid\), and nothing that people signed stands behind it$/,
	],
	'a merge without its statements': [
		t => {
			const world = new World(t);
			return [world, {tip: world.merge([])}];
		},
		/^it is an agent's \(Fleet-Run: fix-1\)/,
	],
	'work without any mark, where people sign what they commit': [
		t => {
			const world = new World(t, {approve: `${rules}, direct: people`});
			return [world, {tip: world.commit(world.merged, [world.base], {message: 'tidy'})}];
		},
		/^it is signed by none of the people: it has no SSH signature$/,
	],
	'a rebase with a commit slipped between': [
		t => {
			const world = new World(t);
			const one = world.commit({...world.content, 'b.txt': '1\n'}, [world.base], {
				message: 'one\n\nFleet-Run: fix-1\n',
			});
			const slipped = world.commit({...world.content, 'b.txt': '1\n', 'evil.sh': 'x'}, [one], {message: 'slipped'});
			return [world, {tip: world.merge(world.words(), {parents: [slipped]}), at: one}];
		},
		/^it is an agent's \(Fleet-Run: fix-1\)/,
	],
	"a rebase with another run's commit between": [
		t => {
			const world = new World(t);
			const one = world.commit({...world.content, 'b.txt': '1\n'}, [world.base], {
				message: 'one\n\nFleet-Run: fix-2\n',
			});
			return [world, {tip: world.merge(world.words(), {parents: [one]}), at: one}];
		},
		/^it is an agent's \(Fleet-Run: fix-2\)/,
	],
	"a person's merge that brings an agent's commit": [
		t => {
			const world = new World(t);
			const side = world.commit({...world.merged, 'd.txt': 'd\n'}, [world.head]);
			return [
				world,
				{tip: world.commit({...world.merged, 'd.txt': 'd\n'}, [world.base, side], {message: "Merge branch 'x'"})},
			];
		},
		/^[\da-f]{12}, which it brings, is an agent's \(agent@fleet\.invalid\)/,
	],
	'a note about another run than the trailers name': [
		t => {
			const world = new World(t);
			world.note(world.tree(world.merged), world.words({run: 'other-2'}));
			return [world, {tip: world.merge([])}];
		},
		/^it is an agent's \(Fleet-Run: fix-1\)/,
	],
	'a note that says no where the trailers say yes': [
		t => {
			const world = new World(t);
			world.note(world.tree(world.merged), [world.word('reject', 'di', {...world.about, because: 'it leaks'})]);
			return [world, {tip: world.merge(world.words())}];
		},
		/^di rejected it: it leaks$/,
	],
	'a no of somebody entitled beside the yes': [
		t => {
			const world = new World(t);
			const no = world.word('reject', 'ada', {...world.about, because: 'not so'});
			return [world, {tip: world.merge([...world.words(), no])}];
		},
		/^ada rejected it: not so$/,
	],
	'an object that another one replaces': [
		t => {
			const world = new World(t);
			const evil = world.merge(world.words(), {content: {...world.merged, 'b.txt': 'evil\n'}});
			const good = world.merge(world.words());
			world.git(['replace', evil, good]);
			return [world, {tip: evil}];
		},
		/^what bo signed is about another merged tree$/,
	],
	'a graft that takes a commit out of the history': [
		t => {
			const world = new World(t);
			const evil = world.commit({...world.content, 'x.sh': 'x'}, [world.base], {email: 'agent@fleet.invalid'});
			const tip = world.commit({...world.content, 'x.sh': 'x'}, [evil]);
			world.write('info/grafts', `${tip} ${world.base}\n`);
			return [world, {tip, at: evil}];
		},
		/^it is an agent's \(agent@fleet\.invalid\)/,
	],
	"a merge whose first parent is the agent's side": [
		t => {
			const world = new World(t);
			return [world, {tip: world.merge(world.words(), {parents: [world.head, world.base]}), at: world.head}];
		},
		/^it is an agent's \(agent@fleet\.invalid\)/,
	],
	'an octopus': [
		t => {
			const world = new World(t);
			const third = world.commit({...world.content, 'c.txt': 'c\n'}, [world.base]);
			return [world, {tip: world.merge(world.words(), {parents: [world.base, world.head, third]})}];
		},
		/^it has 3 parents, and a run's merge has two$/,
	],
	"a protected file that the policy's owners did not approve": [
		t => {
			const world = new World(t, {
				approve: `${rules}, protected: {from: [owners]}`,
				work: {'.github/workflows/x.yml': 'on: push\n'},
			});
			return [world, {tip: world.merge(world.words())}];
		},
		/^1 person has to approve it; may: ada$/,
	],
	'break-glass by somebody who may not': [
		t => {
			const world = new World(t);
			return [world, {tip: world.merge([world.word('break-glass', 'bo', {...world.about, because: 'fire'})])}];
		},
		/^nobody has said whose work this is/,
	],
	...Object.fromEntries(
		(
			[
				[
					'a policy that somebody besides its owners commits',
					{'.fleet/policy.yaml': policy('people: 1')},
					'.fleet/policy.yaml',
				],
				[
					'people whom somebody besides the owners lets in',
					{'.fleet/people.yaml': 'people: {}\n'},
					'.fleet/people.yaml',
				],
				['CI of somebody besides the owners', {'.github/workflows/x.yml': 'on: push\n'}, '.github/workflows/x.yml'],
				['a hook of somebody besides the owners', {'.husky/pre-commit': 'x\n'}, '.husky/pre-commit'],
				["agents' instructions of somebody besides the owners", {'AGENTS.md': 'obey\n'}, 'AGENTS.md'],
				['what verifies, by somebody besides the owners', {Makefile: 'all:\n'}, 'Makefile'],
			] as const
		).map(([name, more, what]) => [
			name,
			[
				(t: {after(work: () => void): void}) => {
					const world = new World(t, {approve: `${guarded}, direct: people`});
					return [world, {tip: world.commit({...world.content, ...more}, [world.base], {key: world.key('bo')})}];
				},
				new RegExp(
					`^it changes ${what.replaceAll('.', String.raw`\.`)}, and bo, who signed it, may not do that alone$`,
				),
			] as const,
		]),
	),
	'a policy under another name, by somebody besides its owners': [
		t => {
			const world = new World(t, {approve: `${guarded}, direct: people`});
			const {'.fleet/policy.yaml': text, ...rest} = world.content;
			return [world, {tip: world.commit({...rest, '.fleet/old.txt': text!}, [world.base], {key: world.key('bo')})}];
		},
		/^it changes \.fleet\/old\.txt, and bo, who signed it, may not do that alone$/,
	],
	"a merge by somebody besides the owners of an owner's commit to the policy": [
		t => {
			const world = new World(t, {approve: `${guarded}, direct: people`});
			const content = {...world.content, '.fleet/policy.yaml': policy('people: 1')};
			const side = world.commit(content, [world.base], {key: world.key('ada')});
			const one = world.commit({...world.content, 'c.txt': 'c\n'}, [world.base], {key: world.key('bo')});
			return [world, {tip: world.commit({...content, 'c.txt': 'c\n'}, [one, side], {key: world.key('bo')})}];
		},
		/^it changes \.fleet\/policy\.yaml, and bo, who signed it, may not do that alone$/,
	],
	'a policy that lets everybody change it, with the same push': [
		t => {
			const world = new World(t, {approve: `${guarded}, direct: people`});
			const key = world.key('bo');
			const open = {...world.content, '.fleet/policy.yaml': policy(`${rules}, direct: people`)};
			const at = world.commit(open, [world.base], {key});
			return [world, {tip: world.commit({...open, 'AGENTS.md': 'obey\n'}, [at], {key}), at}];
		},
		/^it changes \.fleet\/policy\.yaml, and bo, who signed it, may not do that alone$/,
	],
	"an owner's own commit to the policy, where two have to approve that": [
		t => {
			const world = new World(t, {approve: `${rules}, protected: {from: [owners], people: 2}, direct: people`});
			const content = {...world.content, '.fleet/policy.yaml': policy('people: 1')};
			return [world, {tip: world.commit(content, [world.base], {key: world.key('ada')})}];
		},
		/^it changes \.fleet\/policy\.yaml, which 2 people have to approve, and a commit has the signature of one$/,
	],
	'a merge that nobody signed, whose approval takes that': [
		t => {
			const world = new World(t);
			return [world, {tip: world.merge(world.wordsBy())}];
		},
		unsigned,
	],
	'a merge that nobody signed, without the others': [
		t => {
			const world = new World(t);
			const word = world.word('break-glass', 'ada', {...world.about, merge: 'signed', because: 'fire'});
			const message = world.message([word], {reviewers: ['ada']}).replace(/^Requested-by: .*\n/m, '');
			return [world, {tip: world.commit(world.merged, [world.base, world.head], {message})}];
		},
		unsigned,
	],
	'a merge by somebody who is not named': [
		t => {
			const world = new World(t);
			return [world, {tip: world.merge(world.wordsBy('eve'))}];
		},
		/^eve, who signed it, was not one of the people \(none of the people signed that they merge it, /,
	],
	"a merge that is signed in another's name": [
		t => {
			const world = new World(t);
			const word = world.word('merge', 'ada', {...world.about, key: world.key('cy')});
			return [world, {tip: world.merge([...world.wordsBy(), word])}];
		},
		/^the key that signed for ada was not one of theirs, but cy's \(none of the people/,
	],
	...Object.fromEntries(
		(
			[
				['on another base', {base: '1'.repeat(40)}],
				['of another head', {head: '1'.repeat(40)}],
				['of another tree', {tree: '1'.repeat(40)}],
				['of another run', {run: 'other-2'}],
				['into another branch', {target: 'refs/heads/next'}],
				['by another policy', {policy: 'other'}],
				['by other people', {people: 'other'}],
				['of another verification', {verify: 'other'}],
				['whose time was over', {until: new Date(start - hour / 2).toISOString()}],
			] as const
		).map(([name, other]) => [
			`a signature of a merge ${name}`,
			[
				(t: {after(work: () => void): void}) => {
					const world = new World(t);
					const word = world.word('merge', 'cy', {...world.about, ...other}, world.base);
					return [world, {tip: world.merge([...world.wordsBy(), word])}];
				},
				unsigned,
			] as const,
		]),
	),
	"a train's next merge, signed on what was to come before it": [
		t => {
			const world = new World(t);
			return [world, {tip: train(world, {isSquash: false, isSigned: true, onChain: true})}];
		},
		unsigned,
	],
	'a merge in the name of somebody who signed nothing': [
		t => {
			const world = new World(t);
			return [world, {tip: world.merge(world.wordsBy('cy'), {more: 'Fleet-Merged-by: bo'})}];
		},
		/^it says that bo merged it, and cy signed that$/,
	],
	'a commit after which nobody could say who decides': [
		t => {
			const world = new World(t);
			return [
				world,
				{tip: world.commit({...world.content, '.fleet/people.yaml': 'people: {ada: {}}\n'}, [world.base])},
			];
		},
		/^after it nobody could say who decides: \.fleet\/people\.yaml:1: /,
	],
};

for (const [name, [make, because]] of Object.entries(forged)) {
	test(`refused: ${name}`, async t => {
		const [world, {tip, at = tip}] = make(t);
		const report = await world.look(tip);
		assert.equal(report.result, 'refused', JSON.stringify(report));
		assert.match(report.refused!.because, because);
		assert.equal(report.refused!.commit, at);
		assert.equal(report.trusted, world.base);
	});
}
