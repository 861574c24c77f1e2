import {
	ampersand,
	backslash,
	bytesOf,
	code,
	firstByte,
	marks,
	named,
	none,
	open,
	percent,
	readEscape,
} from './escapes.ts';
import {Patterns, type EscapeScanner} from './patterns.ts';

/*
 * Texts behind escapes. Between two bytes of a text there may be any mix of what
 * stands for the next one: `%73`, `%2573`, `%u0073`, `\u0073`, `\x73`, `\163`,
 * `\/`, `&#115;`, `&#x73;`, `&sol;`, and the zero bytes of UTF-16 and UTF-32.
 */

/** Finds texts of which at least one byte is behind an escape; those as they are, other patterns find. */
export class Escaped implements EscapeScanner {
	readonly #patterns: Patterns;
	/** The bytes of the texts, in any case. What is none of them ends a place where a text could be. */
	readonly #part = new Uint8Array(256);
	/** What the names of entities that stand for one of them begin with. */
	readonly #names = new Uint8Array(256);
	readonly #shortest: number;
	/** A part of the bytes as it reads, and where each byte of it begins. */
	#view = new Uint8Array(0);
	#places = new Uint32Array(0);

	/** @param texts as they are */
	constructor(texts: readonly Uint8Array[]) {
		this.#patterns = new Patterns(texts);
		for (const [name, character] of Object.entries(named)) {
			if (texts.some(text => text.includes(character.charCodeAt(0)))) {
				this.#names[name.charCodeAt(0)] = 1;
			}
		}

		this.#shortest = Math.min(...texts.map(text => text.length));
		for (const byte of texts.flatMap(text => [...text])) {
			this.#part[byte] = 1;
			const letter = byte | 0x20;
			if (letter >= 0x61 && letter <= 0x7a) {
				this.#part[letter] = 1;
				this.#part[letter - 32] = 1;
			}
		}
	}

	scan(bytes: Uint8Array, blank: (from: number, to: number) => void): number {
		const {length} = bytes;
		if (this.#view.length < length) {
			// What an escape stands for is never longer than the escape.
			this.#view = new Uint8Array(length);
			this.#places = new Uint32Array(length);
		}

		const nexts = [-1, -1, -1, -1];
		for (let from = 0; ;) {
			const at = nextMark(bytes, from, nexts);
			if (at >= length) {
				return length;
			}

			from = at + 1;
			if (bytes[at] === 0) {
				while (bytes[from] === 0) {
					from++;
				}
			}

			if (this.#matters(bytes, at, from)) {
				const waits = this.#look(bytes, at, blank);
				if (waits !== undefined) {
					return waits;
				}

				from = Math.max(from, this.#end);
			}
		}
	}

	/**
	 * Whether what begins here stands for a byte of a text, or could with what comes next.
	 * @param end of a mark, or of a row of zero bytes
	 */
	#matters(bytes: Uint8Array, at: number, end: number): boolean {
		const part = this.#part;
		const next = bytes[end];
		if (bytes[at] === 0) {
			return (at > 0 && part[bytes[at - 1]!] === 1) || (next !== undefined && part[next] === 1);
		}

		if (
			bytes[at] === backslash &&
			next !== undefined &&
			next !== backslash &&
			(next | 0x20) !== 0x75 &&
			next !== 0x78 &&
			(next < 0x30 || next > 0x33)
		) {
			// The usual ones, such as a line end or a quotation mark in JSON.
			return part[next] === 1 && (next < 0x41 || (next > 0x5a && next < 0x61) || next > 0x7a);
		}

		if (
			bytes[at] === ampersand &&
			next !== undefined &&
			next >= 0x61 &&
			next <= 0x7a &&
			this.#names[next] === 0 &&
			!(next === 0x61 && (bytes[at + 2] ?? 0x6d) === 0x6d)
		) {
			return false;
		}

		const length = readEscape(bytes, at);
		return length === open || (length !== none && part[firstByte(code)] === 1);
	}

	/** Where what was looked at last ends. */
	#end = 0;

	/** Looks as far as a text could go, from before a mark on. @returns what waits; undefined for nothing */
	#look(bytes: Uint8Array, mark: number, blank: (from: number, to: number) => void): number | undefined {
		const part = this.#part;
		const view = this.#view;
		const places = this.#places;
		const {length} = bytes;
		let at = mark;
		for (const least = Math.max(0, mark - this.#patterns.longest); at > least && part[bytes[at - 1]!] === 1;) {
			at--;
		}

		let size = 0;
		let begun: number | undefined;
		while (at < length) {
			const byte = bytes[at]!;
			if (byte === 0) {
				at++;
				continue;
			}

			if (byte === percent || byte === backslash || byte === ampersand) {
				const escape = readEscape(bytes, at);
				if (escape === open) {
					begun = at;
					break;
				}

				if (escape !== none) {
					if (part[firstByte(code)] === 0) {
						break;
					}

					if (code < 0x80) {
						view[size] = code;
						places[size++] = at;
					} else {
						for (const byte of bytesOf(code)) {
							view[size] = byte;
							places[size++] = at;
						}
					}

					at += escape;
					continue;
				}
			}

			if (part[byte] === 0) {
				break;
			}

			view[size] = byte;
			places[size++] = at++;
		}

		this.#end = at;
		let from = 0;
		for (
			let match = size < this.#shortest ? undefined : this.#patterns.find(view, 0, size);
			match;
			match = this.#patterns.find(view, from, size)
		) {
			from = match.at + match.length;
			blank(places[match.at]!, from < size ? places[from]! : (begun ?? at));
		}

		if (begun === undefined && at < length) {
			return undefined;
		}

		const partial = this.#patterns.partial(view, from, size);
		return partial > 0 ? places[size - partial]! : (begun ?? length);
	}
}

/** Marks are often nearBytes each other; where they are not, the engine's own search is many times faster. */
const nearBytes = 16;

const isMark = Uint8Array.from({length: 256}, (_, byte) => (marks.includes(byte) ? 1 : 0));

/** @param nexts where the next of each mark is, as far as it is known; below `from` where it is not */
function nextMark(bytes: Uint8Array, from: number, nexts: number[]): number {
	const limit = Math.min(bytes.length, from + nearBytes);
	for (let at = from; at < limit; at++) {
		if (isMark[bytes[at]!] === 1) {
			return at;
		}
	}

	let first = bytes.length;
	for (let index = 0; index < marks.length; index++) {
		if (nexts[index]! < limit) {
			const at = bytes.indexOf(marks[index]!, limit);
			nexts[index] = at === -1 ? bytes.length : at;
		}

		first = Math.min(first, nexts[index]!);
	}

	return first;
}
