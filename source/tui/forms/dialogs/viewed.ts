import {escapeLine} from '../../../core/text/escape-controls.ts';
import {restOf, viewRest} from '../../review/cursor.ts';
import {flagsFor} from '../../review/order.ts';
import {isViewed} from '../../../core/review/comments.ts';
import type {DiffFile} from '../../../core/review/diff.ts';
import {bad} from '../../step.ts';
import {fact, plural, type DialogDefinition} from './dialog.ts';

/** Names of files that are shown. */
const maxShown = 8;

/** Between the digests of files, which hold their names: no name has it. */
const separator = '\0';

/** By which files are known again that were asked about: another one may have come while the question was open. */
export const subjectOf = (files: readonly DiffFile[]): string => files.map(({digest}) => digest).join(separator);
const digestsOf = (subject: string | undefined) => (subject ?? '').split(separator);

/** Several files marked as viewed by one key: a person says that they leave them unread, or read them elsewhere. */
const viewRestDialog: DialogDefinition = {
	open(state, subject) {
		const review = state.review!;
		const rest = restOf(review).filter(file => digestsOf(subject).includes(file.digest));
		const flagged = review.files.filter(
			file => !isViewed(review.review, file) && flagsFor(file, review.facts).length > 0,
		).length;
		const more = rest.length > maxShown ? [fact('', `and ${rest.length - maxShown} more`, 'quiet')] : [];
		return {
			title: `Mark ${plural(rest.length, 'file')} as viewed at once?`,
			runs: [review.run],
			verb: 'mark',
			lines: [
				...rest
					.slice(0, maxShown)
					.map((file, index) =>
						fact(index === 0 ? 'Files' : '', `${escapeLine(file.path)}  +${file.added} -${file.removed}`),
					),
				...more,
				fact('Approval', `will say: ${plural(rest.length, 'file')} marked viewed at once`),
				...(flagged > 0
					? [fact('Not these', `! ${plural(flagged, 'file')} to look at first: each by itself (space)`, 'warn')]
					: []),
			],
			fields: [],
			yes: rest.length === 1 ? 'mark it' : 'mark them',
		};
	},
	submit: (state, {subject}) =>
		state.review ? viewRest(state, digestsOf(subject)) : bad(state, 'the change is not there any more'),
};

export const viewedDialogs = {'view-rest': viewRestDialog};
