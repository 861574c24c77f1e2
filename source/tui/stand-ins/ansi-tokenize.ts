import {
	reduceAnsiCodesIncremental,
	styledCharsFromTokens as styledChars,
	tokenize as tokens,
	type AnsiCode,
	type StyledChar,
	type Token,
} from '@alcalzone/ansi-tokenize';
import {piecesOf} from './plain-row.ts';
import {Recent} from './recent.ts';

/*
 * What Ink loads in the place of `@alcalzone/ansi-tokenize`, by the build. Ink takes every line of every frame apart
 * anew, though most of a frame is the frame before; and each by a segmenter, though most lines are of plain text.
 * Here a line is taken apart once, and a plain one without a segmenter. The results are the package's own.
 */

export * from '@alcalzone/ansi-tokenize';

/** A frame of a large terminal, twice: Ink asks for a line before it is styled and after. */
const lines = new Recent<Token[]>(150);
/** Text may have any number of colours. */
const codes = new Recent<AnsiCode[]>(250);
const looks = new Recent<Look>(250);
const chars = new WeakMap<readonly Token[], StyledChar[]>();

/** The cells of one style, by their character: a frame has thousands, most of them the same. */
interface Look {
	readonly styles: AnsiCode[];
	readonly cells: Map<string, StyledChar>;
}

function lookOf(styles: AnsiCode[]): Look {
	const key = styles.map(style => style.code).join('');
	return looks.get(key) ?? looks.set(key, {styles, cells: new Map()});
}

/** What an SGR sequence switches. */
export function codesOf(sequence: string): AnsiCode[] {
	return (
		codes.get(sequence) ??
		codes.set(
			sequence,
			tokens(sequence).filter(token => token.type === 'ansi'),
		)
	);
}

function cellOf({styles, cells}: Look, value: string): StyledChar {
	let found = cells.get(value);
	if (!found) {
		found = {type: 'char', value, fullWidth: false, styles};
		cells.set(value, found);
	}

	return found;
}

/** A line of plain text and SGR sequences. Its cells are their own styled characters. */
function plainTokens(text: string): Token[] | undefined {
	const pieces = piecesOf(text);
	if (!pieces) {
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

	return lines.get(text) ?? lines.set(text, plainTokens(text) ?? tokens(text));
}

export function styledCharsFromTokens(from: Token[]): StyledChar[] {
	let found = chars.get(from);
	if (!found) {
		found = styledChars(from);
		chars.set(from, found);
	}

	return found;
}
