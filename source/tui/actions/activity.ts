import {activityKinds} from '../../core/run/activity.ts';
import {spendKeys} from '../../core/run/spend.ts';
import {activityAt, activityLines} from '../activity.ts';
import {activityViews, viewTitles, type ActivityView} from '../activity-state.ts';
import {openTab, select} from '../navigation.ts';
import type {State} from '../state.ts';
import {stay, type Step} from '../step.ts';
import {everywhere, following, openPrompt, type KeyRecord, type KeyTable} from './record.ts';

/* What happened over all runs: which of it is shown, and the way to a run. */

/** Where esc goes from the activity: not to a run that it led to itself. */
function fromOf({screen, parent, activityFrom}: State): State['activityFrom'] {
	if (screen === 'activity') {
		return activityFrom;
	}

	return screen === 'run' && parent === 'activity' ? 'fleet' : screen;
}

function openActivity(state: State): Step {
	const activityFrom = fromOf(state);
	return {
		state: {
			...state,
			screen: 'activity',
			heading: undefined,
			activityFrom,
			activity: {...state.activity, at: undefined},
		},
		effects: [{type: 'activity'}],
	};
}

function show(state: State, view: ActivityView): Step {
	return stay({...state, activity: {...state.activity, view, at: undefined, spend: undefined}});
}

const view = (number: number, name: ActivityView): KeyRecord => ({
	keys: String(number),
	title: `activity: ${viewTitles[name]}`,
	places: ['activity'],
	run: ({state}) => show(state, name),
});

function turnSpend(state: State): Step {
	const {activity} = state;
	return activity.spend ? stay({...state, activity: {...activity, spend: undefined}}) : readSpend(state, spendKeys[0]);
}

function readSpend(state: State, by: (typeof spendKeys)[number]): Step {
	return {
		state: {...state, activity: {...state.activity, spend: {by, rows: undefined}}},
		effects: [{type: 'spend', by}],
	};
}

/** The selected line's run. */
function runOf(state: State): string | undefined {
	return activityLines(state)[activityAt(state)]?.run;
}

/** Opens the selected line's run. Esc comes back here, and from here goes to the list: no two screens lead to each other. */
function openRun(state: State): Step {
	const next = select({...state, activityFrom: 'fleet'}, runOf(state));
	return openTab(next, 'output');
}

function needsLine(state: State): string | undefined {
	if (state.activity.spend) {
		return 'no line is selected';
	}

	const run = runOf(state);
	if (run === undefined || run === '') {
		return run === undefined ? 'no line is selected' : 'not about one run';
	}

	return state.runs.some(({id}) => id === run) ? undefined : `${run} is not there any more`;
}

const needsSpend = ({activity}: State) => (activity.spend ? undefined : 'no table of spend ($)');

export const activityKeys = {
	activity: {keys: '&', title: 'activity: what happened', places: everywhere, run: ({state}) => openActivity(state)},
	'activity-open': {
		keys: 'return',
		title: 'open the run',
		places: ['activity'],
		footer: 1,
		disabled: needsLine,
		run: ({state}) => openRun(state),
	},
	'activity-filter': {
		keys: '/',
		title: 'filter',
		places: ['activity'],
		footer: 2,
		run: openPrompt('activity', ({activity}) => activity.filter),
	},
	'activity-next': {
		keys: 'f tab right l',
		title: 'next kind: decisions, denials, checks, spend, runs, notices',
		places: ['activity'],
		footer: 3,
		run: ({state}) => show(state, following(activityViews, state.activity.view)),
	},
	'activity-all': view(1, 'all'),
	'activity-decisions': view(2, activityKinds[0]),
	'activity-denials': view(3, activityKinds[1]),
	'activity-checks': view(4, activityKinds[2]),
	'activity-spend': view(5, activityKinds[3]),
	'activity-runs': view(6, activityKinds[4]),
	'activity-notices': view(7, 'notices'),
	spend: {keys: '$', title: 'table of spend', places: ['activity'], footer: 4, run: ({state}) => turnSpend(state)},
	'spend-by': {
		keys: 'o',
		title: 'spend by day, project, agent',
		places: ['activity'],
		footer: 5,
		disabled: needsSpend,
		run: ({state}) => readSpend(state, following(spendKeys, state.activity.spend!.by)),
	},
} as const satisfies KeyTable;
