import {comparable} from '../keymap.ts';
import {firstRun, selectedRow, visibleRuns} from '../list.ts';
import {select, selectRow} from '../navigation.ts';
import {selectedRun, shows, sorts, withPrompt, type State} from '../state.ts';
import {good, stay, type Handler, type Handlers, type Step} from '../step.ts';

/* What the list shows, and which of its runs are marked and compared. */

/** The item after one, and the first after the last. */
export const following = <T>(items: readonly T[], item: T): T => items[(items.indexOf(item) + 1) % items.length]!;

function withList(state: State, list: Partial<State['list']>, words?: string): Step {
	const changed: State = {...state, list: {...state.list, ...list}, heading: undefined};
	const kept = visibleRuns(changed).some(run => run.id === state.selected);
	const shown = kept ? changed : select(changed, firstRun(changed));
	return words === undefined ? stay(shown) : good(shown, words);
}

/** Folds or unfolds the project that is selected, or the selected run's. */
export function fold(state: State): Step {
	const project = state.heading ?? selectedRun(state)?.project.id;
	if (project === undefined) {
		return stay(state);
	}

	const folded = state.list.folded.includes(project);
	const list = {
		...state.list,
		folded: folded ? state.list.folded.filter(id => id !== project) : [...state.list.folded, project],
	};
	return stay({...state, list, heading: folded && state.heading === undefined ? undefined : project});
}

function mark(state: State): Step {
	const run = selectedRun(state)!;
	const marked = state.list.marked.includes(run.id)
		? state.list.marked.filter(id => id !== run.id)
		: [...state.list.marked, run.id];
	return stay(selectRow({...state, list: {...state.list, marked}}, selectedRow(state) + 1));
}

const turnRun =
	(by: number): Handler =>
	({state}) => {
		const runs = comparable(state);
		const at = Math.max(0, Math.min(runs.length - 1, state.scroll + by));
		return stay({...state, selected: runs[at]?.id ?? state.selected, scroll: at, journal: [], log: undefined});
	};

export const listActions = {
	filter: ({state}) =>
		stay(
			withPrompt(state, {
				kind: 'filter',
				field: {id: 'prompt', label: '/', value: state.list.filter, hint: ''},
				at: 0,
			}),
		),
	show({state}) {
		const show = following(shows, state.list.show);
		return withList(state, {show}, `show: ${show}`);
	},
	sort({state}) {
		const sort = following(sorts, state.list.sort);
		return withList(state, {sort}, `sort: ${sort}`);
	},
	fold: ({state}) => fold(state),
	mark: ({state}) => mark(state),
	'mark-all': ({state}) =>
		withList(state, {marked: state.list.marked.length > 0 ? [] : visibleRuns(state).map(run => run.id)}),
	'show-discarded': ({state}) => withList(state, {discarded: !state.list.discarded}),
	compare({state, id}) {
		const runs = comparable(state);
		const at = Math.max(
			0,
			runs.findIndex(other => other.id === id),
		);
		const next: State = {
			...state,
			screen: 'compare',
			heading: undefined,
			selected: runs[at]!.id,
			scroll: at,
			compared: {},
			compareAt: 0,
			...(runs[at]!.id === id ? {} : {journal: [], log: undefined}),
		};
		return {state: next, effects: runs.map(run => ({type: 'compare', run: run.id}))};
	},
	'next-run': turnRun(1),
	'previous-run': turnRun(-1),
} satisfies Handlers;
