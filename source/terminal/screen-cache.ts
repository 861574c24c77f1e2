import {readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type {Changes} from '../core/run/changes.ts';
import type {Run} from '../core/run/run.ts';
import {replaceFile} from '../host/write.ts';
import {statusOf} from '../host/status.ts';

/** What was read of a run, and what its journal looked like then. */
export type Known = {readonly run: Run | undefined; readonly changes: Changes | undefined; readonly stamp: string};

/*
 * What journals amounted to the last time, so that a first frame does not fold a
 * thousand of them. Only a copy: an entry counts as long as its journal is as it was.
 */

function cacheFile(state: string): string {
	return path.join(state, 'screen-cache.json');
}

/**
 * When the program's file was written: another build may fold journals in another way, so that it never reads this
 * cache. Taken at the start, since an update may replace the file while the screen runs.
 */
const version = String(statusOf(process.argv[1]!)?.mtimeMs ?? '');

/** @param state the folder for state @returns nothing where there is no cache, or another version's */
export function readCache(state: string): ReadonlyMap<string, Known> {
	try {
		const cache = JSON.parse(readFileSync(cacheFile(state), 'utf8')) as {version: string; runs: Array<[string, Known]>};
		return new Map(cache.version === version ? cache.runs : []);
	} catch {
		return new Map();
	}
}

export function writeCache(state: string, runs: ReadonlyMap<string, Known>): void {
	try {
		replaceFile(cacheFile(state), JSON.stringify({version, runs: [...runs]}), {durable: false});
	} catch {
		// Then the next start takes longer.
	}
}
