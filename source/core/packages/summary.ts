import type {LockChange, PackageChange, PackageFlag} from './difference.ts';

/* What became of packages in all lock files of a change, in few words. */

/** Counts over all files: a name of one ecosystem counts once, in however many files it is. */
export type PackageSummary = {
	readonly came: number;
	readonly went: number;
	readonly changed: number;
	/** Packages that run a script when they are installed and did not, or were not there, before. */
	readonly scripts: number;
	/** Packages that came, of which the lock file does not say whether they run one. */
	readonly unknown: number;
	/** Files that change what runs when packages are installed, or from where they come. */
	readonly install: number;
	/** Files that could not be read. */
	readonly unread: number;
	/** What is to be looked at first, a line each; the first of them. */
	readonly flags: readonly string[];
	/** How many there are of them. */
	readonly flagged: number;
};

/** Flags that are kept with the run; the rest is counted. */
const maxFlags = 20;

/** Characters of a name or an address in a line. */
const maxText = 160;

const cut = (text: string) => (text.length > maxText ? `${text.slice(0, maxText - 1)}…` : text);

/** The gravest first. */
const order = ['unread', 'file', 'script', 'install', 'source', 'checksum', 'host'] as const satisfies ReadonlyArray<
	PackageFlag['id'] | 'unread'
>;

type FlagLine = {readonly id: (typeof order)[number]; readonly line: string};

/** @param path whether what is of the file as a whole begins with its path */
function linesOf(lock: LockChange, path: boolean): FlagLine[] {
	if (lock.unread !== undefined) {
		return [{id: 'unread', line: `${path ? `${cut(lock.path)} ` : ''}could not be read: ${cut(lock.unread)}`}];
	}

	return [
		...lock.flags.map(({id, text}) => ({id, line: `${path ? `${cut(lock.path)}: ` : ''}${cut(text)}`})),
		...lock.packages.flatMap(({name, flags, after}) =>
			flags.map(({id, text}) => ({id, line: `${cut(name)}${id === 'checksum' ? '' : ` ${cut(after)}`}: ${cut(text)}`})),
		),
	];
}

function byWeight(lines: readonly FlagLine[]): string[] {
	return [...lines].sort((one, other) => order.indexOf(one.id) - order.indexOf(other.id)).map(({line}) => line);
}

/**
 * What is to be looked at first in one file, the gravest first.
 * @param path whether what is of the file as a whole begins with its path
 */
export function flagLines(lock: LockChange, path = true): string[] {
	return byWeight(linesOf(lock, path));
}

/** @returns undefined where no lock file changed */
export function summarize(locks: readonly LockChange[]): PackageSummary | undefined {
	if (locks.length === 0) {
		return undefined;
	}

	const changes = new Map<string, PackageChange>();
	for (const lock of locks) {
		for (const change of lock.packages) {
			const key = `${lock.ecosystem} ${change.name}`;
			const known = changes.get(key);
			// What says more stays.
			if (!known || known.flags.length < change.flags.length) {
				changes.set(key, change);
			}
		}
	}

	const list = [...changes.values()];
	const count = (test: (change: PackageChange) => boolean) => list.filter(change => test(change)).length;
	const flags = [...new Set(byWeight(locks.flatMap(lock => linesOf(lock, true))))];
	return {
		came: count(({kind}) => kind === 'came'),
		went: count(({kind}) => kind === 'went'),
		changed: count(({kind}) => kind === 'changed'),
		scripts: count(change => change.flags.some(({id}) => id === 'script')),
		unknown: count(({kind, script}) => kind === 'came' && script === 'unknown'),
		install: locks.filter(({flags: own}) => own.some(({id}) => id === 'install')).length,
		unread: locks.filter(({unread}) => unread !== undefined).length,
		flags: flags.slice(0, maxFlags),
		flagged: flags.length,
	};
}

/** For a line: `3 came (1 runs a script at install), 1 went, 2 changed`. */
export function summaryText({came, went, changed, scripts, unknown, install, unread}: PackageSummary): string {
	const notes = [
		scripts === 0 ? '' : `${scripts} ${scripts === 1 ? 'runs' : 'run'} a script at install`,
		unknown === 0 ? '' : `of ${unknown} that is not known`,
	].filter(note => note !== '');
	const what = unknown > 0 && scripts === 0 ? [`scripts at install: not known of ${unknown}`] : notes;
	const inside = what.length === 0 ? '' : ` (${what.join(', ')})`;
	const parts = [
		came === 0 ? '' : `${came} came${inside}`,
		went === 0 ? '' : `${went} went`,
		changed === 0 ? '' : `${changed} changed${came === 0 ? inside : ''}`,
		unread === 0 ? '' : `${unread === 1 ? 'a file' : `${unread} files`} could not be read`,
	].filter(part => part !== '');
	// Beside packages, which is what a line has room for, its flags say it.
	const others = install > 0 ? 'what runs at install changed' : 'none came, went or changed';
	return parts.length === 0 ? others : parts.join(', ');
}

/**
 * The summary, and below it what is to be looked at first.
 * @param max flags that are listed; how many more there are is said, and `where` they are shown
 */
export function summaryLines(
	summary: PackageSummary,
	{max = Number.POSITIVE_INFINITY, where = ''}: {readonly max?: number; readonly where?: string} = {},
): [string, ...string[]] {
	const flags = summary.flags.slice(0, max);
	const left = summary.flagged - flags.length;
	return [summaryText(summary), ...flags, ...(left > 0 ? [`and ${left} more${where}`] : [])];
}

/** One package in a line: `+ left-pad 1.3.0`. */
export function changeText({kind, name, before, after, script, flags}: PackageChange): string {
	const sign = {came: '+', went: '-', changed: '~'}[kind];
	const versions = kind === 'changed' && before !== after ? `${cut(before)} → ${cut(after)}` : cut(after || before);
	const notes = flags.map(({text}) => cut(text));
	const runs = script === 'yes' && !flags.some(({id}) => id === 'script') ? ['runs a script when it is installed'] : [];
	return [`${sign} ${cut(name)} ${versions}`, ...notes, ...runs].join('; ');
}
