import {closeSync, readdirSync, readFileSync} from 'node:fs';

const closeOnExec = 0o2_000_000;

/**
 * Closes every descriptor that a child would inherit, but stdin, stdout, stderr and Node's own channel: whatever the
 * person's shell left open would otherwise reach into the sandbox. Called first thing, before Node opens more.
 */
export function closeInherited(): void {
	let names: string[];
	try {
		names = readdirSync('/proc/self/fd');
	} catch {
		return;
	}

	const channel = Number(process.env['NODE_CHANNEL_FD'] ?? -1);
	for (const descriptor of names.map(Number)) {
		if (descriptor <= 2 || descriptor === channel) {
			continue;
		}

		try {
			const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'));
			if (flags && (Number.parseInt(flags[1]!, 8) & closeOnExec) === 0) {
				closeSync(descriptor);
			}
		} catch {
			// The one by which the folder itself was listed is closed already.
		}
	}
}

/** How many files this process may have open; undefined where the system does not say. */
export function openFilesLimit(): number | undefined {
	try {
		const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
		return limit ? Number(limit[1]) : undefined;
	} catch {
		return undefined;
	}
}
