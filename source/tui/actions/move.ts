import {glanceText} from '../../core/run/glance.ts';
import type {Run} from '../../core/run/run.ts';
import {comparedRow} from '../layout.ts';
import {glanceOf, groupOf, isNeeded, nextNeed, visibleRuns} from '../list.ts';
import {move, movePreview, moveToEnd, openGates, openTab, previewRows, select} from '../navigation.ts';
import {tabs, type State, type Tab} from '../state.ts';
import {stay, type Handler, type Step} from '../step.ts';
import {comparable} from '../targets.ts';
import {fold} from './list.ts';
import {everywhereAndHelp, needsRun, ofRun, withRun, type KeyTable} from './record.ts';

/* Where a person is: rows, tabs, runs and screens. */

const pageOf = (state: State) =>
	Math.max(1, state.screen === 'fleet' ? Math.floor(state.rows / 2) - 3 : state.rows - 6);

const turnTab =
	(by: number): Handler =>
	({state}) =>
		openTab(state, tabs[(tabs.indexOf(state.tab) + by + tabs.length) % tabs.length]!);

const showTab =
	(tab: Tab): Handler =>
	({state}) =>
		openTab(state, tab);

const turnRun =
	(by: number): Handler =>
	({state}) => {
		const runs = comparable(state);
		const at = Math.max(0, Math.min(runs.length - 1, comparedRow(state) + by));
		return stay({...state, selected: runs[at]?.id ?? state.selected, journal: [], log: undefined});
	};

const groupIdOf = (run: Run, state: State) => groupOf({kind: 'run', run, glance: glanceOf(run, state)}, state.list).id;

/** Selects the next run that waits, on the screen that is in view; a filter or a fold that hides it is undone. */
function showNextNeed(state: State): Step {
	const wanted = nextNeed(state)!;
	const isListed = visibleRuns(state).some(other => other.id === wanted.id);
	const list = isListed ? state.list : ({...state.list, filter: '', show: 'all'} as const);
	const next: State = {
		...select(
			{...state, list: {...list, folded: list.folded.filter(id => id !== groupIdOf(wanted, state))}},
			wanted.id,
		),
		notice: {text: `${wanted.id}: ${glanceText(glanceOf(wanted, state))}`, bad: false},
	};
	if (state.screen === 'run') {
		const step = openTab(next, state.tab);
		return {...step, state: {...step.state, parent: state.parent}};
	}

	return state.screen === 'gates' ? openGates(next) : stay({...next, screen: 'fleet'});
}

/** Where esc goes. */
function screenBefore(state: State): State['screen'] {
	if (state.screen === 'help' || state.screen === 'vault') {
		return state.from;
	}

	if (state.screen === 'activity') {
		return state.activityFrom;
	}

	if (state.screen === 'found') {
		return state.foundFrom;
	}

	return state.screen === 'run' ? state.parent : 'fleet';
}

const needsHeadingOrRun = (state: State) => (state.heading === undefined ? needsRun(state) : undefined);
const halfOf = (state: State) => Math.max(1, Math.floor(previewRows(state) / 2));

function needsPreview(state: State): string | undefined {
	const hasOutput = state.log !== undefined && state.log.run === state.selected && state.log.range.to > 0;
	return needsRun(state) ?? (hasOutput && previewRows(state) > 0 ? undefined : 'no output is shown (enter opens it)');
}

const needsWaiting = (state: State) => (isNeeded(state) ? undefined : 'no run needs you');

/** Tabs of one part: in the changes, the key for the next tab goes between files and lines. */
const tabsOfOne = tabs.filter(tab => tab !== 'changes');

export const moveKeys = {
	up: {keys: 'up k', title: 'up', places: ['welcome', ...everywhereAndHelp], run: ({state}) => move(state, -1)},
	down: {keys: 'down j', title: 'down', places: ['welcome', ...everywhereAndHelp], run: ({state}) => move(state, 1)},
	'page-up': {
		keys: 'pageup ctrl-b',
		title: 'page up',
		places: everywhereAndHelp,
		run: ({state}) => move(state, -pageOf(state)),
	},
	'page-down': {
		keys: 'pagedown ctrl-f',
		title: 'page down',
		places: everywhereAndHelp,
		run: ({state}) => move(state, pageOf(state)),
	},
	top: {keys: 'home g', title: 'top', places: everywhereAndHelp, run: ({state}) => moveToEnd(state, false)},
	bottom: {keys: 'end G', title: 'end (follow)', places: everywhereAndHelp, run: ({state}) => moveToEnd(state, true)},
	'preview-down': {
		keys: 'J ctrl-d',
		title: 'scroll the output beside or below the list: down',
		places: ['fleet'],
		disabled: needsPreview,
		run: ({state}) => movePreview(state, halfOf(state)),
	},
	'preview-up': {
		keys: 'K ctrl-u',
		title: 'scroll the output beside or below the list: up',
		places: ['fleet'],
		disabled: needsPreview,
		run: ({state}) => movePreview(state, -halfOf(state)),
	},
	open: {
		keys: 'return',
		title: 'open',
		places: ['fleet', 'compare'],
		footer: 1,
		disabled: needsHeadingOrRun,
		run: ({state}) => (state.heading === undefined ? openTab(state, 'output') : fold(state)),
	},
	'next-need': {
		keys: '.',
		title: 'next waiting',
		places: everywhereAndHelp,
		footer: 19,
		disabled: needsWaiting,
		run: ({state}) => showNextNeed(state),
	},
	'next-run': {keys: 'right l tab', title: 'next run', places: ['compare'], footer: 2, run: turnRun(1)},
	'previous-run': {keys: 'left h shift-tab', title: 'previous run', places: ['compare'], run: turnRun(-1)},
	'next-tab': {keys: 'right l', title: 'next tab', places: tabs, footer: 2, run: turnTab(1)},
	'previous-tab': {keys: 'left h', title: 'previous tab', places: tabs, run: turnTab(-1)},
	'tab-on': {keys: 'tab', title: 'next tab', places: tabsOfOne, run: turnTab(1)},
	'tab-back': {keys: 'shift-tab', title: 'previous tab', places: tabsOfOne, run: turnTab(-1)},
	output: {keys: '1', title: 'output', places: tabs, run: showTab('output')},
	changes: {
		keys: 'd',
		title: 'changes',
		places: withRun,
		footer: 13,
		disabled: needsRun,
		run: showTab('changes'),
	},
	'tab-changes': {keys: '2', title: 'changes', places: tabs, run: showTab('changes')},
	scopes: {keys: 's', title: 'scopes', places: ['fleet', ...tabs], disabled: needsRun, run: showTab('scopes')},
	'tab-scopes': {keys: '3', title: 'scopes', places: tabs, run: showTab('scopes')},
	checklist: {keys: '4', title: 'audit', places: tabs, run: showTab('checklist')},
	journal: {keys: '5', title: 'journal', places: tabs, run: showTab('journal')},
	network: {keys: '6 L', title: 'network requests', places: tabs, run: showTab('network')},
	gates: {
		keys: 'a',
		title: 'pipeline',
		places: ['fleet', ...tabs, 'compare'],
		footer: 10,
		disabled: needsRun,
		run: ({state}) => openGates(state),
	},
	back: {
		keys: 'escape backspace q',
		title: 'back',
		places: [...ofRun, 'vault', 'disk', 'plan', 'compare', 'activity', 'found', 'help'],
		footer: 20,
		run: ({state}) => stay({...state, screen: screenBefore(state), scroll: 0}),
	},
} as const satisfies KeyTable;
