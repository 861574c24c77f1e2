import type {Entry} from '../run/event.ts';

/** A journal as it was read: what stands before its first bad line. */
export type JournalSource = {
	readonly run: string;
	/** The first is `run.created`. */ readonly entries: readonly Entry[];
	/** Whether all of it could be believed. */ readonly isWhole: boolean;
	/** Whether its supervisor is there. */ readonly isLive: boolean;
	/** ISO 8601. */ readonly now: string;
};
