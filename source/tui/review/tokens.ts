import type {DiffFile, DiffLine} from '../../core/review/diff.ts';
import type {Tone} from '../../core/text/spans.ts';

/*
 * What a line of a change is made of: its words' colours, and
 * which of them changed. Only for lines in view; each made once.
 */

export type Token = {readonly text: string; readonly tone?: Tone | undefined};
type Tokenise = (path: string, lines: readonly string[]) => Token[][] | undefined;

type Part = {readonly value: string; readonly added?: boolean; readonly removed?: boolean};

let tokenise: Tokenise = () => undefined;
let diffWords: ((left: string, right: string) => readonly Part[]) | undefined;
let coloured = new WeakMap<DiffLine, readonly Token[]>();

/** What tells which words changed, once it is loaded. */
export function setWordDiff(own: NonNullable<typeof diffWords>): void {
	diffWords = own;
	words = new WeakMap();
}

/** What colours code, once it is loaded. */
export function setHighlighter(own: Tokenise): void {
	tokenise = own;
}

/** How many lines are coloured at once, so that a comment over several lines is seen as one. */
const batch = 60;

/** A line's tokens. */
export function tokensOf(file: DiffFile, hunk: number, line: DiffLine): readonly Token[] {
	const known = coloured.get(line);
	if (known) {
		return known;
	}

	const lines = file.hunks[hunk]!.lines;
	const at = lines.indexOf(line);
	const side = line.kind === '-' ? 'old' : 'new';
	// From a fixed place, so that a line looks the same however it came into view.
	const from = Math.max(0, at - (at % batch));
	const own = lines.slice(from, from + batch).filter(other => other[side] !== undefined);
	const tokens = tokenise(
		file.path,
		own.map(other => other.text),
	);
	if (!tokens) {
		return [{text: line.text}];
	}

	for (const [index, other] of own.entries()) {
		// A line that did not change looks as it does in the new file, whichever side came into view first.
		if (side === 'new' || other.kind === '-') {
			coloured.set(other, tokens[index]!);
		}
	}

	return coloured.get(line) ?? [{text: line.text}];
}

/** Stretches of a line that are not in the one it replaces, as [from, to]. */
export type Stretches = ReadonlyArray<readonly [number, number]>;

let words = new WeakMap<DiffLine, Stretches>();

function stretches(parts: readonly Part[], side: 'added' | 'removed'): Stretches {
	const found: Array<[number, number]> = [];
	let at = 0;
	for (const part of parts) {
		if (part[side === 'added' ? 'removed' : 'added']) {
			continue;
		}

		if (part[side]) {
			found.push([at, at + part.value.length]);
		}

		at += part.value.length;
	}

	return found;
}

/** What changed within a pair of lines. Where little is left of a line, nothing is marked: all of it changed. */
export function changedWords(left: DiffLine, right: DiffLine): {left: Stretches; right: Stretches} {
	const known = words.get(left);
	if (known && words.has(right)) {
		return {left: known, right: words.get(right)!};
	}

	let result: {left: Stretches; right: Stretches} = {left: [], right: []};
	if (diffWords && left.text.length < 1000 && right.text.length < 1000) {
		const parts = diffWords(left.text, right.text);
		const same = parts
			.filter(part => !part.added && !part.removed)
			.reduce((sum, part) => sum + part.value.trim().length, 0);
		if (same * 3 >= Math.min(left.text.trim().length, right.text.trim().length)) {
			result = {left: stretches(parts, 'removed'), right: stretches(parts, 'added')};
		}
	}

	words.set(left, result.left);
	words.set(right, result.right);
	return result;
}

const partners = new WeakMap<DiffFile, Map<DiffLine, DiffLine>>();

/** The line that a changed one replaces, or is replaced by; undefined where there is none. */
export function partnerOf(file: DiffFile, line: DiffLine): DiffLine | undefined {
	let known = partners.get(file);
	if (!known) {
		known = new Map();
		for (const hunk of file.hunks) {
			let removed: DiffLine[] = [];
			let added: DiffLine[] = [];
			const join = () => {
				for (let index = 0; index < Math.min(removed.length, added.length); index++) {
					known!.set(removed[index]!, added[index]!);
					known!.set(added[index]!, removed[index]!);
				}

				removed = [];
				added = [];
			};

			for (const other of hunk.lines) {
				if (other.kind === ' ' || (other.kind === '-' && added.length > 0)) {
					join();
				}

				if (other.kind === '-') {
					removed.push(other);
				} else if (other.kind === '+') {
					added.push(other);
				}
			}

			join();
		}

		partners.set(file, known);
	}

	return known.get(line);
}

/** Forgets the colours, since a grammar came that was not there. */
export function forgetColours(): void {
	coloured = new WeakMap();
}
