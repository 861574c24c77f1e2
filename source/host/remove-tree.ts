import {execFileSync} from 'node:child_process';
import {existsSync} from 'node:fs';

/** Removes a folder with all in it, whatever an agent made unreadable there. Nothing where there is none. */
export function removeTree(folder: string): void {
	if (existsSync(folder)) {
		// They walk by descriptors and never through a link: neither deep trees nor swapped folders lead them astray.
		execFileSync('chmod', ['-R', 'u+rwX', '--', folder], {stdio: 'ignore'});
		execFileSync('rm', ['-rf', '--one-file-system', '--', folder], {stdio: 'pipe'});
	}
}
