import type {DiffFile} from '../../core/review/diff.ts';
import {flagsOf, noFacts, type Flag, type FlagFacts} from '../../core/review/flags.ts';

/* Which files of a change come first: those with something to look at. */

const flagCache = new WeakMap<DiffFile, {readonly facts: FlagFacts; readonly flags: Flag[]}>();

/** The flags of a file, kept for as long as what they depend on is the same. */
export function flagsFor(file: DiffFile, facts: FlagFacts = noFacts): Flag[] {
	const known = flagCache.get(file);
	if (known?.facts === facts) {
		return known.flags;
	}

	const flags = flagsOf(file, facts);
	flagCache.set(file, {facts, flags});
	return flags;
}

const order: ReadonlyArray<Flag['id']> = [
	'secret',
	'control',
	'link',
	'executable',
	'blanks',
	'policy',
	'verify',
	'tests',
	'ci',
	'hooks',
	'agent',
	'editor',
	'git',
	'install',
	'packages',
	'dependency',
];

/** Files with flags first, the gravest before; then as git has them. */
export function orderFiles(files: readonly DiffFile[], facts: FlagFacts): DiffFile[] {
	const rank = (file: DiffFile) => Math.min(order.length, ...flagsFor(file, facts).map(flag => order.indexOf(flag.id)));
	return files
		.map((file, index) => ({file, index, rank: rank(file)}))
		.sort((a, b) => a.rank - b.rank || a.index - b.index)
		.map(({file}) => file);
}
