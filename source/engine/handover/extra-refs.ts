import {branchRef, capturedExtras, runRefs} from '../../core/git/refs.ts';
import {printable} from '../../core/names.ts';
import type {Run} from '../../core/run/run.ts';
import type {Git} from '../../host/git.ts';
import {checkConnected} from './import-objects.ts';
import {noteMissing, type Look} from './look.ts';

/*
 * What a run made beside its branch: other branches, stashes, tags, a detached HEAD, files of submodules. Each
 * is kept as refs/fleet/runs/RUN/extra/NAME.
 */

/**
 * Refs of the agent's own that are kept under names of their own;
 * the others are kept together, as the parents of one commit.
 */
const maxNamed = 50;

/** What is kept besides the branch: objects by what they were called, and commits that are kept together. */
export type Extras = {readonly named: Map<string, string>; readonly together: readonly string[]};

/**
 * Chooses what is kept: only what the project does not have, and what is not the branch itself. What there is no name
 * left for is noted as missing.
 */
export function chooseExtras(look: Look, branch: string): Extras {
	const named = new Map<string, string>();
	if (look.head && look.head !== look.tip) {
		named.set('HEAD', look.head);
	}

	const candidates = look.refs.filter(({name, object}) => name !== branchRef(branch) && object !== look.tip);
	const together: string[] = [];
	// Commits can stand together as parents of one; what else a ref may name needs a name of its own.
	for (const {name, object, type} of [
		...candidates.filter(({type}) => type !== 'commit'),
		...candidates.filter(({type}) => type === 'commit'),
	]) {
		if (named.size < maxNamed) {
			named.set(name, object);
		} else if (type === 'commit') {
			together.push(object);
		} else {
			noteMissing(look, `${printable(name, 200)}, one of very many tags of its own`);
		}
	}

	return {named, together};
}

/** Names below refs/fleet/runs/RUN/extra: an object that was kept before stays under its name. */
class Names {
	readonly #kept: ReadonlyMap<string, string>;
	readonly #taken: Set<string>;

	/** @param listed lines of an object and its ref */
	constructor(listed: string) {
		this.#kept = new Map(
			listed
				.split('\n')
				.filter(line => line !== '')
				.map(line => line.split(' ') as [string, string])
				.map(([object, ref]) => [object, ref.slice(ref.lastIndexOf('/') + 1)]),
		);
		this.#taken = new Set(this.#kept.values());
	}

	/** @param wanted what it is called where that is free, with a number behind it otherwise; empty: a number */
	of(object: string, wanted: string): string {
		const known = this.#kept.get(object);
		if (known !== undefined) {
			return known;
		}

		let name = wanted;
		for (let number = wanted === '' ? 1 : 2; name === '' || this.#taken.has(name); number++) {
			name = wanted === '' ? String(number) : `${wanted}-${number}`;
		}

		this.#taken.add(name);
		return name;
	}
}

/**
 * Gives what is kept its refs in the quarantine, and notes each.
 * @param options.git the project's, where refs of earlier captures are
 * @param options.stamp variables that date and sign commits which are made for it: the same content, the same commit
 * @returns the refs, and what they are
 */
export async function keepExtras(
	run: Run,
	{named, together}: Extras,
	{
		look,
		git,
		quarantine,
		stamp,
	}: {
		readonly look: Look;
		readonly git: Git;
		readonly quarantine: Git;
		readonly stamp: Readonly<Record<string, string>>;
	},
): Promise<{refs: string[]; titles: string[]}> {
	const names = new Names(
		await git.raw('for-each-ref', '--format=%(objectname) %(refname)', `${runRefs(run.id)}/extra`),
	);
	const refs: string[] = [];
	const titles = [...named.keys()];
	const keep = async (object: string, wanted = '') => {
		const name = names.of(object, wanted);
		refs.push(`${capturedExtras}/${name}`);
		await quarantine.must(['update-ref', `${capturedExtras}/${name}`, object]);
		return `${runRefs(run.id)}/extra/${name}`;
	};

	const commit = async (tree: string, parents: readonly string[], message: string) =>
		(await quarantine.must(['commit-tree', tree, ...parents, '-m', message], {env: {...stamp}})).trim();
	for (const [title, object] of named) {
		look.notes.push(`kept as ${await keep(object)}: ${printable(title, 200)}`);
	}

	for (const {path: place, tree} of look.submodules) {
		await checkConnected(quarantine, [tree], []);
		const message = `What run ${run.id} changed in the submodule ${printable(place, 200)}`;
		const title = `the files of the submodule ${place}`;
		const ref = await keep(await commit(tree, [], message));
		titles.push(title);
		look.notes.push(`kept as ${ref}: ${printable(title, 200)}`);
	}

	if (together.length > 0) {
		const parents = [...new Set(together)].flatMap(object => ['-p', object]);
		const made = await commit(look.tree, parents, `Other branches and tags of run ${run.id}`);
		const ref = await keep(made, 'rest');
		look.notes.push(`kept together, as the parents of ${ref}: ${together.length} more branches and tags`);
	}

	return {refs, titles};
}
