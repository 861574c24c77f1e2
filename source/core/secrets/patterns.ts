/** Patterns from this length on are found in any case: shorter ones would blank words. */
const anyCase = 8;

/** A byte with its ASCII letter in lower case. */
const lower = Uint8Array.from({length: 256}, (_, byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte));

/** The bytes that stand for one: in any case, both. */
function casesOf(byte: number, folds: boolean): number[] {
	return folds && byte >= 0x61 && byte <= 0x7a ? [byte, byte - 32] : [byte];
}

/** Finds texts behind escapes: see `Escaped`. */
export type EscapeScanner = {
	/**
	 * @param blank gets the places of what is found
	 * @returns where something begins that could become a text with what comes next; the length where there is nothing
	 */
	scan(bytes: Uint8Array, blank: (from: number, to: number) => void): number;
};

/**
 * Finds any of several byte strings in one pass (Wu and Manber 1994, with blocks of two bytes): the window
 * moves by what its last two bytes allow, so most bytes are never looked at. Letters are found in any case.
 */
export class Patterns {
	/** Those that are found in any case are in lower case. */
	readonly #patterns: ReadonlyArray<{readonly bytes: Uint8Array; readonly folds: boolean}>;
	readonly #window: number;
	readonly #shift = new Uint8Array(65_536);
	readonly #buckets = new Map<number, number[]>();
	readonly #longest: number;
	/** Which bytes, and which pairs of bytes, a pattern begins with. */
	readonly #firsts = new Uint8Array(256);
	readonly #pairs = new Uint8Array(65_536);
	/** What finds the same behind escapes; undefined where that is not asked for. */
	readonly escaped: EscapeScanner | undefined;

	/**
	 * @param patterns each of at least two bytes; the shortest decides how far the window moves
	 * @param escaped finds the same texts behind escapes, too
	 */
	constructor(patterns: readonly Uint8Array[], escaped?: EscapeScanner) {
		const unique = new Map(
			patterns
				.filter(pattern => pattern.length >= 2)
				.map(pattern => {
					const folds = pattern.length >= anyCase;
					const bytes = folds ? Uint8Array.from(pattern, byte => lower[byte]!) : pattern;
					return [bytes.join(), {bytes, folds}];
				}),
		);
		this.#patterns = [...unique.values()].sort((a, b) => b.bytes.length - a.bytes.length);
		this.#longest = this.#patterns[0]?.bytes.length ?? 0;
		this.#window = Math.min(255, this.#patterns.at(-1)?.bytes.length ?? 0);
		this.#shift.fill(Math.max(1, this.#window - 1));
		for (const [index, {bytes, folds}] of this.#patterns.entries()) {
			const blocksAt = (at: number) =>
				casesOf(bytes[at]!, folds).flatMap(first => casesOf(bytes[at + 1]!, folds).map(second => first * 256 + second));
			for (const first of casesOf(bytes[0]!, folds)) {
				this.#firsts[first] = 1;
			}

			for (const pair of blocksAt(0)) {
				this.#pairs[pair] = 1;
			}

			for (let at = 0; at + 1 < this.#window; at++) {
				for (const block of blocksAt(at)) {
					this.#shift[block] = Math.min(this.#shift[block]!, this.#window - 2 - at);
				}
			}

			for (const last of blocksAt(this.#window - 2)) {
				this.#buckets.set(last, [...(this.#buckets.get(last) ?? []), index]);
			}
		}

		this.escaped = escaped;
	}

	get size(): number {
		return this.#patterns.length;
	}

	/** The length of the shortest pattern, bytes. */
	get shortest(): number {
		return this.#patterns.at(-1)?.bytes.length ?? 0;
	}

	/** The length of the longest pattern, bytes. */
	get longest(): number {
		return this.#longest;
	}

	/** The first pattern in `bytes[from, to)`; of two that begin at the same place, the longer. Undefined for none. */
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
				const {bytes: pattern, folds} = this.#patterns[index]!;
				if (at + pattern.length <= to && isAt(bytes, at, pattern, pattern.length, folds)) {
					return {at, length: pattern.length};
				}
			}

