import {setTimeout as pause} from 'node:timers/promises';
import {countChanges} from '../handover/changes.ts';
import {rememberChanges} from '../handover/changes-file.ts';
import type {Supervision} from './supervision.ts';

/* How many files and lines the run changed, for the list. */

/** How long the end of a run waits for a count of its changes; a count that takes longer than this is not begun there. */
const [maxWaitMs, maxCountMs] = [10_000, 500];

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
	try {
		const counted = await countChanges(context, journal.run);
		if (counted) {
			rememberChanges(places, counted);
		}
	} catch {
		// The list shows what was known before.
	}

	changes.tookMs = Date.now() - began;
	return Math.max(5000, 100 * changes.tookMs);
}

/** The last count, once the agent has ended. */
export async function countAtEnd(supervision: Supervision): Promise<void> {
	if (supervision.changes.tookMs < maxCountMs) {
		// One that goes on may wait for something of the agent's.
		await Promise.race([countChangesOf(supervision), pause(maxWaitMs, undefined, {ref: false})]);
	}
}
