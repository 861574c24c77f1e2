import {activityLines, activityRow, activityRows, paneLines} from './activity.ts';
import {factLines} from './facts.ts';
import {listRows, selectedRow} from './list.ts';
import {gateIds} from '../core/run/gates.ts';
import {comparable} from './targets.ts';
import type {State} from './state.ts';

/* Which row of the terminal shows what: drawing and the mouse must agree on it. */

/** Rows of the footer: the notice, and the keys. */
export const footerHeight = 2;

/** Rows that a question may take. */
export function dialogRoom({rows}: Pick<State, 'rows'>): number {
	return Math.max(0, rows - footerHeight - 1);
}

/** From as many columns on, the selected run is shown beside the list. */
const splitColumns = 110;

/** From as many rows on, the saved views have a line of their own. */
const viewsHeight = 30;

/** Rows of a list without runs, which says what comes first. */
const firstStepRows = 6;

/** Rows of output that a list leaves, where there are as many. */
const minOutput = 5;

/** Rows of the selected run's heading and facts below the list, at most. */
const mostFacts = 4;

/** With fewer rows for list and run there is no room for output. */
const lowHeight = 14;

/** Where what is on the list's screen, in cells. */
export type FleetLayout = {
	/** The first row of the list, below the title. */
	readonly top: number;
	/** Rows and columns of the list. */
	readonly list: {readonly height: number; readonly width: number};
	/** Rows and columns of the selected run, its heading included: below the list, or beside it. */
	readonly preview: {readonly height: number; readonly width: number; readonly isBeside: boolean};
	/** Rows of its output. */
	readonly output: number;
	/** Rows of what happened lately, below the list. */
	readonly activity: number;
	/** Whether a blank row stands between groups of the list. */
	readonly isSpaced: boolean;
};

/** Rows that the list leaves free before what happened lately is shown in them, and the most that it takes. */
const [minActivity, maxActivity] = [6, 14];

/** Rows of the list, and of blanks between its groups: those only where all rows are in view with them. */
function listSize(state: State, most: number): {readonly rows: number; readonly isSpaced: boolean} {
	const all = listRows(state);
	const spaced = all.length + all.slice(1).filter(({kind}) => kind === 'group').length;
	return spaced <= most ? {rows: spaced, isSpaced: spaced > all.length} : {rows: all.length, isSpaced: false};
}

/** Rows for what happened lately: only what the list leaves, with a blank row between. */
function activityRoom(state: State, room: number): number {
	const free = room - listSize(state, room).rows - 1;
	const wanted = paneLines(state).length + 1;
	return free >= minActivity && wanted > 1 ? Math.min(free, wanted, maxActivity) : 0;
}

/** Of a state, by the height: a key and its frame ask half a dozen times. */
const layouts = new WeakMap<State, {readonly height: number; readonly layout: FleetLayout}>();

/** @param height of the screen without footer and dialog */
export function fleetLayout(state: State, height: number): FleetLayout {
	const last = layouts.get(state);
	if (last?.height === height) {
		return last.layout;
	}

	const layout = makeLayout(state, height);
	layouts.set(state, {height, layout});
	return layout;
}

function makeLayout(state: State, height: number): FleetLayout {
	const {columns} = state;
	const top = height + footerHeight >= viewsHeight ? 2 : 1;
	const room = Math.max(1, height - top);
	if (columns >= splitColumns) {
		const width = Math.max(44, Math.floor(columns * 0.37));
		const activity = activityRoom(state, room);
		// Its heading, the pipeline's with six steps, and the output's.
		const facts = factLines(state, width, true).length + 1 + 1 + gateIds.length + 1;
		return {
			top,
			list: {height: room - activity, width: columns - width - 1},
			preview: {height: room, width, isBeside: true},
			output: Math.max(0, room - facts),
			activity,
			isSpaced: listSize(state, room - activity).isSpaced,
		};
	}

	const facts = factLines(state, columns, false).length + 1;
	// On a low terminal the list is what is looked for.
	const free = Math.max(4, room - facts - (room < lowHeight ? 0 : minOutput));
	const most = state.listRows === undefined ? free : Math.max(2, Math.min(state.listRows, room - facts));
	// The facts of some runs have a row more: blanks must not come and go with the cursor.
	const {rows, isSpaced} = listSize(state, Math.min(most, room - mostFacts - minOutput));
	// Without a run, what comes first is there.
	const table = Math.min(Math.max(state.runs.length === 0 ? firstStepRows : 1, rows), most);
	return {
		top,
		list: {height: table, width: columns},
		preview: {height: room - table, width: columns, isBeside: false},
		output: Math.max(0, room - table - facts),
		activity: 0,
		isSpaced,
	};
}

