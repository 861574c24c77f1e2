import {closeSync, existsSync, fstatSync, openSync, readSync} from 'node:fs';
import {statusOf} from './status.ts';

type Part = {readonly descriptor: number; readonly inode: number; readonly from: number};

/**
 * What an agent wrote, as one range of bytes, although its file is begun anew
 * when it has grown too large. A position stays what it was while this is open.
 */
export class LogFile {
	readonly #path: string;
	#parts: Part[] = [];

	/** @param path the newest part; the one before it is `path.1` */
	constructor(path: string) {
		this.#path = path;
		// Most logs have one part, and a file that cannot be opened costs as much as the rest.
		if (existsSync(`${path}.1`)) {
			this.#add(`${path}.1`, 0);
		}

		this.#add(path, this.#lastEnd());
	}

	#add(path: string, from: number): void {
		try {
			const descriptor = openSync(path, 'r');
			this.#parts.push({descriptor, inode: fstatSync(descriptor).ino, from});
		} catch {
			// Nothing was written yet.
		}
	}

	#lastEnd(): number {
		const last = this.#parts.at(-1);
		return last ? last.from + fstatSync(last.descriptor).size : 0;
	}

	/** The first byte that is still there, and the end. */
	range(): {from: number; to: number} {
		const status = statusOf(this.#path);
		if (status && status.ino !== this.#parts.at(-1)?.inode) {
			this.#add(this.#path, this.#lastEnd());
			while (this.#parts.length > 2) {
				closeSync(this.#parts.shift()!.descriptor);
			}
		}

		return {from: this.#parts[0]?.from ?? 0, to: this.#lastEnd()};
	}

	/** The bytes of a range; fewer where it reaches beyond what is there. */
	read(from: number, to: number): Uint8Array {
		const pieces: Uint8Array[] = [];
		for (const [index, part] of this.#parts.entries()) {
			const end = Math.min(to, this.#parts[index + 1]?.from ?? Number.POSITIVE_INFINITY);
			const start = Math.max(from, part.from);
			if (start < end) {
				const buffer = Buffer.allocUnsafe(end - start);
				pieces.push(buffer.subarray(0, readSync(part.descriptor, buffer, 0, buffer.length, start - part.from)));
			}
		}

		return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
	}

	close(): void {
		for (const {descriptor} of this.#parts) {
			closeSync(descriptor);
		}

		this.#parts = [];
	}
}
