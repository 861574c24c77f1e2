import type {GrantRow} from './grants.ts';

/* What could be taken away, or granted for less time, by what was used of it. A person decides; nothing is done here. */

/** One scope of one project. */
export type Proposal = {
	readonly project: string;
	readonly scope: string;
	readonly what: 'take-away' | 'shorten';
	/** How often it was granted. */ readonly grants: number;
	/** For how long at most it is enough, milliseconds; null where it is not needed at all. */ readonly forMs:
		| number
		| null;
	readonly because: string;
	/** Runs that have it still. */ readonly runs: readonly string[];
};

const minute = 60_000;
/** Spans as people grant them, milliseconds. */
const spans = [15, 30, 60, 120, 240, 480, 1440, 2880, 10_080].map(minutes => minutes * minute);
/** An agent has to have had a scope for as long before it is said that it does not need it. */
const leastHeldMs = 10 * minute;

/** A run that was given a scope and is over has shown whether it needed it, however short it was. */
const isShown = ({ended, heldMs}: GrantRow) => heldMs > 0 && (ended !== null || heldMs >= leastHeldMs);

const times = (count: number) => (count === 1 ? 'once' : `${count} times`);

function proposalOf(rows: readonly GrantRow[]): Omit<Proposal, 'project' | 'scope' | 'grants' | 'runs'> | undefined {
	if (rows.every(({use}) => use === 'never')) {
		return rows.some(row => isShown(row))
			? {what: 'take-away', forMs: null, because: `granted ${times(rows.length)}, never used`}
			: undefined;
	}

	const used = rows.filter(({use}) => use === 'used');
	if (used.length === 0 || rows.some(({use}) => use === 'not-known' || use === 'not-recorded')) {
		return undefined;
	}

	const needed = Math.max(...used.map(({at, lastUse}) => Date.parse(lastUse!) - Date.parse(at)));
	// Half as much again: another run is not to fail for a minute.
	const forMs = spans.find(span => span >= needed * 1.5);
	const given = Math.min(...used.map(({askedMs, heldMs}) => askedMs ?? heldMs));
	return forMs !== undefined && forMs * 2 <= given
		? {
				what: 'shorten',
				forMs,
				because: `granted ${times(rows.length)}, last used ${Math.ceil(needed / minute)} min after`,
			}
		: undefined;
}

/** What to take away first, then what to shorten. Grants of which the use is not known are left as they are. */
export function proposalsOf(grants: readonly GrantRow[]): Proposal[] {
	const found = new Map<string, GrantRow[]>();
	for (const grant of grants) {
		const key = JSON.stringify([grant.project, grant.scope]);
		found.set(key, [...(found.get(key) ?? []), grant]);
	}

	return [...found.values()]
		.flatMap((rows): Proposal[] => {
			const {project, scope} = rows[0]!;
			const proposal = proposalOf(rows);
			const runs = [...new Set(rows.filter(({ended}) => ended === null).map(({run}) => run))];
			return proposal ? [{project, scope, grants: rows.length, ...proposal, runs}] : [];
		})
		.sort((a, b) => b.what.localeCompare(a.what) || b.grants - a.grants);
}
