import type {Spend} from './spend.ts';
import type {Usage} from './usage.ts';

/* What an event in words is made of. */

/** What an event is about. */
export type EventKind = 'run' | 'decision' | 'denial' | 'check' | 'spend';

/** What is known of a run from its earlier events, as far as they were read. */
export type Earlier = {
	/** When each scope that is on was granted, ISO 8601. */ readonly granted: Readonly<Record<string, string>>;
	/** The last count; undefined where it is not known. */ readonly usage: Usage | undefined;
};

/** An event in words. */
export type Told = {
	readonly kind: EventKind;
	/** Without who did it: `approved it, 2 of 3 files viewed`. */
	readonly text: string;
	/** Who, where the text needs it: a person's login, or `the policy`. */
	readonly by?: string | undefined;
	readonly tone?: 'good' | 'bad' | 'warn' | undefined;
	/** What no one looks for among many runs. */
	readonly minor?: boolean | undefined;
	/** Events of a run with the same one are told once, with their count. */
	readonly same?: string | undefined;
	/** How often it was seen until now, as the event says. */
	readonly seen?: number | undefined;
	readonly spend?: Spend | undefined;
};
