import {asks, openDialog} from '../forms/dialogs.ts';
import {
	commentSubject,
	commentUnder,
	foldFile,
	isSplit,
	keepPlace,
	moveToKind,
	onLine,
	toggleViewed,
} from '../review/rows.ts';
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
		return review
			? stay(
					keepPlace(state, {...state, review: {...review, split: isSplit(state, review) ? 'unified' : 'side by side'}}),
				)
			: stay(state);
	},
	range: ({state}) =>
		stay({
			...state,
			review: {...state.review!, anchor: state.review!.anchor === undefined ? state.review!.at : undefined},
		}),
	comment({state}) {
		// On a heading the first line below it is meant: the cursor goes there, so that it is seen.
		const on = onLine(state);
		const subject = commentSubject(on);
		return subject === undefined ? bad(state, 'comment: no line is selected') : openDialog(on, 'comment', subject);
	},
	uncomment: ({state}) =>
		commentUnder(state) ? openDialog(state, 'uncomment') : bad(state, 'delete comment: no comment is selected'),
} satisfies Handlers;
