import {listRows, selectedRow} from './list.ts';
import {comparable} from './targets.ts';
import type {State} from './state.ts';

/* Which row of the terminal shows what: drawing and the mouse must agree on it. */

/** Rows of the footer: the notice, and the keys. */
export const footerHeight = 2;

/**
 * Rows below a heading, of the list and of the output under it.
 * @param height of the screen without footer and dialog
 */
export function fleetLayout(state: State, height: number): {readonly table: number; readonly output: number} {
	const rows = listRows(state).length + 1;
	const wanted = state.listRows ?? Math.floor(height / 2);
	const table = Math.max(4, Math.min(rows, wanted, height - 4));
	return {table, output: Math.max(0, height - table - 2)};
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
	const room = Math.max(1, fleetLayout(state, height).table - 1);
	const at = selectedRow(state);
	const from = Math.max(0, Math.min(count - room, Math.max(at - room + 1, Math.min(at, state.listTop))));
	return {from, to: Math.min(count, from + room)};
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
