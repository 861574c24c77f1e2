import {isViewed} from '../../core/review/comments.ts';
import {hasWorker, stageName} from '../../core/run/stages.ts';
import {asks, openDialog} from '../forms/dialogs.ts';
import {subjectOf} from '../forms/dialogs/viewed.ts';
import {commentPlace, commentUnder} from '../review/comments.ts';
import {foldFile, keepPlace, moveToKind, nextUnviewed, onLine, restOf, toggleViewed} from '../review/cursor.ts';
import {isInFiles, isSplit} from '../review/layout.ts';
import {reviewRows} from '../review/rows.ts';
import {findNext} from '../review/search.ts';
import {cannotExpand, turnWhole} from '../review/whole.ts';
import {selectedRun, type State} from '../state.ts';
import {bad, stay, type Handler, type Step} from '../step.ts';
import {openPrompt, type KeyTable} from './record.ts';

/* How a change is read, and what is said about it. */

function split(state: State): Step {
	const {review} = state;
	if (!review) {
		return stay(state);
	}

	const other = isSplit(state, review) ? 'unified' : 'side by side';
	return stay(keepPlace(state, {...state, review: {...review, split: other}}));
}

function range(state: State): Step {
	const review = state.review!;
	// Among files there are no lines to select: what is done with a file is to view it.
	return isInFiles(state)
		? toggleViewed(state)
		: stay({...state, review: {...review, anchor: review.anchor === undefined ? review.at : undefined}});
}

const comment =
	(side: 'old' | 'new'): Handler =>
	({state}) => {
		// On a heading the first line below it is meant: the cursor goes there, so that it is seen.
		const on = onLine({...state, review: {...state.review!, isListing: false}});
		return commentPlace(on, side) === undefined
			? bad(state, `comment: ${noLine(on)}`)
			: openDialog(on, 'comment', side);
	};

/** Why there is nothing here to be commented on. */
function noLine(state: State): string {
	const review = state.review!;
	if (review.anchor !== undefined) {
		return 'the selected rows hold no lines, or those of several files';
	}

	const row = reviewRows(state, review)[review.at];
	return row?.kind === 'file' && row.folded ? 'the file is folded (enter shows its lines)' : 'there is no line below';
}

function uncomment(state: State): Step {
	return commentUnder(state) ? openDialog(state, 'uncomment') : bad(state, 'delete comment: no comment is selected');
}

function needsFiles({review, selected, unread}: State): string | undefined {
	if (review && review.run === selected) {
		return review.files.length === 0 ? 'no changes' : undefined;
	}

	return unread && unread.run === selected ? 'not readable' : 'loading…';
}

function needsDrafts(state: State): string | undefined {
	const run = selectedRun(state);
	if (!state.review?.review.comments.some(comment => !comment.sent)) {
		return 'no draft comments';
	}

	if (run && hasWorker(run.stage)) {
		return `the run is ${stageName(run.stage)}: send after it ends`;
	}

	if (run?.merge) {
		return 'merged already';
	}

	return run?.stage === 'discarded' ? 'discarded' : undefined;
}

/** Why there is nothing left that may be marked at once. */
function noRest({review}: State): string | undefined {
	if (restOf(review!).length > 0) {
		return undefined;
	}

	return review!.files.every(file => isViewed(review!.review, file))
		? 'all files are viewed'
		: 'what is left is to be looked at first: mark each (space)';
}

const needsComments = ({review}: State) => ((review?.review.comments.length ?? 0) === 0 ? 'no comments' : undefined);

const needsSearch = (state: State) => needsFiles(state) ?? (state.review?.search ? undefined : 'no search yet (/)');

/** Folds the file, or goes to it from the list of the files. */
function open(state: State): Step {
	return isInFiles(state) ? stay({...state, review: {...state.review!, isListing: false}}) : foldFile(state);
}

/** Keys that need a change in view. */
const inChanges = {places: ['changes'], disabled: needsFiles} as const;

export const reviewKeys = {
	viewed: {keys: 'space', title: 'viewed', footer: 0, ...inChanges, run: ({state}) => toggleViewed(state)},
	'view-rest': {
		keys: '*',
		title: 'mark the rest as viewed, but for what to look at first',
		places: ['changes'],
		disabled: state => needsFiles(state) ?? noRest(state),
		run: ({state}) => openDialog(state, 'view-rest', subjectOf(restOf(state.review!))),
	},
	comment: {keys: 'c', title: 'comment', footer: 1, ...inChanges, run: comment('new')},
	'comment-old': {keys: 'C', title: 'comment on the old line', ...inChanges, run: comment('old')},
	'send-comments': {
		keys: 'S',
		title: 'send comments',
		places: ['changes'],
		footer: 1,
		disabled: needsDrafts,
		run: asks('send-comments'),
	},
	'next-file': {
		keys: ']',
		title: 'next file',
		footer: 6,
		...inChanges,
		run: ({state}) => moveToKind(state, ['file'], 1),
	},
	'previous-file': {
		keys: '[',
		title: 'previous file',
		...inChanges,
		run: ({state}) => moveToKind(state, ['file'], -1),
	},
	'next-hunk': {keys: '}', title: 'next hunk', ...inChanges, run: ({state}) => moveToKind(state, ['hunk'], 1)},
	'previous-hunk': {
		keys: '{',
		title: 'previous hunk',
		...inChanges,
		run: ({state}) => moveToKind(state, ['hunk'], -1),
	},
	'fold-file': {keys: 'return z', title: 'fold file', ...inChanges, run: ({state}) => open(state)},
	range: {keys: 'v', title: 'select lines', ...inChanges, run: ({state}) => range(state)},
	uncomment: {
		keys: 'x',
		title: 'delete comment',
		places: ['changes'],
		disabled: needsComments,
		run: ({state}) => uncomment(state),
	},
	files: {
		keys: 'f tab shift-tab',
		title: 'files: to their list, or to the change',
		footer: 0,
		...inChanges,
		run: ({state}) => stay({...state, review: {...state.review!, isListing: !state.review!.isListing}}),
	},
	'next-unviewed': {
		keys: 'U',
		title: 'next unviewed file',
		footer: 9,
		...inChanges,
		run: ({state}) => nextUnviewed(state),
	},
	whole: {
		keys: 'e',
		title: 'whole file: every line, or what changed alone',
		footer: 10,
		places: ['changes'],
		disabled: state => needsFiles(state) ?? cannotExpand(state),
		run: ({state}) => turnWhole(state),
	},
	find: {keys: '/', title: 'search', footer: 8, ...inChanges, run: openPrompt('search')},
	'find-next': {
		keys: 'n',
		title: 'next match',
		places: ['changes'],
		disabled: needsSearch,
		run: ({state}) => findNext(state, 1),
	},
	'find-previous': {
		keys: 'N',
		title: 'previous match',
		places: ['changes'],
		disabled: needsSearch,
		run: ({state}) => findNext(state, -1),
	},
	split: {keys: '|', title: 'side by side or unified', places: ['changes'], run: ({state}) => split(state)},
} as const satisfies KeyTable;
