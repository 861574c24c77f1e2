import type {Comment, Review} from '../../core/review/comments.ts';
import type {CommentPlace} from '../dialog.ts';
import type {State} from '../state.ts';
import {bad, good, type Step} from '../step.ts';
import {moveTo} from './cursor.ts';
import {reviewRows, type ReviewRow} from './rows.ts';

/* Comments on a change: where one goes, and drafts that are written, deleted and sent. */

type LineRow = ReviewRow & {kind: 'line'};

/** A line that is wrapped is one line. */
function withoutParts(rows: readonly LineRow[]): LineRow[] {
	return rows.filter((row, index) => {
		const before = rows[index - 1];
		return !before || row.index !== before.index || row.hunk !== before.hunk || row.file !== before.file;
	});
}

/**
 * The lines that a comment would be about: the range, or the one under the cursor. On the new side where one of them is
 * there, unless the old side is wanted. Undefined where there is no line, or they are of several files.
 */
export function commentPlace(state: State, wanted: Comment['side'] = 'new'): CommentPlace | undefined {
	const review = state.review!;
	const rows = reviewRows(state, review);
	const [first, end] = [
		Math.min(review.anchor ?? review.at, review.at),
		Math.max(review.anchor ?? review.at, review.at),
	];
	const lines = withoutParts(rows.slice(first, end + 1).flatMap(row => (row.kind === 'line' ? [row] : [])));
	const file = lines[0]?.file;
	if (!file || lines.some(line => line.file !== file)) {
		return undefined;
	}

	const of = (side: Comment['side']) =>
		lines.map(line => (side === 'new' ? line.right : line.left)).filter(line => line?.[side] !== undefined);
	const other = wanted === 'new' ? 'old' : 'new';
	const side = of(wanted).length > 0 ? wanted : other;
	const own = of(side).filter(line => line !== undefined);
	const numbers = own.map(line => line[side]!);
	return {
		path: file.path,
		side,
		from: Math.min(...numbers),
		to: Math.max(...numbers),
		quoted: own.map(line => line.text).join('\n'),
		digest: file.digest,
	};
}

/** A draft, below the lines that it is about; the cursor stays on them. */
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
	const end = reviewRows(kept, kept.review!).findLastIndex(
		row => row.kind === 'comment' && row.comment.id === String(number),
	);
	// Both in view, as far as there is room: what was written, and where.
	const shown = end > review.at ? moveTo(kept, kept.review!, end).review!.top : review.top;
	const top = Math.min(shown, review.at);
	return {
		state: moveTo(kept, {...kept.review!, top}, review.at),
		effects: [{type: 'save-review', run: review.run, review: next}],
	};
}

/** The comment under the cursor: its own row, or the first one below the line that it is on. */
export function commentUnder(state: State): Comment | undefined {
	const {review} = state;
	if (!review) {
		return undefined;
	}

	const rows = reviewRows(state, review);
	const row = rows[review.at];
	const below = rows
		.slice(review.at)
		.find(
			other => other.kind !== 'line' || row?.kind !== 'line' || other.index !== row.index || other.hunk !== row.hunk,
		);
	const found = row?.kind === 'line' ? below : row;
	return found?.kind === 'comment' ? found.comment : undefined;
}

/** Deletes the comment under the cursor. */
export function removeComment(state: State): Step {
	const review = state.review!;
	const under = commentUnder(state);
	if (!under) {
		return bad(state, 'the cursor is not on a comment');
	}

	const next: Review = {
		...review.review,
		comments: review.review.comments.filter(comment => comment.id !== under.id),
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
