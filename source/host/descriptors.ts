import {readFileSync} from 'node:fs';

/** How many files this process may have open; undefined where the system does not say. */
export function openFilesLimit(): number | undefined {
	try {
		const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
		return limit ? Number(limit[1]) : undefined;
	} catch {
		// Without /proc nothing is known of descriptors.
		return undefined;
	}
}
