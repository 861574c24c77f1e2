import {localDay} from '../text/time.ts';
import type {Entry} from './event.ts';
import {after, atBeginning, sentence, tell, type Earlier, type EventKind, type Told} from './event-words.ts';
import {addSpend, spendText, type Spend} from './spend.ts';

/* What happened lately over all runs, as lines in plain words. Others' words are in it, not escaped. */

/** What activity is about, in the order in which it is offered. */
export const activityKinds = ['decision', 'denial', 'check', 'spend', 'run'] as const satisfies readonly EventKind[];
export type ActivityKind = (typeof activityKinds)[number];

export type Activity = {
	/** The run and the line of its journal: no two have the same. */ readonly id: string;
	readonly run: string;
	readonly project: string;
	/** ISO 8601: when it was, or was the last time. */ readonly at: string;
	/** The first time, where it was several times. */ readonly since: string;
	readonly kind: ActivityKind;
	/** A person's login, or `the policy`; undefined where nobody decided anything. */ readonly by: string | undefined;
	/** Without who did it. */ readonly text: string;
	/** How often; 1 where that is not counted. */ readonly count: number;
	readonly tone: Told['tone'];
};

type Piece = Activity & {readonly same: string | undefined; readonly spend: Spend | undefined};

/** The events of one run's journal in words, as far as it was read. */
export type RunActivity = {
	readonly pieces: readonly Piece[];
	/** What is known after the last of them. */ readonly earlier: Earlier;
	/** How often each thing was seen, as its last event said. */ readonly seen: Readonly<Record<string, number>>;
};

/** Before the first event that is read. @param isWhole whether that is the journal's first one */
export function noActivity(isWhole: boolean): RunActivity {
	return {pieces: [], earlier: isWhole ? atBeginning : {...atBeginning, usage: undefined}, seen: {}};
}

/** With more of a run's journal. */
export function addEntries(
	{pieces, earlier, seen}: RunActivity,
	entries: readonly Entry[],
	{run, project}: {readonly run: string; readonly project: string},
): RunActivity {
	const more: Piece[] = [];
	const counts: Record<string, number> = {...seen};
	let known = earlier;
	for (const entry of entries) {
		const {kind, by, text, tone, minor, same, seen: now, spend} = tell(entry, known);
		known = after(known, entry);
		let count = 1;
		if (same !== undefined && now !== undefined) {
			// A supervisor counts from one: less than before is another one's count.
			const before = counts[same] ?? 0;
			count = now > before ? now - before : Math.max(1, now);
			counts[same] = now;
		}

		if (!minor) {
			const {at, seq} = entry;
			more.push({id: `${run} ${seq}`, run, project, at, since: at, kind, by, text, tone, count, same, spend});
		}
	}

	return {pieces: more.length === 0 ? pieces : [...pieces, ...more], earlier: known, seen: counts};
}

/** Two that are the same thing, as one: how it was last, and how often in all. */
function joined(late: Piece, early: Piece): Piece {
	const spend = late.spend && early.spend ? addSpend(late.spend, early.spend) : late.spend;
	return {
		...late,
		since: early.since,
		count: late.kind === 'denial' ? late.count + early.count : 1,
		spend,
		text: spend ? `spent ${spendText(spend)}` : late.text,
	};
}

/** The lines of one run, newest first: what happened again on the same day is one line. */
export function activityOf({pieces}: RunActivity): Activity[] {
	const found = new Map<string, Piece>();
	for (let index = pieces.length - 1; index >= 0; index--) {
		const piece = pieces[index]!;
		const key = piece.same === undefined ? piece.id : `${piece.same} ${localDay(piece.at)}`;
		const late = found.get(key);
		found.set(key, late ? joined(late, piece) : piece);
	}

	return [...found.values()].map(({same: _same, spend: _spend, ...activity}) => activity);
}

/** Newest first; of the same moment, the later line of a journal first. */
export function newestFirst(a: Activity, b: Activity): number {
	if (a.at !== b.at) {
		return a.at < b.at ? 1 : -1;
	}

	return 0;
}

/** What happened, with whose doing it was and how often. */
export function activityText(activity: Pick<Activity, 'by' | 'text' | 'count'>): string {
	return `${sentence(activity)}${activity.count > 1 ? ` ×${activity.count}` : ''}`;
}

/** Whether an activity has all of some words in its run, its project or its text. */
export function hasWords(activity: Omit<Activity, 'kind'>, words: string): boolean {
	const text = `${activity.run} ${activity.project} ${activityText(activity)}`.toLowerCase();
	return words
		.toLowerCase()
		.split(/\s+/)
		.every(word => text.includes(word));
}
