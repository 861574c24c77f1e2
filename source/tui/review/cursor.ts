import type {DiffFile} from '../../core/review/diff.ts';
import {isViewed, type Review} from '../../core/review/comments.ts';
import type {FlagFacts} from '../../core/review/flags.ts';
import type {ReviewState, State} from '../state.ts';
import {bad, good, stay, type Step} from '../step.ts';
import {reviewHeight} from './layout.ts';
import {flagsFor, orderFiles} from './order.ts';
import {isFolded, reviewRows, type ReviewRow} from './rows.ts';

/* Where the cursor of a review is: what moves it, and what keeps it in its place. */

/** Whether two rows are of the same thing, where the rows were made anew in another layout. */
function isSame(row: ReviewRow | undefined, other: ReviewRow): boolean {
	if (row?.kind === 'line' && other.kind === 'line') {
		return (
			other.file === row.file &&
			other.hunk === row.hunk &&
			((row.right !== undefined && other.right === row.right) || (row.left !== undefined && other.left === row.left))
		);
	}

	if (row?.kind === 'hunk' && other.kind === 'hunk') {
		return other.file === row.file && other.number === row.number;
	}

	if (row?.kind === 'comment' && other.kind === 'comment') {
		return other.comment.id === row.comment.id;
	}

	if (row?.kind === 'package' && other.kind === 'package' && other.text !== row.text) {
		return false;
	}

	return row?.kind === other.kind && row.file === other.file;
}

/** The same line under the cursor after what made other rows of it: a width, another layout, wrapping. */
export function keepPlace(before: State, after: State): State {
	const [from, to] = [before.review, after.review];
	if (!from || !to) {
		return after;
	}

	const row = reviewRows(before, from)[from.at];
	const at = reviewRows(after, to).findIndex(other => isSame(row, other));
	return moveTo(after, {...to, anchor: undefined}, at === -1 ? to.at : at);
}

/** With the cursor on a row, and that row in view. */
export function moveTo(state: State, review: ReviewState, at: number): State {
	const height = reviewHeight(state);
	const to = Math.max(0, Math.min(reviewRows(state, review).length - 1, at));
	const margin = Math.min(2, Math.floor((height - 1) / 2));
	const top = Math.max(0, Math.min(Math.max(review.top, to - height + 1 + margin), to - margin));
	return {...state, review: {...review, at: to, top}};
}

/** To the next row of a kind, before or after. */
export function moveToKind(state: State, kinds: ReadonlyArray<ReviewRow['kind']>, by: 1 | -1): Step {
	const review = state.review!;
	const rows = reviewRows(state, review);
	for (let at = review.at + by; at >= 0 && at < rows.length; at += by) {
		if (kinds.includes(rows[at]!.kind)) {
			const moved = moveTo(state, review, at);
			return stay(kinds.includes('hunk') ? moved : fromTop(moved));
		}
	}

	return stay(state);
}

function fileAt(state: State): DiffFile | undefined {
	const row = state.review && reviewRows(state, state.review)[state.review.at];
	return row && 'file' in row ? row.file : undefined;
}

/** How many files are viewed, in words. */
export function viewedCount({files, review}: Pick<ReviewState, 'files' | 'review'>): string {
	return `${files.filter(file => isViewed(review, file)).length} of ${files.length} viewed`;
}

/** The cursor on another file, by as many as are counted; the first and the last are the ends. */
export function moveByFiles(state: State, by: number): State {
	const {files} = state.review!;
	const current = fileAt(state);
	const at = Math.max(0, Math.min(files.length - 1, (current ? files.indexOf(current) : 0) + by));
	return files[at] ? fromTop(onFile(state, files[at].path)) : state;
}

/** With the row under the cursor at the top: a file that is gone to begins there. */
export function fromTop(state: State): State {
	const review = state.review!;
	return {...state, review: {...review, top: Math.max(0, review.at - 1)}};
}

/** The cursor on the next file that is not viewed, after the current one and then from the top. */
export function nextUnviewed(state: State): Step {
	const {files, review} = state.review!;
	const current = fileAt(state);
	const from = current ? files.indexOf(current) + 1 : 0;
	const next = [...files.slice(from), ...files.slice(0, from)].find(file => !isViewed(review, file));
	return next ? stay(onFile(state, next.path)) : bad(state, viewedCount(state.review!));
}

/** The cursor on a file's own row. */
function onFile(state: State, path: string): State {
	const review = state.review!;
	return moveTo(
		state,
		review,
		Math.max(
			0,
			reviewRows(state, review).findIndex(row => row.kind === 'file' && row.file.path === path),
		),
	);
}

