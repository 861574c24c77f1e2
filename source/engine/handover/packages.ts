import {parseChanges, textOf, type Change} from '../../core/git/tree.ts';
import type {LockChange} from '../../core/packages/difference.ts';
import type {InstallFormat, Text} from '../../core/packages/install.ts';
import type {LockFormat} from '../../core/packages/package.ts';
import type {Reading} from '../../core/packages/registry.ts';
import {summarize, type PackageSummary} from '../../core/packages/summary.ts';
import type {Run} from '../../core/run/run.ts';
import {withinTime} from '../../host/time-limit.ts';
import {redactText} from '../../core/secrets/redact.ts';
import type {Git} from '../../host/git.ts';
import type {Context} from '../context.ts';
import {knownValues} from '../grants/secret-values.ts';
import {readPackages, rememberPackages} from './packages-file.ts';

/*
 * What became of packages in the lock files that a run changed, and of what runs when packages are installed, from objects that were checked, never from its folder.
 * Read once for each pair of commits: what was found is kept beside the journal.
 */

/** Files of one change that are read, and characters of all of them; of what is left it is said. */
const maxFiles = 200;
const maxTotal = 64 * 1024 ** 2;

/** Git's mode of a symbolic link. */
const linkMode = '120000';

/** How long one of them, and all, may take to be understood, milliseconds. */
const maxFileMs = 5000;
const maxMs = 30_000;

/** Characters of names of changed files. */
const maxNames = 64 * 1024 ** 2;

/** A file that pins packages, or that says what runs when they are installed. */
type Pair = {readonly path: string} & Pick<Change, 'before' | 'after'> &
	({readonly kind: 'lock'; readonly format: LockFormat} | {readonly kind: 'install'; readonly format: InstallFormat});

/** What only a change of a lock file needs: two parsers, which take longer to load than most verbs. */
const loadReaders = () =>
	Promise.all([
		import('../../core/packages/registry.ts'),
		import('../../core/packages/difference.ts'),
		import('../../core/packages/install.ts'),
	]);

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

	const [{formatOf}, , {installFormatOf}] = await loadReaders();
	const pairs: Pair[] = [];
	for (const {path, before, after} of parseChanges(stdout)) {
		const [format, installs] = [formatOf(path), installFormatOf(path)];
		const pair = {path: textOf(path), before, after};
		// Of a file whose mode alone is another, nothing is.
		if (format && before?.object !== after?.object) {
			pairs.push({...pair, kind: 'lock', format});
		} else if (installs && !(installs.isLink && after?.mode !== linkMode) && before?.object !== after?.object) {
			pairs.push({...pair, kind: 'install', format: installs});
		}
	}

	return {locks: joinMoved(pairs), path: undefined};
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
		// What says what runs at an install says so of the folder that it is in.
		if (pair.kind === 'install' || old.length !== 1 || fresh.length !== 1 || (pair !== old[0] && pair !== fresh[0])) {
			return [pair];
		}

		const isSame = old[0]!.before!.object === fresh[0]!.after!.object;
		return pair === old[0] || isSame ? [] : [{...pair, before: old[0]!.before}];
	});
}

async function compareAll(git: Git, pairs: readonly Pair[]): Promise<LockChange[]> {
	const [{maxChars, readLock}, {compareLocks}, {compareInstall}] = await loadReaders();
	let total = 0;
	const until = performance.now() + maxMs;
	const msLeft = () => Math.max(1, Math.min(maxFileMs, Math.round(until - performance.now())));
	const slow = {unread: 'it takes too long to read'};
	const read = async (entry: Change['before']): Promise<Text | undefined> => {
		if (!entry) {
			return undefined;
		}

		if (entry.mode !== '100644' && entry.mode !== '100755') {
			return {unread: entry.mode === linkMode ? 'it is a link' : 'it is no file'};
		}

		if (total > maxTotal) {
			return {unread: `the files of this change that pin packages are more than ${maxTotal / 1024 ** 2} MiB`};
		}

		const {code, stdout} = await git.run(['cat-file', 'blob', entry.object], {limit: maxChars});
		total += stdout.length;
		return code === 0 ? stdout : {unread: `it is longer than ${maxChars / 1024 ** 2} MiB, or is not there`};
	};

	const readingOf = (format: LockFormat, text: Text | undefined): Reading | undefined =>
		typeof text === 'string' ? (withinTime(msLeft(), () => readLock(format, text))?.result ?? slow) : text;
	const found: LockChange[] = [];
	for (const pair of pairs.slice(0, maxFiles)) {
		// One after the other: each may take as much memory as the longest.
		const isProgram = pair.kind === 'install' && pair.format.isProgram;
		const [before, after] = isProgram
			? [pair.before?.object, pair.after?.object]
			: [await read(pair.before), await read(pair.after)];
		if (pair.kind === 'install') {
			const change = withinTime(msLeft(), () => compareInstall(pair.path, pair.format, {before, after}));
			found.push(...(change ? [change.result].filter(one => one !== undefined) : [unreadable(pair.path, slow.unread)]));
		} else {
			const {path, format} = pair;
			const both = {before: readingOf(format, before), after: readingOf(format, after)};
			found.push(compareLocks(path, format, both));
		}
	}

	const left = pairs.slice(maxFiles);
	return left.length === 0
		? found
		: [
				...found,
				unreadable(
					left[0]!.path,
					`the change has ${pairs.length} files that pin packages, of which ${maxFiles} are read`,
				),
			];
}
