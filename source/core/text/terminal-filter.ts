/*
 * What an agent may do to a person's real terminal: paint. All that passes is listed here; what is not listed is
 * dropped, whatever it is called and however it is introduced.
 */

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Bell, backspace, tab, the line feeds, carriage return, and the two shifts between character sets. */
const controls = new Set([0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f]);

/**
 * DEC private modes, and what each is when a person's shell has the terminal. Nothing here makes a terminal say
 * anything by itself, and nothing changes what keys are but the two that shells know as well: cursor keys, and brackets
 * round a paste. Not here: origin mode (6), since taking it back moves the cursor; focus reports (1004), columns (3),
 * key repeat (8) and others.
 */
export const privateModes: ReadonlyMap<number, 'h' | 'l'> = new Map([
	[1, 'l'],
	[5, 'l'],
	[7, 'h'],
	[25, 'h'],
	[47, 'l'],
	[1047, 'l'],
	[1049, 'l'],
	[1000, 'l'],
	[1002, 'l'],
	[1003, 'l'],
	[1006, 'l'],
	[2004, 'l'],
	[2026, 'l'],
]);

/** The one ANSI mode: insert. Not here: keyboard action (2), which locks the keyboard, and line feed (20). */
export const ansiModes: ReadonlyMap<number, 'h' | 'l'> = new Map([[4, 'l']]);

const one = /^\d*$/;
const two = /^\d*(?:;\d*)?$/;
const none = /^$/;

/**
 * Control sequences by what stands between `ESC [` and the
 * parameters, and after them; and what their parameters look like.
 */
export const sequences: ReadonlyMap<string, RegExp> = new Map([
	// Move the cursor, tabs, erase, insert and delete, scroll, repeat.
	...[...'@ABCDEFGILMPSTXZ`abde'].map(final => [final, one] as const),
	['H', two],
	['f', two],
	['s', none],
	['u', none],
	// Not 3, which takes away what a person could scroll back to.
	['J', /^[012]?$/],
	['K', /^[012]?$/],
	// Colours and the like; margins; the cursor's shape; back to the defaults.
	['m', /^[\d:;]*$/],
	['r', two],
	[' q', /^[0-6]?$/],
	['!p', none],
]);

/** Short escapes: cursor saved and put back, lines moved, the number pad's two modes. */
export const escapes = new Set(['7', '8', 'D', 'E', 'M', '=', '>']);

/** Character sets that may be designated as the first and second: ASCII, the British one, line drawing. */
export const charsets = new Set(['(A', '(B', '(0', ')A', ')B', ')0']);

const modeSequence = (mode: number, sign: string, value: 'h' | 'l') => `\u001B[${sign}${mode}${value}`;
const screens = [1049, 1047, 47];

/**
 * Puts back everything that the filter lets through, wherever the agent was: the main screen, with the cursor where it
 * is, no margins, each mode as above, plain characters and cursor, and a saved cursor that brings nothing of it back.
 * The cursor is saved first because leaving the other screen, and taking margins away, both move it.
 */
export const restoreTerminal = [
	'\u001B7',
	...screens.map(mode => modeSequence(mode, '?', 'l')),
	'\u001B7\u001B[r\u001B8',
	...[...privateModes]
		.filter(([mode]) => !screens.includes(mode))
		.map(([mode, value]) => modeSequence(mode, '?', value)),
	...[...ansiModes].map(([mode, value]) => modeSequence(mode, '', value)),
	'\u001B>\u001B(B\u001B)B\u000F\u001B[0m\u001B[0 q\u001B7',
].join('');

/**
 * A full reset would take the person's own settings, and what could be scrolled
 * back to: what was let through is put back, and the screen is cleared.
 */
const reset = bytesOf(`${restoreTerminal}\u001B[H\u001B[2J`);

const replacement = [0xef, 0xbf, 0xbd];

/**
 * More than any screen has; a larger number is work for the terminal and
 * nothing else. What is done so many times, one by one, gets the smaller.
 */
const maxParameter = 32_767;
const maxRepeats = 1000;
const repeated = new Set('bILMSTZ');

