import {isViewed} from '../../core/review/comments.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import type {Span} from '../../core/text/spans.ts';
import {fitMiddle, widthOf} from '../paint/fit.ts';
import {beside, type Line} from '../paint/line.ts';
import type {ReviewState, State} from '../state.ts';
import {viewedCount} from './cursor.ts';
import {diffWidth, headerHeight, isInFiles, isListing, isOneSided, isSplit, paneWidth, textRoom} from './layout.ts';
import {lineSpans} from './lines.ts';
import {fileAt, paneLines} from './pane.ts';
import {reviewRows, statusSigns, type ReviewRow} from './rows.ts';
import {matchCount} from './search.ts';

/* A change as lines: the files beside it or above it, and its rows. */

/** Cells that are left for what is said of a file behind its name, if it takes as many. */
const noteRoom = 22;

const number = (value: number | undefined) => (value === undefined ? '     ' : String(value).padStart(5));

function rowLine(
	row: ReviewRow,
	review: ReviewState,
	{split, width}: {readonly split: boolean; readonly width: number},
): Line {
	switch (row.kind) {
		case 'file': {
			const {file} = row;
			const name = file.status === 'renamed' || file.status === 'copied' ? `${file.oldPath} → ${file.path}` : file.path;
			const counts = file.binary ? '' : `  +${file.added} -${file.removed}`;
			const room = width - 6 - counts.length - Math.min(noteRoom, row.note === '' ? 0 : row.note.length + 2);
			return {
				spans: [
					{text: `${row.folded ? '▸' : '▾'} ${isViewed(review.review, file) ? '✔' : ' '} `, bold: true},
					{text: `${statusSigns[file.status]} ${fitMiddle(escapeLine(name), Math.max(8, room))}`, bold: true},
					{text: file.binary ? '' : `  +${file.added} `, tone: 'good'},
					{text: file.binary ? '' : `-${file.removed}`, tone: 'bad'},
					{text: row.note === '' ? '' : `  ${row.note}`, dim: true},
				],
				underline: true,
			};
		}

		case 'flag': {
			return {
				text: `    ${row.part === 0 ? '!' : ' '} ${row.text}`,
				tone: ['secret', 'control'].includes(row.flag.id) ? 'bad' : 'warn',
			};
		}

		case 'hunk': {
			return {text: `  ${row.header}`, tone: 'accent', dim: true};
		}

		case 'line': {
			const {left, right} = row;
			const isBoth = split && !isOneSided(row.file);
			const room = textRoom(isBoth, width + 1);
			if (isBoth) {
				return {
					spans: [
						...lineSpans(row, left, {numbers: `${number(left?.old)} `, room, look: review}),
						{text: '│', dim: true},
						...lineSpans(row, right, {numbers: `${number(right?.new)} `, room, look: review}),
					],
				};
			}

			const line = (right ?? left)!;
			return {
				spans: lineSpans(row, line, {numbers: `${number(line.old)}${number(line.new)} `, room, look: review}),
			};
		}

		case 'comment': {
			return {
				text: `        ┃ ${escapeLine(row.text)}`,
				tone: row.comment.sent ? 'quiet' : 'accent',
				bold: !row.comment.sent,
			};
		}

		case 'package': {
			return {text: `${row.file ? '      ' : '  '}${escapeLine(row.text)}`, bold: row.file === undefined};
		}

		case 'note': {
			return {text: `  ${escapeLine(row.text)}`, dim: true};
		}
	}
}

/** The window on the change: the cursor's row is marked, a range is, too. */
export function reviewLines(state: State, height: number): Line[] {
	const {review} = state;
	if (!review || review.run !== state.selected) {
		if (state.unread !== undefined && state.unread.run === state.selected) {
			return [{text: ` not readable: ${state.unread.because}`, tone: 'bad'}];
		}

		return [{text: ' loading…', dim: true}];
	}

	if (review.files.length === 0 && (review.commitFlags ?? []).length === 0) {
		return [{text: ' no changes', dim: true}];
	}

	const split = isSplit(state, review);
	const rows = reviewRows(state, review);
	const width = diffWidth(state);
	const [first, last] = [
		Math.min(review.anchor ?? review.at, review.at),
		Math.max(review.anchor ?? review.at, review.at),
	];
	const lines = rows.slice(review.top, review.top + height).map((row, index): Line => {
		const line = rowLine(row, review, {split, width: width - 1});
		const at = review.top + index;
		const marked = at >= first && at <= last;
		return {
			...line,
			spans: [
				{text: marked ? '▌' : ' ', tone: isInFiles(state) ? ('quiet' as const) : ('accent' as const)},
				...(line.spans ?? [{text: line.text ?? ''}]),
			],
			bold: line.bold,
		};
	});
	const current = fileAt(rows, review.at);
	if (headerHeight(state) > 0) {
		const room = Math.max(0, height - headerHeight(state));
		const below = isListing(state)
			? paneLines(review, {current, width: state.columns, height: room, hasFocus: true})
			: lines;
		return [headerLine(state, review, current && review.files.indexOf(current)), ...below.slice(0, room)];
	}

	const pane = paneWidth(state);
	const files = paneLines(review, {current, width: pane, height, hasFocus: isInFiles(state)});
	return Array.from({length: height}, (_, index) =>
		beside(files[index] ?? {}, lines[index] ?? {}, {width: pane, total: state.columns}),
	);
}

/** How far it was read, and how it is looked at. */
function titleParts(state: State, review: ReviewState): string[] {
	const drafts = review.review.comments.filter(comment => !comment.sent).length;
	const count = matchCount(state, review);
	const at = count?.at === undefined ? '' : `${count.at + 1}/`;
	return [
		...(count ? [`/${escapeLine(review.search!.text)} ${at}${count.total}`] : []),
		viewedCount(review),
		...(drafts > 0 ? [`${drafts} ${drafts === 1 ? 'draft' : 'drafts'}`] : []),
		...(review.wrap ? [] : ['no wrap']),
	];
}

/** Above the change, where the files do not stand beside it: the file that the cursor is in, and how far it was read. */
function headerLine(state: State, review: ReviewState, at: number | undefined): Line {
	const {columns} = state;
	const file = at === undefined ? undefined : review.files[at];
	const place = file ? `  ${at! + 1}/${review.files.length}` : '';
	const parts: string[] = [];
	let room = columns - place.length - 2 - Math.min(14, widthOf(escapeLine(file?.path ?? '')));
	for (const part of titleParts(state, review)) {
		if (part.length + 2 <= room) {
			parts.push(part);
			room -= part.length + 2;
		}
	}

	const right = parts.join('  ');
	const name = fitMiddle(escapeLine(file?.path ?? ''), Math.max(8, columns - place.length - right.length - 3));
	const gap = Math.max(1, columns - 1 - widthOf(name) - place.length - right.length - 1);
	const spans: Span[] = [
		{text: ` ${name}`, bold: true},
		{text: place, tone: 'quiet'},
		{text: `${' '.repeat(gap)}${right}`, tone: 'quiet'},
	];
	return {spans};
}

/** How much there is, and how far it was read: beside the tabs, where nothing stands above the change. */
export function reviewTitle(state: State): string {
	const {review, selected} = state;
	if (!review || review.run !== selected || headerHeight(state) > 0) {
		return '';
	}

	const added = review.files.reduce((sum, file) => sum + file.added, 0);
	const removed = review.files.reduce((sum, file) => sum + file.removed, 0);
	return [...titleParts(state, review), `+${added} -${removed}`].join('  ');
}
