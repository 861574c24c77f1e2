import {isViewed} from '../../core/review/comments.ts';
import type {DiffFile} from '../../core/review/diff.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {fitMiddle} from '../paint/fit.ts';
import type {Line} from '../paint/line.ts';
import {rule} from '../paint/rule.ts';
import type {ReviewState} from '../state.ts';
import {flagsFor} from './order.ts';
import {statusSigns, type ReviewRow} from './rows.ts';

/* The files of a change beside it: those with something to look at first above the others. */

type PaneRow =
	| {readonly title: string; readonly count: number}
	| {readonly file: DiffFile}
	/** How many files there are above or below those in view. */
	| {readonly mark: string};

/** The file that a row belongs to. */
export function fileAt(rows: readonly ReviewRow[], at: number): DiffFile | undefined {
	const row = rows[at];
	return row && 'file' in row ? row.file : undefined;
}

/** The rows that are in view, with the current file among them. */
function rowsInView(review: ReviewState, current: DiffFile | undefined, height: number): readonly PaneRow[] {
	const isFlagged = (file: DiffFile) => flagsFor(file, review.facts).length > 0;
	const groups = [
		{title: '! Look first', files: review.files.filter(file => isFlagged(file))},
		{title: 'Files', files: review.files.filter(file => !isFlagged(file))},
	];
	const rows = groups
		.filter(({files}) => files.length > 0)
		.flatMap(({title, files}): PaneRow[] => [{title, count: files.length}, ...files.map(file => ({file}))]);
	const at = rows.findIndex(row => 'file' in row && row.file === current);
	const from = Math.max(0, Math.min(rows.length - height, at - Math.floor(height / 2)));
	const to = Math.min(rows.length, from + height);
	if (height < minMarked) {
		return rows.slice(from, to);
	}

	const [first, last] = [from > 0 ? from + 1 : 0, to < rows.length ? to - 1 : to];
	const count = (some: readonly PaneRow[]) => some.filter(row => 'file' in row).length;
	return [
		...(first > 0 ? [{mark: `  ↑ ${count(rows.slice(0, first))} more`}] : []),
		...rows.slice(first, last),
		...(last < rows.length ? [{mark: `  ↓ ${count(rows.slice(last))} more`}] : []),
	];
}

/** Rows from which on there is room for marks beside what is selected. */
const minMarked = 4;

/** The file in a row of the pane. @param row from its top */
export function fileInPane(
	review: ReviewState,
	current: DiffFile | undefined,
	{row, height}: {readonly row: number; readonly height: number},
): DiffFile | undefined {
	const found = rowsInView(review, current, height)[row];
	return found && 'file' in found ? found.file : undefined;
}

/** A file: whether it was viewed, what became of it, and that there is something to look at first. */
function fileLine(
	file: DiffFile,
	review: ReviewState,
	{isCurrent, hasFocus, width}: {isCurrent: boolean; hasFocus: boolean; width: number},
): Line {
	const isFlagged = flagsFor(file, review.facts).length > 0;
	const counts = file.binary ? 'binary' : `+${file.added} -${file.removed}`;
	const name = fitMiddle(escapeLine(file.path), Math.max(8, width - counts.length - 8));
	const isSeen = isViewed(review.review, file);
	return {
		back: isCurrent && hasFocus ? 'selected' : undefined,
		spans: [
			{text: isCurrent ? '▌' : ' ', tone: hasFocus ? 'accent' : 'quiet'},
			{text: isSeen ? '✓ ' : '  ', tone: 'good'},
			{text: `${statusSigns[file.status]} `, tone: 'quiet'},
			{text: name, tone: isSeen ? 'quiet' : undefined},
			{text: isFlagged ? ' !' : '  ', tone: 'warn', bold: true},
			{text: ` ${counts}`, tone: 'quiet'},
		],
	};
}

/** The pane's lines. @param where its cells, and whether keys go to it */
export function paneLines(
	review: ReviewState,
	{
		current,
		width,
		height,
		hasFocus,
	}: {
		readonly current: DiffFile | undefined;
		readonly width: number;
		readonly height: number;
		readonly hasFocus: boolean;
	},
): Line[] {
	return rowsInView(review, current, height).map(row => {
		if ('mark' in row) {
			return {text: row.mark, tone: 'quiet'};
		}

		return 'file' in row
			? fileLine(row.file, review, {isCurrent: row.file === current, hasFocus, width})
			: rule([{text: row.title, bold: true}], String(row.count), width);
	});
}
