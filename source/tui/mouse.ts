import {gateIds} from '../core/run/gates.ts';
import {actIfEnabled} from './act.ts';
import {activityLines, activityRows, selectActivity} from './activity.ts';
import {activityViews, viewTitles} from './activity-state.ts';
import {typed} from './input.ts';
import {bindingOf, keysOf} from './keymap.ts';
import {move, movePreview, openTab, selectRow} from './navigation.ts';
import {footerKeyAt} from './screens/footer.ts';
import {activityHead, activityWindow, fleetLayout, footerHeight, foundHead, foundWindow, listInView} from './layout.ts';
import {fromTop, moveByFiles, moveTo} from './review/cursor.ts';
import {fileAt, fileInPane} from './review/pane.ts';
import {paneWidth, headerHeight, isListing, reviewHeight} from './review/layout.ts';
import {reviewRows} from './review/rows.ts';
import {placeNames} from './place-names.ts';
import {tabs, type Message, type State} from './state.ts';
import {stay, type Step} from './step.ts';
import {viewTexts} from './views.ts';

/** Two clicks on the same row within this time open it. */
const doubleClickMs = 500;

/** Rows that one step of the wheel moves. */
const wheelRows = 3;

/**
 * What the mouse does: the wheel moves what is under the pointer, a click selects, a double click opens, the line between list and output is
 * dragged. A click on a key's name is that key; anywhere else it runs no verb, so that a click that only raises the
 * window changes no run.
 */
export function mouse(state: State, {kind, column, row, at: when}: Message & {type: 'mouse'}): Step {
	if ((kind === 'up' || kind === 'down') && state.focus.type === 'screen') {
		const by = kind === 'up' ? -wheelRows : wheelRows;
		if (isOverPreview(state, {column, row})) {
			return movePreview(state, by);
		}

		if (state.review && state.screen === 'run' && state.tab === 'changes' && paneWidth(state) > 0) {
			return column < paneWidth(state)
				? stay(moveByFiles(state, Math.sign(by)))
				: stay(moveTo(state, state.review, state.review.at + by));
		}

		return move(state, state.screen === 'fleet' ? Math.sign(by) : by);
	}

	const key = kind === 'press' ? keyAt(state, {column, row}) : undefined;
	if (key !== undefined) {
		return typed(state, {type: 'keys', keys: [key], at: when});
	}

	if (state.focus.type !== 'screen') {
		return stay(state);
	}

	const place = {column, row, when};
	switch (state.screen) {
		case 'fleet': {
			return inList(state, kind, place);
		}

		case 'activity': {
			return kind === 'press' ? inActivity(state, place) : stay(state);
		}

		case 'found': {
			return kind === 'press' ? inFound(state, place) : stay(state);
		}

		case 'run': {
			return kind === 'press' ? inRun(state, place) : stay(state);
		}

		default: {
			return stay(state);
		}
	}
}

type Click = {readonly column: number; readonly row: number; /** Milliseconds. */ readonly when: number | undefined};

/** A click on a row: a second one soon opens it; one alone may only have been for the terminal's window. */
function clickRow(state: State, {id, when}: {id: string; when: number | undefined}, open: (from: State) => Step): Step {
	const isSecond = when !== undefined && state.clicked?.row === id && when - state.clicked.at < doubleClickMs;
	const clicked = isSecond || when === undefined ? undefined : {row: id, at: when};
	const next: State = {...state, clicked};
	return isSecond ? open(next) : stay(next);
}

function inList(state: State, kind: 'press' | 'drag' | 'up' | 'down', {column, row, when}: Click): Step {
	const height = state.rows - footerHeight;
	const {top, list, preview} = fleetLayout(state, height);
	if (kind === 'drag') {
		return stay(state.dragging ? {...state, listRows: Math.max(2, row - top)} : state);
	}

	if (row === top + list.height && !preview.isBeside) {
		return stay({...state, dragging: true});
	}

	const at = row - top;
	const clicked = listInView(state, height)[at];
	if (clicked === undefined || column >= list.width) {
		return stay({...state, dragging: false});
	}

	const selected = selectRow({...state, dragging: false}, clicked);
	return kind !== 'press' || selected.heading !== undefined || selected.selected === undefined
		? stay(selected)
		: clickRow(selected, {id: selected.selected, when}, next => openTab(next, 'output'));
}

