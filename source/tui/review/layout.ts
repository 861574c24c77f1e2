import type {DiffFile, DiffLine} from '../../core/review/diff.ts';
import {hasMixedEnds, looksSame} from '../../core/review/blanks.ts';
import {breaksOf} from '../paint/fit.ts';
import type {ReviewState, State} from '../state.ts';
import {partnerOf} from './tokens.ts';

/* Which cells of the screen a change has, and how its lines are broken into rows there. */

/** From as many columns on, the files stand beside the change. */
const paneColumns = 110;

/** Columns of the files beside the change; 0 where there is no room for them. */
export function paneWidth({columns}: Pick<State, 'columns'>): number {
	return columns >= paneColumns ? Math.min(44, Math.floor(columns * 0.28)) : 0;
}

/** Whether keys go to the list of the files, beside the change or in its place. */
export function isInFiles({review}: Pick<State, 'review'>): boolean {
	return review?.isListing === true;
}

/** Whether the files are in the place of the change. */
export function isListing(state: Pick<State, 'columns' | 'review'>): boolean {
	return paneWidth(state) === 0 && isInFiles(state);
}

/** Rows above a change that name the file it is in, where the files do not stand beside it. */
export function headerHeight(state: Pick<State, 'columns'>): number {
	return paneWidth(state) === 0 ? 1 : 0;
}

/** Rows that the change itself has: all but the title, the tabs and the footer. */
export function reviewHeight(state: Pick<State, 'columns' | 'rows'>): number {
	return Math.max(1, state.rows - 4 - headerHeight(state));
}

/** Columns that the change itself has. */
export function diffWidth(state: Pick<State, 'columns'>): number {
	const pane = paneWidth(state);
	return pane === 0 ? state.columns : state.columns - pane - 1;
}

/** Whether the diff is drawn side by side. */
export function isSplit(state: Pick<State, 'columns'>, review: ReviewState): boolean {
	return review.split === 'side by side' || (review.split === 'auto' && diffWidth(state) >= 140);
}

/** Whether half of it would be empty beside each other: a file that came or went. */
export function isOneSided({status}: DiffFile): boolean {
	return status === 'added' || status === 'deleted';
}

/** What stands behind a line's text: how it ends, where that matters. */
export function endOf(file: DiffFile, line: DiffLine): string {
	const known = mixed.get(file) ?? hasMixedEnds(file);
	mixed.set(file, known);
	const carriageReturn = line.cr && line.kind !== ' ' && known ? ' (ends in a carriage return)' : '';
	const partner = line.kind === ' ' ? undefined : partnerOf(file, line);
	const blanks = partner && looksSame(line, partner) ? ` (${line.raw?.includes('\t') ? 'tabs' : 'spaces'})` : '';
	return `${blanks}${carriageReturn}${line.open ? ' (no newline at end of file)' : ''}`;
}

const mixed = new WeakMap<DiffFile, boolean>();

/** Cells for a line's text, behind its numbers and its sign. @param width of the screen */
export function textRoom(split: boolean, width: number): number {
	return Math.max(8, split ? Math.floor((width - 2) / 2) - 7 : width - 13);
}

let wrapped: {width: number; breaks: WeakMap<DiffLine, readonly number[]>} = {width: 0, breaks: new WeakMap()};

/** A line's text as it is shown, with how it ends, and where its rows begin. */
export function wrappedLine(
	file: DiffFile,
	line: DiffLine,
	width: number,
): {readonly end: string; readonly breaks: readonly number[]} {
	const end = endOf(file, line);
	// Every character takes two cells at the most.
	if (2 * (line.text.length + end.length) <= width) {
		return {end, breaks: [0]};
	}

	if (wrapped.width !== width) {
		wrapped = {width, breaks: new WeakMap()};
	}

	const breaks = wrapped.breaks.get(line) ?? breaksOf(line.text + end, width);
	wrapped.breaks.set(line, breaks);
	return {end, breaks};
}
