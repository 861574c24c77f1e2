import type {Comment, Review} from '../../core/review/comments.ts';
import type {CommentPlace} from '../dialog.ts';
import type {State} from '../state.ts';
import {bad, good, type Step} from '../step.ts';
import {moveTo} from './cursor.ts';
import {reviewRows} from './rows.ts';

/* Comments on a change: where one goes, and drafts that are written, deleted and sent. */

/**
 * The lines that a comment would be about: the range, or the one under the cursor. Undefined where there is no line.
 */
export function commentPlace(state: State): CommentPlace | undefined {
	const review = state.review!;
	const rows = reviewRows(state, review);
	const [first, end] = [
		Math.min(review.anchor ?? review.at, review.at),
		Math.max(review.anchor ?? review.at, review.at),
	];
	const picked = rows.slice(first, end + 1).flatMap(row => (row.kind === 'line' ? [row] : []));
	// A line that is wrapped is one line.
	const lines = picked.filter(
		(row, index) =>
			index === 0 ||
			row.index !== picked[index - 1]!.index ||
			row.hunk !== picked[index - 1]!.hunk ||
			row.file !== picked[index - 1]!.file,
	);
	const file = lines[0]?.file;
	if (!file || lines.some(line => line.file !== file)) {
		return undefined;
	}

	const side = lines.some(line => line.right !== undefined) ? 'new' : 'old';
	const own = lines.map(line => (side === 'new' ? line.right : line.left)).filter(line => line !== undefined);
	const numbers = own.map(line => line[side]!).filter(number => number !== undefined);
	return {
		path: file.path,
		side,
		from: Math.min(...numbers),
		to: Math.max(...numbers),
		quoted: own.map(line => line.text).join('\n'),
		digest: file.digest,
	};
}

export function addComment(state: State, place: CommentPlace, text: string): Step {
	const review = state.review!;
	const number = 1 + Math.max(0, ...review.review.comments.map(comment => Number(comment.id)));
	const next: Review = {
		...review.review,
		comments: [...review.review.comments, {...place, id: String(number), text, sent: false}],
	};
	const kept: State = {
		...state,
		review: {...review, review: next, anchor: undefined},
		notice: {text: `draft saved (S sends ${next.comments.filter(comment => !comment.sent).length})`, bad: false},
	};
	const at = reviewRows(kept, kept.review!).findIndex(
		row => row.kind === 'comment' && row.comment.id === String(number),
	);
	return {
		state: at === -1 ? kept : moveTo(kept, kept.review!, at),
		effects: [{type: 'save-review', run: review.run, review: next}],
	};
}

/** The comment under the cursor, if it is on one. */
export function commentUnder(state: State): Comment | undefined {
	const row = state.review && reviewRows(state, state.review)[state.review.at];
	return row?.kind === 'comment' ? row.comment : undefined;
}

/** Deletes the comment under the cursor. */
export function removeComment(state: State): Step {
	const review = state.review!;
	const row = reviewRows(state, review)[review.at];
	if (row?.kind !== 'comment') {
		return bad(state, 'the cursor is not on a comment');
	}

	const next: Review = {
		...review.review,
		comments: review.review.comments.filter(comment => comment.id !== row.comment.id),
	};
	const step = good(
		moveTo({...state, review: {...review, review: next}}, {...review, review: next}, review.at),
		'comment deleted',
	);
	return {state: step.state, effects: [{type: 'save-review', run: review.run, review: next}]};
}

/** All drafts as sent. */
export function markSent(state: State): Step {
	const review = state.review!;
	const next: Review = {...review.review, comments: review.review.comments.map(comment => ({...comment, sent: true}))};
	return {
		state: {...state, review: {...review, review: next}},
		effects: [{type: 'save-review', run: review.run, review: next}],
	};
}
