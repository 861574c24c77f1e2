import {asks, openDialog} from '../dialogs.ts';
import {commentSubject, foldFile, isSplit, moveTo, moveToKind, removeComment, toggleViewed} from '../review.ts';
import {bad, stay, type Handlers} from '../step.ts';

/* How a change is read, and what is said about it. */

export const reviewActions = {
	'send-comments': asks('send-comments'),
	'next-file': ({state}) => moveToKind(state, ['file'], 1),
	'previous-file': ({state}) => moveToKind(state, ['file'], -1),
	'next-hunk': ({state}) => moveToKind(state, ['hunk'], 1),
	'previous-hunk': ({state}) => moveToKind(state, ['hunk'], -1),
	viewed: ({state}) => toggleViewed(state),
	'fold-file': ({state}) => foldFile(state),
	split({state}) {
		const review = state.review;
		return review ? stay(moveTo(state, {...review, split: isSplit(state, review) ? 'unified' : 'side by side'}, review.at)) : stay(state);
	},
	range: ({state}) => stay({...state, review: {...state.review!, anchor: state.review!.anchor === undefined ? state.review!.at : undefined}}),
	comment({state}) {
		const subject = commentSubject(state);
		return subject === undefined ? bad(state, 'comment: the cursor is not on a line of a file') : openDialog(state, 'comment', subject);
	},
	uncomment: ({state}) => removeComment(state),
} satisfies Handlers;
