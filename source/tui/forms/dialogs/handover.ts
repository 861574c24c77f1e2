import {branchName} from '../../../core/git/refs.ts';
import {actorName} from '../../../core/actor.ts';
import type {Run} from '../../../core/run/run.ts';
import {escapeLine} from '../../../core/text/escape-controls.ts';
import {selectedRun, type State} from '../../state.ts';
import {runVerb, runVerbsForAll} from '../../step.ts';
import {describeRuns, fact, flag, runLines, runsOf, voidedLines, type DialogDefinition} from './dialog.ts';

/* What moves a target branch, or a run onto it: one key asks, another one does it. */

/** Of several runs of one project, each merge but the first finds a target that has moved. */
function movedBy(runs: readonly Run[]): number {
	return runs.length - new Set(runs.map(run => `${run.project.id} ${run.target}`)).size;
}

const merge: DialogDefinition = {
	open(state, subject = '') {
		const runs = state.runs.filter(run => subject.split(' ').includes(run.id));
		const [one] = runs;
		if (!one) {
			return undefined;
		}

		const moved = movedBy(runs);
		return {
			title: `Merge ${describeRuns(runs)} into ${runs.length === 1 ? branchName(one.target) : 'their targets'}?`,
			runs: runs.map(({id}) => id),
			fields: [],
			yes: 'merge',
			lines: [
				...runLines(state, runs),
				...(runs.length === 1 && one.approval ? [fact('Approved', `by ${actorName(one.approval.by)}`)] : []),
				...(moved === 0
					? []
					: [flag(`${moved} of them will have to be verified and approved again: the first merge moves their target`)]),
				fact('Undo', 'none by a key: what is merged is a commit of the target branch'),
			],
		};
	},
	submit: (state, dialog) =>
		runVerbsForAll(state, runsOf(state, dialog), {argvs: run => [['merge', run.id]], title: 'merge', isSerial: true}),
};

const rebase: DialogDefinition = {
	open(state: State) {
		const run = selectedRun(state)!;
		const isCommand = run.agent === 'command';
		return {
			title: `Have ${run.id} brought onto ${branchName(run.target)} as that is now?`,
			runs: [run.id],
			fields: [],
			yes: isCommand ? 'run the command again' : 'tell the agent',
			lines: [
				...runLines(state, [run]),
				isCommand
					? flag(
							`its command runs again, and is told what to do by {prompt} alone: ${escapeLine(run.argv.join(' ')).slice(0, 120)}`,
						)
					: fact('Tells', 'the agent to rebase its branch, and what conflicts'),
				...voidedLines([run]),
			],
		};
	},
	submit: (state, dialog) =>
		runVerb(state, dialog.runs[0], {argv: ['resume', dialog.runs[0]!, '--rebase'], title: 'rebase'}),
};

export const handoverDialogs = {merge, rebase};
