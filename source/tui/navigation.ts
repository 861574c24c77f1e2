import {activityAt, selectActivity} from './activity.ts';
import {comparedFiles, fleetLayout, footerHeight} from './layout.ts';
import {listRows, selectedRow} from './list.ts';
import {withoutEmpty} from './review/again.ts';
import {moveByFiles, moveTo} from './review/cursor.ts';
import {isInFiles} from './review/layout.ts';
import {reviewRows} from './review/rows.ts';
import {scopeRows} from './scope-rows.ts';
import {placeOf, selectedRun, type Effect, type LogState, type LogView, type State, type Tab} from './state.ts';
import type {LogMove} from './log/move.ts';
import {stay, type Step} from './step.ts';

/* Moving: between screens and tabs, and within one. */

/** Of a view whose length only its drawing knows: help, pipeline, audit, network. It stops at its own end. */
const maxScrollRows = 200;

/** How far the current view can be scrolled, or the last row that can be selected. */
function extent(state: State): number {
	const {now, vault} = state;
	const run = selectedRun(state);
	switch (placeOf(state)) {
		case 'welcome': {
			return 2;
		}

		case 'vault': {
			return Math.max(0, (vault?.secrets.length ?? 0) - 1);
		}

		case 'disk': {
			return Math.max(0, (state.disk?.length ?? 0) - 1);
		}

		case 'plan': {
			return Math.max(0, (run?.plan?.tasks.length ?? 0) - 1);
		}

		case 'scopes': {
			return run ? scopeRows(run, {now, vault}).filter(row => row.state !== 'never').length - 1 : 0;
		}

		case 'journal': {
			return Math.max(0, state.journal.length - 1);
		}

		default: {
			return maxScrollRows;
		}
	}
}

/** Moves among the lines that were found. @param by rows, negative for up */
function selectFound(state: State, by: number): State {
	const {found} = state;
	const last = Math.max(0, (found?.lines?.length ?? 0) - 1);
	return found ? {...state, found: {...found, at: Math.max(0, Math.min(last, found.at + by))}} : state;
}

/** The log that the current place shows. */
export function logKind(state: State): LogState['kind'] {
	const run = selectedRun(state);
	if (state.screen === 'gates') {
		return run && run.deployments.length > 0 ? 'deploy' : 'verify';
	}

	if (state.screen === 'run' && state.logShown !== 'output') {
		return state.logShown;
	}

	return run?.interactive && run.stage === 'running' && !state.logView.raw ? 'screen' : 'output';
}

export function moveLog(state: State, move: LogMove): Step {
	return {state, effects: [{type: 'log', kind: logKind(state), move}]};
}

export function withLogView(state: State, view: Partial<LogView>): Step {
	return moveLog({...state, logView: {...state.logView, ...view}}, {to: 'same'});
}

/** Selects a run, and drops the journal and log that were loaded for the one before. */
export function select(state: State, run: string | undefined): State {
	return run === state.selected
		? {...state, heading: undefined}
		: {
				...state,
				selected: run,
				heading: undefined,
				journal: [],
				log: undefined,
				scroll: 0,
				logShown: 'output',
				logView: {...state.logView, select: undefined},
			};
}

/** Selects a row of the list. */
export function selectRow(state: State, at: number): State {
	const rows = listRows(state);
	const row = rows[Math.max(0, Math.min(rows.length - 1, at))];
	return row?.kind === 'group' ? {...state, heading: row.id} : select(state, row?.run.id ?? state.selected);
}

/** The row that a move comes to: a run, or a group that is folded; the heading of an open one is passed over. */
function rowAfter(state: State, by: number): number {
	const rows = listRows(state);
	const isStop = (at: number) => rows[at]?.kind === 'run' || (rows[at]?.kind === 'group' && rows[at].folded);
	const wanted = Math.max(0, Math.min(rows.length - 1, selectedRow(state) + by));
	const onward = by < 0 ? -1 : 1;
	for (const step of [onward, -onward]) {
		for (let at = wanted; at >= 0 && at < rows.length; at += step) {
			if (isStop(at)) {
				return at;
			}
		}
	}

	return wanted;
}

/** Moves a selection of lines: by lines, as far as they are in view. */
function moveSelection(state: State, by: number): Step {
	const {select} = state.logView;
	const rows = state.log?.rows ?? [];
	const at = rows.findIndex(row => row.from === select!.at);
	const next = rows[Math.max(0, Math.min(rows.length - 1, (at === -1 ? rows.length - 1 : at) + by))];
	const moved: State = next ? {...state, logView: {...state.logView, select: {...select!, at: next.from}}} : state;
	return at + by < 0 || at + by >= rows.length ? moveLog(moved, {by}) : stay(moved);
}

