import {readFileSync} from 'node:fs';
import type {Changes} from '../../core/run/changes.ts';
import {pulse, type RunPaths} from '../../host/paths.ts';
import {replaceFile} from '../../host/write.ts';

/** Keeps the last counts beside the journal: whoever lists a hundred runs only reads. */
export function rememberChanges(places: RunPaths, changes: Changes): void {
	replaceFile(places.changes, JSON.stringify(changes), {durable: false});
	pulse(places);
}

/** The last counts of a run; undefined where none were made. */
export function readChanges(places: RunPaths): Changes | undefined {
	try {
		return JSON.parse(readFileSync(places.changes, 'utf8')) as Changes;
	} catch {
		return undefined;
	}
}
