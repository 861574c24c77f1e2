import {existsSync, readFileSync, rmSync} from 'node:fs';
import * as v from 'valibot';
import {branchRef} from '../../core/git/refs.ts';
import {Git} from '../../host/git.ts';
import {readJournal} from '../../host/journal.ts';
import {Lock} from '../../host/lock.ts';
import type {RunPaths} from '../../host/paths.ts';
import {removeWorktree} from '../../host/worktree.ts';
import type {Context} from '../context.ts';
import {listRunIds} from '../runs.ts';
import {statusOf} from '../../host/status.ts';
import {replaceFile} from '../../host/write.ts';

/*
 * A start that fails, or is ended in the middle, leaves nothing:
 * no branch, no worktree, no folder, no name that is taken.
 */

/** What is about to be made. */
const startSchema = v.object({commonDir: v.string(), branch: v.string(), base: v.string()});
type Start = Readonly<v.InferOutput<typeof startSchema>>;

/** How long a folder with nothing in it may be somebody's who is just beginning, milliseconds. */
const beginning = 10_000;

/** Writes down what is about to be made, before it is: whoever finds it takes it back. */
export function noteStart(places: RunPaths, start: Start): void {
	replaceFile(places.start, JSON.stringify(start));
}

/** It is made, and the journal knows it. */
export function startIsNoted(places: RunPaths): void {
	rmSync(places.start, {force: true});
}

function readStart(places: RunPaths): Start | undefined {
	try {
		return v.parse(startSchema, JSON.parse(readFileSync(places.start, 'utf8')));
	} catch {
		return undefined;
	}
}

/**
 * Removes all that was made for a run whose agent never ran. Only for who holds its lock, or knows that nobody does.
 */
export async function takeBack(places: RunPaths, start: Start | undefined): Promise<void> {
	if (start && existsSync(start.commonDir)) {
		await removeWorktree(start.commonDir, places);
		// Only where it is as it was made: what a person did with it since is theirs.
		await new Git({gitDir: start.commonDir}).run(['update-ref', '-d', branchRef(start.branch), start.base]);
	}

	rmSync(places.folder, {recursive: true, force: true});
	rmSync(places.pulse, {force: true});
}

/** Takes back what starts left that were killed. */
export async function takeBackLeftovers(context: Pick<Context, 'paths'>): Promise<void> {
	for (const id of listRunIds(context)) {
		const places = context.paths.run(id);
		const start = readStart(places);
		const isOld = () => Date.now() - (statusOf(places.folder)?.mtimeMs ?? Date.now()) > beginning;
		if (readJournal(places.journal).entries.length > 0) {
			if (start) {
				startIsNoted(places);
			}
		} else if (start || (!existsSync(places.journal) && isOld())) {
			const lock = Lock.acquire(places.lock);
			if (lock) {
				try {
					// A start that went on until then has written its first line.
					if (readJournal(places.journal).entries.length > 0) {
						continue;
					}

					await takeBack(places, start);
				} finally {
					lock.release();
				}
			}
		}
	}
}
