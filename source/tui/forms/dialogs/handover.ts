import {branchName} from '../../../core/git/refs.ts';
import {approvedBy, type Run} from '../../../core/run/run.ts';
import {escapeLine} from '../../../core/text/escape-controls.ts';
import {selectedRun, type State} from '../../state.ts';
import {readyRuns} from '../../ready.ts';
import {isOutdatedIn} from '../../list.ts';
import {runVerb, runVerbsForAll, stay} from '../../step.ts';
import {hasRemarks, remarks} from './publish.ts';
import {
	describeRuns,
	fact,
	flag,
	listNames,
	reasonArguments,
	reasonField,
	runLines,
	runsOf,
	voidedLines,
	type DialogDefinition,
} from './dialog.ts';

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
				...(runs.length === 1 && one.approval ? [fact('Approved', `by ${approvedBy(one.approval)}`)] : []),
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

/** How a run stands that a train would take. */
function standing(run: Run, state: State): string {
	if (run.stage === 'verified') {
		return 'verified, waits for approval';
	}

	return isOutdatedIn(run, state) ? 'approved, for an earlier target' : 'approved';
}

const mergeAll: DialogDefinition = {
	open(state) {
		const runs = readyRuns(state);
		const [one] = runs;
		if (!one) {
			return undefined;
		}

		const targets = [...new Set(runs.map(run => branchName(run.target)))];
		return {
			title: `Merge ${describeRuns(runs)} of ${one.project.name} into ${targets.join(', ')}?`,
			runs: runs.map(({id}) => id),
			fields: [],
			yes: 'verify and merge',
			lines: [
				...listNames(runs.map((run, index) => `${index + 1}  ${run.id}: ${standing(run, state)}`)).map(
					(text, index) => ({
						label: index === 0 ? 'Order' : '',
						spans: [{text}],
					}),
				),
				fact('Verified', 'together, as the merge of all; a run that fails or conflicts is left out'),
				fact('Approval', 'holds for exactly the result that was approved; a new result waits for a new one'),
				fact('Undo', 'none by a key: what is merged is a commit of the target branch'),
			],
		};
	},
	submit(state, dialog) {
		const [one] = runsOf(state, dialog);
		return one === undefined
			? stay(state)
			: runVerb(state, undefined, {argv: ['merge', '--all', '--project', one.project.id], title: 'merge all'});
	},
};

/** Says whose work it is, for others to approve it. */
const request: DialogDefinition = {
	open(state) {
		const run = selectedRun(state)!;
		return {
			title: `Ask others to approve ${run.id}`,
			runs: [run.id],
			verb: 'ask',
			lines: [
				...runLines(state, [run]),
				fact('Signed', 'with your SSH key: it is your work, and your own approval does not count'),
			],
			fields: [
				{
					id: 'remote',
					label: 'Remote',
					value: 'origin',
					hint: 'what they need to look at it is pushed there; empty: they work on this machine',
				},
				reasonField('what it is for'),
			],
		};
	},
	submit(state, dialog, values) {
		const [id = ''] = dialog.runs;
		const remote = values['remote'] ? ['--to', values['remote']] : [];
		return runVerb(state, id, {argv: ['request', id, ...remote, ...reasonArguments(values['reason'])], title: 'ask'});
	},
};

/** Whether what a verification found is what goes back; else it is what conflicts. */
const hasFailed = (run: Run) => run.verification?.result === 'failed' && !run.conflicts;

/** What failed goes back to the agent. */
function failedChecks(state: State, run: Run) {
	const {steps, because} = run.verification!;
	const failed = steps.findLast(({code}) => code !== 0);
	return {
		title: `Send what failed back to ${run.id}?`,
		runs: [run.id],
		fields: [],
		yes: run.agent === 'command' ? 'run the command again' : 'tell the agent',
		lines: [
			...runLines(state, [run]),
			fact('Tells', `${escapeLine(failed?.command ?? because)}, and the end of what it wrote`),
			...voidedLines([run]),
		],
	};
}

/** What goes back to the agent. */
function backFlag(run: Run): string {
	if (hasFailed(run)) {
		return '--failed';
	}

	return hasRemarks(run) ? '--comments' : '--rebase';
}

const rebase: DialogDefinition = {
	open(state: State) {
		const run = selectedRun(state)!;
		if (hasFailed(run)) {
			return failedChecks(state, run);
		}

		if (hasRemarks(run)) {
			return remarks(state, run);
		}

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
	submit: (state, dialog) => {
		const run = state.runs.find(({id}) => id === dialog.runs[0]);
		const flag = run ? backFlag(run) : '--rebase';
		const title = flag === '--rebase' ? 'rebase' : 'send back';
		return runVerb(state, dialog.runs[0], {argv: ['resume', dialog.runs[0]!, flag], title});
	},
};

export const handoverDialogs = {merge, request, 'merge-all': mergeAll, rebase};
