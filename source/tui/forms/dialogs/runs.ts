import {trashRefs} from '../../../core/git/refs.ts';
import {timeWorked, type Run} from '../../../core/run/run.ts';
import {formatBudget, formatUsage} from '../../../core/run/usage.ts';
import {escapeLine} from '../../../core/text/escape-controls.ts';
import {formatDuration} from '../../../core/text/time.ts';
import {canStop, isDiscardable, targets} from '../../targets.ts';
import type {DialogLine} from '../../dialog.ts';
import {selectedRun, type State} from '../../state.ts';
import {runVerb, runVerbForAll, runVerbsForAll, spoken} from '../../step.ts';
import {
	askAgain,
	describeRuns,
	fact,
	reasonArguments,
	reasonField,
	runLines,
	runsOf,
	taskLine,
	voidedLines,
	type DialogDefinition,
} from './dialog.ts';

/* What is done to runs themselves: another attempt, an end, a limit. */

/** Characters of a command that are shown before it is run again. */
const maxCommandLength = 200;

/** Alarms that are shown one by one. */
const maxAlarms = 8;

/** Asks what to tell an agent that has a conversation, or a command that takes a prompt. */
const resume: DialogDefinition = {
	open(state) {
		const run = selectedRun(state)!;
		const last = run.status?.because ?? '';
		return {
			title:
				run.agent === 'command'
					? `Run ${run.id} again, with a new prompt`
					: `Resume ${run.id}, in the same conversation`,
			runs: [run.id],
			verb: 'send',
			lines: [
				...runLines(state, [run]),
				...(last === '' ? [] : [fact('Last reply', escapeLine(last))]),
				...voidedLines([run]),
			],
			fields: [
				{
					id: 'message',
					label: 'Message',
					value: '',
					hint:
						run.agent === 'command'
							? 'optional: what to do next, which it reads as {prompt} or FLEET_PROMPT; else the same again'
							: 'optional: an answer, what to do next, or what to fix',
					multiline: true,
				},
			],
		};
	},
	submit(state, dialog, values) {
		const [id = ''] = dialog.runs;
		const {argv, input} = values['message'] ? spoken(values['message']) : {argv: []};
		return runVerb(state, id, {argv: ['resume', id, ...argv], title: 'resume', input});
	},
};

/** Asks before a command that has no conversation runs from its beginning. */
const rerun: DialogDefinition = {
	open(state) {
		const run = selectedRun(state)!;
		return {
			title: `Run ${run.id} again, from the beginning?`,
			runs: [run.id],
			fields: [],
			yes: 'run it again',
			lines: [
				...runLines(state, [run]),
				fact('Command', `attempt ${run.attempt + 1} of: ${escapeLine(run.argv.join(' ')).slice(0, maxCommandLength)}`),
				fact('Where', 'in the same folder, with what it changed already'),
				...voidedLines([run]),
			],
		};
	},
	submit: (state, dialog) => runVerb(state, dialog.runs[0], {argv: ['resume', dialog.runs[0]!], title: 'resume'}),
};

/** Asks before a run starts although what it waits for did not end well. */
const release: DialogDefinition = {
	open(state) {
		const run = selectedRun(state)!;
		return {
			title: `Start ${run.id} without waiting for ${run.after}?`,
			runs: [run.id],
			fields: [],
			yes: 'start it',
			lines: [
				taskLine(run),
				fact('Now', escapeLine(run.because)),
				fact('Starts', `without what ${run.after} did, as far as that was not merged`),
				fact('Else', 'D discards it; x takes it out of the queue'),
			],
		};
	},
	submit: (state, dialog) => runVerb(state, dialog.runs[0], {argv: ['resume', dialog.runs[0]!], title: 'start'}),
};

/** Where the work of discarded runs is, and how long. */
function keptLine(runs: readonly Run[]): DialogLine {
	const [one] = runs;
	if (runs.every(run => run.merge)) {
		return fact('Kept', 'what was merged stays merged');
	}

	const where = one && runs.length === 1 ? `as ${trashRefs(one.id)}` : 'as commits';
	return fact('Kept', `${where} in the project's repository, for as long as the project is in fleet`);
}

const discard: DialogDefinition = {
	open(state) {
		const runs = targets(state).filter(run => isDiscardable(run));
		return {
			title: `Discard ${describeRuns(runs)}?`,
			runs: runs.map(run => run.id),
			verb: 'discard',
			lines: [
				...runLines(state, runs),
				keptLine(runs),
				fact('Deleted', `the ${runs.length === 1 ? 'worktree' : 'worktrees'}, with files that git ignores`),
				...voidedLines(runs.filter(run => !run.merge)),
				fact('Undo', 'U restores (H shows discarded runs)'),
			],
			fields: [reasonField('optional')],
		};
	},
	submit: (state, dialog, values) =>
		runVerbsForAll(state, runsOf(state, dialog), {
			argvs: run => [
				...(run.stage === 'queued' ? [['stop', run.id]] : []),
				['discard', run.id, ...reasonArguments(values['reason'])],
			],
			title: 'discard',
		}),
};

