import {firstRun, glanceOf, groupOf, listRows, selectedRow, visibleRuns} from '../list.ts';
import {select, selectRow} from '../navigation.ts';
import {groupings, selectedRun, shows, sorts, type Show, type Sort, type State} from '../state.ts';
import {good, stay, type Step} from '../step.ts';
import {comparable} from '../targets.ts';
import {following, needsRun, openPrompt, type KeyRecord, type KeyTable} from './record.ts';

/* What the list shows, and which of its runs are selected and compared. */

function withList(state: State, list: Partial<State['list']>, notice?: string): Step {
	const changed: State = {...state, list: {...state.list, ...list}, heading: undefined};
	const isKept = visibleRuns(changed).some(run => run.id === state.selected);
	const shown = isKept ? changed : select(changed, firstRun(changed));
	return notice === undefined ? stay(shown) : good(shown, notice);
}

/** The group that is selected, or the selected run's. */
function selectedGroup(state: State): string | undefined {
	const run = selectedRun(state);
	return state.heading ?? (run && groupOf({kind: 'run', run, glance: glanceOf(run, state)}, state.list).id);
}

/** Folds or unfolds the group that is selected, or the selected run's. */
export function fold(state: State): Step {
	const group = selectedGroup(state);
	if (group === undefined) {
		return stay(state);
	}

	const isFolded = state.list.folded.includes(group);
	const list = {
		...state.list,
		folded: isFolded ? state.list.folded.filter(id => id !== group) : [...state.list.folded, group],
	};
	return stay({...state, list, heading: isFolded && state.heading === undefined ? undefined : group});
}

function mark(state: State): Step {
	const run = selectedRun(state)!;
	const marked = state.list.marked.includes(run.id)
		? state.list.marked.filter(id => id !== run.id)
		: [...state.list.marked, run.id];
	return stay(selectRow({...state, list: {...state.list, marked}}, selectedRow(state) + 1));
}

/** Selects the runs that can be seen, and none in a folded group: what is done to them is not to be a surprise. */
function markAll(state: State): Step {
	const shown = listRows(state).flatMap(row => (row.kind === 'run' ? [row.run.id] : []));
	return withList(state, {marked: state.list.marked.length > 0 ? [] : shown});
}

function compare(state: State): Step {
	const runs = comparable(state);
	const found = runs.findIndex(run => run.id === state.selected);
	const at = Math.max(0, found);
	const next: State = {
		...state,
		screen: 'compare',
		heading: undefined,
		selected: runs[at]!.id,
		compared: {},
		compareAt: 0,
		...(found === -1 ? {journal: [], log: undefined} : {}),
	};
	return {state: next, effects: runs.map(run => ({type: 'compare', run: run.id}))};
}

function show(state: State, show: Show): Step {
	return withList(state, {show}, `view: ${show}`);
}

function group(state: State): Step {
	const next = following(groupings, state.list.group);
	return withList(state, {group: next}, `group by ${next}`);
}

/** A view of its own, by its number. */
const view = (number: number, name: Show): KeyRecord => ({
	keys: String(number),
	title: `view: ${name}`,
	places: ['fleet'],
	run: ({state}) => show(state, name),
});

/** Sorts by a column, from what there is most of on. */
export function sortBy(state: State, sort: Sort): Step {
	return withList(state, {sort, isReversed: false}, `sort: ${sort}`);
}

function reverse(state: State): Step {
	const isReversed = !state.list.isReversed;
	return withList(state, {isReversed}, `sort: ${state.list.sort}${isReversed ? ', reversed' : ''}`);
}

function sort(state: State): Step {
	const next = following(sorts, state.list.sort);
	return sortBy(state, next);
}

const needsRuns = (state: State) => (state.runs.length === 0 ? 'no runs yet' : undefined);
const needsTwo = (state: State) => (comparable(state).length < 2 ? 'select two runs or more (space)' : undefined);

export const listKeys = {
	filter: {
		keys: '/',
		title: 'filter',
		places: ['fleet'],
		footer: 18,
		run: openPrompt('filter'),
	},
	show: {
		keys: 'f',
		title: 'next view: all, needs you, running, review, done',
		places: ['fleet'],
		run: ({state}) => show(state, following(shows, state.list.show)),
	},
	'view-all': view(1, 'all'),
	'view-needs-you': view(2, 'needs you'),
	'view-running': view(3, 'running'),
	'view-review': view(4, 'review'),
	'view-done': view(5, 'done'),
	group: {
		keys: 'o',
		title: 'group by attention, project, agent',
		places: ['fleet'],
		run: ({state}) => group(state),
	},
	sort: {
		keys: 'O',
		title: `sort by ${sorts.join(', ')}`,
		places: ['fleet'],
		run: ({state}) => sort(state),
	},
	'sort-reverse': {
		keys: 'S',
		title: 'sort the other way round',
		places: ['fleet'],
		run: ({state}) => reverse(state),
	},
	fold: {keys: '-', title: 'fold group', places: ['fleet'], disabled: needsRuns, run: ({state}) => fold(state)},
	mark: {
		keys: 'space',
		title: 'select, for audit, verify, approve, merge, grant, pause, stop, discard, compare',
		places: ['fleet'],
		disabled: needsRun,
		run: ({state}) => mark(state),
	},
	'mark-all': {keys: '*', title: 'select all or none', places: ['fleet'], run: ({state}) => markAll(state)},
	compare: {
		keys: '=',
		title: 'compare selected runs, or variants',
		places: ['fleet'],
		disabled: needsTwo,
		run: ({state}) => compare(state),
	},
	'show-discarded': {
		keys: 'H',
		title: 'show or hide discarded runs',
		places: ['fleet'],
		run: ({state}) => withList(state, {discarded: !state.list.discarded}),
	},
} as const satisfies KeyTable;
