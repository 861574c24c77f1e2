import type {DiffFile, DiffLine} from '../../core/review/diff.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {patternOf} from '../../core/text/search.ts';
import type {ReviewState, State} from '../state.ts';
import {bad, good, stay, type Step} from '../step.ts';
import {moveTo} from './cursor.ts';
import {diffWidth, isOneSided, isSplit, textRoom, wrappedLine} from './layout.ts';
import {isFolded, reviewRows, sidesOf, type ReviewRow} from './rows.ts';

/* The search in a change: its lines and the names of its files, in the order in which they are shown. */

/** Cells of the mark that counts what is not shown of a line, such as `…+1234`. */
const markRoom = 6;

/** UTF-16 units of a line that are searched. */
const maxSearched = 20_000;

/** A line or a name that matches. Numbers are those of its file, hunk and row; -1 for what stands above them. */
type Match = {
	readonly file: number;
	readonly hunk: number;
	readonly index: number;
	/** Undefined for a file's name. */ readonly line: DiffLine | undefined;
	readonly from: number;
};

type Place = Pick<Match, 'file' | 'hunk' | 'index'>;

let last: {files: unknown; text: string; split: boolean; matches: readonly Match[]} | undefined;

/** All matches, made once for the same search. */
function matchesOf(state: Pick<State, 'columns'>, review: ReviewState, text: string): readonly Match[] {
	const split = isSplit(state, review);
	if (!last || last.files !== review.files || last.text !== text || last.split !== split) {
		last = {files: review.files, text, split, matches: findAll(review.files, text, split)};
	}

	return last.matches;
}

function findAll(files: readonly DiffFile[], text: string, split: boolean): Match[] {
	const {source, flags} = patternOf(text);
	const pattern = new RegExp(source, flags.replace('g', ''));
	const indexIn = (own: string) => {
		const match = pattern.exec(own.length > maxSearched ? own.slice(0, maxSearched) : own);
		return match && match[0] !== '' ? match.index : undefined;
	};
	const matches: Match[] = [];
	for (const [file, own] of files.entries()) {
		const inName = indexIn(escapeLine(own.path));
		if (inName !== undefined) {
			matches.push({file, hunk: -1, index: -1, line: undefined, from: inName});
		}

		for (const [hunk, {lines}] of own.hunks.entries()) {
			for (const [index, [left, right]] of sidesOf(lines, split && !isOneSided(own)).entries()) {
				for (const line of left === right ? [left] : [left, right]) {
					const from = line && indexIn(line.text);
					if (from !== undefined) {
						matches.push({file, hunk, index, line, from});
					}
				}
			}
		}
	}

	return matches;
}

const compare = (one: Place, other: Place) => one.file - other.file || one.hunk - other.hunk || one.index - other.index;

/** Where the cursor is among the files' lines. */
function placeAt(review: ReviewState, rows: readonly ReviewRow[]): Place {
	for (let at = review.at; at >= 0; at--) {
		const row = rows[at];
		if (row?.kind === 'line') {
			return {file: review.files.indexOf(row.file), hunk: row.hunk, index: row.index};
		}

		if (row?.kind === 'hunk') {
			return {file: review.files.indexOf(row.file), hunk: row.number, index: -1};
		}

		if (row?.kind === 'file') {
			return {file: review.files.indexOf(row.file), hunk: -1, index: -1};
		}
	}

	return {file: -1, hunk: -1, index: -1};
}

/** How many matches there are, and which of them the cursor is on; undefined where nothing is searched for. */
export function matchCount(
	state: Pick<State, 'columns'>,
	review: ReviewState,
): {readonly at: number | undefined; readonly total: number} | undefined {
	const {search} = review;
	if (!search) {
		return undefined;
	}

	const matches = matchesOf(state, review, search.text);
	const here = placeAt(review, reviewRows(state, review));
	const match = search.at === undefined ? undefined : matches[search.at];
	const at = match && compare(match, here) === 0 ? search.at! : matches.findIndex(own => compare(own, here) === 0);
	return {at: at === -1 ? undefined : at, total: matches.length};
}

/** The cursor on a match; the file that holds it is unfolded. */
function goTo(state: State, match: Match, at: number): State {
	const before = state.review!;
	const file = before.files[match.file]!;
	const folds = match.line && isFolded(file, before) ? {...before.folds, [file.path]: false} : before.folds;
	const review: ReviewState = {...before, folds, anchor: undefined, search: {text: before.search!.text, at}};
	const width = textRoom(isSplit(state, review) && !isOneSided(file), diffWidth(state));
	const part =
		match.line && review.wrap
			? wrappedLine(file, match.line, width).breaks.findLastIndex(start => start <= match.from)
			: 0;
	const row = reviewRows(state, review).findIndex(other =>
		match.line
			? other.kind === 'line' &&
				other.file === file &&
				other.hunk === match.hunk &&
				other.index === match.index &&
				other.part === part
			: other.kind === 'file' && other.file === file,
	);
	return moveTo({...state, review}, review, Math.max(0, row));
}

/** Whether a match stands where its line is cut. */
function isBehindEdge(state: State, {file, line, from}: Match): boolean {
	const review = state.review!;
	const isBeside = isSplit(state, review) && !isOneSided(review.files[file]!);
	return line !== undefined && !review.wrap && from >= textRoom(isBeside, diffWidth(state)) - markRoom;
}

/** To the next match, or the one before; behind the last comes the first. @param from the cursor's own row counts, too */
function find(state: State, by: 1 | -1, from: 'here' | 'beyond'): Step {
	const review = state.review!;
	const {text, at} = review.search!;
	const matches = matchesOf(state, review, text);
	if (matches.length === 0) {
		return bad(state, `no match for "${escapeLine(text)}"`);
	}

	const here = placeAt(review, reviewRows(state, review));
	const beyond = (match: Match) => (from === 'here' ? compare(match, here) >= 0 : compare(match, here) * by > 0);
	const onMatch = at !== undefined && matches[at] && compare(matches[at], here) === 0;
	let next = by === 1 ? matches.findIndex(match => beyond(match)) : matches.findLastIndex(match => beyond(match));
	if (onMatch) {
		next = matches[at + by] ? at + by : -1;
	}

	const isWrapped = next === -1;
	const end = by === 1 ? 0 : matches.length - 1;
	const to = isWrapped ? end : next;
	const moved = goTo(state, matches[to]!, to);
	const around = by === 1 ? 'from the top' : 'from the bottom';
	const notes = [
		`match ${to + 1}/${matches.length}`,
		...(isWrapped && matches.length > 1 ? [`again ${around}`] : []),
		...(isBehindEdge(moved, matches[to]!) ? ['in the part of the line that is not shown (w wraps)'] : []),
	];
	return good(moved, notes.join(', '));
}

/** Begins a search at the cursor; an empty one ends it. */
export function startSearch(state: State, text: string): Step {
	const {review} = state;
	if (!review) {
		return stay(state);
	}

	return text === ''
		? stay({...state, review: {...review, search: undefined}})
		: find({...state, review: {...review, isListing: false, search: {text, at: undefined}}}, 1, 'here');
}

/** Goes on with a search. */
export function findNext(state: State, by: 1 | -1): Step {
	return find({...state, review: {...state.review!, isListing: false}}, by, 'beyond');
}