export function foldFile(state: State): Step {
	const review = state.review!;
	const file = fileAt(state);
	return file
		? stay(
				onFile(
					{...state, review: {...review, folds: {...review.folds, [file.path]: !isFolded(file, review)}}},
					file.path,
				),
			)
		: stay(state);
}

/**
 * Marks the file under the cursor as seen, as it is now, and goes on to the next that is not; or takes the mark away.
 */
export function toggleViewed(state: State): Step {
	const review = state.review!;
	const file = fileAt(state);
	if (!file) {
		return stay(state);
	}

	const seen = isViewed(review.review, file);
	const {[file.path]: _, ...others} = review.review.viewed;
	const {[file.path]: __, ...folds} = review.folds;
	// What is marked by itself was not marked with others.
	const {[file.path]: ___, ...atOnce} = review.review.atOnce ?? {};
	const viewed = seen ? others : {...others, [file.path]: file.digest};
	const next: Review = {...review.review, viewed, ...(review.review.atOnce ? {atOnce} : {})};
	const marked = onFile({...state, review: {...review, review: next, folds}}, file.path);
	const on = good(seen ? marked : nextUnviewed(marked).state, viewedCount(marked.review!));
	return {
		state: on.state,
		effects: [{type: 'save-review', run: review.run, review: next}],
	};
}

/** The files that are not viewed and have nothing to look at first: what may be marked by one key. */
export function restOf({files, review, facts}: ReviewState): readonly DiffFile[] {
	return files.filter(file => !isViewed(review, file) && flagsFor(file, facts).length === 0);
}

/** Marks the rest as viewed, and that this was done at once. @param digests of the files that were asked about */
export function viewRest(state: State, digests: readonly string[]): Step {
	const review = state.review!;
	const rest = restOf(review).filter(file => digests.includes(file.digest));
	const marks = Object.fromEntries(rest.map(file => [file.path, file.digest]));
	const next: Review = {
		...review.review,
		viewed: {...review.review.viewed, ...marks},
		atOnce: {...review.review.atOnce, ...marks},
	};
	const marked = keepPlace(state, {...state, review: {...review, review: next}});
	return {
		...good(marked, `${rest.length} marked at once, ${viewedCount(marked.review!)}`),
		effects: [{type: 'save-review', run: review.run, review: next}],
	};
}

/**
 * With the cursor on a line: from a heading, on the first one below it in the same file; from a comment, on the one that
 * it is about. Unchanged where there is none.
 */
export function onLine(state: State): State {
	const review = state.review!;
	const rows = reviewRows(state, review);
	const row = rows[review.at];
	if (review.anchor !== undefined || row === undefined || row.kind === 'line') {
		return state;
	}

	const isEnd = ({kind}: ReviewRow) => kind === 'line' || kind === 'file';
	const at =
		row.kind === 'comment'
			? rows.slice(0, review.at).findLastIndex(other => isEnd(other))
			: rows.findIndex((other, index) => index > review.at && isEnd(other));
	return rows[at]?.kind === 'line' ? moveTo(state, review, at) : state;
}

/** A change that was read anew: the cursor stays on its file. */
export function withDiff(
	state: State,
	{
		run,
		files,
		review,
		packages,
		binaries,
	}: Pick<ReviewState, 'run' | 'files' | 'review' | 'binaries'> & Pick<FlagFacts, 'packages'>,
): State {
	const before = state.review?.run === run ? state.review : undefined;
	const path = before && fileAt(state)?.path;
	const own = state.runs.find(({id}) => id === run);
	const project = own?.project.id;
	const commitFlags = own?.captured?.commitFlags ?? [];
	const facts = {
		verify: (project === undefined ? undefined : state.offers[project]?.verify) ?? [],
		instructions: state.agents.flatMap(agent => agent.instructions),
		packages,
	};
	const next: ReviewState = {
		run,
		files: orderFiles(files, facts),
		facts,
		commitFlags,
		review,
		binaries,
		whole: {},
		folds: before?.folds ?? {},
		split: before?.split ?? 'auto',
		wrap: before?.wrap ?? true,
		at: before?.at ?? 0,
		top: before?.top ?? 0,
		anchor: undefined,
		search: before?.search && {text: before.search.text, at: undefined},
		isListing: before?.isListing ?? false,
	};
	const first = reviewRows(state, next).findIndex(({kind}) => kind === 'file');
	const moved = moveTo({...state, review: next}, next, before ? next.at : first);
	return path === undefined || fileAt(moved)?.path === path ? moved : onFile(moved, path);
}