/** What stopping a run would end: how long it worked, and whether it is paused. */
function workText(run: Run, now: number): string {
	const paused = run.stage === 'frozen' ? ' and is paused (u continue)' : '';
	return `it has run for ${formatDuration(timeWorked(run, now))}${paused}`;
}

/** Its subject is the reason that is given; with one, only paused runs are stopped. */
const stop: DialogDefinition = {
	open(state, subject) {
		const runs = targets(state).filter(run => (subject === undefined ? canStop(run) : run.stage === 'frozen'));
		const [one] = runs;
		return {
			title: `Stop ${describeRuns(runs)}?`,
			runs: runs.map(run => run.id),
			fields: [],
			yes: runs.length === 1 ? 'stop it' : 'stop them',
			lines: [
				...runLines(state, runs),
				...(one && runs.length === 1 && one.stage !== 'queued' ? [fact('Now', workText(one, state.now))] : []),
				...(runs.every(run => run.stage === 'queued')
					? [fact('Kept', 'it has not started; nothing is lost')]
					: [
							fact('Kept', 'what is written, in the worktree'),
							fact('Lost', 'the step in progress', 'warn'),
							fact('Undo', 'r starts another attempt'),
						]),
			],
		};
	},
	submit: (state, dialog) =>
		runVerbForAll(state, runsOf(state, dialog), {
			argv: run => ['stop', run.id, ...reasonArguments(dialog.subject)],
			title: 'stop',
		}),
};

const runningOf = (state: State) => state.runs.filter(run => run.stage === 'running');

const freezeAll: DialogDefinition = {
	open(state) {
		const runs = runningOf(state);
		return {
			title: runs.length === 1 ? 'Pause the one run that is running?' : `Pause all ${runs.length} running runs?`,
			runs: [],
			lines: [
				...runLines(state, runs),
				fact('Paused', 'no process runs, and nothing goes in or out'),
				fact('Undo', 'u continues a run; * selects all'),
			],
			fields: [],
			yes: 'pause every run',
		};
	},
	submit: state => runVerb(state, undefined, {argv: ['pause', '--all'], title: 'pause all'}),
};

const acknowledge: DialogDefinition = {
	open(state) {
		const runs = targets(state).filter(run => run.alarms.length > 0);
		const alarms = runs.flatMap(run =>
			run.alarms.map(({target, because, count}) =>
				escapeLine(`${run.id}: ${because}, ${target}${count > 1 ? `, ${count} times` : ''}`),
			),
		);
		return {
			title: `Acknowledge ${alarms.length === 1 ? 'this alarm' : `these ${alarms.length} alarms`}?`,
			runs: runs.map(run => run.id),
			lines: [
				...runLines(state, runs),
				...alarms.slice(0, maxAlarms).map((text, index) => fact(index === 0 ? 'Alarms' : '', `! ${text}`, 'warn')),
				...(alarms.length > maxAlarms ? [fact('', `and ${alarms.length - maxAlarms} more`)] : []),
				fact('Kept', 'in the journal'),
			],
			fields: [],
			yes: alarms.length === 1 ? 'acknowledge it' : 'acknowledge them',
		};
	},
	submit: (state, dialog) =>
		runVerbForAll(state, runsOf(state, dialog), {argv: run => ['acknowledge', run.id], title: 'acknowledge'}),
};

const budget: DialogDefinition = {
	open(state) {
		const run = selectedRun(state)!;
		return {
			title: `Budget of ${run.id}: it is paused when this much is used`,
			runs: [run.id],
			verb: 'set',
			lines: [taskLine(run), fact('Used', formatUsage(run.usage) || 'nothing so far')],
			fields: [
				{
					id: 'amount',
					label: 'Amount',
					value: run.budget ? formatBudget(run.budget) : '',
					hint: '5 or 2.50 (dollars), 200k or 2M (tokens), none',
				},
			],
		};
	},
	submit(state, dialog, values) {
		const [id = ''] = dialog.runs;
		return values['amount']
			? runVerb(state, id, {argv: ['budget', id, values['amount'].replace(/ tokens$/, '')], title: 'budget'})
			: askAgain(state, dialog, {field: 'amount', because: 'name an amount, or none'});
	},
};

const clean: DialogDefinition = {
	open(state) {
		const entry = state.disk![state.scroll]!;
		const run = state.runs.find(({id}) => id === entry.run);
		return {
			title: `Clean up ${entry.run}?`,
			runs: [entry.run],
			lines: [
				...(run ? [taskLine(run)] : []),
				fact('Deleted', entry.what),
				fact('Now', entry.note),
				fact('Undo', 'none for what is deleted', 'warn'),
			],
			fields: [],
			yes: 'clean up',
		};
	},
	submit: (state, dialog) =>
		runVerb(state, dialog.runs[0], {argv: ['clean', dialog.runs[0]!], title: 'clean up', then: 'disk'}),
};

export const runDialogs = {resume, rerun, release, discard, stop, 'freeze-all': freezeAll, acknowledge, budget, clean};
