import {parseCommit, type Commit} from '../../core/check/commit.ts';
import type {Line, Rules} from '../../core/check/judge.ts';
import {shownName} from '../../core/check/prove.ts';
import {decidersFrom, needsSigners, signersPath} from '../../core/people/deciders.ts';
import {parsePeople, peoplePath} from '../../core/people/people.ts';
import {emptyPolicy, parsePolicy, policyPath} from '../../core/policy.ts';
import {exitCodes, gateRefusal, orThrow, Refusal} from '../../core/refusal.ts';
import {entriesOf, type Content, type Objects} from './objects.ts';

/* A branch's own line, with what decides about each of its commits. */

/** Files that say who decides, below their folder. */
const decisive = [policyPath, peoplePath, signersPath].map(name => name.split('/') as [string, string]);

/** Commits before a range that are read for what began there. */
const mostContext = 1000;

/** The history is not all here: nothing is proved, and nothing is refused. */
export function incomplete(because: string, hint: string): Refusal {
	return new Refusal(because, hint, exitCodes.inconclusive);
}

function missing(objects: Objects, what: string): Refusal {
	return objects.isShallow
		? incomplete(`this clone is shallow, and ${what} is not in it`, 'git fetch --unshallow')
		: incomplete(
				`${what} is not in this repository`,
				'a whole clone has it: git clone --bare; git fsck says what is wrong',
			);
}

/** A text of the project's; undefined where it is too large to be one. */
function textOf(content: Content | undefined): string | undefined {
	return content?.type === 'blob' && content.bytes.length <= 1024 ** 2
		? Buffer.from(content.bytes, 'latin1').toString('utf8')
		: undefined;
}

/** What the files of a commit come to; each set of them is read once. */
class RulesReader {
	readonly #objects: Objects;
	readonly #known = new Map<string, Rules>();
	readonly #ofTree = new Map<string, readonly (string | undefined)[]>();
	#contents = new Map<string, Content>();

	constructor(objects: Objects) {
		this.#objects = objects;
	}

