import type {ForgePlace} from './place.ts';

/* What was published, and how it stands there: data that the journal keeps. */

/** How a program is asked that speaks to a forge: its vendor's own, or fleet by itself. */
export const carriers = ['gh', 'glab', 'rest'] as const;
export type CarrierName = (typeof carriers)[number];

/** Checks of a forge: those that failed by their names, which others chose. */
export type Checks = {readonly passed: number; readonly failed: readonly string[]; readonly running: number};

/**
 * How what was merged there compares with what was verified. `commit`: the very commits are in the target. `tree`: the
 * result is the verified one, file by file. `change`: the change is the same, on a target that had moved. `other`: it is
 * something else. `unknown`: what was merged could not be read.
 */
export type MergedHow = 'commit' | 'tree' | 'change' | 'other' | 'unknown';

/** How it stands at the forge. Logins and names of checks are others' words. */
export type ForgeState = {
	readonly state: 'open' | 'closed' | 'merged';
	readonly draft: boolean;
	/** The tip of its branch there. */
	readonly head: string;
	readonly checks: Checks;
	readonly approvedBy: readonly string[];
	readonly changesBy: readonly string[];
	/** Comments of those whose words count that the agent was not told. */
	readonly comments: number;
	/** Comments of others: they are told to nobody. */
	readonly others: number;
	/** Null where the forge does not know yet. */
	readonly mergeable: boolean | null;
	readonly merged?: {readonly commit: string; readonly how: MergedHow} | undefined;
};

/** What a run published. */
export type Published = {
	readonly place: ForgePlace;
	readonly number: number;
	readonly url: string;
	/** What fleet pushed; `head` is what is there. */
	readonly commit: string;
	/** The run's attempt at that time. */ readonly attempt: number;
	readonly via: CarrierName;
	readonly at: string;
	/** When it was last looked at; undefined: not since it was published. */
	readonly seenAt?: string | undefined;
	/** Comments and checks that its agent was told, by their ids there. */
	readonly told: readonly string[];
} & ForgeState;

/** How something stands there that was just made. */
export const fresh = ({head, draft}: {readonly head: string; readonly draft: boolean}): ForgeState => ({
	state: 'open',
	draft,
	head,
	checks: {passed: 0, failed: [], running: 0},
	approvedBy: [],
	changesBy: [],
	comments: 0,
	others: 0,
	mergeable: null,
});