			end++;
		}

		return undefined;
	}

	/**
	 * How many of the last bytes of `bytes[from, to)` could be the
	 * beginning of a pattern: the longest such end, 0 for none.
	 */
	partial(bytes: Uint8Array, from: number, to: number): number {
		for (let at = Math.max(from, to - this.#longest + 1); at < to; at++) {
			const begins = at + 1 < to ? this.#pairs[bytes[at]! * 256 + bytes[at + 1]!] : this.#firsts[bytes[at]!];
			if (
				begins === 1 &&
				this.#patterns.some(
					({bytes: pattern, folds}) => pattern.length > to - at && isAt(bytes, at, pattern, to - at, folds),
				)
			) {
				return to - at;
			}
		}

		return 0;
	}

	/**
	 * The length of the shortest pattern that `bytes[from, to)` is the beginning of, and not all of; undefined for none.
	 */
	shortestWith(bytes: Uint8Array, from: number, to: number): number | undefined {
		return this.#patterns.findLast(
			({bytes: pattern, folds}) => pattern.length > to - from && isAt(bytes, from, pattern, to - from, folds),
		)?.bytes.length;
	}
}

// oxlint-disable-next-line max-params -- called for the bytes of a stream, where an object would cost
function isAt(bytes: Uint8Array, at: number, pattern: Uint8Array, length: number, folds: boolean): boolean {
	for (let index = 0; index < length; index++) {
		const byte = bytes[at + index]!;
		if ((folds ? lower[byte] : byte) !== pattern[index]) {
			return false;
		}
	}

	return true;
}

/** Both, one after the other; one of them itself where the other is empty. */
export function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
	if (first.length === 0 || second.length === 0) {
		return first.length === 0 ? second : first;
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

const star = 0x2a;

/** The public beginning of most keys is as long, bytes. */
const harmless = 8;

/**
 * Blanks patterns out of a stream, each byte by a `*`, so that lengths stay what they were said to be. A pattern
 * that is cut by a chunk's end is held back until it is clear what it is: nothing else waits.
 */
export class Blanker {
	readonly #patterns: Patterns;
	/** What is held back. Of it, this many bytes were let go already. */
	#held: Uint8Array = new Uint8Array();
	#gone = 0;
	/** How many patterns were blanked. */
	found = 0;
	/** How many of them had begun in what was let go. */
	cut = 0;

	constructor(patterns: Patterns) {
		this.#patterns = patterns;
	}

	/** @returns what may go on now; the bytes given are not changed */
	push(chunk: Uint8Array): Uint8Array {
		if (this.#patterns.size === 0) {
			return chunk;
		}

		let bytes = concat(this.#held, chunk);
		const blank = (from: number, to: number) => {
			// What came from outside is not ours to write to.
			bytes = bytes === chunk ? copyOf(bytes) : bytes;
			bytes.fill(star, from, to);
			this.found++;
			this.cut += from < this.#gone ? 1 : 0;
		};

		let from = 0;
		for (
			let match = this.#patterns.find(bytes, from, bytes.length);
			match;
			match = this.#patterns.find(bytes, from, bytes.length)
		) {
			blank(match.at, match.at + match.length);
			from = match.at + match.length;
		}

		const waits = this.#patterns.escaped?.scan(bytes, blank) ?? bytes.length;
		const begins = Math.min(waits, bytes.length - this.#patterns.partial(bytes, from, bytes.length));
		const passed = bytes.subarray(Math.min(this.#gone, begins), begins);
		this.#gone = Math.max(0, this.#gone - begins);
		this.#held = copyOf(bytes, begins);
		return passed;
	}

	/**
	 * Lets the first bytes of what is held back go, where nothing more may come for a while: no more than a quarter of a
	 * pattern, and than the public beginning of most keys. They still count as a pattern's beginning.
	 */
	release(): Uint8Array {
		const most = Math.min(harmless, Math.max(1, Math.floor(this.#patterns.shortest / 4)));
		const to = Math.max(this.#gone, Math.min(most, this.#held.length));
		const passed = this.#held.subarray(this.#gone, to);
		this.#gone = to;
		return passed;
	}

	/** The rest, at the end of the stream: the beginning of a pattern that never came whole. */
	end(): Uint8Array {
		const rest = this.#held.subarray(this.#gone);
		this.#held = new Uint8Array();
		this.#gone = 0;
		return rest;
	}
}
