import type {DiffFile, DiffLine} from '../../core/review/diff.ts';
import {isViewed} from '../../core/review/comments.ts';
import {highlight, sliceSpans, type Back, type Span, type Tone} from '../../core/text/spans.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {fitMiddle, fitSpans, fitTail} from '../paint/fit.ts';
import {beside, type Line} from '../paint/line.ts';
import {fileAt, paneLines} from './pane.ts';
import {changedWords, partnerOf, tokensOf} from './tokens.ts';
import {diffWidth, isOneSided, isSplit, paneWidth, textRoom, wrappedLine} from './layout.ts';
import {reviewRows, statusSigns, type ReviewRow} from './rows.ts';
import type {ReviewState, State} from '../state.ts';

const backs: Readonly<Record<DiffLine['kind'], Back | undefined>> = {'+': 'added', '-': 'removed', ' ': undefined};
const tones: Readonly<Record<DiffLine['kind'], Tone | undefined>> = {'+': 'good', '-': 'bad', ' ': undefined};

/** A line's words: what is code in its colours, and what changed within it marked. */
function textOf(file: DiffFile, hunk: number, line: DiffLine): Span[] {
	const back = backs[line.kind];
	let spans: Span[] = tokensOf(file, hunk, line).map(token => ({text: token.text, tone: token.tone, back}));
	const partner = line.kind === ' ' ? undefined : partnerOf(file, line);
	if (partner) {
		const words = line.kind === '-' ? changedWords(line, partner).left : changedWords(partner, line).right;
		for (const [from, to] of words) {
			spans = highlight(spans, {from, to}, {back: line.kind === '-' ? 'removedWord' : 'addedWord'});
		}
	}

	return spans;
}

const number = (value: number | undefined) => (value === undefined ? '     ' : String(value).padStart(5));

/**
 * One row of a line: its numbers, its sign, and the part of its
 * text that is in this row; what is not shown of it is counted.
 */
function lineSpans(
	{file, hunk, part}: ReviewRow & {kind: 'line'},
	line: DiffLine | undefined,
	{numbers, room, wrap}: {readonly numbers: string; readonly room: number; readonly wrap: boolean},
): Span[] {
	const {end, breaks} = line ? wrappedLine(file, line, room) : {end: '', breaks: []};
	if (!line || (wrap && part >= breaks.length)) {
		return [{text: ' '.repeat(numbers.length + 1 + room), dim: true}];
	}

	const back = backs[line.kind];
	const text: Span[] = [...textOf(file, hunk, line), ...(end === '' ? [] : [{text: end, dim: true, back}])];
	const fitted = () => {
		if (breaks.length === 1) {
			return fitSpans(text, room, {back});
		}

		return wrap
			? fitSpans(sliceSpans(text, breaks[part]!, breaks[part + 1] ?? Number.POSITIVE_INFINITY), room, {back})
			: fitTail(text, room, {back});
	};

	return [
		{text: part === 0 ? numbers : ' '.repeat(numbers.length), dim: true},
		{text: line.kind, tone: tones[line.kind], back},
		...fitted(),
	];
}

function rowLine(
	row: ReviewRow,
	review: ReviewState,
	{split, width}: {readonly split: boolean; readonly width: number},
): Line {
	switch (row.kind) {
		case 'file': {
			const {file} = row;
			const name = file.status === 'renamed' || file.status === 'copied' ? `${file.oldPath} → ${file.path}` : file.path;
			return {
				spans: [
					{text: `${row.folded ? '▸' : '▾'} ${isViewed(review.review, file) ? '✔' : ' '} `, bold: true},
					{text: `${statusSigns[file.status]} ${fitMiddle(escapeLine(name), Math.max(8, width - 30))}`, bold: true},
					{text: `  +${file.added} `, tone: 'good'},
					{text: `-${file.removed}`, tone: 'bad'},
					{text: row.note === '' ? '' : `  ${row.note}`, dim: true},
				],
				underline: true,
			};
		}

		case 'flag': {
			return {
				text: `    ! ${row.flag.id}: ${escapeLine(row.flag.text)}`,
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
						...lineSpans(row, left, {numbers: `${number(left?.old)} `, room, wrap: review.wrap}),
						{text: '│', dim: true},
						...lineSpans(row, right, {numbers: `${number(right?.new)} `, room, wrap: review.wrap}),
					],
				};
			}

			const line = (right ?? left)!;
			return {
				spans: lineSpans(row, line, {numbers: `${number(line.old)}${number(line.new)} `, room, wrap: review.wrap}),
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
			spans: [{text: marked ? '▌' : ' ', tone: 'accent' as const}, ...(line.spans ?? [{text: line.text ?? ''}])],
			bold: line.bold,
		};
	});
	const pane = paneWidth(state);
	if (pane === 0) {
		return lines;
	}

	const files = paneLines(review, {current: fileAt(rows, review.at), width: pane, height});
	return Array.from({length: height}, (_, index) =>
		beside(files[index] ?? {}, lines[index] ?? {}, {width: pane, total: state.columns}),
	);
}

/** How much there is, and how far it was read. */
export function reviewTitle({review, selected}: State): string {
	if (!review || review.run !== selected) {
		return '';
	}

	const viewed = review.files.filter(file => isViewed(review.review, file)).length;
	const drafts = review.review.comments.filter(comment => !comment.sent).length;
	const added = review.files.reduce((sum, file) => sum + file.added, 0);
	const removed = review.files.reduce((sum, file) => sum + file.removed, 0);
	const cut = review.wrap ? '' : 'no wrap, ';
	const unsent = drafts > 0 ? `, ${drafts} ${drafts === 1 ? 'draft' : 'drafts'}` : '';
	return `${cut}${viewed}/${review.files.length} viewed +${added} -${removed}${unsent}`;
}
