import {closeSync, readdirSync, readFileSync} from 'node:fs';

const closeOnExec = 0o2_000_000;

/**
 * Closes every descriptor that a child would inherit, but stdin, stdout, stderr and Node's own channel: whatever the
 * person's shell left open would otherwise reach into the sandbox.
 *
 * Only for the very first line of a program, before any other module is loaded. With node:tls Node starts a thread that
 * reads the authorities of NODE_EXTRA_CA_CERTS by a descriptor that a child would inherit, too. Closed under that
 * thread, its number is soon another file's, such as the lock's, and the thread then closes that.
 */
export function closeInherited(): void {
	let names: string[];
	try {
		names = readdirSync('/proc/self/fd');
	} catch {
		// Without /proc, as on macOS, nothing is known of what was inherited.
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
