import {reviewPrompt} from '../../../core/review/comments.ts';
import {escapeLine} from '../../../core/text/escape-controls.ts';
import {addComment, commentPlace, commentUnder, markSent, removeComment} from '../../review/comments.ts';
import {selectedRun} from '../../state.ts';
import {bad, runVerb, spoken} from '../../step.ts';
import {askAgain, maxQuotedLines, type DialogDefinition} from './dialog.ts';

/* Comments on a change: drafts, until all of them are sent to the agent as one prompt. */

/** Lines of the prompt that are shown before it is sent. */
const maxPromptLines = 14;

function quote(text: string, maxLines: number): string[] {
	return text
		.split('\n')
		.slice(0, maxLines)
		.map(line => escapeLine(line));
}

const comment: DialogDefinition = {
	open(state, side) {
		const place = commentPlace(state, side === 'old' ? 'old' : 'new');
		if (place === undefined) {
			return undefined;
		}

		const {path, from, to, quoted} = place;
		const lines = from === to ? `line ${from}` : `lines ${from} to ${to}`;
		return {
			place,
			title: `Comment on ${escapeLine(path)}, ${lines}${place.side === 'old' ? ', as it was' : ''}`,
			runs: [],
			verb: 'save draft',
			lines: quote(quoted, maxQuotedLines),
			fields: [
				{
					id: 'comment',
					label: 'Comment',
					value: '',
					hint: 'saved as a draft; S sends all drafts as one prompt; ctrl-j: new line',
					multiline: true,
				},
			],
		};
	},
	submit: (state, dialog, values) =>
		values['comment']
			? addComment(state, dialog.place!, values['comment'])
			: askAgain(state, dialog, {field: 'comment', because: 'comment is empty'}),
};

const uncomment: DialogDefinition = {
	open(state) {
		const under = commentUnder(state);
		return (
			under && {
				title: 'Delete this comment?',
				runs: [],
				verb: 'delete',
				lines: quote(under.text, maxQuotedLines),
				fields: [],
				yes: 'delete it',
			}
		);
	},
	submit: state => removeComment(state),
};

const send: DialogDefinition = {
	open(state) {
		const run = selectedRun(state)!;
		const drafts = state.review!.review.comments.filter(one => !one.sent);
		const count = `${drafts.length} ${drafts.length === 1 ? 'comment' : 'comments'}`;
		return {
			title: `Send ${count} to ${run.id}, as one prompt in its conversation`,
			runs: [run.id],
			verb: 'send',
			lines: quote(reviewPrompt(drafts)!, maxPromptLines),
			fields: [
				{
					id: 'extra',
					label: 'Extra instructions',
					value: '',
					hint: 'optional; enter: send, esc: cancel',
					multiline: true,
				},
			],
		};
	},
	submit(state, dialog, values) {
		const prompt = reviewPrompt(state.review?.review.comments ?? []);
		const [id = ''] = dialog.runs;
		if (prompt === undefined) {
			return bad(state, 'there is no comment to send');
		}

		const marked = markSent(state);
		const {argv, input} = spoken(`${prompt}${values['extra'] ? `\n\n${values['extra']}` : ''}`);
		const started = runVerb(marked.state, id, {argv: ['resume', id, ...argv], title: 'resume', then: 'sent', input});
		return {state: started.state, effects: [...marked.effects, ...started.effects]};
	},
};

export const commentDialogs = {comment, uncomment, 'send-comments': send};
