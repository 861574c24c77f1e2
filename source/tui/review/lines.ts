import {blankMarks, hasMixedIndent} from '../../core/review/blanks.ts';
import type {DiffFile, DiffLine} from '../../core/review/diff.ts';
import {highlight, sliceSpans, type Back, type Span, type Tone} from '../../core/text/spans.ts';
import {fitSpans, fitTail} from '../paint/fit.ts';
import {patternOf} from '../../core/text/search.ts';
import type {ReviewState} from '../state.ts';
import {wrappedLine} from './layout.ts';
import type {ReviewRow} from './rows.ts';
import {changedWords, partnerOf, tokensOf} from './tokens.ts';

/* How a line of a change is drawn: its numbers, its sign, its words. */

type LineRow = ReviewRow & {kind: 'line'};

const backs: Readonly<Record<DiffLine['kind'], Back | undefined>> = {'+': 'added', '-': 'removed', ' ': undefined};
const tones: Readonly<Record<DiffLine['kind'], Tone | undefined>> = {'+': 'good', '-': 'bad', ' ': undefined};

/** A line's words: what is code in its colours, what changed within it marked, and what is not seen by itself drawn. */
function textOf({file, hunk}: Pick<LineRow, 'file' | 'hunk'>, line: DiffLine, search: ReviewState['search']): Span[] {
	const back = backs[line.kind];
	const spans: Span[] = tokensOf(file, hunk, line).map(token => ({text: token.text, tone: token.tone, back}));
	return markMatches(line.kind === ' ' ? spans : markBlanks(markWords(spans, file, line), file, line), line, search);
}

function markWords(spans: Span[], file: DiffFile, line: DiffLine): Span[] {
	const partner = partnerOf(file, line);
	if (!partner) {
		return spans;
	}

	const words = line.kind === '-' ? changedWords(line, partner).left : changedWords(partner, line).right;
	const back: Back = line.kind === '-' ? 'removedWord' : 'addedWord';
	return words.reduce((marked, [from, to]) => highlight(marked, {from, to}, {back, tone: undefined}), spans);
}

const mixed = new WeakMap<DiffFile, boolean>();

function markBlanks(spans: Span[], file: DiffFile, line: DiffLine): Span[] {
	const isIndented = mixed.get(file) ?? hasMixedIndent(file);
	mixed.set(file, isIndented);
	let marked = spans;
	for (const {from, text} of blankMarks(line, isIndented)) {
		const to = from + text.length;
		let at = from;
		const drawn = sliceSpans(marked, from, to).map((span): Span => {
			const own = text.slice(at - from, at - from + span.text.length);
			at += span.text.length;
			return {...span, text: own, tone: 'warn'};
		});
		marked = [...sliceSpans(marked, 0, from), ...drawn, ...sliceSpans(marked, to, Number.POSITIVE_INFINITY)];
	}

	return marked;
}

/** What is searched for, marked wherever it stands. */
function markMatches(spans: Span[], line: DiffLine, search: ReviewState['search']): Span[] {
	let marked = spans;
	for (const match of search ? line.text.matchAll(patternOf(search.text)) : []) {
		if (match[0] !== '') {
			const stretch = {from: match.index, to: match.index + match[0].length};
			marked = highlight(marked, stretch, {back: 'match', tone: undefined});
		}
	}

	return marked;
}

/**
 * One row of a line: its numbers, its sign, and the part of its
 * text that is in this row; what is not shown of it is counted.
 */
export function lineSpans(
	{file, hunk, part}: LineRow,
	line: DiffLine | undefined,
	{numbers, room, look}: {readonly numbers: string; readonly room: number; readonly look: ReviewState},
): Span[] {
	const {end, breaks} = line ? wrappedLine(file, line, room) : {end: '', breaks: []};
	if (!line || (look.wrap && part >= breaks.length)) {
		return [{text: ' '.repeat(numbers.length + 1 + room), dim: true}];
	}

	const back = backs[line.kind];
	const text: Span[] = [
		...textOf({file, hunk}, line, look.search),
		...(end === '' ? [] : [{text: end, tone: 'warn' as const, back}]),
	];
	const fitted = () => {
		if (breaks.length === 1) {
			return fitSpans(text, room, {back});
		}

		return look.wrap
			? fitSpans(sliceSpans(text, breaks[part]!, breaks[part + 1] ?? Number.POSITIVE_INFINITY), room, {back})
			: fitTail(text, room, {back});
	};

	return [
		{text: part === 0 ? numbers : ' '.repeat(numbers.length), dim: true},
		{text: line.kind, tone: tones[line.kind], back},
		...fitted(),
	];
}
