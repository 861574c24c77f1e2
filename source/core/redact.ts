import {copyOf, Needles} from './needles.ts';
import {spellings} from './spellings.ts';

const encoder = new TextEncoder();
const star = 0x2A;
const escape = 0x1B;

/** What counts in the view: letters, digits and the percent sign of URL encoding. Spaces, line ends and separators do not. */
const counts = new Uint8Array(256);
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%') {
	counts[character.charCodeAt(0)] = 1;
}

/** A spelling as the view shows it. Shorter than this, it would blank words. */
const shortestView = 6;

function view(text: string): Uint8Array {
	return encoder.encode(text).filter(byte => counts[byte] === 1);
}

/** Bytes that are held back at most. */
const mostHeld = 65_536;

/** Partial finds up to this length, in characters that count, may be shown when nothing more comes: it is the public beginning of most keys. */
const harmless = 8;

/**
 * Blanks known values out of what is shown or kept: over a view without terminal sequences, spaces, line ends and
 * separators, and in every spelling of `spellings(value, true)`. Each character that counts becomes `*`; the rest stays,
 * so that a terminal's picture keeps its places. It is a net, not a wall: a value that is compressed, encrypted or
 * given in parts by the program that prints it passes.
 */
export class Redactor {
	#needles = new Needles([]);
	readonly #values = new Set<string>();
	#held: Uint8Array = new Uint8Array();
	/** How many of the held bytes were shown already. */
	#shown = 0;
	/** Where in a terminal sequence the stream stands: 0 in none, 1 after ESC, 2 in a control sequence. */
	#state = 0;
	#view = new Uint8Array(0);
	#places = new Uint32Array(0);

	constructor(values: Iterable<string> = []) {
		this.add(values);
	}

	/** More values, from now on. */
	add(values: Iterable<string>): void {
		for (const value of values) {
			this.#values.add(value);
		}

		const needles = new Map<string, Uint8Array>();
		for (const text of [...this.#values].flatMap(value => spellings(value, true))) {
			const needle = view(text);
			if (needle.length >= shortestView) {
				needles.set(needle.join(), needle);
			}
		}

		this.#needles = new Needles([...needles.values()]);
	}

	/** Whether something is held back that `flush` would show. */
	get waits(): boolean {
		return this.#held.length > this.#shown;
	}

	/** @returns what may be shown now; the bytes given are not changed */
	push(chunk: Uint8Array): Uint8Array {
		if (this.#needles.size === 0) {
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
		const partial = this.#needles.partial(this.#view, Math.max(0, length - this.#needles.longest), length);
		let out = bytes;
		let from = 0;
		let match = this.#needles.find(this.#view, 0, length);
		let begins = match || partial === 0 ? undefined : this.#fromEnd(bytes, partial);
		if (match ?? (partial > 0 && begins === undefined)) {
			// Where each byte of the view came from is asked for only now: most of what is written holds nothing.
			this.#locate(bytes, state);
		}

		for (; match; match = this.#needles.find(this.#view, from, length)) {
			out = out === chunk ? copyOf(out) : out;
			for (let index = match.at; index < match.at + match.length; index++) {
				out[this.#places[index]!] = star;
			}

			from = match.at + match.length;
		}

		// What was blanked is no beginning of anything any more.
		const left = partial > 0 && from > 0 ? this.#needles.partial(this.#view, from, length) : partial;
		begins ??= left === 0 ? out.length : this.#places[length - left]!;
		// A beginning that is followed by nothing that counts, for as long as this, is held no longer.
		const cut = out.length - begins > mostHeld ? out.length : begins;
		const shown = out.subarray(Math.min(this.#shown, cut), cut);
		this.#shown = Math.max(0, this.#shown - cut);
		this.#held = copyOf(out, cut);
		if (this.#held.length > 0) {
			// What is held begins with a character that counts, which is in no terminal sequence.
			this.#state = 0;
		}

		return shown;
	}

	/** For when nothing more comes for a moment: shows what is held, unless it is more than the public beginning of a value. */
	flush(): Uint8Array {
		if (this.#held.filter(byte => counts[byte] === 1).length > harmless) {
			return new Uint8Array();
		}

		const rest = copyOf(this.#held, this.#shown);
		this.#shown = this.#held.length;
		return rest;
	}

	/** The rest, at the end of the stream. */
	end(): Uint8Array {
		const rest = copyOf(this.#held, this.#shown);
		this.#held = new Uint8Array();
		this.#shown = 0;
		return rest;
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

	/** Where the last so many bytes of the view begin, told from the end alone; undefined where a terminal sequence is in the way. */
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

/** The next state in a terminal sequence: ESC [ opens a control sequence; of others only the one character after ESC is left out. */
function after(state: number, byte: number): number {
	if (byte === escape) {
		return 1;
	}

	return state === 1 ? (byte === 0x5B ? 2 : 0) : byte < 0x20 || byte > 0x3F ? 0 : 2;
}

/** A whole text, redacted. */
export function redactText(values: Iterable<string>, text: string): string {
	const redactor = new Redactor(values);
	const first = redactor.push(encoder.encode(text));
	const last = redactor.end();
	const decoder = new TextDecoder();
	return decoder.decode(first, {stream: true}) + decoder.decode(last);
}

/** Whether a text holds one of the values, in any spelling that is known. */
export function holdsValue(values: Iterable<string>, text: string): boolean {
	return redactText(values, text) !== text;
}
