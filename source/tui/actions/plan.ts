import {hasWorker, stageName} from '../../core/run/stages.ts';
import {asks, openDialog} from '../forms/dialogs.ts';
import {openTab, select} from '../navigation.ts';
import {planRow} from '../screens/plan.ts';
import {selectedRun, type State} from '../state.ts';
import {stay} from '../step.ts';
import {needsIdle, needsRun, refusing, type KeyTable} from './record.ts';

/* A plan of tasks: read, edited, accepted, and decided about where it does not go on by itself. */

const hasPlan = (state: State) => needsRun(state) ?? (selectedRun(state)!.plan ? undefined : 'it is no plan of tasks');

const cannotEdit = refusing(run => {
	if (!run.plan || run.plan.accepted) {
		return run.plan ? 'accepted already' : 'it is no plan of tasks';
	}

	return hasWorker(run.stage) ? `its agent is ${stageName(run.stage)}` : undefined;
});

const cannotAccept = refusing((run, state) => {
	if (run.plan?.accepted) {
		return 'accepted already (o opens the run)';
	}

	return (
		cannotEdit(state) ?? (run.plan!.tasks.length === 0 ? (run.plan!.problem ?? 'there is no plan yet') : undefined)
	);
});

const cannotOpen = (state: State) =>
	needsRun(state) ?? (planRow(state)?.run === undefined ? 'it has not started' : undefined);

/** What is decided about one task alone where it waits. */
function cannotDecide(state: State): string | undefined {
	const found = planRow(state);
	const waits = found !== undefined && ['waits', 'held', 'ready'].includes(found.state);
	return needsRun(state) ?? needsIdle(state) ?? (waits ? undefined : 'it does not wait');
}

export const planKeys = {
	plan: {
		keys: 'i',
		title: 'plan of tasks',
		places: ['fleet'],
		disabled: hasPlan,
		run: ({state}) => stay({...state, screen: 'plan', scroll: 0}),
	},
	'plan-accept': {
		keys: 'return',
		title: 'accept the plan',
		places: ['plan'],
		footer: 1,
		disabled: cannotAccept,
		// What is on the screen now is what the question is about.
		run: ({state}) => openDialog(state, 'plan-accept', String(selectedRun(state)!.plan!.revision)),
	},
	'plan-open': {
		keys: 'o',
		title: "open the task's run",
		places: ['plan'],
		footer: 1,
		disabled: cannotOpen,
		run: ({state}) => openTab(select(state, planRow(state)!.run), 'output'),
	},
	'plan-edit': {
		keys: 'e',
		title: 'edit the plan',
		places: ['plan'],
		footer: 2,
		disabled: cannotEdit,
		run: ({state, id}) => ({state, effects: [{type: 'terminal', argv: ['plan', 'edit', id], pause: false}]}),
	},
	'plan-release': {
		keys: 'r',
		title: 'start the task without waiting',
		places: ['plan'],
		footer: 3,
		disabled: cannotDecide,
		run: ({state}) => openDialog(state, 'plan-release', planRow(state)!.task.id),
	},
	'plan-drop': {
		keys: 'x',
		title: 'drop the task',
		places: ['plan'],
		footer: 4,
		disabled: cannotDecide,
		run: ({state}) => openDialog(state, 'plan-drop', planRow(state)!.task.id),
	},
	'plan-discard': {
		keys: 'D',
		title: 'discard the plan',
		places: ['plan'],
		footer: 5,
		disabled: refusing(run => (hasWorker(run.stage) ? `its agent is ${stageName(run.stage)}` : undefined)),
		run: asks('discard'),
	},
} as const satisfies KeyTable;
