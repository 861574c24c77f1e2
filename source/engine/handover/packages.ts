import {parseChanges, textOf, type Change} from '../../core/git/tree.ts';
import type {LockChange} from '../../core/packages/difference.ts';
import type {LockFormat} from '../../core/packages/package.ts';
import type {Reading} from '../../core/packages/registry.ts';
import {summarize, type PackageSummary} from '../../core/packages/summary.ts';
import type {Run} from '../../core/run/run.ts';
import {redactText} from '../../core/secrets/redact.ts';
import type {Git} from '../../host/git.ts';
import type {Context} from '../context.ts';
import {knownValues} from '../grants/secret-values.ts';
import {readPackages, rememberPackages} from './packages-file.ts';

/*
 * What became of packages in the lock files that a run changed, from objects that were checked, never from its folder.
 * Read once for each pair of commits: what was found is kept beside the journal.
 */

/** Lock files of one change that are read, and characters of all of them; of what is left it is said. */
const maxFiles = 100;
const maxTotal = 64 * 1024 ** 2;

/** Characters of names of changed files. */
const maxNames = 64 * 1024 ** 2;

type Pair = {readonly path: string; readonly format: LockFormat} & Pick<Change, 'before' | 'after'>;

/** What only a change of a lock file needs: two parsers, which take longer to load than most verbs. */
const loadReaders = () =>
	Promise.all([import('../../core/packages/registry.ts'), import('../../core/packages/difference.ts')]);

/**
 * Looks at the lock files of a range, and keeps what was found.
 * @param range.git knows both commits
 * @returns undefined where no lock file changed
 */
export async function lookAtPackages(
	context: Context,
	run: Run,
	range: {readonly git: Git; readonly base: string; readonly head: string},
): Promise<PackageSummary | undefined> {
	const places = context.paths.run(run.id);
	const known = readPackages(places);
	if (known?.base === range.base && known.head === range.head) {
		return known.summary;
	}

	const {locks, path} = await changedLocks(range);
	const found = locks.length === 0 && path === undefined ? [] : await compareAll(range.git, locks);
	const all = path === undefined ? found : [...found, unreadable(path, 'its names are more than can be read at once')];
	const [{withTexts}, values] =
		all.length === 0
			? [{withTexts: (lock: LockChange) => lock}, []]
			: await Promise.all([import('../../core/packages/difference.ts'), knownValues(context, run.project.id)]);
	const shown = all.map(lock => withTexts(lock, text => redactText(values, text)));
	const summary = summarize(shown);
	rememberPackages(places, {base: range.base, head: range.head, summary, locks: shown});
	return summary;
}

function unreadable(path: string, unread: string): LockChange {
	return {path, format: '', ecosystem: 'npm', state: 'changed', unread, flags: [], packages: []};
}

/** The lock files that differ. `path`: what to say where not all of the change could be looked through. */
async function changedLocks({
	git,
	base,
	head,
}: {
	readonly git: Git;
	readonly base: string;
	readonly head: string;
}): Promise<{locks: Pair[]; path: string | undefined}> {
	const {code, stdout} = await git.run(['diff-tree', '-r', '-z', '--raw', '--no-renames', '--no-abbrev', base, head], {
		limit: maxNames,
		encoding: 'latin1',
	});
	if (code !== 0) {
		return {locks: [], path: 'the change'};
	}

	if (!mayHoldLocks(stdout)) {
		return {locks: [], path: undefined};
	}

	const [{formatOf}] = await loadReaders();
	const pairs: Pair[] = [];
	for (const {path, before, after} of parseChanges(stdout)) {
		const format = formatOf(path);
		// Of a file whose mode alone is another, nothing is.
		if (format && before?.object !== after?.object) {
			pairs.push({path: textOf(path), format, before, after});
		}
	}

	return {locks: joinMoved(pairs), path: undefined};
}

/** A first look at the names of changed files, without what reads them. */
function mayHoldLocks(names: string): boolean {
	return /lock|shrinkwrap|\.sum\0|go\.mod\0|pom\.xml\0|requirements/.test(names);
}

/** A file that is gone, and the only one of its name that came: it was moved. */
function joinMoved(pairs: readonly Pair[]): Pair[] {
	const nameOf = ({path}: Pair) => path.slice(path.lastIndexOf('/') + 1);
	const gone = Map.groupBy(
		pairs.filter(({after}) => !after),
		nameOf,
	);
	const came = Map.groupBy(
		pairs.filter(({before}) => !before),
		nameOf,
	);
	return pairs.flatMap(pair => {
		const [old, fresh] = [gone.get(nameOf(pair)) ?? [], came.get(nameOf(pair)) ?? []];
		if (old.length !== 1 || fresh.length !== 1 || (pair !== old[0] && pair !== fresh[0])) {
			return [pair];
		}

		const isSame = old[0]!.before!.object === fresh[0]!.after!.object;
		return pair === old[0] || isSame ? [] : [{...pair, before: old[0]!.before}];
	});
}

async function compareAll(git: Git, pairs: readonly Pair[]): Promise<LockChange[]> {
	const [{maxChars, readLock}, {compareLocks}] = await loadReaders();
	let total = 0;
	const read = async (format: LockFormat, entry: Change['before']): Promise<Reading | undefined> => {
		if (!entry) {
			return undefined;
		}

		if (entry.mode !== '100644' && entry.mode !== '100755') {
			return {unread: entry.mode === '120000' ? 'it is a link' : 'it is no file'};
		}

		if (total > maxTotal) {
			return {unread: `the lock files of this change are more than ${maxTotal / 1024 ** 2} MiB`};
		}

		const {code, stdout} = await git.run(['cat-file', 'blob', entry.object], {limit: maxChars});
		total += stdout.length;
		return code === 0
			? readLock(format, stdout)
			: {unread: `it is longer than ${maxChars / 1024 ** 2} MiB, or is not there`};
	};

	const found: LockChange[] = [];
	for (const {path, format, before, after} of pairs.slice(0, maxFiles)) {
		// One after the other: each may take as much memory as the longest.
		// oxlint-disable-next-line no-await-in-loop -- the reason is above
		found.push(compareLocks(path, format, {before: await read(format, before), after: await read(format, after)}));
	}

	const left = pairs.slice(maxFiles);
	return left.length === 0
		? found
		: [...found, unreadable(left[0]!.path, `the change has ${pairs.length} lock files, of which ${maxFiles} are read`)];
}
