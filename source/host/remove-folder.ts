import {execFileSync} from 'node:child_process';
import {ownStatusOf} from './status.ts';

/**
 * Removes what programs made of a folder that they were given: folders that their owner closed (as Go's cache of
 * modules is), deep trees, links. rm and chmod walk by descriptors and follow no link that is below the place.
 */
export function removeFolder(place: string): void {
	const status = ownStatusOf(place);
	if (status?.isDirectory()) {
		try {
			execFileSync('chmod', ['-R', 'u+rwX', '--', place], {stdio: 'ignore'});
		} catch {
			// What it could not change, rm says.
		}
	}

	if (status) {
		execFileSync('rm', ['-rf', '--one-file-system', '--', place], {stdio: 'pipe'});
	}
}
