import {copyOf, Needles} from './needles.ts';
import {spellings} from './spellings.ts';

const encoder = new TextEncoder();
const star = 0x2A;

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

		const length = this.#look(bytes);
		let out = bytes;
		let from = 0;
		for (;;) {
			const match = this.#needles.find(this.#view, from, length);
			if (!match) {
				break;
			}

			out = out === chunk ? copyOf(out) : out;
			for (let index = match.at; index < match.at + match.length; index++) {
				out[this.#places[index]!] = star;
			}

			from = match.at + match.length;
		}

		const partial = this.#needles.partial(this.#view, from, length);
		const begins = partial === 0 ? out.length : this.#places[length - partial]!;
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

	/** Fills the view. @returns its length */
	#look(bytes: Uint8Array): number {
		const view = this.#view;
		const places = this.#places;
		let state = this.#state;
		let length = 0;
		for (let at = 0; at < bytes.length; at++) {
			const byte = bytes[at]!;
			if (state === 0) {
				if (counts[byte] === 1) {
					view[length] = byte;
					places[length++] = at;
				} else if (byte === 0x1B) {
					state = 1;
				}
			} else if (state === 1) {
				// ESC [ opens a control sequence; of other sequences only the one character after ESC is left out.
				state = byte === 0x5B ? 2 : byte === 0x1B ? 1 : 0;
			} else if (byte < 0x20 || byte > 0x3F) {
				state = byte === 0x1B ? 1 : 0;
			}
		}

		this.#state = state;
		return length;
	}
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
