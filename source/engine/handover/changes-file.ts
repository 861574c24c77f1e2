import {readFileSync} from 'node:fs';
import path from 'node:path';
import type {Changes} from '../../core/run/changes.ts';
import {pulse, type RunPaths} from '../../host/paths.ts';
import {replaceFile} from '../../host/write.ts';

/** Keeps the last counts beside the journal: whoever lists a hundred runs only reads. */
export function rememberChanges(places: RunPaths, changes: Changes): void {
	replaceFile(changesFile(places), JSON.stringify(changes), {durable: false});
	pulse(places);
}

/** The last counts of a run; undefined where none were made. */
export function readChanges(places: RunPaths): Changes | undefined {
	try {
		return JSON.parse(readFileSync(changesFile(places), 'utf8')) as Changes;
	} catch {
		return undefined;
	}
}

function changesFile(places: RunPaths): string {
	return path.join(places.folder, 'changes.json');
}
