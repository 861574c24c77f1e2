import {actorName} from '../actor.ts';
import type {DeployOutcome, Entry, EntryOf} from '../run/event.ts';
import type {Viewed} from '../run/viewed.ts';
import {grantsOf, type GrantRow} from './grants.ts';
import {proposalsOf, type Proposal} from './proposals.ts';
import type {JournalSource} from './source.ts';

/* What runs were allowed, denied and decided since a moment. Others' words are in it, not escaped. */

/** A journal that does not tell all: nothing is said not to have happened by what it lacks. */
export type NotWhole = {
	readonly run: string;
	readonly project: string | null;
	readonly status: 'broken' | 'torn' | 'empty' | 'missing' | 'unreadable';
	/** The first bad line, from 1. */ readonly line: number | null;
	readonly because: string;
};

/** What was denied to runs of a project. */
export type DeniedRow = {
	readonly target: string;
	readonly project: string;
	readonly kind: 'network' | 'request' | 'secret';
	readonly count: number;
	readonly runs: number;
	readonly because: string;
	readonly last: string;
};

type About = {readonly run: string; readonly project: string; readonly at: string};

export type DecisionRow = About & {
	readonly what: 'approved' | 'rejected' | 'merged';
	readonly by: string;
	/** Whether who decided had asked for the run. */ readonly own: boolean;
	readonly because: string;
	readonly viewed: Viewed | null;
	readonly signer: string | null;
	/** The ref, of a merge. */ readonly target: string | null;
};

export type DeployRow = About & {
	readonly target: string;
	readonly commit: string;
	readonly by: string;
	/** Null where no end is written down. */ readonly outcome: DeployOutcome | null;
	/** How it ended. */ readonly because: string;
	readonly reason: string;
	/** The window that it was begun outside of. */ readonly outside: string | null;
};

export type BreakRow = About & {
	readonly what: 'alarm' | 'limit' | 'paused' | 'crashed' | 'failed';
	readonly because: string;
	readonly count: number;
};

export type Report = {
	readonly since: string;
	readonly until: string;
	readonly project: string | null;
	readonly journals: {readonly whole: number; readonly notWhole: readonly NotWhole[]};
	readonly grants: readonly GrantRow[];
	readonly proposals: readonly Proposal[];
	readonly denials: readonly DeniedRow[];
	readonly decisions: readonly DecisionRow[];
	readonly deploys: readonly DeployRow[];
	readonly breakOffs: readonly BreakRow[];
};

const denialKinds = {'egress.denied': 'network', 'request.refused': 'request', 'secret.refused': 'secret'} as const;

type Collected = {
	readonly denials: Map<string, Omit<DeniedRow, 'runs'> & {readonly runs: Set<string>}>;
	readonly decisions: DecisionRow[];
	readonly deploys: DeployRow[];
	readonly breakOffs: Map<string, BreakRow>;
};

type Created = EntryOf<'run.created'>;

function broke(
	found: Collected,
	about: About,
	{what, because, count = 1}: Omit<BreakRow, keyof About | 'count'> & {count?: number},
): void {
	const key = JSON.stringify([about.run, what, because]);
	const before = found.breakOffs.get(key)?.count ?? 0;
	found.breakOffs.set(key, {...about, what, because, count: before + count});
}

/** Adds what was denied. @param count how often since the line before */
function deny(
	found: Collected,
	{run, project, at}: About,
	{type, target, because, count}: Pick<DeniedRow, 'target' | 'because' | 'count'> & {type: keyof typeof denialKinds},
): void {
	const key = JSON.stringify([type, project, target]);
	const known = found.denials.get(key);
	const isLater = !known || at >= known.last;
	found.denials.set(key, {
		target,
		project,
		kind: denialKinds[type],
		count: (known?.count ?? 0) + count,
		runs: (known?.runs ?? new Set()).add(run),
		because: isLater ? because : known.because,
		last: isLater ? at : known.last,
	});
}

