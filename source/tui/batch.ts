/* Verbs that are begun at once, how they ended, and what takes them back. */

/** Verbs that take something back; none of them destroys anything. */
export type Undo = {
	readonly verb: 'restore' | 'continue' | 'revoke';
	/** What is taken back, by run: its scope where it is a grant. */
	readonly items: ReadonlyArray<{readonly run: string; readonly scope?: string | undefined}>;
};

/** Verbs that are begun at once, for several runs: one notice says how they ended. */
export type Batch = {
	readonly id: string;
	readonly size: number;
	/** Whether one begins when the one before it has ended: they are heavy, or come in each other's way. */
	readonly isSerial?: boolean | undefined;
};

/** A verb that has the terminal for itself. @param input what it reads as a prompt */
export type InTerminal = {readonly argv: readonly string[]; readonly input?: string | undefined};

/** How one verb of a batch ended. */
export type Ended = {
	readonly run: string;
	readonly isGood: boolean;
	/** Why not, in one line, escaped. */
	readonly text: string;
	/** The verbs that succeeded. */
	readonly ran: ReadonlyArray<readonly string[]>;
	/** The verb, where it has a question: it is run again in the terminal. */
	readonly asks?: InTerminal | undefined;
};
