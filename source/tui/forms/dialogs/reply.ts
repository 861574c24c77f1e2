import {choicesIn} from '../../../core/text/choices.ts';
import {escapeLine} from '../../../core/text/escape-controls.ts';
import {needOf} from '../../../core/run/attention.ts';
import {selectedRun, type State} from '../../state.ts';
import {runVerb} from '../../step.ts';
import {askAgain, fact, taskLine, type DialogDefinition} from './dialog.ts';

/* An answer to an agent that waits, without its terminal. */

/** Lines of its output that are shown above the answer. */
const shownLines = 8;

/** The last of what the selected run wrote, as text; nothing where it was not read yet. */
function lastOutput(state: State): string[] {
	const run = selectedRun(state);
	return state.log?.run === run?.id
		? (state.log?.rows ?? [])
				.map(({spans}) =>
					spans
						.map(({text}) => text)
						.join('')
						.trimEnd(),
				)
				.filter(text => text !== '')
		: [];
}

/** What tells one question of the selected run from another: an answer is for the one that was shown. */
export function questionOf(state: State): string {
	const {options} = choicesIn(lastOutput(state)) ?? {options: []};
	return options.map(({key, text}) => `${key} ${text}`).join('\n');
}

export const reply: DialogDefinition = {
	open(state) {
		const run = selectedRun(state)!;
		const output = lastOutput(state);
		const choices = choicesIn(output);
		const need = needOf(run);
		const keys = choices?.options.map(({key}) => key).join(', ');
		return {
			title: `Reply to ${run.id}`,
			runs: [run.id],
			verb: 'send',
			lines: [
				taskLine(run),
				...(need?.kind === 'waiting' ? [fact('Asks', escapeLine(need.because), 'warn')] : []),
				...output.slice(-shownLines).map((text, index) => fact(index === 0 ? 'Output' : '', escapeLine(text))),
			],
			fields: [
				{
					id: 'text',
					label: 'Reply',
					value: '',
					hint:
						choices === undefined
							? 'typed into its terminal, then enter (t: the terminal itself)'
							: `${keys}: choose; or type an answer`,
				},
			],
		};
	},
	submit(state, dialog, values) {
		const [id = ''] = dialog.runs;
		const text = values['text'] ?? '';
		const choices = choicesIn(lastOutput(state));
		const isChoice = choices?.options.some(({key}) => key === text) ?? false;
		const question = questionOf(state);
		if (dialog.subject !== question) {
			const again = {...dialog, ...reply.open(state, question), subject: question};
			return askAgain(state, again, {field: 'text', because: 'the question changed: read it again'});
		}

		if (text === '') {
			return askAgain(state, dialog, {
				field: 'text',
				because: 'nothing to send: type an answer, or t for its terminal',
			});
		}

		return runVerb(state, id, {
			// By stdin: what a person answers is for no list of processes.
			argv: ['reply', ...(isChoice && choices?.isMenu ? ['--key'] : []), id, '-'],
			input: text,
			title: 'reply',
		});
	},
};
