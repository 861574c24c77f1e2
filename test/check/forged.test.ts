import assert from 'node:assert/strict';
import {copyFileSync, rmSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import type {Report} from '../../source/core/check/report.ts';
import {check} from '../../source/engine/check/check.ts';
import {HandMade, hour, start, type Content} from '../support/history.ts';

/* Histories that did not come by people's approval, and those that did: real git, real keys, `fleet check` over each. */

const policy = (approve: string) => `verify: [npm test]\napprove: {${approve}}\n`;
const rules = 'from: [maintainers], breakGlass: [owners]';

/** A project whose first commit names people, and a run's work on it. */
class World extends HandMade {
	readonly content: Content;
	readonly base: string;
	readonly head: string;
	readonly merged: Content;

	constructor(
		t: {after(work: () => void): void},
		{
			approve = rules,
			files = {},
			work = {'b.txt': 'b\n'},
			format,
		}: {approve?: string; files?: Content; work?: Content; format?: 'sha256'} = {},
	) {
		super(t, format);
		this.content = {
			'a.txt': 'a\n',
			'.fleet/policy.yaml': policy(approve),
			'.fleet/people.yaml': this.people('ada', 'bo', 'di', 'cy'),
			...files,
		};
		this.base = this.commit(this.content, []);
		this.merged = {...this.content, ...work};
		this.head = this.commit(this.merged, [this.base], {message: 'work', email: 'agent@fleet.invalid'});
	}

	get about() {
		return {base: this.base, head: this.head, tree: this.tree(this.merged)};
	}

	/** What is signed of a merge as it should be. */
	words(about: Partial<Parameters<HandMade['word']>[2]> = {}): string[] {
		const all = {...this.about, ...about};
		return [this.word('request', 'cy', all), this.word('approve', 'bo', all)];
	}

	merge(
		words: readonly string[],
		options: {content?: Content; parents?: readonly string[]; more?: string; at?: number} = {},
	): string {
		const {content = this.merged, parents = [this.base, this.head], more = '', ...rest} = options;
		return this.commit(content, parents, {message: this.message(words, {more}), ...rest});
	}

	look(range: string): Promise<Report> {
		return check(this.repository, {range, branch: 'main', instructions: []});
	}
}

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

/** What a report says in short. */
const inShort = ({result, merges, signed, unchecked, before, warnings, refused, inconclusive}: Report) => ({
	result: refused?.because ?? inconclusive[0]?.because ?? result,
	counts: [merges, signed, unchecked, before].join(' '),
	warnings: warnings.map(({kind}) => kind),
});

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
			return [world, train(world, false)];
		},
		'2 0 0 1',
	],
	'a train of two that is squashed': [
		t => {
			const world = new World(t);
			return [world, train(world, true)];
		},
		'2 0 0 1',
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

/** Two runs, each approved as it would be after the one before it. */
function train(world: World, isSquash: boolean): string {
	const merge = (content: Content, base: string, head: string, words: string[], run: string, place: number) =>
		world.commit(content, isSquash ? [base] : [base, head], {
			message: world.message(words, {run, more: `Fleet-Train: t-1 ${place}/2`}),
		});
	const first = merge(world.merged, world.base, world.head, world.words(), 'fix-1', 1);
	const zero = {GIT_AUTHOR_NAME: 'fleet', GIT_AUTHOR_EMAIL: 'fleet@fleet.invalid', GIT_AUTHOR_DATE: '@0 +0000'};
	const base = world.git(
		['commit-tree', world.treeOf(first), '-p', world.base, '-p', world.head, '-m', 'A merge of a train'],
		{
			env: {
				...zero,
				GIT_COMMITTER_NAME: 'fleet',
				GIT_COMMITTER_EMAIL: 'fleet@fleet.invalid',
				GIT_COMMITTER_DATE: '@0 +0000',
			},
		},
	);
	const head = world.commit({...world.content, 'c.txt': 'c\n'}, [world.base], {email: 'agent@fleet.invalid'});
	const content = {...world.merged, 'c.txt': 'c\n'};
	const about = {base, head, tree: world.tree(content), run: 'fix-2'};
	return merge(
		content,
		first,
		head,
		[world.word('request', 'cy', about), world.word('approve', 'bo', about)],
		'fix-2',
		2,
	);
}

for (const [name, [make, counts, warnings = []]] of Object.entries(good)) {
	test(`holds: ${name}`, async t => {
		const [world, tip] = make(t);
		assert.deepEqual(inShort(await world.look(tip)), {result: 'holds', counts, warnings});
	});
}

test('a range that begins in the midst of a train is judged with what came before it', async t => {
	const world = new World(t);
	const tip = train(world, false);
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
	const tip = train(world, false);
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

test('commits from before fleet are counted, and so is a gap', async t => {
	const world = new World(t);
	const old = world.commit({'a.txt': 'a\n'}, [], {message: 'one', email: 'agent@fleet.invalid'});
	const named = world.commit(world.content, [world.commit({'a.txt': 'b\n'}, [old])]);
	const gone = world.commit({'a.txt': 'b\n'}, [named]);
	const report = await world.look(world.commit({'a.txt': 'c\n'}, [gone]));
	assert.deepEqual(inShort(report), {result: 'holds', counts: '0 0 1 4', warnings: ['no-people', 'rules']});
	assert.equal(report.trusted, named);
});
