import {closeSync, fstatSync, openSync, readSync} from 'node:fs';
import {statusOf} from './status.ts';

/**
 * Follows a file that grows, and that may be begun anew. It is asked, not told: `poll` reads what is new.
 * @param options.from `start`, or the number of bytes before the end to begin at
 */
export function follow(
	file: string,
	options: {from: 'start' | number},
	onBytes: (bytes: Uint8Array, fresh: boolean) => void,
): {poll(): void; close(): void} {
	let descriptor: number | undefined;
	let inode = 0;
	let position = 0;
	let fresh = true;
	const buffer = Buffer.allocUnsafe(256 * 1024);
	const open = () => {
		try {
			descriptor = openSync(file, 'r');
		} catch {
			// Nothing was written yet.
			return;
		}

		const status = fstatSync(descriptor);
		inode = status.ino;
		position = options.from === 'start' || !fresh ? 0 : Math.max(0, status.size - options.from);
	};

	const drain = () => {
		for (;;) {
			const count = readSync(descriptor!, buffer, 0, buffer.length, position);
			if (count === 0) {
				return;
			}

			position += count;
			onBytes(Uint8Array.prototype.slice.call(buffer, 0, count), fresh);
			fresh = false;
		}
	};

	const close = () => {
		if (descriptor !== undefined) {
			closeSync(descriptor);
			descriptor = undefined;
		}
	};

	return {
		poll() {
			if (descriptor === undefined) {
				open();
			}

			if (descriptor === undefined) {
				return;
			}

			drain();
			const status = statusOf(file);
			if (status && (status.ino !== inode || status.size < position)) {
				close();
				open();
				drain();
			}
		},
		close,
	};
}
