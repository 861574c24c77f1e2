import {setTimeout as pause} from 'node:timers/promises';
import {countChanges} from '../handover/changes.ts';
import {forgetChanges, rememberChanges} from '../handover/changes-file.ts';
import type {Supervision} from './supervision.ts';

/* How many files and lines the run changed, for the list. */

/** How long the end of a run waits for the last count of its changes. */
const maxWaitMs = 10_000;

/**
 * Counts what the run changed.
 * @returns how long to wait until the next time, so that it costs little: milliseconds
 */
export function countChangesOf(supervision: Supervision): Promise<number> {
	supervision.changes.going ??= countNow(supervision).finally(() => {
		supervision.changes.going = undefined;
	});
	return supervision.changes.going;
}

async function countNow({context, journal, places, changes}: Supervision): Promise<number> {
	const began = Date.now();
	changes.hasOutput = false;
	changes.isCounted = false;
	try {
		const counted = await countChanges(context, journal.run);
		if (counted) {
			rememberChanges(places, counted);
			changes.isCounted = true;
		}
	} catch {
		// The list shows what was known before.
	}

	return Math.max(5000, 100 * (Date.now() - began));
}

/**
 * The last count, once the agent has ended. Where there is none in time, nothing is known: an older count could say
 * that there is nothing to lose.
 */
export async function countAtEnd(supervision: Supervision): Promise<void> {
	const {changes, places} = supervision;
	const count = async () => {
		// One that goes on began before the end, and may have missed what came last.
		await changes.going;
		await countChangesOf(supervision);
		return true;
	};
	const isDone = await Promise.race([count(), pause(maxWaitMs, false, {ref: false})]);
	if (!isDone || !changes.isCounted) {
		forgetChanges(places);
	}
}
