import {readFileSync} from 'node:fs';
import type {LockChange} from '../../core/packages/difference.ts';
import type {PackageSummary} from '../../core/packages/summary.ts';
import {pulse, type RunPaths} from '../../host/paths.ts';
import {replaceFile} from '../../host/write.ts';

/** What became of packages between two commits. */
export type Packages = {
	readonly base: string;
	readonly head: string;
	/** Undefined where no lock file changed. */
	readonly summary?: PackageSummary | undefined;
	readonly locks: readonly LockChange[];
};

/** Packages of one lock file that are kept, those with flags before others; the rest is counted. */
const maxKept = 500;

/** Keeps what became of packages beside the journal, to be looked up as often as somebody asks. */
export function rememberPackages(places: RunPaths, packages: Packages): void {
	const locks = packages.locks.map(lock =>
		lock.packages.length > maxKept
			? {...lock, packages: lock.packages.slice(0, maxKept), more: lock.packages.length - maxKept}
			: lock,
	);
	replaceFile(places.packages, JSON.stringify({...packages, locks}), {durable: false});
	pulse(places);
}

/** What was found the last time; undefined where nothing was looked at. */
export function readPackages(places: RunPaths): Packages | undefined {
	try {
		const value: unknown = JSON.parse(readFileSync(places.packages, 'utf8'));
		return isPackages(value) ? value : undefined;
	} catch {
		// No decision of anybody's: what is not there, or damaged, is looked at again.
		return undefined;
	}
}

/** By hand and not by a schema: fleet itself wrote it, and the screen reads it with each diff. */
function isPackages(value: unknown): value is Packages {
	const known = value as Partial<Record<keyof Packages, unknown>> | null;
	return (
		typeof known === 'object' &&
		known !== null &&
		typeof known.base === 'string' &&
		typeof known.head === 'string' &&
		(known.summary === undefined || Array.isArray((known.summary as Partial<PackageSummary>).flags)) &&
		Array.isArray(known.locks) &&
		known.locks.every(
			lock => typeof lock?.path === 'string' && Array.isArray(lock.packages) && Array.isArray(lock.flags),
		)
	);
}
