import {readFileSync} from 'node:fs';

/* Files of /proc. What has ended since has none: its text is empty. */

export function text(file: string): string {
	try {
		return readFileSync(file, 'latin1');
	} catch {
		// The process has ended since, or this kernel has no such file.
		return '';
	}
}

/** A field of a file such as /proc/PID/status, in the unit it has there. */
export function field(status: string, name: string): number {
	return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
}