/** Characters of a control sequence; a longer one is dropped. */
const maxSequenceLength = 256;

class Output {
	#bytes: Uint8Array;
	#length = 0;

	constructor(size: number) {
		this.#bytes = new Uint8Array(size);
	}

	add(bytes: ArrayLike<number>): void {
		if (this.#length + bytes.length > this.#bytes.length) {
			const larger = new Uint8Array(2 * (this.#length + bytes.length));
			larger.set(this.#bytes.subarray(0, this.#length));
			this.#bytes = larger;
		}

		this.#bytes.set(bytes, this.#length);
		this.#length += bytes.length;
	}

	get bytes(): Uint8Array {
		return this.#bytes.subarray(0, this.#length);
	}
}

/** How many bytes of a character follow its first one. */
function lengthAfter(first: number): number {
	if (first < 0xe0) {
		return 1;
	}

	return first < 0xf0 ? 2 : 3;
}

/** The lowest second byte of a character: with a lower one it would be a shorter one, written too long. */
function lowestAfter(first: number): number {
	if (first === 0xe0) {
		return 0xa0;
	}

	return first === 0xf0 ? 0x90 : 0x80;
}

/** The highest second byte of a character: beyond are the halves of pairs, and what is no code point. */
function highestAfter(first: number): number {
	if (first === 0xed) {
		return 0x9f;
	}

	return first === 0xf4 ? 0x8f : 0xbf;
}

/** What an 8-bit control begins. */
function begunBy(code: number): 'ground' | 'csi' | 'string' {
	if (code === 0x9b) {
		return 'csi';
	}

	return [0x90, 0x98, 0x9d, 0x9e, 0x9f].includes(code) ? 'string' : 'ground';
}

/**
 * Lets a program paint on a person's real terminal and do nothing else to it: printable text in valid UTF-8, and the
 * controls that are listed above, each written anew in its 7-bit form. Everything else is dropped: strings (titles,
 * clipboard, hyperlinks, images, whatever introduces and ends them), what a terminal answers, 8-bit controls, keyboard
 * protocols, modes that would stay. What is no UTF-8 becomes U+FFFD. Works across any chunking.
 */
export class TerminalFilter {
	#state: 'ground' | 'escape' | 'csi' | 'string' = 'ground';
	/** What came of a short escape or a control sequence so far. */
	#sequence = '';
	/** Whether the sequence is only read to its end: it was introduced by an 8-bit control, or is too long. */
	#drop = false;
	/** Whether a bell ends the string: that of an OSC. */
	#bellEnds = false;
	/** Bytes of a character that is not whole yet, how many are missing, and within what the next must be. */
	#character: number[] = [];
	#missing = 0;
	#lower = 0x80;
	#upper = 0xbf;

	/** @returns what may be written to the terminal */
	push(bytes: Uint8Array): Uint8Array {
		const out = new Output(bytes.length + 64);
		for (let at = 0; at < bytes.length; at++) {
			const byte = bytes[at]!;
			if (this.#missing === 0 && byte >= 0x20 && byte < 0x7f && this.#state === 'ground') {
				let end = at + 1;
				while (end < bytes.length && bytes[end]! >= 0x20 && bytes[end]! < 0x7f) {
					end++;
				}

				out.add(bytes.subarray(at, end));
				at = end - 1;
			} else {
				this.#decode(byte, out);
			}
		}

		return out.bytes;
	}

	/** UTF-8 as the Unicode standard wants it: no overlong forms, no surrogates, each longest wrong part one U+FFFD. */
	#decode(byte: number, out: Output): void {
		if (this.#missing > 0) {
			if (byte >= this.#lower && byte <= this.#upper) {
				this.#character.push(byte);
				this.#lower = 0x80;
				this.#upper = 0xbf;
				if (--this.#missing === 0) {
					const [first, second] = this.#character as [number, number];
					this.#take(first === 0xc2 && second < 0xa0 ? second : 0xa0, this.#character, out);
				}

				return;
			}

			this.#missing = 0;
			this.#take(0xa0, replacement, out);
		}

		if (byte < 0x80) {
			this.#take(byte, [byte], out);
		} else if (byte < 0xc2 || byte > 0xf4) {
			this.#take(0xa0, replacement, out);
		} else {
			this.#character = [byte];
			this.#missing = lengthAfter(byte);
			this.#lower = lowestAfter(byte);
			this.#upper = highestAfter(byte);
		}
	}

	/** One character. @param code its code, or 0xA0 for any beyond the controls */
	#take(code: number, bytes: readonly number[], out: Output): void {
		// Wherever they come: cancel and substitute end a sequence, escape begins one, and so do the 8-bit controls.
		if (code === 0x18 || code === 0x1a) {
			this.#state = 'ground';
			return;
		}

		if (code === 0x1b) {
			this.#begin('escape', false);
			return;
		}

		if (code >= 0x80 && code < 0xa0) {
			this.#begin(begunBy(code), true);
			this.#bellEnds = code === 0x9d;
			return;
		}

		if (this.#state === 'string') {
			if (code === 0x07 && this.#bellEnds) {
				this.#state = 'ground';
			}
		} else if (code < 0x20) {
			// In the middle of a sequence, too, where a terminal obeys them at once.
			if (controls.has(code)) {
				out.add(bytes);
			}
		} else if (code !== 0x7f) {
			this.#print(code, bytes, out);
		}
	}

	#begin(state: 'ground' | 'escape' | 'csi' | 'string', drop: boolean): void {
		this.#state = state;
		this.#sequence = '';
		this.#drop = drop;
		this.#bellEnds = false;
	}

