import type {DiffFile, DiffLine} from '../../core/review/diff.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import type {Message, ReviewState, State} from '../state.ts';
import {bad, stay, type Step} from '../step.ts';
import {moveTo} from './cursor.ts';
import {fileAt} from './pane.ts';
import {reviewRows, type ReviewRow} from './rows.ts';

/* A file with every line of it, in place of what changed and a few lines around. */

/** The file under the cursor. */
function current(state: State): DiffFile | undefined {
	const {review} = state;
	return review && fileAt(reviewRows(state, review), review.at);
}

/** Why the file under the cursor has no more lines than are shown. */
export function cannotExpand(state: State): string | undefined {
	const file = current(state);
	if (!file) {
		return 'no file is selected';
	}

	return file.status === 'added' || file.status === 'deleted' || file.binary || file.hunks.length === 0
		? 'all of the file is shown already'
		: undefined;
}

/** Another form of a file in place of its own, with the cursor on the same line as before. */
function replace(state: State, file: DiffFile, whole: ReviewState['whole']): State {
	const before = state.review!;
	const row = reviewRows(state, before)[before.at];
	const line = row?.kind === 'line' && row.file.path === file.path ? (row.right ?? row.left) : undefined;
	const review: ReviewState = {
		...before,
		whole,
		files: before.files.map(own => (own.path === file.path ? file : own)),
		folds: {...before.folds, [file.path]: false},
		anchor: undefined,
		search: before.search && {text: before.search.text, at: undefined},
	};
	const next = {...state, review};
	const rows = reviewRows(next, review);
	const isOwn = (other: ReviewRow) => 'file' in other && other.file === file;
	const at = line ? nearest(rows, file, line) : rows.findIndex(other => isOwn(other));
	// As far below the top as before, so that the eye finds it.
	return moveTo(next, {...review, top: Math.max(0, at - before.at + before.top)}, at);
}

/** The row of a line, or of the one that is nearest to it. */
function nearest(rows: readonly ReviewRow[], file: DiffFile, line: DiffLine): number {
	const side = line.new === undefined ? 'old' : 'new';
	let [best, distance] = [0, Number.POSITIVE_INFINITY];
	for (const [at, row] of rows.entries()) {
		if (row.kind !== 'line' || row.file !== file || row.part > 0) {
			continue;
		}

		for (const own of [row.left, row.right]) {
			const away = own?.[side] === undefined ? Number.POSITIVE_INFINITY : Math.abs(own[side] - line[side]!);
			if (away < distance) {
				[best, distance] = [at, away];
			}
		}
	}

	return best;
}

/** Asks for every line of the file under the cursor, or goes back to what changed. */
export function turnWhole(state: State): Step {
	const review = state.review!;
	const file = current(state)!;
	const {[file.path]: before, ...others} = review.whole;
	return before
		? stay(replace(state, before, others))
		: {
				state: {...state, notice: {text: `reading ${escapeLine(file.path)}…`, bad: false}},
				effects: [{type: 'whole', run: review.run, path: file.path}],
			};
}

/** Every line of a file that came: shown, if it is still the same change. */
export function withWhole(state: State, {run, file}: Message & {type: 'whole'}): Step {
	const {review} = state;
	const own = review?.run === run ? review.files.find(({path}) => path === file.path) : undefined;
	if (!review || !own || review.whole[file.path]) {
		return stay(state);
	}

	return own.digest === file.digest
		? stay({...replace(state, file, {...review.whole, [file.path]: own}), notice: undefined})
		: bad(state, `${escapeLine(file.path)} changed meanwhile: open the changes again`);
}
