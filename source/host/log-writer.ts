import {closeSync, openSync, renameSync, writeSync} from 'node:fs';

/** Bytes of one part; there are two at most. */
const maxLogBytes = 512 * 1024 ** 2;

/**
 * A file that is appended to, and begun anew when it has grown too large, keeping
 * the part before. What it is a record of has happened already: a disk that takes
 * no more ends nothing here, it is told, and the file says how much is missing.
 */
export class LogWriter {
	#file: number;
	#size = 0;
	/** Bytes of the part before. */
	#earlier = 0;
	readonly #path: string;
	readonly #onLost: (error: Error) => void;
	/** Bytes that could not be written. */
	#lost = 0;
	#open = true;

	/** @param options.anew whether what the file holds goes; @param options.onLost is told at each write that failed */
	constructor(path: string, {anew = false, onLost = () => {}}: {anew?: boolean; onLost?: (error: Error) => void} = {}) {
		this.#path = path;
		this.#onLost = onLost;
		this.#file = openSync(path, anew ? 'w' : 'a', 0o600);
	}

	/** Bytes that were written. */
	get kept(): number {
		return this.#earlier + this.#size;
	}

	/** Bytes that could not be written, and of which the file does not say so yet. */
	get lost(): number {
		return this.#lost;
	}

	write(content: Uint8Array | string): void {
		const bytes = typeof content === 'string' ? Buffer.from(content) : content;
		let left = bytes.length;
		try {
			if (this.#lost > 0) {
				const lost = this.#lost;
				this.#add(Buffer.from(`\r\n[fleet: ${lost} bytes are missing here: they could not be written]\r\n`), () => {});
				this.#lost -= lost;
			}

			this.#add(bytes, count => {
				left -= count;
			});
			if (this.#size > maxLogBytes) {
				this.#turn();
			}
		} catch (error) {
			this.#lost += left;
			this.#onLost(error as Error);
		}
	}

	#add(bytes: Uint8Array, wrote: (count: number) => void): void {
		for (let at = 0; at < bytes.length;) {
			const count = writeSync(this.#file, bytes, at, bytes.length - at);
			at += count;
			this.#size += count;
			wrote(count);
		}
	}

	/** The old file stays the one that is written to until there is a new one. */
	#turn(): void {
		renameSync(this.#path, `${this.#path}.1`);
		const fresh = openSync(this.#path, 'a', 0o600);
		closeSync(this.#file);
		this.#file = fresh;
		this.#earlier = this.#size;
		this.#size = 0;
	}

	close(): void {
		if (this.#open) {
			this.#open = false;
			closeSync(this.#file);
		}
	}
}
