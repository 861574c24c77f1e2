import {activityKinds, type Activity} from '../core/run/activity.ts';
import type {Spend, SpendKey, SpendRow} from '../core/run/spend.ts';

/* What the screen knows of what happened: over all runs from their journals, and what it said itself. */

/** The views of the activity, in the order of their keys. */
export const activityViews = ['all', ...activityKinds, 'notices'] as const;
export type ActivityView = (typeof activityViews)[number];

export const viewTitles: Readonly<Record<ActivityView, string>> = {
	all: 'all',
	decision: 'decisions',
	denial: 'denials',
	check: 'checks',
	spend: 'spend',
	run: 'runs',
	notices: 'notices',
};

/** What the screen said, and when, milliseconds. */
export type Noticed = {readonly at: number; readonly text: string; readonly bad: boolean};

export type ActivityState = {
	/** Newest first; undefined until they were read. */
	readonly lines: readonly Activity[] | undefined;
	/** What was spent today; undefined until that was read. */
	readonly today: Spend | undefined;
	readonly view: ActivityView;
	readonly filter: string;
	/** The line that is selected; undefined for the newest. */
	readonly at: string | undefined;
	/** The first row that is in view, as of the last time. */
	readonly top: number;
	/** The table of what was spent; undefined while it is not shown. */
	readonly spend: {readonly by: SpendKey; readonly rows: readonly SpendRow[] | undefined} | undefined;
};

export const firstActivity: ActivityState = {
	lines: undefined,
	today: undefined,
	view: 'all',
	filter: '',
	at: undefined,
	top: 0,
	spend: undefined,
};

/** Lines of the activity that the screen knows at most. */
export const maxActivity = 500;

/** What just happened, in one line. `earlier`: what was said shortly before, and is still to be read. */
export type Notice = {
	readonly text: string;
	readonly bad: boolean;
	readonly earlier?: readonly string[] | undefined;
	/** Whether it only says how far something is: neither kept nor said besides another one. */
	readonly isPassing?: boolean | undefined;
};

export type ActivityMessage =
	| {readonly type: 'activity'; readonly lines: readonly Activity[]; readonly today: Spend}
	| {readonly type: 'spend'; readonly by: SpendKey; readonly rows: readonly SpendRow[]}
	/** A notice that was shown for as long as it is to be. */
	| {readonly type: 'notice-over'; readonly notice: Notice};

export type ActivityEffect = {readonly type: 'activity'} | {readonly type: 'spend'; readonly by: SpendKey};
