import {readFileSync, rmSync} from 'node:fs';
import type {Changes} from '../../core/run/changes.ts';
import {pulse, type RunPaths} from '../../host/paths.ts';
import {replaceFile} from '../../host/write.ts';

/** Keeps the last counts beside the journal: whoever lists a hundred runs only reads. */
export function rememberChanges(places: RunPaths, changes: Changes): void {
	replaceFile(places.changes, JSON.stringify(changes), {durable: false});
	pulse(places);
}

/** Has nothing known of what a run changed. */
export function forgetChanges(places: RunPaths): void {
	rmSync(places.changes, {force: true});
	pulse(places);
}

/** The last counts of a run; undefined where none were made. */
export function readChanges(places: RunPaths): Changes | undefined {
	try {
		const counts: unknown = JSON.parse(readFileSync(places.changes, 'utf8'));
		return isChanges(counts) ? counts : undefined;
	} catch {
		// No decision of anybody's: what is not there, or damaged, is counted again.
		return undefined;
	}
}

/** By hand and not by a schema: the screen reads the counts of every run before its first frame. */
function isChanges(value: unknown): value is Changes {
	const counts = value as Partial<Record<keyof Changes, unknown>> | null;
	return (
		typeof counts === 'object' &&
		counts !== null &&
		[counts.files, counts.added, counts.removed, counts.untracked].every(count => typeof count === 'number')
	);
}
