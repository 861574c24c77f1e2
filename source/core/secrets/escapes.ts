/*
 * One escape at a time: what may stand for the next byte of a text. `%73`, `%2573`, `%u0073`, `\u0073`, `\x73`,
 * `\163`, `\/`, `&#115;`, `&#x73;`, `&sol;`.
 */

/** There is no escape, and one whose end has not come yet, in place of an escape's length. */
export const none = 0;
export const open = -1;

/** The code point that the escape that was read last stands for. Nothing but a second result, which costs no object. */
export let code = 0;

export const percent = 0x25;
export const backslash = 0x5c;
export const ampersand = 0x26;
/** What begins an escape, and the zero byte. */
export const marks = [percent, backslash, ampersand, 0];

// oxfmt-ignore
export const named: Readonly<Record<string, string>> = {
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
// oxlint-disable-next-line max-params -- called for the escapes of a stream, where an object would cost
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
export function readEscape(bytes: Uint8Array, at: number): number {
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
export function bytesOf(code: number): readonly number[] {
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

export function firstByte(code: number): number {
	return code < 0x80 ? code : bytesOf(code)[0]!;
}