/** Adds what was decided, or what broke off. */
function decide(found: Collected, created: Created, entry: Entry): void {
	const {at} = entry;
	const about = {run: created.id, project: created.project.id, at};
	const by = actorName(entry.actor);
	const decided = (what: DecisionRow['what'], rest: Partial<DecisionRow>) =>
		found.decisions.push({
			...about,
			what,
			by,
			own: entry.actor === created.actor,
			because: '',
			viewed: null,
			signer: null,
			target: null,
			...rest,
		});
	switch (entry.type) {
		case 'review.approved': {
			const {because, viewed = null, accepted} = entry;
			decided('approved', {because, viewed, signer: accepted?.by.join(', ') ?? null});
			return;
		}

		case 'review.rejected': {
			decided('rejected', {because: entry.because});
			return;
		}

		case 'merge.finished': {
			decided('merged', {target: entry.target});
			return;
		}

		case 'deploy.started': {
			const {target, commit, because: reason = '', outside = null} = entry;
			found.deploys.push({...about, by, target, commit, outcome: null, because: '', reason, outside});
			return;
		}

		case 'deploy.finished': {
			const {outcome, because} = entry;
			const index = found.deploys.findLastIndex(({run, outcome: end}) => run === about.run && end === null);
			if (index !== -1) {
				found.deploys[index] = {...found.deploys[index]!, outcome, because};
			}

			return;
		}

		case 'limit.hit': {
			broke(found, about, {what: 'limit', because: `${entry.limit}: ${entry.because}`});
			return;
		}

		case 'run.frozen': {
			if (entry.actor === 'fleet') {
				broke(found, about, {what: 'paused', because: entry.because});
			}

			return;
		}

		case 'run.crashed':
		case 'run.failed': {
			broke(found, about, {what: entry.type === 'run.crashed' ? 'crashed' : 'failed', because: entry.because});
			return;
		}

		default:
	}
}

/** Reads one journal into what was found. @param since ISO 8601 */
function collect({entries}: JournalSource, since: string, found: Collected): void {
	const [created] = entries;
	if (created?.type !== 'run.created') {
		return;
	}

	const seen = new Map<string, number>();
	// A supervisor counts from one: a count that is not more than before is another one's.
	const more = (key: string, count: number): number => {
		const before = seen.get(key) ?? 0;
		seen.set(key, count);
		return count > before ? count - before : count;
	};

	for (const entry of entries) {
		const isNew = entry.at >= since;
		const {type, at} = entry;
		const about = {run: created.id, project: created.project.id, at};
		if (type === 'egress.denied' || type === 'request.refused' || type === 'secret.refused') {
			const {target, because} = entry;
			const count = more(`${type} ${target} ${type === 'egress.denied' ? '' : because}`, entry.count);
			if (isNew) {
				deny(found, about, {type, target, because, count});
			}
		} else if (type === 'alarm.raised') {
			const because = `${entry.because}, ${entry.target}`;
			const count = more(`${type} ${because}`, entry.count);
			if (isNew) {
				broke(found, about, {what: 'alarm', because, count});
			}
		} else if (isNew) {
			decide(found, created, entry);
		}
	}
}

const latestFirst = (a: {readonly at: string}, b: {readonly at: string}) => Date.parse(b.at) - Date.parse(a.at);

/**
 * Everything that was allowed, denied and decided since a moment. A grant counts that was on then, or later, with all that
 * was used of it, also before.
 *
 * @param options.since ISO 8601
 */
export function reportOf(
	sources: readonly JournalSource[],
	{
		since,
		until,
		project,
		notWhole,
	}: {
		readonly since: string;
		readonly until: string;
		readonly project: string | null;
		readonly notWhole: readonly NotWhole[];
	},
): Report {
	const found: Collected = {denials: new Map(), decisions: [], deploys: [], breakOffs: new Map()};
	for (const source of sources) {
		collect(source, since, found);
	}

	const grants = sources
		.flatMap(source => grantsOf(source))
		.filter(({at, endedAt}) => at >= since || endedAt === null || endedAt >= since)
		.sort(latestFirst);
	return {
		since,
		until,
		project,
		journals: {whole: sources.filter(({isWhole}) => isWhole).length, notWhole},
		grants,
		proposals: proposalsOf(grants),
		denials: [...found.denials.values()]
			.map(row => ({...row, runs: row.runs.size}))
			.sort((a, b) => b.count - a.count || (a.target < b.target ? -1 : 1)),
		decisions: found.decisions.sort(latestFirst),
		deploys: found.deploys.sort(latestFirst),
		breakOffs: [...found.breakOffs.values()].sort(latestFirst),
	};
}
