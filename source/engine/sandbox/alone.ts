import {Refusal} from '../../core/refusal.ts';
import {Lock} from '../../host/lock.ts';
import type {RunPaths} from '../../host/paths.ts';

/** How long another one's look at a run's folder is waited for, milliseconds: a large one takes minutes. */
const lockTimeoutMs = 10 * 60_000;

/**
 * A work that reads a run's folder in the jail, while no other process does: they
 * would share its scratch and its quarantine, and one would take away what the other
 * is in the middle of. The screen looks at a change while a person decides about it.
 * @throws Refusal where another one does not end
 */
export async function alone<Result>(places: RunPaths, work: () => Promise<Result>): Promise<Result> {
	const file = places.captureLock;
	const began = Date.now();
	let lock = Lock.acquire(file);
	while (!lock) {
		if (Date.now() - began > lockTimeoutMs) {
			throw new Refusal(
				"the run's folder is being read by another process, which does not end",
				'try again when it has ended',
			);
		}

		await new Promise(resolve => {
			setTimeout(resolve, 50);
		});
		lock = Lock.acquire(file);
	}

	try {
		return await work();
	} finally {
		lock.release();
	}
}