/**
 * Which row of the list each row of the terminal shows, from the list's first on; undefined for a blank one.
 * @param height of the screen without footer and dialog
 */
export function listInView(state: State, height: number): ReadonlyArray<number | undefined> {
	const {from, to} = listWindow(state, height);
	const {isSpaced} = fleetLayout(state, height);
	return listRows(state)
		.slice(from, to)
		.flatMap(({kind}, index) =>
			isSpaced && index > 0 && kind === 'group' ? [undefined, from + index] : [from + index],
		);
}

/** The rows of a list that are in view, with the selected one in the middle where there are more. */
export function windowOf(count: number, selected: number, height: number): {from: number; to: number} {
	const from = Math.max(0, Math.min(count - height, selected - Math.floor(height / 2)));
	return {from, to: Math.min(count, from + height)};
}

/**
 * The part of the list that is in view: as it was, as long as the selection is in it.
 * @param height of the screen without footer and dialog
 */
export function listWindow(state: State, height: number): {from: number; to: number} {
	const count = listRows(state).length;
	const room = Math.max(1, fleetLayout(state, height).list.height);
	return keptWindow(count, {at: selectedRow(state), top: state.listTop, height: room});
}

/** The rows that are in view: from `top` on, as long as the selected one is among them. */
function keptWindow(
	count: number,
	{at, top, height}: {readonly at: number; readonly top: number; readonly height: number},
): {from: number; to: number} {
	const from = Math.max(0, Math.min(count - height, Math.max(at - height + 1, Math.min(at, top))));
	return {from, to: Math.min(count, from + height)};
}

/** Rows above the lines of the activity and of what was found. */
export const [activityHead, foundHead] = [2, 1];

/** The rows of the activity that are in view. @param height of the screen without footer and dialog */
export function activityWindow(state: State, height: number): {from: number; to: number} {
	const rows = activityRows(activityLines(state), state.now);
	const at = activityRow(state);
	const room = Math.max(1, height - activityHead);
	// The day of the first line in view is above it.
	const first = rows[at - 1]?.kind === 'day' && room > 1 ? at - 1 : at;
	return keptWindow(rows.length, {at, top: Math.min(first, state.activity.top), height: room});
}

/** The lines of what was found that are in view. @param height of the screen without footer and dialog */
export function foundWindow({found}: State, height: number): {from: number; to: number} {
	const room = Math.max(1, height - foundHead);
	return keptWindow(found?.lines?.length ?? 0, {at: found?.at ?? 0, top: found?.top ?? 0, height: room});
}

/** The state with what is in view of its lists, for the next time: a click must move nothing under the pointer. */
export function withWindows(before: State, state: State): State {
	if (state.focus.type !== 'screen') {
		return state;
	}

	const height = state.rows - footerHeight;
	switch (state.screen) {
		case 'fleet': {
			const {from} = listWindow(state, height);
			return from === state.listTop ? state : {...state, listTop: from};
		}

		case 'activity': {
			// News come above the selected line, which stays where it is.
			const isNews = before.activity.lines !== state.activity.lines && state.activity.at !== undefined;
			const shift = isNews && before.activity.at === state.activity.at ? activityRow(state) - activityRow(before) : 0;
			const top = state.activity.top + shift;
			const {from} = activityWindow({...state, activity: {...state.activity, top}}, height);
			return from === state.activity.top ? state : {...state, activity: {...state.activity, top: from}};
		}

		case 'found': {
			const {from} = foundWindow(state, height);
			const {found} = state;
			return found === undefined || from === found.top ? state : {...state, found: {...found, top: from}};
		}

		default: {
			return state;
		}
	}
}

/**
 * Rows of the pipeline, and of the verify or deploy log below it.
 * `room`: rows that the log will take once there is one; `path` leaves them free, so that nothing moves then.
 */
export function gatesLayout(
	state: State,
	height: number,
): {readonly path: number; readonly output: number; readonly room: number} {
	const room = Math.max(0, Math.min(Math.floor(height / 3), height - 18));
	return {
		path: height - 1 - room,
		output: (state.log?.kind === 'verify' || state.log?.kind === 'deploy') && state.log.range.to > 0 ? room : 0,
		room,
	};
}

/** The files that any of the compared runs changed. */
export function comparedFiles(state: State): string[] {
	return [...new Set(comparable(state).flatMap(run => state.compared[run.id]?.map(file => file.path) ?? []))].sort();
}

/** Which of the compared runs is selected. */
export function comparedRow(state: State): number {
	return Math.max(
		0,
		comparable(state).findIndex(run => run.id === state.selected),
	);
}
