import {copyOf, Patterns} from './patterns.ts';
import {encodings} from './encodings.ts';

const encoder = new TextEncoder();
const star = 0x2a;
const escape = 0x1b;

/**
 * What counts in the view: letters, digits and the percent sign
 * of URL encoding. Spaces, line ends and separators do not.
 */
const counts = new Uint8Array(256);
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%') {
	counts[character.charCodeAt(0)] = 1;
}

/** An encoding as the view shows it. Shorter than this, it would blank words. */
const shortestView = 6;

function view(text: string): Uint8Array {
	return encoder.encode(text).filter(byte => counts[byte] === 1);
}

/** Bytes that are held back at most. */
const maxHeldBytes = 65_536;

/**
 * How many characters that count of a value's beginning may be shown when nothing more comes for a moment: a quarter of
 * it at most, and never more than this, which is the public beginning of most keys.
 */
const harmless = 8;

/**
 * Blanks known values out of what is shown or kept: over a view without terminal sequences, spaces, line ends and
 * separators, and in every encoding of `encodings(value, true)`. Each character that counts
 * becomes `*`; the rest stays, so that a terminal's picture keeps its places. What could be the
 * beginning of a value waits for what comes next; after a moment `flush` shows it, and all that
 * stands behind it, with no more of it readable than is harmless. It is a net, not a wall: a
 * value that is compressed, encrypted or given in parts by the program that prints it passes.
 */
export class Redactor {
	#patterns = new Patterns([]);
	readonly #values = new Set<string>();
	#held: Uint8Array = new Uint8Array();
	/** How many of the held bytes were shown already. */
	#shown = 0;
	/** Where in a terminal sequence the stream stands: 0 in none, 1 after ESC, 2 in a control sequence. */
	#state = 0;
	#view = new Uint8Array(0);
	#places = new Uint32Array(0);
	/** How much of a value the held bytes could be, in characters that count; and how often that changed. */
	#left = 0;
	#changes = 0;
	#found = false;

	constructor(values: Iterable<string> = []) {
		this.add(values);
	}

