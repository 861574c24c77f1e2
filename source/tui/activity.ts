import {hasWords, type Activity, type ActivityKind} from '../core/run/activity.ts';
import {dayName, localDay} from '../core/text/time.ts';
import type {ActivityState, Noticed} from './activity-state.ts';
import type {State} from './state.ts';

/* What happened, as the screen has it: over all runs from their journals, and what this screen itself said. */

/** A line of the activity, or something that the screen said. */
export type ActivityLine = Omit<Activity, 'kind'> & {readonly kind: ActivityKind | 'notice'};

/** A row of the activity: a line, or the day of the lines below it. */
export type ActivityRow =
	| {readonly kind: 'day'; readonly name: string}
	| {readonly kind: 'line'; readonly line: ActivityLine};

function noticeLines(noticed: readonly Noticed[]): ActivityLine[] {
	return noticed.map(({at, text, bad}, index) => ({
		id: `notice ${noticed.length - index}`,
		run: '',
		project: '',
		at: new Date(at).toISOString(),
		since: new Date(at).toISOString(),
		kind: 'notice',
		by: undefined,
		text,
		count: 1,
		tone: bad ? 'bad' : undefined,
	}));
}

type Source = Pick<State, 'activity' | 'noticed'>;

function makeLines({activity, noticed}: Source): readonly ActivityLine[] {
	const {lines, view, filter} = activity;
	const all: readonly ActivityLine[] =
		view === 'notices' ? noticeLines(noticed) : (lines ?? []).filter(({kind}) => view === 'all' || kind === view);
	return filter.trim() === '' ? all : all.filter(line => hasWords(line, filter.trim()));
}

let last: (Source & {readonly shown: readonly ActivityLine[]}) | undefined;

/** The lines that are shown, newest first. The last result is kept: a frame asks often. */
export function activityLines({activity, noticed}: Source): readonly ActivityLine[] {
	const isSame =
		last?.noticed === noticed &&
		last.activity.lines === activity.lines &&
		last.activity.view === activity.view &&
		last.activity.filter === activity.filter;
	if (!isSame) {
		last = {activity, noticed, shown: makeLines({activity, noticed})};
	}

	return last!.shown;
}

const rowsOf = new WeakMap<readonly ActivityLine[], {readonly today: string; readonly rows: readonly ActivityRow[]}>();

/** The same with a row for each day, kept for as long as it is the same day. @param now milliseconds */
export function activityRows(lines: readonly ActivityLine[], now: number): readonly ActivityRow[] {
	const today = localDay(new Date(now).toISOString());
	const known = rowsOf.get(lines);
	if (known?.today === today) {
		return known.rows;
	}

	const rows = makeRows(lines, now);
	rowsOf.set(lines, {today, rows});
	return rows;
}

function makeRows(lines: readonly ActivityLine[], now: number): ActivityRow[] {
	let day = '';
	return lines.flatMap((line): ActivityRow[] => {
		const name = dayName(line.at, now);
		const isNew = name !== day;
		day = name;
		return isNew
			? [
					{kind: 'day', name},
					{kind: 'line', line},
				]
			: [{kind: 'line', line}];
	});
}

/** The row of the selected line; 0 where there is none. */
export function activityRow(state: Source & Pick<State, 'now'>): number {
	const lines = activityLines(state);
	const selected = lines[activityAt(state)];
	const rows = activityRows(lines, state.now);
	return Math.max(
		0,
		rows.findIndex(row => row.kind === 'line' && row.line === selected),
	);
}

/** Which of the lines is selected. */
export function activityAt(state: Source): number {
	const {at} = state.activity;
	return at === undefined
		? 0
		: Math.max(
				0,
				activityLines(state).findIndex(({id}) => id === at),
			);
}

/** With another line selected; the newest stays the newest. */
export function selectActivity(state: State, at: number): State {
	const lines = activityLines(state);
	const index = Math.max(0, Math.min(lines.length - 1, at));
	return {...state, activity: {...state.activity, at: index === 0 ? undefined : lines[index]?.id}};
}

/** How far back the pane of the list looks, milliseconds. */
const paneMs = 24 * 60 * 60_000;

let pane: {lines: ActivityState['lines']; day: number; shown: readonly Activity[]} | undefined;

/** What happened lately, for the pane below the list: without what was spent, which is in the title. */
export function paneLines({activity, now}: Pick<State, 'activity' | 'now'>): readonly Activity[] {
	const {lines} = activity;
	// Minutes are as fine as it needs to be.
	const day = Math.floor((now - paneMs) / 60_000);
	if (!pane || pane.lines !== lines || pane.day !== day) {
		const since = new Date(now - paneMs).toISOString();
		const shown = (lines ?? []).filter(({at, kind}) => at >= since && kind !== 'spend').slice(0, 40);
		pane = {lines, day, shown};
	}

	return pane.shown;
}
