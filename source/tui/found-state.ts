import type {FoundView} from '../protocol/views.ts';

/* What was found in the logs of all runs. */

export type FoundState = {
	readonly words: string;
	/** Newest logs first; undefined while they are looked through. */
	readonly lines: readonly FoundView[] | undefined;
	/** What was not looked at, in words; empty where all was. */
	readonly note: string;
	/** The line that is selected. */
	readonly at: number;
	/** The first line that is in view, as of the last time. */
	readonly top: number;
};

export type FoundMessage = {
	readonly type: 'found';
	readonly words: string;
	readonly lines: readonly FoundView[];
	readonly note: string;
};

export type FoundEffect = {readonly type: 'search-logs'; readonly words: string};

/** Lines that are looked for at most. */
export const maxFound = 300;
