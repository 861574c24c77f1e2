import {listRows, selectedRow} from './list.ts';
import {comparable} from './targets.ts';
import type {State} from './state.ts';

/* Which row of the terminal shows what, for drawing and for the mouse. */

/** Rows of the footer: what just happened, and the keys. */
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

/** The part of a list that is in view, so that only what is drawn is mounted. */
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
 * Rows of the path, and of what verify or deploy writes below it, on the
 * screen of the gates. `room`: what there would be for that, once it writes.
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