	/** Looks up the files in all these trees. */
	async load(trees: readonly string[]): Promise<void> {
		const own = [...new Set(trees)];
		const folders = new Map<string, string | undefined>();
		const hex = own[0]?.length ?? 40;
		const some = 2000;
		for (let at = 0; at < own.length; at += some) {
			const part = own.slice(at, at + some);
			const read = await this.#objects.read(part);
			for (const tree of part) {
				const content = read.get(tree);
				if (content?.type !== 'tree') {
					throw missing(this.#objects, `the tree ${shownName(tree)}`);
				}

				const entry = entriesOf(content, hex).get('.fleet');
				folders.set(tree, entry?.mode === '40000' ? entry.object : undefined);
			}
		}

		const names = [...new Set(folders.values())].filter(name => name !== undefined);
		const read = await this.#objects.read(names);
		const files = new Map<string, readonly (string | undefined)[]>();
		for (const name of names) {
			const content = read.get(name);
			if (!content) {
				throw missing(this.#objects, `the folder .fleet of ${shownName(name)}`);
			}

			const entries = entriesOf(content, hex);
			files.set(
				name,
				decisive.map(([, file]) => entries.get(file)?.object),
			);
		}

		for (const [tree, folder] of folders) {
			this.#ofTree.set(tree, folder === undefined ? [] : files.get(folder)!);
		}

		const blobs = [...files.values()].flat().filter(name => name !== undefined);
		this.#contents = new Map([...this.#contents, ...(await this.#objects.read(blobs))]);
	}

	of(tree: string): Rules {
		const [policy = 'none', people = 'none', signers = 'none'] = this.#ofTree.get(tree)!;
		const id = `${policy} ${people} ${signers}`;
		const known = this.#known.get(id) ?? {deciders: this.#read(policy, people, signers), id, policy};
		this.#known.set(id, known);
		return known;
	}

	#text(name: string, path: string): string | Refusal | undefined {
		if (name === 'none') {
			return undefined;
		}

		const content = this.#contents.get(name);
		if (!content) {
			throw missing(this.#objects, path);
		}

		return textOf(content) ?? gateRefusal(`${path} is no text`, `git cat-file -p ${name}`);
	}

	#read(policyName: string, peopleName: string, signersName: string): Rules['deciders'] {
		try {
			const text = orThrow(this.#text(policyName, policyPath));
			const policy = text === undefined ? emptyPolicy : orThrow(parsePolicy(text));
			const peopleText = orThrow(this.#text(peopleName, peoplePath));
			const people = peopleText === undefined ? [] : orThrow(parsePeople(peopleText));
			const signers = needsSigners(policy, people) ? orThrow(this.#text(signersName, signersPath)) : undefined;
			return decidersFrom({policy, people, blob: peopleName, signers});
		} catch (error) {
			if (error instanceof Refusal && error.exitCode !== exitCodes.inconclusive) {
				return error;
			}

			throw error;
		}
	}
}

/** The commits that others brought to a branch's line, each with the first that did. */
function broughtBy(line: readonly Commit[], all: ReadonlyMap<string, Commit>): ReadonlyMap<string, readonly Commit[]> {
	const own = new Set(line.map(({id}) => id));
	const brought = new Map<string, Commit[]>();
	for (const {id, parents} of line) {
		const found: Commit[] = [];
		const open = parents.slice(1);
		for (let next = open.pop(); next !== undefined; next = open.pop()) {
			const commit = all.get(next);
			if (commit && !own.has(next)) {
				own.add(next);
				found.push(commit);
				open.push(...commit.parents);
			}
		}

		if (found.length > 0) {
			brought.set(id, found);
		}
	}

	return brought;
}

async function readCommits(objects: Objects, names: readonly string[]): Promise<Map<string, Commit>> {
	const commits = new Map<string, Commit>();
	const some = 10_000;
	for (let at = 0; at < names.length; at += some) {
		for (const [name, {type, bytes}] of await objects.read(names.slice(at, at + some))) {
			if (type === 'commit') {
				commits.set(name, orThrow(parseCommit(name, bytes)));
			}
		}
	}

	return commits;
}

/** Whether a commit is judged with its parent: as a later one of a train, or the next one of a rebase. */
function goesOnFrom(commit: Commit, parent: Commit): boolean {
	const place = Number(/ (\d{1,3})\/\d{1,3}$/.exec(commit.trailers.get('fleet-train')?.[0] ?? '')?.[1] ?? 0);
	const run = commit.trailers.get('fleet-run')?.[0];
	return (
		place > 1 ||
		(run !== undefined && parent.trailers.get('fleet-run')?.[0] === run && !parent.trailers.has('fleet-statement'))
	);
}

/** What came before a range that begins in the midst of a train or a rebase; the oldest first. */
async function contextOf(objects: Objects, first: Commit | undefined): Promise<Commit[]> {
	const before: Commit[] = [];
	for (let next = first; next?.parents[0] !== undefined && before.length < mostContext;) {
		const parent = (await readCommits(objects, [next.parents[0]])).get(next.parents[0]);
		if (!parent || !goesOnFrom(next, parent)) {
			break;
		}

		before.unshift(parent);
		next = parent;
	}

	return before;
}

/** A branch's own line as it is judged. `start`: who decides about its first commit; undefined where it has no parent. */
export type History = {readonly lines: readonly Line[]; readonly start: Rules | undefined};

/**
 * Reads the line from a tip down to a commit, or to the beginning.
 * @param notes signed statements, by the object that a note is on
 * @throws Refusal where a part of it is missing (inconclusive), or the line never comes to `from` (refused)
 */
export async function readHistory(
	objects: Objects,
	{
		tip,
		from,
		notes,
	}: {readonly tip: string; readonly from: string | undefined; readonly notes: ReadonlyMap<string, readonly string[]>},
): Promise<History> {
	const names = await objects.reachable(tip, from);
	if (!names) {
		throw missing(objects, 'a part of the history');
	}

	const all = await readCommits(objects, names);
	const own: Commit[] = [];
	let next: string | undefined = tip;
	for (; next !== undefined && next !== from; next = own.at(-1)!.parents[0]) {
		const commit = all.get(next);
		if (!commit) {
			break;
		}

		own.push(commit);
	}

	if (from !== undefined && next !== from) {
		throw gateRefusal(
			`${shownName(from)} is not on the branch's own line below ${shownName(tip)}: it was rewritten, or merged into something else`,
			`git log --first-parent --oneline ${shownName(tip)}`,
		);
	}

	if (next !== undefined && from === undefined) {
		throw missing(objects, `the commit ${shownName(next)}`);
	}

	own.reverse();
	const context = from === undefined ? [] : await contextOf(objects, own[0]);
	const line = [...context, ...own];
	const parent = line[0]?.parents[0];
	const start = parent === undefined ? undefined : (await readCommits(objects, [parent])).get(parent);
	if (parent !== undefined && !start) {
		throw missing(objects, `the commit ${shownName(parent)}`);
	}

	const rules = new RulesReader(objects);
	await rules.load([...(start ? [start.tree] : []), ...line.map(({tree}) => tree)]);
	const brought = broughtBy(own, all);
	const isContext = new Set(context.map(({id}) => id));
	return {
		start: start && rules.of(start.tree),
		lines: line.map(commit => ({
			commit,
			brought: brought.get(commit.id) ?? [],
			notes: [...new Set([...(notes.get(commit.id) ?? []), ...(notes.get(commit.tree) ?? [])])],
			rules: rules.of(commit.tree),
			context: isContext.has(commit.id),
		})),
	};
}