	#print(code: number, bytes: readonly number[], out: Output): void {
		if (this.#state === 'ground') {
			out.add(bytes);
			return;
		}

		if (code >= 0x80) {
			// No sequence has such a character in it.
			this.#state = 'ground';
			out.add(bytes);
			return;
		}

		const character = String.fromCodePoint(code);
		if (this.#state === 'escape' && this.#sequence === '') {
			// ESC k is a title of screen and tmux.
			if (/[\]PX^_k]/.test(character)) {
				this.#begin('string', true);
				this.#bellEnds = character === ']';
				return;
			}

			if (character === '[') {
				this.#begin('csi', false);
				return;
			}
		}

		this.#drop ||= this.#sequence.length >= maxSequenceLength;
		this.#sequence += this.#drop ? '' : character;
		if (code >= (this.#state === 'csi' ? 0x40 : 0x30)) {
			if (!this.#drop) {
				out.add(this.#state === 'csi' ? allowedSequence(this.#sequence) : allowedEscape(this.#sequence));
			}

			this.#state = 'ground';
		}
	}
}

function allowedEscape(text: string): Uint8Array {
	return text === 'c' ? reset : bytesOf(escapes.has(text) || charsets.has(text) ? `\u001B${text}` : '');
}

/** A control sequence, written anew; nothing for one that does not paint. */
function allowedSequence(text: string): Uint8Array {
	const {
		sign = '',
		parameters = '',
		kind = '',
	} = /^(?<sign>[<=>?]?)(?<parameters>[\d:;]*)(?<kind>[ -/]*[@-~])$/.exec(text)?.groups ?? {};
	if ((sign === '' || sign === '?') && (kind === 'h' || kind === 'l')) {
		const modes = parameters
			.split(';')
			.filter(text => one.test(text) && text !== '')
			.map(Number);
		const known = sign === '?' ? privateModes : ansiModes;
		return bytesOf(
			modes
				.map(mode => {
					// A mode of its own name for the saved cursor.
					const cursor = sign === '?' && mode === 1048 ? `\u001B${kind === 'h' ? 7 : 8}` : '';
					return known.has(mode) ? modeSequence(mode, sign, kind) : cursor;
				})
				.join(''),
		);
	}

	if (sign !== '' || sequences.get(kind)?.test(parameters) !== true) {
		return bytesOf('');
	}

	const maxValue = repeated.has(kind) ? maxRepeats : maxParameter;
	return bytesOf(
		`\u001B[${parameters.replaceAll(/\d{4,}/g, number => (Number(number) > maxValue ? String(maxValue) : number))}${kind}`,
	);
}