/** Rows of output that are in view beside or below the list. */
export function previewRows(state: State): number {
	return selectedRun(state) ? fleetLayout(state, state.rows - footerHeight).output : 0;
}

/** Scrolls the output beside or below the list. @param by rows, negative for up */
export function movePreview(state: State, by: number): Step {
	return previewRows(state) > 0 && state.log?.run === state.selected ? moveLog(state, {by}) : stay(state);
}

/** Moves the selection, or scrolls. @param by rows, negative for up */
export function move(state: State, by: number): Step {
	switch (placeOf(state)) {
		case 'fleet': {
			return stay(selectRow(state, rowAfter(state, by)));
		}

		case 'output': {
			return state.logView.select && Math.abs(by) === 1 ? moveSelection(state, by) : moveLog(state, {by});
		}

		case 'changes': {
			if (!state.review) {
				return stay(state);
			}

			return stay(isInFiles(state) ? moveByFiles(state, by) : moveTo(state, state.review, state.review.at + by));
		}

		case 'compare': {
			return stay({...state, compareAt: Math.max(0, Math.min(comparedFiles(state).length - 1, state.compareAt + by))});
		}

		case 'found': {
			return stay(selectFound(state, by));
		}

		case 'activity': {
			return stay(selectActivity(state, activityAt(state) + by));
		}

		case 'journal': {
			// Read from its end: up goes back in time.
			return stay({...state, scroll: Math.max(0, Math.min(extent(state), state.scroll - by))});
		}

		default: {
			return stay({...state, scroll: Math.max(0, Math.min(extent(state), state.scroll + by))});
		}
	}
}

export function moveToEnd(state: State, end: boolean): Step {
	const place = placeOf(state);
	if (place === 'output') {
		return moveLog({...state, logView: {...state.logView, select: undefined}}, {to: end ? 'end' : 'start'});
	}

	return place === 'changes' && state.review && end && !isInFiles(state)
		? stay(moveTo(state, state.review, reviewRows(state, state.review).length - 1))
		: move(state, end ? 1_000_000 : -1_000_000);
}

/** The screen that esc on a run's tab goes back to. */
function parentOf({screen, parent}: State): State['parent'] {
	if (screen === 'run') {
		return parent;
	}

	return screen === 'gates' || screen === 'compare' || screen === 'activity' || screen === 'found' ? screen : 'fleet';
}

/** What a tab shows that is read when it is opened. */
function tabEffects(state: State, tab: Tab): readonly Effect[] {
	switch (tab) {
		case 'changes': {
			return state.selected ? [{type: 'diff', run: state.selected}] : [];
		}

		case 'scopes': {
			return [{type: 'vault'}];
		}

		case 'output': {
			return [{type: 'log', kind: logKind(state), move: {to: 'end'}}];
		}

		default: {
			return [];
		}
	}
}

export function openTab(state: State, tab: Tab): Step {
	const next: State = {
		...(tab === 'changes' ? withoutEmpty(state) : state),
		screen: 'run',
		parent: parentOf(state),
		tab,
		scroll: 0,
		heading: undefined,
		logShown: 'output',
	};
	return {state: next, effects: tabEffects(next, tab)};
}

/** Loads again what the place in view shows besides runs: a verb that had the terminal may have changed it. */
export function reload(state: State): readonly Effect[] {
	const run = selectedRun(state);
	const offer: readonly Effect[] = run ? [{type: 'offer', project: run.project.id}] : [];
	switch (placeOf(state)) {
		case 'vault':
		case 'scopes': {
			return [{type: 'vault'}];
		}

		case 'disk': {
			return [{type: 'disk'}];
		}

		case 'activity': {
			return [{type: 'activity'}];
		}

		case 'changes': {
			return state.selected === undefined ? [] : [{type: 'diff', run: state.selected}];
		}

		case 'gates': {
			return [...offer, {type: 'vault'}];
		}

		default: {
			return [];
		}
	}
}

export function openGates(state: State): Step {
	const run = selectedRun(state)!;
	return {
		state: {...state, screen: 'gates', parent: 'fleet', scroll: 0},
		effects: [
			{type: 'log', kind: logKind({...state, screen: 'gates'}), move: {to: 'end'}},
			{type: 'offer', project: run.project.id},
			...(run.merge ? [{type: 'vault'} as const] : []),
		],
	};
}
