import {Escaped} from './escaped.ts';
import {Patterns} from './patterns.ts';

/* How a value could be written by whoever prints it. */

const encoder = new TextEncoder();

function hexOf(bytes: Uint8Array): string {
	return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');
}

function base64Of(bytes: Uint8Array): string {
	return btoa(Array.from(bytes, byte => String.fromCodePoint(byte)).join(''));
}

/**
 * The base64 of a value wherever it begins in a longer text: for each of
 * the three alignments, the characters that depend on the value alone.
 */
function alignments(bytes: Uint8Array): string[] {
	return [0, 1, 2]
		.map(offset => {
			const padded = new Uint8Array(offset + bytes.length);
			padded.set(bytes, offset);
			const text = base64Of(padded).replaceAll('=', '');
			const from = Math.ceil((offset * 8) / 6);
			const to = Math.floor((padded.length * 8) / 6);
			return text.slice(from, to);
		})
		.flatMap(text => [text, text.replaceAll('+', '-').replaceAll('/', '_')]);
}

/** The least length of an encoding that is looked for, characters: shorter ones would blank words. */
export const shortest = 4;

/**
 * Every encoding that is looked for: raw, URL, JSON, hex, base64 in three alignments.
 * @param more also base64 of base64, and reversed: for what is shown to people, where a false find costs little
 */
export function encodings(value: string, more = false): string[] {
	const bytes = encoder.encode(value);
	const hex = hexOf(bytes);
	const found = [
		value,
		encodeURIComponent(value),
		JSON.stringify(value).slice(1, -1),
		hex,
		hex.toUpperCase(),
		...alignments(bytes),
		...(more
			? [...alignments(encoder.encode(base64Of(bytes).replaceAll('=', ''))), [...value].reverse().join('')]
			: []),
	];
	return [...new Set(found)].filter(text => text.length >= shortest);
}

/** What finds texts in every encoding, in any case, and behind escapes. */
export function patternsOf(texts: readonly string[]): Patterns {
	const written = [...new Set(texts.flatMap(text => encodings(text)))];
	// Those that are escaped already read as the text itself.
	const plain = written.filter(text => texts.includes(text) || !/[%\\]/.test(text));
	return new Patterns(
		written.map(text => encoder.encode(text)),
		plain.length > 0 ? new Escaped(plain.map(text => encoder.encode(text))) : undefined,
	);
}
