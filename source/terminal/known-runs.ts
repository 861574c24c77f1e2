import path from 'node:path';
import process from 'node:process';
import type {Changes} from '../core/run/changes.ts';
import type {Run} from '../core/run/run.ts';
import {hasWorker} from '../core/run/stages.ts';
import type {Paths} from '../host/paths.ts';
import {runFiles} from '../host/run-files.ts';
import {readChanges} from '../engine/handover/changes-file.ts';
import {listRunIds, readRun, startPatienceMs} from '../engine/runs.ts';
import {statusOf} from '../host/status.ts';
import {readCache, writeCache, type Known} from './screen-cache.ts';
import {watchFolder} from './watch-folder.ts';

/** News is gathered for this long: what comes fast is drawn together. */
const gatherMs = 80;

/** Ages are shown; this is as fine as they need to be while nothing happens. */
const agesEveryMs = 10_000;

/** How often all journals are looked at, a system call for each run: the system may have lost a change that it saw. */
const sweepEveryMs = 60_000;

/** How often what was read is kept for the next start. */
const saveEveryMs = 60_000;

/** How often it is looked whether a run's supervisor still lives: its end without a word writes nothing. */
const livesEveryMs = 2000;

/** Runs that were made in the same millisecond are in the order of their names, backward. */
function newestFirst(a: Run, b: Run): number {
	if (a.createdAt !== b.createdAt) {
		return a.createdAt < b.createdAt ? 1 : -1;
	}

	return a.id < b.id ? 1 : -1;
}

/** The runs as the screen knows them: each is read anew when its journal is another than it was. */
export class KnownRuns {
	readonly #paths: Paths;
	readonly #known: Map<string, Known>;
	readonly #stale = new Set<string>();
	#isCached = true;
	#isWatching = false;
	#sorted: readonly Run[] | undefined;
	#counts: Readonly<Record<string, Changes>> = {};

	constructor(paths: Paths) {
		this.#paths = paths;
		this.#known = new Map(readCache(paths.state));
	}

	/** All of them, the newest first. */
	list(): readonly Run[] {
		if (!this.#isWatching) {
			this.#sweep();
		}

		for (const id of this.#stale) {
			this.#read(id);
			this.#sorted = undefined;
		}

		this.#stale.clear();
		if (!this.#sorted) {
			const all = [...this.#known.values()].flatMap(({run}) => run ?? []);
			this.#sorted = all.sort(newestFirst);
			this.#counts = Object.fromEntries(
				[...this.#known].flatMap(([id, {changes}]) => (changes ? [[id, changes]] : [])),
			);
		}

		return this.#sorted;
	}

	/** What each changed, as of the last time that they were asked for. */
	changes(): Readonly<Record<string, Changes>> {
		return this.#counts;
	}

	/** Says when a run or the list of projects changed. @returns a function that ends it */
	watch(changed: () => void): () => void {
		const paths = this.#paths;
		let due: NodeJS.Timeout | undefined;
		const soon = () => {
			due ??= setTimeout(() => {
				due = undefined;
				changed();
			}, gatherMs);
		};

		const unwatch = watchFolder(path.dirname(paths.run('x').pulse), name => {
			if (name === undefined) {
				this.#sweep();
			} else {
				this.#stale.add(name);
			}

			soon();
		});
		const unwatchProjects = watchFolder(path.dirname(paths.projects), name => {
			if (name === undefined || name === path.basename(paths.projects)) {
				soon();
			}
		});
		const lives = setInterval(() => {
			this.#findDead();
			const before = this.#sorted;
			if (this.#stale.size > 0 && this.list() !== before) {
				soon();
			}
		}, livesEveryMs);
		const ages = setInterval(changed, agesEveryMs);
		const sweeps = setInterval(() => this.#sweep(), sweepEveryMs);
		const saves = setInterval(() => this.#save(), saveEveryMs);
		this.#isWatching = true;
		return () => {
			this.#isWatching = false;
			unwatch();
			unwatchProjects();
			clearInterval(lives);
			clearInterval(ages);
			clearInterval(sweeps);
			clearInterval(saves);
			this.#save();
			clearTimeout(due);
		};
	}

	#read(id: string): void {
		const places = this.#paths.run(id);
		const stamp = stampOf(this.#paths, id);
		this.#known.set(id, {run: readRun(places, startPatienceMs), changes: readChanges(places), stamp});
		this.#isCached = false;
	}

	/**
	 * Runs whose supervisor is gone without a word. A signal to nobody costs nothing; what it says is looked at closely.
	 */
	#findDead(): void {
		for (const [id, {run}] of this.#known) {
			if (run && hasWorker(run.stage) && (run.pid === undefined || run.stage !== 'running' || !isAlive(run.pid))) {
				this.#stale.add(id);
			}
		}
	}

	/** Finds what changed while nobody watched, or what watching missed. */
	#sweep(): void {
		const ids = listRunIds({paths: this.#paths});
		for (const id of ids) {
			if (this.#known.get(id)?.stamp !== stampOf(this.#paths, id)) {
				this.#stale.add(id);
			}
		}

		if (this.#known.size > ids.length) {
			const there = new Set(ids);
			for (const id of this.#known.keys()) {
				if (!there.has(id)) {
					this.#known.delete(id);
					this.#sorted = undefined;
				}
			}
		}

		this.#findDead();
	}

	#save(): void {
		if (!this.#isCached) {
			this.#isCached = true;
			writeCache(this.#paths.state, this.#known);
		}
	}
}

function stampOf({runs}: Paths, id: string): string {
	const status = statusOf(`${runs}/${id}/${runFiles.journal.name}`);
	return status ? `${status.mtimeMs} ${status.size} ${status.ino}` : '';
}

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
}
