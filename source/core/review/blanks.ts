import type {DiffFile, DiffLine} from './diff.ts';

/* What is not seen of a line by itself: blanks and tabs, and how it ends. */

const cells = 4;

/** A line as it is, tabs and all, without what ends it. */
const rawOf = (line: DiffLine) => line.raw ?? line.text;

/** The blanks and tabs that a line begins with. */
function indentOf(line: DiffLine): string {
	return /^[ \t]*/.exec(rawOf(line))![0];
}

/** Whether some lines of a change are indented by tabs and others by blanks, or a blank stands before a tab. */
export function hasMixedIndent(file: DiffFile): boolean {
	const indents = file.hunks.flatMap(hunk => hunk.lines).map(line => indentOf(line));
	return (
		indents.some(indent => indent.includes(' \t')) ||
		(indents.some(indent => indent.startsWith('\t')) && indents.some(indent => indent.startsWith('  ')))
	);
}

/** A stretch of a line's text, and what is drawn in its place: exactly as many characters. */
export type BlankMark = {readonly from: number; readonly text: string};

/**
 * Blanks to be drawn as dots, and tabs as arrows: those that a line ends in, and with `isIndented` those that it begins
 * with.
 */
export function blankMarks(line: DiffLine, isIndented: boolean): BlankMark[] {
	const marks: BlankMark[] = [];
	const indent = isIndented ? indentOf(line) : '';
	if (indent !== '') {
		const text = [...indent].map(blank => (blank === '\t' ? `→${' '.repeat(cells - 1)}` : '·')).join('');
		marks.push({from: 0, text});
	}

	const end = /[ \t\u00A0]*$/.exec(rawOf(line))![0];
	const length = [...end].reduce((sum, blank) => sum + (blank === '\t' ? cells : 1), 0);
	const from = line.text.length - length;
	if (end !== '' && from >= (marks[0]?.text.length ?? 0)) {
		const text = [...end].map(blank => (blank === '\t' ? `→${' '.repeat(cells - 1)}` : '·')).join('');
		marks.push({from, text});
	}

	return marks;
}

/** Whether two lines look the same and are not: tabs in the place of blanks. */
export function looksSame(one: DiffLine, other: DiffLine): boolean {
	return one.text === other.text && rawOf(one) !== rawOf(other);
}

const onlyEnds = 'only line ends changed';

/** What of a change is not in what is seen of its lines, in words; empty where there is more to it. */
function onlyBlanks(file: DiffFile): string {
	const [removed, added] = (['-', '+'] as const).map(kind =>
		file.hunks.map(hunk => hunk.lines.filter(line => line.kind === kind)),
	) as [DiffLine[][], DiffLine[][]];
	const isSame = (same: (one: DiffLine, other: DiffLine) => boolean) =>
		removed.every(
			(lines, hunk) =>
				lines.length === added[hunk]!.length && lines.every((line, index) => same(line, added[hunk]![index]!)),
		);
	if (file.hunks.length === 0) {
		return '';
	}

	if (isSame((one, other) => rawOf(one) === rawOf(other) && one.control === other.control)) {
		return removed.flat().some((line, index) => line.cr !== added.flat()[index]!.cr)
			? onlyEnds
			: 'only the newline at the end of the file changed';
	}

	const words = (line: DiffLine) => line.text.replaceAll(/\s+/g, '');
	return isSame((one, other) => words(one) === words(other)) ? 'only blanks changed' : '';
}

/** What the ends of lines are, and were; empty where they are as they mostly are. */
function endsText(file: DiffFile): string {
	const ends = (kind: DiffLine['kind']) => {
		const own = file.hunks.flatMap(hunk => hunk.lines).filter(line => line.kind === kind && line.open !== true);
		const returns = own.filter(line => line.cr).length;
		if (own.length === 0) {
			return undefined;
		}

		if (returns === 0) {
			return 'LF';
		}

		return returns === own.length ? 'CR LF' : 'both CR LF and LF';
	};

	const [before, after, around] = [ends('-'), ends('+'), ends(' ')];
	const was = before ?? around;
	if (after !== undefined && was !== undefined && was !== after) {
		return `line ends: ${was} becomes ${after}`;
	}

	return [after, was].some(end => end !== undefined && end !== 'LF') ? `line ends: ${after ?? was}` : '';
}

/** Whether some lines of a change end in a carriage return and others do not, so that it matters which. */
export function hasMixedEnds(file: DiffFile): boolean {
	const lines = file.hunks.flatMap(hunk => hunk.lines).filter(line => line.open !== true);
	return lines.some(line => line.cr) && lines.some(line => !line.cr);
}

/** What a change does to blanks and to the ends of lines, in words; empty where it is as it mostly is. */
export function lineEnds(file: DiffFile): string {
	const [only, ends] = [onlyBlanks(file), endsText(file)];
	return only === onlyEnds
		? `${only}${ends.slice(ends.indexOf(':'))}`
		: [only, ends].filter(text => text !== '').join(', ');
}
