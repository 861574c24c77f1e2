import type {Run} from '../core/run/run.ts';
import {firstRun, glanceOf, groupOf, listRows, visibleRuns, type ListRow} from './list.ts';
import {select} from './navigation.ts';
import type {State} from './state.ts';

/* Where the cursor of the list is once runs have changed. */

const runIn = (state: State, id: string | undefined) => state.runs.find(run => run.id === id);

/** By which a run's row has its place: its group, and how it stands where rows are sorted by that. */
function placeOfRun(run: Run, state: State): string {
	const glance = glanceOf(run, state);
	const {id} = groupOf({kind: 'run', run, glance}, state.list);
	return state.list.sort === 'attention' ? `${id} ${glance.group}` : id;
}

/** Verbs, as the screen calls them, after which there is nothing more to do about a run. */
const lastVerbs: ReadonlySet<string | undefined> = new Set(['merge', 'reject', 'discard', 'stop']);

/**
 * Whether such a verb from this screen, which has not ended yet, is what moves the row with the cursor. After any other
 * one, such as a verification, the person goes on with the same run: the next key must not be for another.
 */
function isDoneWith(before: State, after: State): boolean {
	const {selected} = before;
	if (before.heading !== undefined || selected === undefined || !lastVerbs.has(before.busy[selected])) {
		return false;
	}

	const [was, is] = [runIn(before, selected), runIn(after, selected)];
	return was !== undefined && is !== undefined && placeOfRun(was, before) !== placeOfRun(is, after);
}

/** The row that takes the place of one that goes: the next of its group, the one before it, or else the next there is. */
function neighbour(before: State, after: State): string | undefined {
	const rows = listRows(before);
	const at = rows.findIndex(row => row.kind === 'run' && row.run.id === before.selected);
	const own = runIn(before, before.selected);
	if (at === -1 || !own) {
		return undefined;
	}

	const place = placeOfRun(own, before);
	const shown = new Map(listRows(after).flatMap(row => (row.kind === 'run' ? [[row.run.id, row.run] as const] : [])));
	const near = (some: readonly ListRow[]) =>
		some.flatMap(row => (row.kind === 'run' ? (shown.get(row.run.id) ?? []) : [])).filter(({id}) => id !== own.id);
	const [below, above] = [near(rows.slice(at + 1)), near(rows.slice(0, at).reverse())];
	const isBeside = (run: Run) => placeOfRun(run, after) === place;
	return (below.find(run => isBeside(run)) ?? above.find(run => isBeside(run)) ?? below[0] ?? above[0])?.id;
}

/**
 * The state after runs have changed, with the cursor on a run that is there. A run keeps the cursor wherever it goes,
 * except one that was merged, rejected, discarded or stopped from the list: the cursor stays where the next one is.
 */
export function keepCursor(before: State, after: State): State {
	if (after.screen !== 'fleet') {
		return runIn(after, after.selected) ? after : {...after, selected: firstRun(after), journal: [], log: undefined};
	}

	const isShown = visibleRuns(after).some(run => run.id === after.selected);
	const goes = !isShown || (after.focus.type === 'screen' && isDoneWith(before, after));
	return goes ? select(after, neighbour(before, after) ?? (isShown ? after.selected : firstRun(after))) : after;
}
