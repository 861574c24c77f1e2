/*
 * Characters that nobody sees, or that reorder what is seen. A person reads past them; an agent, a compiler and a
 * comparison of names do not. Where writing needs them (an emoji made of several, letters that join or do not), they
 * stand for nothing else and are left alone.
 */

/** Fillers, joiners, controls of direction, variation selectors, tags: whatever has no picture of its own. */
const hidden = String.raw`[\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u2028-\u202E\u2060-\u206F\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB\u{13430}-\u{1343F}\u{1BCA0}-\u{1BCA3}\u{1D173}-\u{1D17A}\u{E0000}-\u{E0FFF}]`;

/** A picture, with what says how it is drawn. */
const picture = String.raw`(?:(?=\P{ASCII})\p{Emoji}(?:[\u{1F3FB}-\u{1F3FF}]\uFE0F?|[\uFE0E\uFE0F])?)`;

/** Scripts whose letters join, or are told apart by not joining: Persian, the languages of India and others. */
const joining = String.raw`[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Mongolian}\p{Script=Nko}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Myanmar}\p{Script=Khmer}]`;

const wellUsed = [
	// Pictures joined into one; a digit on a key; the three flags that are spelled in tags.
	String.raw`${picture}(?:\u200D${picture})*`,
	String.raw`[0-9#*]\uFE0F?\u20E3`,
	String.raw`\u{1F3F4}\u{E0067}\u{E0062}(?:\u{E0065}\u{E006E}\u{E0067}|\u{E0073}\u{E0063}\u{E0074}|\u{E0077}\u{E006C}\u{E0073})\u{E007F}`,
	String.raw`(?<=${joining}\p{M}*)[\u200C\u200D](?=${joining})`,
];

const any = new RegExp(hidden, 'u');
/** Compiled at its first use: it is long, and most texts hide nothing. */
let each: RegExp | undefined;

/**
 * The blank of Braille is a blank among other Braille, as in spinners and plots, and elsewhere one that is no space.
 */
const blank = '\u2800';
const braille = /[\u2801-\u28FF]/;

function mayHide(text: string): boolean {
	return any.test(text) || text.includes(blank);
}

/**
 * A text in which each hidden character is replaced.
 * @param used what becomes of a sequence that is well used; it stays where this is not given
 */
export function markHidden(
	text: string,
	mark: (codePoint: number) => string,
	used: (sequence: string) => string = sequence => sequence,
): string {
	if (!mayHide(text)) {
		return text;
	}

	each ??= new RegExp(`(?<used>${wellUsed.toReversed().join('|')})|${hidden}`, 'gu');
	const marked = text.replaceAll(each, (found, own: string | undefined) =>
		own === undefined ? mark(found.codePointAt(0)!) : used(found),
	);
	return braille.test(marked) ? marked : marked.replaceAll(blank, () => mark(0x2800));
}

/** Whether a text holds a hidden character that writing does not need. */
export function holdsHidden(text: string): boolean {
	let found = false;
	markHidden(text, () => {
		found = true;
		return '';
	});
	return found;
}

/** `U+200B`. */
export function codeName(codePoint: number): string {
	return `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`;
}

/**
 * What a text hides, in words; undefined where it hides nothing: `2 invisible characters (U+200B, U+E0041)`.
 */
export function hiddenText(text: string): string | undefined {
	const names: string[] = [];
	markHidden(text, codePoint => {
		names.push(codeName(codePoint));
		return '';
	});
	const kinds = [...new Set(names)];
	if (names.length === 0) {
		return undefined;
	}

	const what = names.length === 1 ? 'character' : 'characters';
	return `${names.length} invisible ${what} (${kinds.slice(0, 4).join(', ')}${kinds.length > 4 ? ' …' : ''})`;
}
