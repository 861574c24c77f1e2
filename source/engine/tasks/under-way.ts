import {existsSync, rmSync, statSync, utimesSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import type {Context} from '../context.ts';

/*
 * Whether some plan may be under way: a file that is there or not, so that the screen and the list need not read every
 * journal to know it. The journals alone say what is true.
 */

type Places = {readonly paths: Pick<Context['paths'], 'state'>};

function fileOf({paths}: Places): string {
	return path.join(paths.state, 'plans-under-way');
}

export function noteUnderWay(places: Places): void {
	writeFileSync(fileOf(places), '', {mode: 0o600});
}

export function isNotedUnderWay(places: Places): boolean {
	return existsSync(fileOf(places));
}

/** The shortest time between two looks, milliseconds: `watch fleet list` starts no process at every turn. */
const lookMs = 3000;

/** Whether it is time to look what became free. Who asks next is told no for a while. */
export function isTimeToLook(places: Places): boolean {
	const file = fileOf(places);
	try {
		const now = Date.now();
		if (Math.abs(now - statSync(file).mtimeMs) < lookMs) {
			return false;
		}

		utimesSync(file, now / 1000, now / 1000);
		return true;
	} catch {
		// There is none.
		return false;
	}
}

export function forgetUnderWay(places: Places): void {
	rmSync(fileOf(places), {force: true});
}
