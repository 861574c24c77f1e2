import type {Entry} from '../run/event.ts';

/*
 * The lines of a journal that a gate log holds: who decided what, and what came of it. Facts alone: no prompt, no
 * output, no path of this machine.
 */

/** Where a machine's gate log is, on a remote: a branch, since a server can protect nothing else. */
export const gateLogBranches = 'fleet-log';

const decisive =
	/^(?:run\.created|scope\.|gate\.refused$|audit\.finished$|verify\.finished$|review\.|statement\.|request\.|merge\.|deploy|publish\.|suspects\.waived$|alarm\.)/;

const told = [
	'base',
	'head',
	'tree',
	'policy',
	'verify',
	'digest',
	'passed',
	'result',
	'agent',
	'target',
	'commit',
	'gate',
	'decision',
	'by',
	'word',
	'accepted',
	'scope',
	'grant',
	'outcome',
	'items',
	'because',
	'remote',
	'fingerprints',
] as const;

/** One line of a gate log. `line`: SHA-256 of the journal's own line, by which a journal is held against it later. */
export type GateLine = {
	readonly seq: number;
	readonly at: string;
	readonly actor: string;
	readonly type: string;
	readonly line: string;
};

/**
 * A journal's decisive lines, as JSON, one on a line.
 * @param digestOf SHA-256 of the line with that number
 */
export function gateLines(entries: readonly Entry[], digestOf: (seq: number) => string): string[] {
	return entries
		.filter(({type}) => decisive.test(type))
		.map(entry => {
			const {seq, at, actor, type} = entry;
			const own = entry as unknown as Readonly<Record<string, unknown>>;
			const facts = Object.fromEntries(told.flatMap(key => (own[key] === undefined ? [] : [[key, own[key]]])));
			return JSON.stringify({seq, at, actor, type, line: digestOf(seq), ...facts});
		});
}

/** SHA-256 of each line of a journal, by the chain that its entries are in. */
export function digestsOf(entries: readonly Entry[], head: string): (seq: number) => string {
	return seq => entries[seq]?.prev ?? (seq === entries.length ? head : '');
}

/** The trailer by which a merge commit witnesses a journal: how many lines it had, and the SHA-256 of the last. */
export const logTrailer = 'Fleet-Log';

/** What a merge commit witnesses, as a trailer has it. */
export type Witness = {readonly seq: number; readonly line: string};

export function witnessText({seq, line}: Witness): string {
	return `${seq} ${line}`;
}

/** The witness in a commit's message; undefined where there is none. */
export function witnessIn(message: string): Witness | undefined {
	const [, seq, line] = /^Fleet-Log: (\d{1,9}) ([\da-f]{64})$/m.exec(message) ?? [];
	return seq === undefined || line === undefined ? undefined : {seq: Number(seq), line};
}
