/**
 * Finds any of several byte strings in one pass (Wu and Manber 1994, with blocks of two bytes): the window
 * moves by what its last two bytes allow, so most bytes are never looked at.
 */
export class Needles {
	readonly #needles: readonly Uint8Array[];
	readonly #window: number;
	readonly #shift = new Uint8Array(65_536);
	readonly #buckets = new Map<number, number[]>();
	readonly #longest: number;
	/** Which bytes, and which pairs of bytes, a needle begins with. */
	readonly #firsts = new Uint8Array(256);
	readonly #pairs = new Uint8Array(65_536);

	/** @param needles each of at least two bytes; the shortest decides how far the window moves */
	constructor(needles: readonly Uint8Array[]) {
		this.#needles = [...needles].filter(needle => needle.length >= 2).sort((a, b) => b.length - a.length);
		this.#longest = this.#needles[0]?.length ?? 0;
		this.#window = Math.min(255, this.#needles.at(-1)?.length ?? 0);
		this.#shift.fill(Math.max(1, this.#window - 1));
		for (const [index, needle] of this.#needles.entries()) {
			this.#firsts[needle[0]!] = 1;
			this.#pairs[needle[0]! * 256 + needle[1]!] = 1;
			for (let at = 0; at + 1 < this.#window; at++) {
				const block = needle[at]! * 256 + needle[at + 1]!;
				this.#shift[block] = Math.min(this.#shift[block]!, this.#window - 2 - at);
			}

			const last = needle[this.#window - 2]! * 256 + needle[this.#window - 1]!;
			this.#buckets.set(last, [...this.#buckets.get(last) ?? [], index]);
		}
	}

	get size(): number {
		return this.#needles.length;
	}

	/** The length of the longest needle, bytes. */
	get longest(): number {
		return this.#longest;
	}

	/** The first needle in `bytes[from, to)`; of two that begin at the same place, the longer. Undefined for none. */
	find(bytes: Uint8Array, from: number, to: number): {readonly at: number; readonly length: number} | undefined {
		const window = this.#window;
		if (window === 0) {
			return undefined;
		}

		for (let end = from + window - 1; end < to;) {
			const block = bytes[end - 1]! * 256 + bytes[end]!;
			const shift = this.#shift[block]!;
			if (shift > 0) {
				end += shift;
				continue;
			}

			const at = end - window + 1;
			for (const index of this.#buckets.get(block) ?? []) {
				const needle = this.#needles[index]!;
				if (at + needle.length <= to && isAt(bytes, at, needle, needle.length)) {
					return {at, length: needle.length};
				}
			}

			end++;
		}

		return undefined;
	}

	/** How many of the last bytes of `bytes[from, to)` could be the beginning of a needle: the longest such end, 0 for none. */
	partial(bytes: Uint8Array, from: number, to: number): number {
		for (let at = Math.max(from, to - this.#longest + 1); at < to; at++) {
			const begins = at + 1 < to ? this.#pairs[bytes[at]! * 256 + bytes[at + 1]!] : this.#firsts[bytes[at]!];
			if (begins === 1 && this.#needles.some(needle => needle.length > to - at && isAt(bytes, at, needle, to - at))) {
				return to - at;
			}
		}

		return 0;
	}

	/** The length of the shortest needle that `bytes[from, to)` is the beginning of, and not all of; undefined for none. */
	shortestWith(bytes: Uint8Array, from: number, to: number): number | undefined {
		return this.#needles.findLast(needle => needle.length > to - from && isAt(bytes, from, needle, to - from))?.length;
	}
}

function isAt(bytes: Uint8Array, at: number, needle: Uint8Array, length: number): boolean {
	for (let index = 0; index < length; index++) {
		if (bytes[at + index] !== needle[index]) {
			return false;
		}
	}

	return true;
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
	if (first.length === 0) {
		return second;
	}

	const joined = new Uint8Array(first.length + second.length);
	joined.set(first);
	joined.set(second, first.length);
	return joined;
}

/** A copy. Not `slice`: that of a Buffer is a view of the same bytes. */
export function copyOf(bytes: Uint8Array, from = 0): Uint8Array {
	return new Uint8Array(bytes.subarray(from));
}

const star = 0x2A;

/**
 * Blanks needles out of a stream, each byte by a `*`, so that lengths stay what they were said to be. A needle
 * that is cut by a chunk's end is held back until it is clear what it is: nothing else waits.
 */
export class Blanker {
	readonly #needles: Needles;
	#held: Uint8Array = new Uint8Array();
	/** How many needles were blanked. */
	found = 0;

	constructor(needles: Needles) {
		this.#needles = needles;
	}

	/** @returns what may go on now; the bytes given are not changed */
	push(chunk: Uint8Array): Uint8Array {
		if (this.#needles.size === 0) {
			return chunk;
		}

		let bytes = concat(this.#held, chunk);
		let from = 0;
		for (;;) {
			const match = this.#needles.find(bytes, from, bytes.length);
			if (!match) {
				break;
			}

			// What came from outside is not ours to write to.
			bytes = bytes === chunk ? copyOf(bytes) : bytes;
			bytes.fill(star, match.at, match.at + match.length);
			from = match.at + match.length;
			this.found++;
		}

		const held = this.#needles.partial(bytes, from, bytes.length);
		this.#held = copyOf(bytes, bytes.length - held);
		return bytes.subarray(0, bytes.length - held);
	}

	/** The rest, at the end of the stream: the beginning of a needle that never came whole. */
	end(): Uint8Array {
		const rest = this.#held;
		this.#held = new Uint8Array();
		return rest;
	}
}

/** Tells that a needle went by in a stream, also where chunks cut it. */
export class Tripwire {
	readonly #needles: Needles;
	#tail: Uint8Array = new Uint8Array();

	constructor(needles: Needles) {
		this.#needles = needles;
	}

	/** @returns whether a needle ended in this chunk */
	push(chunk: Uint8Array): boolean {
		if (this.#needles.size === 0) {
			return false;
		}

		const keep = this.#needles.longest - 1;
		// The seam by itself, so that a long chunk is not copied.
		const seam = concat(this.#tail, chunk.subarray(0, keep));
		if (this.#needles.find(seam, 0, seam.length) ?? this.#needles.find(chunk, 0, chunk.length)) {
			return true;
		}

		const seen = chunk.length >= keep ? chunk : concat(this.#tail, chunk);
		this.#tail = copyOf(seen, Math.max(0, seen.length - keep));
		return false;
	}
}
