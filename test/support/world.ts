import type {Report} from '../../source/core/check/report.ts';
import {check} from '../../source/engine/check/check.ts';
import {HandMade, type Content, type Name} from './history.ts';

/* A project that names people, and a run's work in it: what forged histories and good ones begin with. */

export const policy = (approve: string) => `verify: [npm test]\napprove: {${approve}}\n`;
export const rules = 'from: [maintainers], breakGlass: [owners]';

/** A project whose first commit names people, and a run's work on it. */
export class World extends HandMade {
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

	/** The same, of a yes to a merge that is signed, and whoever signs that they merge. */
	wordsBy(merger?: Name, about: Partial<Parameters<HandMade['word']>[2]> = {}): string[] {
		const all = {...this.about, merge: 'signed', ...about} as const;
		const {base, head, tree} = all;
		return [...this.words(all), ...(merger === undefined ? [] : [this.word('merge', merger, {base, head, tree})])];
	}

	merge(
		words: readonly string[],
		options: {content?: Content; parents?: readonly string[]; more?: string; at?: number} = {},
	): string {
		const {content = this.merged, parents = [this.base, this.head], more = '', ...rest} = options;
		return this.commit(content, parents, {message: this.message(words, {more}), ...rest});
	}

	/** The commit that stands for a merge that is not made, as git makes it. */
	chain(tree: string, base: string, head: string): string {
		const env = Object.fromEntries(
			['AUTHOR', 'COMMITTER'].flatMap(who => [
				[`GIT_${who}_NAME`, 'fleet'],
				[`GIT_${who}_EMAIL`, 'fleet@fleet.invalid'],
				[`GIT_${who}_DATE`, '@0 +0000'],
			]),
		);
		return this.git(['commit-tree', tree, '-p', base, '-p', head, '-m', 'A merge of a train'], {env});
	}

	look(range: string): Promise<Report> {
		return check(this.repository, {range, branch: 'main', instructions: []});
	}
}

/**
 * Two runs, each approved as it would be after the one before it.
 * @param options.isSigned whether cy signs each merge; `onChain`: on what was to come before it, in place of what did
 */
export function train(
	world: World,
	{isSquash, isSigned = false, onChain = false}: {isSquash: boolean; isSigned?: boolean; onChain?: boolean},
): string {
	type About = {readonly base: string; readonly head: string; readonly tree: string; readonly run?: string};
	const merge = (content: Content, parent: string, about: About, place: number) => {
		const run = about.run ?? 'fix-1';
		const yes = {...about, ...(isSigned ? {merge: 'signed' as const} : {})};
		const words = [world.word('request', 'cy', about), world.word('approve', 'bo', yes)];
		if (isSigned) {
			words.push(world.word('merge', 'cy', {...about, ...(onChain ? {} : {base: parent})}));
		}

		return world.commit(content, isSquash ? [parent] : [parent, about.head], {
			message: world.message(words, {run, more: `Fleet-Train: t-1 ${place}/2`}),
		});
	};
	const first = merge(world.merged, world.base, world.about, 1);
	const base = world.chain(world.treeOf(first), world.base, world.head);
	const head = world.commit({...world.content, 'c.txt': 'c\n'}, [world.base], {email: 'agent@fleet.invalid'});
	const content = {...world.merged, 'c.txt': 'c\n'};
	return merge(content, first, {base, head, tree: world.tree(content), run: 'fix-2'}, 2);
}

/** What a report says in short. */
export const inShort = ({result, merges, signed, unchecked, before, warnings, refused, inconclusive}: Report) => ({
	result: refused?.because ?? inconclusive[0]?.because ?? result,
	counts: [merges, signed, unchecked, before].join(' '),
	warnings: warnings.map(({kind}) => kind),
});
