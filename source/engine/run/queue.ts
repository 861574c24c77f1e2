import {existsSync} from 'node:fs';
import path from 'node:path';
import {waitsFor, waitsForEver, type RunLimits} from '../../core/run/queue.ts';
import type {Run} from '../../core/run/run.ts';
import type {Journal} from '../../host/journal.ts';
import {Lock} from '../../host/lock.ts';
import type {Context} from '../context.ts';
import {listRunIds, readRun} from '../runs.ts';
import {readSettings} from '../project/settings.ts';

/** How often a run that waits looks whether it is its turn, milliseconds. */
const pause = 700;

/** The runs that have a supervisor, without one. */
function liveRuns(context: Context, but: string): Run[] {
	return listRunIds(context)
		.filter(id => id !== but && existsSync(context.paths.run(id).socket))
		.flatMap(id => readRun(context.paths.run(id)) ?? []);
}

type Wait = {readonly because: string; /** Whether a person is needed for it. */ readonly stuck: boolean};

/**
 * Why the run waits. Under a lock, so that two do not take one
 * place; whoever gets it has written so before the lock is let go.
 */
async function take(context: Context, journal: Journal, limits: RunLimits): Promise<Wait | undefined> {
	const {run} = journal;
	const lock = Lock.acquire(path.join(context.paths.state, 'queue.lock'), 5000);
	if (!lock) {
		return {because: 'waits for its turn', stuck: false};
	}

	try {
		const before = run.after === undefined ? undefined : readRun(context.paths.run(run.after));
		const because = waitsFor(run, {others: liveRuns(context, run.id), before}, limits);
		if (because === undefined && run.stage === 'queued') {
			journal.append({type: 'run.dequeued', because: 'preparing the sandbox'}, 'fleet');
		}

		return because === undefined ? undefined : {because, stuck: waitsForEver(run, before)};
	} finally {
		lock.release();
	}
}

/**
 * Waits until a run may start: until the one that it comes after has ended well, and there is a place.
 * @param hooks.queued called once, if it has to wait at all
 * @param hooks.stopped why it was stopped, once it was
 * @returns false where it was stopped while it waited
 */
export async function waitForTurn(
	context: Context,
	journal: Journal,
	hooks: {queued(): void; stopped(): string | undefined},
): Promise<boolean> {
	let settings = await readSettings(context.paths);
	const limited = () => settings.limits.running !== undefined || settings.limits.perProject !== undefined;
	// Another attempt of a run that was started before takes a place like any other, but comes after nothing.
	if (!limited() && journal.run.after === undefined) {
		return true;
	}

	for (let told = false; ;) {
		const wait = await take(context, journal, settings.limits);
		if (wait === undefined) {
			return true;
		}

		if (journal.run.stage !== 'queued' || journal.run.because !== wait.because || journal.run.stuck !== wait.stuck) {
			journal.append({type: 'run.queued', because: wait.because, ...(wait.stuck ? {stuck: true} : {})}, 'fleet', false);
		}

		if (!told) {
			told = true;
			hooks.queued();
		}

		await new Promise(resolve => {
			setTimeout(resolve, pause);
		});
		if (hooks.stopped() !== undefined) {
			return false;
		}

		settings = await readSettings(context.paths);
	}
}
