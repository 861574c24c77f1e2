import {
	reduceAnsiCodesIncremental,
	styledCharsFromTokens as styledChars,
	tokenize as tokens,
	type AnsiCode,
	type StyledChar,
	type Token,
} from '@alcalzone/ansi-tokenize';
import {isPlain} from '../paint/plain.ts';

/*
 * What Ink loads in the place of `@alcalzone/ansi-tokenize`, by the build. Ink takes every line of every frame apart
 * anew, though most of a frame is the frame before; and each by a segmenter, though most lines are of plain text.
 * Here a line is taken apart once, and a plain one without a segmenter. The results are the package's own.
 */

export * from '@alcalzone/ansi-tokenize';

/** A frame of a large terminal, twice: Ink asks for a line before it is styled and after. */
const maxLines = 300;
/** Text may have any number of colours. */
const maxStyles = 500;

const lines = new Map<string, Token[]>();
const codes = new Map<string, AnsiCode[]>();
const chars = new WeakMap<readonly Token[], StyledChar[]>();

/** What is kept for a key, or is made; all of it goes when there is too much. */
// oxlint-disable-next-line max-params -- called for every cell of a frame, where an object would cost
function keep<Value>(kept: Map<string, Value>, max: number, key: string, make: () => Value): Value {
	let found = kept.get(key);
	if (found === undefined) {
		if (kept.size >= max) {
			kept.clear();
		}

		found = make();
		kept.set(key, found);
	}

	return found;
}

/** The cells of one style, by their character: a frame has thousands, most of them the same. */
interface Look {
	readonly styles: AnsiCode[];
	readonly cells: Map<string, StyledChar>;
}

const looks = new Map<string, Look>();

function lookOf(styles: AnsiCode[]): Look {
	const key = styles.map(style => style.code).join('');
	return keep(looks, maxStyles, key, () => ({styles, cells: new Map()}));
}

function codesOf(sequence: string): AnsiCode[] {
	return keep(codes, maxStyles, sequence, () => tokens(sequence).filter(token => token.type === 'ansi'));
}

function cellOf({styles, cells}: Look, value: string): StyledChar {
	return keep(cells, Infinity, value, () => ({type: 'char', value, fullWidth: false, styles}));
}

/** A line of plain text and SGR sequences. Its cells are their own styled characters. */
function plainTokens(text: string): Token[] | undefined {
	const pieces = text.split(/(\u001B\[[\d;]*m)/);
	if (!pieces.every((piece, index) => index % 2 === 1 || isPlain(piece))) {
		return undefined;
	}

	const made: Token[] = [];
	const cells: StyledChar[] = [];
	let current = lookOf([]);
	for (const [index, piece] of pieces.entries()) {
		if (index % 2 === 1) {
			const styles = codesOf(piece);
			made.push(...styles);
			current = lookOf(reduceAnsiCodesIncremental(current.styles, styles));
			continue;
		}

		for (const value of piece) {
			const cell = cellOf(current, value);
			made.push(cell);
			cells.push(cell);
		}
	}

	chars.set(made, cells);
	return made;
}

export function tokenize(text: string, endChar?: number): Token[] {
	if (endChar !== undefined) {
		return tokens(text, endChar);
	}

	return keep(lines, maxLines, text, () => plainTokens(text) ?? tokens(text));
}

export function styledCharsFromTokens(from: Token[]): StyledChar[] {
	let found = chars.get(from);
	if (!found) {
		found = styledChars(from);
		chars.set(from, found);
	}

	return found;
}
