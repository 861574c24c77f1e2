import {openHere} from '../../../core/publish/next.ts';
import {publishedText} from '../../../core/publish/words.ts';
import {branchName} from '../../../core/git/refs.ts';
import type {Run} from '../../../core/run/run.ts';
import {escapeLine} from '../../../core/text/escape-controls.ts';
import {selectedRun, type State} from '../../state.ts';
import {runVerb} from '../../step.ts';
import {fact, runLines, voidedLines, type DialogDefinition, type Question} from './dialog.ts';

/* What goes to a forge, and what comes back from there: one key asks, another one does it. */

const publish: DialogDefinition = {
	open(state) {
		const run = selectedRun(state)!;
		const {verification, approval, published} = run;
		return {
			title: `Publish ${run.id} at the forge of the project's remote?`,
			runs: [run.id],
			fields: [],
			yes: 'publish',
			lines: [
				...runLines(state, [run]),
				fact('Pushes', `${verification?.head.slice(0, 10) ?? ''} to ${run.branch}, with your own git credentials`),
				published?.state === 'open'
					? fact('Updates', escapeLine(published.url))
					: fact(
							'Asks',
							`to take it into ${branchName(run.target)}${approval ? '' : ', as a draft: nobody approved it yet'}`,
						),
				fact('Others see', 'the change, the task, and the evidence: fleet publish RUN --dry-run shows the text'),
			],
		};
	},
	submit: (state, dialog) => runVerb(state, dialog.runs[0], {argv: ['publish', dialog.runs[0]!], title: 'publish'}),
};

/** Whether what came back from the forge is what goes to the agent. */
export function hasRemarks(run: Run): boolean {
	const published = openHere(run);
	return (
		published !== undefined &&
		(published.checks.failed.length > 0 || published.comments > 0 || published.changesBy.length > 0)
	);
}

/** What came back from the forge goes to the agent. */
export function remarks(state: State, run: Run): Question {
	return {
		title: `Send what came back from the forge to ${run.id}?`,
		runs: [run.id],
		fields: [],
		yes: run.agent === 'command' ? 'run the command again' : 'tell the agent',
		lines: [
			...runLines(state, [run]),
			fact('There', escapeLine(publishedText(run.published!))),
			fact('Tells', 'checks that failed, and what was said by those whom the policy names, as quotations'),
			...voidedLines([run]),
		],
	};
}

export const publishDialogs = {publish};
