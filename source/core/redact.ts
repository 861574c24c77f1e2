/** How a value could be written by a program that prints it: as it is, and in the usual encodings. */
function spellings(value: string): string[] {
	const bytes = new TextEncoder().encode(value);
	const hex = [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('');
	// Without the padding, which says nothing and may come in a later chunk.
	const base64 = btoa(String.fromCodePoint(...bytes)).replaceAll('=', '');
	return [...new Set([value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1), hex, hex.toUpperCase(), base64, base64.replaceAll('+', '-').replaceAll('/', '_')])].filter(text => text.length >= 4).sort((a, b) => b.length - a.length);
}

const mark = '[blanked]';

/**
 * Blanks known values out of a stream of text, also where a value is cut by a chunk's end. It is a net, not a wall:
 * a value that is reversed, compressed or split by the program that prints it passes.
 */
export class Redactor {
	readonly #needles: readonly string[];
	readonly #longest: number;
	#held = '';

	constructor(values: readonly string[]) {
		this.#needles = values.flatMap(value => spellings(value));
		this.#longest = Math.max(0, ...this.#needles.map(needle => needle.length));
	}

	/** @returns what may be shown now */
	push(text: string): string {
		this.#held += text;
		for (const needle of this.#needles) {
			this.#held = this.#held.replaceAll(needle, mark);
		}

		// Whatever could be the beginning of a value waits for the rest.
		const keep = this.#partial();
		const out = this.#held.slice(0, this.#held.length - keep);
		this.#held = this.#held.slice(this.#held.length - keep);
		return out;
	}

	/** The rest, at the end of the stream. */
	end(): string {
		const rest = this.#held;
		this.#held = '';
		return rest;
	}

	#partial(): number {
		for (let length = Math.min(this.#longest - 1, this.#held.length); length > 0; length--) {
			const tail = this.#held.slice(-length);
			if (this.#needles.some(needle => needle.startsWith(tail))) {
				return length;
			}
		}

		return 0;
	}
}