/** A click in the activity: on a line, but not on a day or in the table of spend. */
function inActivity(state: State, {row, when}: Click): Step {
	const lines = activityLines(state);
	const {from, to} = activityWindow(state, state.rows - footerHeight);
	const at = from + row - activityHead;
	const clicked = row < activityHead || at >= to ? undefined : activityRows(lines, state.now)[at];
	return clicked?.kind !== 'line' || state.activity.spend
		? stay(state)
		: clickRow(selectActivity(state, lines.indexOf(clicked.line)), {id: clicked.line.id, when}, next =>
				actIfEnabled(next, 'activity-open'),
			);
}

function inFound(state: State, {row, when}: Click): Step {
	const {from, to} = foundWindow(state, state.rows - footerHeight);
	const at = from + row - foundHead;
	return !state.found || row < foundHead || at >= to
		? stay(state)
		: clickRow({...state, found: {...state.found, at}}, {id: `found ${at}`, when}, next =>
				actIfEnabled(next, 'found-open'),
			);
}

/** A click on a tab, or in what it shows. */
function inRun(state: State, {column, row}: Click): Step {
	if (row === 1) {
		let start = 0;
		for (const [index, tab] of tabs.entries()) {
			start += ` ${index + 1} ${placeNames[tab]} `.length;
			if (column < start) {
				return openTab(state, tab);
			}
		}
	}

	if (row < 2 || row >= state.rows - footerHeight) {
		return stay(state);
	}

	if (state.tab === 'changes') {
		return inReview(state, {column, row: row - 2 - headerHeight(state), height: reviewHeight(state)});
	}

	return state.tab === 'scopes' ? move({...state, scroll: 0}, row - 2) : stay(state);
}

/** Whether the pointer is over the selected run, beside or below the list. */
function isOverPreview(state: State, {column, row}: {column: number; row: number}): boolean {
	if (state.screen !== 'fleet') {
		return false;
	}

	const {top, list, preview} = fleetLayout(state, state.rows - footerHeight);
	return preview.isBeside ? row >= top && column > list.width : row > top + list.height;
}

/** The key whose name is under the pointer: in the footer, of a saved view, of a step of the pipeline. */
function keyAt(state: State, {column, row}: {column: number; row: number}): string | undefined {
	if (row === state.rows - 1) {
		return footerKeyAt(state, column);
	}

	if (state.focus.type !== 'screen') {
		return undefined;
	}

	if (state.screen === 'fleet' && row === 1 && fleetLayout(state, state.rows - footerHeight).top > 1) {
		let end = 0;
		const at = viewTexts(state).findIndex(({text}) => {
			end += text.length;
			return column < end;
		});
		return at === -1 ? undefined : String(at + 1);
	}

	if (state.screen === 'activity' && row === 1) {
		let end = 0;
		const at = activityViews.findIndex((view, index) => {
			end += ` ${index + 1} ${viewTitles[view]} `.length;
			return column < end;
		});
		return at === -1 ? undefined : String(at + 1);
	}

	// Below the run's header and the heading.
	const gate = state.screen === 'gates' && state.scroll === 0 ? gateIds[row - 2] : undefined;
	return gate === undefined ? undefined : keysOf(bindingOf(gate === 'review' ? 'changes' : gate), state)[0];
}

/** A click in a review: on a line of the change, or on a file beside it. @param row from the top of both */
function inReview(state: State, {column, row, height}: {column: number; row: number; height: number}): Step {
	const {review} = state;
	if (!review) {
		return stay(state);
	}

	if (row < 0) {
		return stay(state);
	}

	if (column >= paneWidth(state) && !isListing(state)) {
		const inText = {...review, isListing: false};
		return stay(moveTo({...state, review: inText}, inText, review.top + row));
	}

	const rows = reviewRows(state, review);
	const file = fileInPane(review, fileAt(rows, review.at), {row, height});
	const at = rows.findIndex(other => other.kind === 'file' && other.file === file);
	if (at === -1) {
		return stay(state);
	}

	return stay(fromTop(moveTo(state, {...review, isListing: true}, at)));
}