	/** More values, from now on. */
	add(values: Iterable<string>): void {
		for (const value of values) {
			this.#values.add(value);
		}

		const patterns = new Map<string, Uint8Array>();
		for (const text of [...this.#values].flatMap(value => encodings(value, true))) {
			const pattern = view(text);
			if (pattern.length >= shortestView) {
				patterns.set(pattern.join(), pattern);
			}
		}

		this.#patterns = new Patterns([...patterns.values()]);
	}

	/** Whether something is held back that `flush` would show. */
	get waits(): boolean {
		return this.#held.length > this.#shown;
	}

	/** The same as long as what waits is as much of the same value: what only stands behind it changes nothing. */
	get waiting(): number {
		return this.#changes;
	}

	/** Whether a whole value came by. */
	get found(): boolean {
		return this.#found;
	}

	/** @returns what may be shown now; the bytes given are not changed */
	push(chunk: Uint8Array): Uint8Array {
		if (this.#patterns.size === 0) {
			return chunk;
		}

		const fresh = this.#held.length === 0;
		const bytes = fresh ? chunk : new Uint8Array(this.#held.length + chunk.length);
		if (!fresh) {
			bytes.set(this.#held);
			bytes.set(chunk, this.#held.length);
		}

		if (this.#view.length < bytes.length) {
			this.#view = new Uint8Array(bytes.length);
			this.#places = new Uint32Array(bytes.length);
		}

		const state = this.#state;
		const length = this.#look(bytes);
		const partial = this.#patterns.partial(this.#view, Math.max(0, length - this.#patterns.longest), length);
		let out = bytes;
		let from = 0;
		let match = this.#patterns.find(this.#view, 0, length);
		let begins = match || partial === 0 ? undefined : this.#fromEnd(bytes, partial);
		if (match ?? (partial > 0 && begins === undefined)) {
			// Where each byte of the view came from is asked for only now: most of what is written holds nothing.
			this.#locate(bytes, state);
		}

		for (; match; match = this.#patterns.find(this.#view, from, length)) {
			out = out === chunk ? copyOf(out) : out;
			for (let index = match.at; index < match.at + match.length; index++) {
				out[this.#places[index]!] = star;
			}

			from = match.at + match.length;
			this.#found = true;
		}

		// What was blanked is no beginning of anything any more.
		const left = partial > 0 && from > 0 ? this.#patterns.partial(this.#view, from, length) : partial;
		begins ??= left === 0 ? out.length : this.#places[length - left]!;
		if (left !== this.#left || begins > 0) {
			this.#left = left;
			this.#changes++;
		}

		// A beginning that is followed by nothing that counts, for as long as this, is held no longer.
		const cut = out.length - begins > maxHeldBytes ? out.length : begins;
		const shown = (cut > begins ? this.#veiled(out, begins) : out).subarray(Math.min(this.#shown, cut), cut);
		this.#shown = Math.max(0, this.#shown - cut);
		this.#held = copyOf(out, cut);
		if (this.#held.length > 0) {
			// What is held begins with a character that counts, which is in no terminal sequence.
			this.#state = 0;
		}

		return shown;
	}

	/**
	 * For when nothing more comes for a moment: all that is held, in
	 * its order, with what is more than harmless of a value blanked.
	 */
	flush(): Uint8Array {
		const rest = this.#veiled(this.#held, 0).subarray(this.#shown);
		this.#shown = this.#held.length;
		return rest;
	}

	/** The rest, at the end of the stream: as `flush`. */
	end(): Uint8Array {
		const rest = this.flush();
		this.#held = new Uint8Array();
		this.#shown = 0;
		return rest;
	}

	/** The rest of a whole text, in which half a value is no value. */
	endOfText(): Uint8Array {
		return copyOf(this.#held, this.#shown);
	}

	/**
	 * A copy in which no value that could begin in `bytes[from…]`,
	 * and goes on to their end, shows more of itself than is harmless.
	 */
	#veiled(bytes: Uint8Array, from: number): Uint8Array {
		const out = copyOf(bytes);
		const places: number[] = [];
		for (let at = from, state = 0; at < bytes.length; at++) {
			const byte = bytes[at]!;
			if (state !== 0) {
				state = after(state, byte);
			} else if (counts[byte] === 1) {
				places.push(at);
			} else if (byte === escape) {
				state = 1;
			}
		}

		const view = Uint8Array.from(places, place => bytes[place]!);
		let clear = view.length;
		for (let at = Math.max(0, view.length - this.#patterns.longest); at < clear; at++) {
			// One value may begin within what could be the beginning of another.
			const length = this.#patterns.shortestWith(view, at, view.length);
			clear = length === undefined ? clear : Math.min(clear, at + Math.min(harmless, Math.floor(length / 4)));
		}

		for (const place of places.slice(clear)) {
			out[place] = star;
		}

		return out;
	}

	/** Fills the view, and goes on with the state of the stream. @returns the view's length */
	#look(bytes: Uint8Array): number {
		const view = this.#view;
		let length = 0;
		for (let at = 0; at < bytes.length; at++) {
			if (this.#state !== 0) {
				this.#state = after(this.#state, bytes[at]!);
				continue;
			}

			// Without a branch for each byte: what does not count is written over by what comes next.
			for (; at < bytes.length; at++) {
				const byte = bytes[at]!;
				view[length] = byte;
				length += counts[byte]!;
				if (byte === escape) {
					this.#state = 1;
					break;
				}
			}
		}

		return length;
	}

	/**
	 * Where the last so many bytes of the view begin, told from the
	 * end alone; undefined where a terminal sequence is in the way.
	 */
	#fromEnd(bytes: Uint8Array, count: number): number | undefined {
		const last = bytes.lastIndexOf(escape);
		let clear = last + 1;
		for (let state = last === -1 ? 0 : 1; state !== 0 && clear < bytes.length; clear++) {
			state = after(state, bytes[clear]!);
		}

		let left = count;
		for (let at = bytes.length - 1; at >= clear; at--) {
			left -= counts[bytes[at]!]!;
			if (left === 0) {
				return at;
			}
		}

		return undefined;
	}

	/** Fills in where each byte of the view came from; `state` is that of the stream before these bytes. */
	#locate(bytes: Uint8Array, state: number): void {
		let length = 0;
		for (let at = 0; at < bytes.length; at++) {
			const byte = bytes[at]!;
			if (state !== 0) {
				state = after(state, byte);
			} else if (counts[byte] === 1) {
				this.#places[length++] = at;
			} else if (byte === escape) {
				state = 1;
			}
		}
	}
}

/**
 * The next state in a terminal sequence: ESC [ opens a control
 * sequence; of others only the one character after ESC is left out.
 */
function after(state: number, byte: number): number {
	if (byte === escape) {
		return 1;
	}

	if (state === 1) {
		return byte === 0x5b ? 2 : 0;
	}

	return byte < 0x20 || byte > 0x3f ? 0 : 2;
}

/** A whole text, redacted. */
export function redactText(values: Iterable<string>, text: string): string {
	const redactor = new Redactor(values);
	const first = redactor.push(encoder.encode(text));
	const decoder = new TextDecoder();
	return decoder.decode(first, {stream: true}) + decoder.decode(redactor.endOfText());
}

/** Whether a text holds one of the values, in any encoding that is known. */
export function holdsValue(values: Iterable<string>, text: string): boolean {
	const redactor = new Redactor(values);
	redactor.push(encoder.encode(text));
	return redactor.found;
}
