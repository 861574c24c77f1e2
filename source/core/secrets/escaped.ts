import {Patterns, type EscapeScanner} from './patterns.ts';

/*
 * Texts behind escapes. Between two bytes of a text there may be any mix of what
 * stands for the next one: `%73`, `%2573`, `%u0073`, `\u0073`, `\x73`, `\163`,
 * `\/`, `&#115;`, `&#x73;`, `&sol;`, and the zero bytes of UTF-16 and UTF-32.
 */

/** There is no escape, and one whose end has not come yet, in place of an escape's length. */
const none = 0;
const open = -1;

/** The code point that the escape that was read last stands for. Nothing but a second result, which costs no object. */
let code = 0;

const percent = 0x25;
const backslash = 0x5c;
const ampersand = 0x26;
/** What begins an escape, and the zero byte. */
const marks = [percent, backslash, ampersand, 0];

// oxfmt-ignore
const named: Readonly<Record<string, string>> = {
	amp: '&', apos: '\'', ast: '*', bsol: '\\', colon: ':', comma: ',', commat: '@', dollar: '$', equals: '=',
	excl: '!', grave: '`', gt: '>', hat: '^', lbrace: '{', lbrack: '[', lcub: '{', lowbar: '_', lpar: '(', lsqb: '[',
	lt: '<',
	num: '#', percnt: '%', period: '.', plus: '+', quest: '?', quot: '"', rbrace: '}', rbrack: ']', rcub: '}',
	rpar: ')', rsqb: ']', semi: ';', sol: '/', verbar: '|', vert: '|',
};

function digit(byte: number | undefined): number {
	if (byte === undefined) {
		return -1;
	}

	if (byte >= 0x30 && byte <= 0x39) {
		return byte - 0x30;
	}

	if (byte >= 0x41 && byte <= 0x46) {
		return byte - 0x37;
	}

	return byte >= 0x61 && byte <= 0x66 ? byte - 0x57 : -1;
}

/** Reads so many digits as the code point. @returns the length given, `none` or `open` */
function digits(bytes: Uint8Array, at: number, count: number, base: number, length: number): number {
	let value = 0;
	for (let index = at; index < at + count; index++) {
		if (index >= bytes.length) {
			return open;
		}

		const next = digit(bytes[index]);
		if (next === -1 || next >= base) {
			return none;
		}

		value = value * base + next;
	}

	code = value;
	return length;
}

function endOfDigits(bytes: Uint8Array, from: number, base: number): number {
	let end = from;
	while (end - from < 9) {
		const next = digit(bytes[end]);
		if (next === -1 || next >= base) {
			break;
		}

		end++;
	}

	return end;
}

/** @returns the length of the escape that begins at a percent sign, a backslash or an ampersand, `none` or `open` */
function readEscape(bytes: Uint8Array, at: number): number {
	if (bytes[at] === percent) {
		return readPercent(bytes, at);
	}

	return bytes[at] === backslash ? readBackslash(bytes, at) : readEntity(bytes, at);
}

function readPercent(bytes: Uint8Array, at: number): number {
	// A percent sign may be escaped itself, and that one, too.
	let next = at + 1;
	while (bytes[next] === 0x32 && bytes[next + 1] === 0x35 && next - at < 32) {
		if (next + 2 >= bytes.length) {
			return open;
		}

		if (digit(bytes[next + 2]) === -1) {
			break;
		}

		next += 2;
	}

	return bytes[next] === 0x75 || bytes[next] === 0x55
		? digits(bytes, next + 1, 4, 16, next + 5 - at)
		: digits(bytes, next, 2, 16, next + 2 - at);
}

function readBackslash(bytes: Uint8Array, at: number): number {
	let next = at + 1;
	while (bytes[next] === backslash && next - at < 32) {
		next++;
	}

	const kind = bytes[next];
	if (kind === undefined) {
		return open;
	}

	if (kind === 0x75 || kind === 0x55) {
		if (bytes[next + 1] !== 0x7b) {
			return digits(bytes, next + 1, 4, 16, next + 5 - at);
		}

		const end = endOfDigits(bytes, next + 2, 16);
		if (end >= bytes.length) {
			return open;
		}

		return bytes[end] === 0x7d && end > next + 2 ? digits(bytes, next + 2, end - next - 2, 16, end + 1 - at) : none;
	}

	if (kind === 0x78) {
		return digits(bytes, next + 1, 2, 16, next + 3 - at);
	}

	if (kind >= 0x30 && kind <= 0x33) {
		return digits(bytes, next, 3, 8, next + 3 - at);
	}

	// A letter after a backslash means something of its own.
	code = kind;
	return (kind >= 0x41 && kind <= 0x5a) || (kind >= 0x61 && kind <= 0x7a) || kind < 0x20 ? none : next + 1 - at;
}

function readEntity(bytes: Uint8Array, at: number): number {
	let next = at + 1;
	while (
		bytes[next] === 0x61 &&
		bytes[next + 1] === 0x6d &&
		bytes[next + 2] === 0x70 &&
		bytes[next + 3] === 0x3b &&
		next - at < 40
	) {
		next += 4;
	}

	if (bytes[next] === 0x23) {
		const isHex = bytes[next + 1] === 0x78 || bytes[next + 1] === 0x58;
		const first = next + (isHex ? 2 : 1);
		const end = endOfDigits(bytes, first, isHex ? 16 : 10);
		if (end >= bytes.length) {
			return open;
		}

		return end === first
			? none
			: digits(bytes, first, end - first, isHex ? 16 : 10, end - at + (bytes[end] === 0x3b ? 1 : 0));
	}

	let end = next;
	while (end - next < 7 && bytes[end]! >= 0x61 && bytes[end]! <= 0x7a) {
		end++;
	}

	if (end >= bytes.length) {
		return open;
	}

	const character = bytes[end] === 0x3b ? named[String.fromCharCode(...bytes.subarray(next, end))] : undefined;
	if (character !== undefined) {
		code = character.charCodeAt(0);
		return end + 1 - at;
	}

	// An ampersand that stands for itself.
	code = ampersand;
	return next > at + 1 ? next - at : none;
}

/** The UTF-8 bytes of a code point. */
function bytesOf(code: number): readonly number[] {
	if (code < 0x80) {
		return [code];
	}

	if (code < 0x8_00) {
		return [0xc0 | (code >> 6), 0x80 | (code & 0x3f)];
	}

	return code < 0x1_00_00
		? [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)]
		: [0xf0 | ((code >> 18) & 7), 0x80 | ((code >> 12) & 0x3f), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)];
}

function firstByte(code: number): number {
	return code < 0x80 ? code : bytesOf(code)[0]!;
}

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

/** Marks are often near each other; where they are not, the engine's own search is many times faster. */
const near = 16;

const isMark = Uint8Array.from({length: 256}, (_, byte) => (marks.includes(byte) ? 1 : 0));

/** @param nexts where the next of each mark is, as far as it is known; below `from` where it is not */
function nextMark(bytes: Uint8Array, from: number, nexts: number[]): number {
	const limit = Math.min(bytes.length, from + near);
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
