import {timeWorked, type Run} from '../../../core/run/run.ts';
import {formatBudget, formatUsage} from '../../../core/run/usage.ts';
import {escapeLine} from '../../../core/text/escape-controls.ts';
import {formatDuration} from '../../../core/text/time.ts';
import {canStop, isDiscardable, targets} from '../../targets.ts';
import {selectedRun, type State} from '../../state.ts';
import {runVerb, runVerbForAll, spoken} from '../../step.ts';
import {
	askAgain,
	describeRuns,
	listNames,
	listRuns,
	reasonArguments,
	reasonField,
	runsOf,
	voidedByAttempt,
	type DialogDefinition,
} from './dialog.ts';

/* What is done to runs themselves: another attempt, an end, a limit. */

/** Characters of a command that are shown before it is run again. */
const maxCommandLength = 200;

/** Alarms that are shown one by one. */
const maxAlarms = 8;

/** Asks what to tell an agent that has a conversation. */
const resume: DialogDefinition = {
	open(state) {
		const run = selectedRun(state)!;
		const last = run.status?.because ?? '';
		return {
			title: `Resume ${run.id}, in the same conversation`,
			runs: [run.id],
			lines: [...(last === '' ? [] : [`last reply: ${escapeLine(last)}`]), ...voidedByAttempt(run)],
			fields: [
				{
					id: 'message',
					label: 'Message',
					value: '',
					hint: 'optional: an answer, what to do next, or what to fix',
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
				`attempt ${run.attempt + 1} of: ${escapeLine(run.argv.join(' ')).slice(0, maxCommandLength)}`,
				'in the same folder, with what it changed already',
				...voidedByAttempt(run),
			],
		};
	},
	submit: (state, dialog) => runVerb(state, dialog.runs[0], {argv: ['resume', dialog.runs[0]!], title: 'resume'}),
};

const discard: DialogDefinition = {
	open(state) {
		const runs = targets(state).filter(run => isDiscardable(run));
		const voided = runs.some(run => !run.merge && (run.verification || run.approval));
		return {
			title: `Discard ${describeRuns(runs)}? ${runs.length === 1 ? 'It' : 'They'} can be restored (U)`,
			runs: runs.map(run => run.id),
			lines: [
				...listRuns(runs),
				`the ${runs.length === 1 ? 'worktree is' : 'worktrees are'} deleted; changes are kept as commits (H shows discarded runs)`,
				...(voided ? ['verification and approval will be void'] : []),
			],
			fields: [reasonField('optional; enter: discard, esc: cancel')],
		};
	},
	submit: (state, dialog, values) =>
		runVerbForAll(state, runsOf(state, dialog), {
			argv: run => ['discard', run.id, ...reasonArguments(values['reason'])],
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
				...listRuns(runs),
				...(one && runs.length === 1 && one.stage !== 'queued' ? [workText(one, state.now)] : []),
				...(runs.every(run => run.stage === 'queued')
					? ['it has not started; nothing is lost']
					: ['what is written is kept; the step in progress is lost', 'r starts another attempt']),
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
			lines: [...listNames(runs.map(run => run.id)), 'paused runs have no network; u continues one'],
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
				...alarms.slice(0, maxAlarms),
				...(alarms.length > maxAlarms ? [`and ${alarms.length - maxAlarms} more`] : []),
				'the journal keeps them',
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
			lines: [],
			fields: [
				{
					id: 'amount',
					label: 'Amount',
					value: run.budget ? formatBudget(run.budget) : '',
					hint: `5 or 2.50 (dollars), 200k or 2M (tokens), none; used so far: ${formatUsage(run.usage) || 'nothing'}`,
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
		return {
			title: `Clean up ${entry.run}?`,
			runs: [entry.run],
			lines: [`deletes: ${entry.what}`, entry.note],
			fields: [],
			yes: 'clean up',
		};
	},
	submit: (state, dialog) =>
		runVerb(state, dialog.runs[0], {argv: ['clean', dialog.runs[0]!], title: 'clean up', then: 'disk'}),
};

export const runDialogs = {resume, rerun, discard, stop, 'freeze-all': freezeAll, acknowledge, budget, clean};
