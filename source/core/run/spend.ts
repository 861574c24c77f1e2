import {localDay} from '../text/time.ts';
import type {Entry} from './event.ts';
import {formatTokens, noUsage, type Usage} from './usage.ts';

/* What runs spent on their models, by day, project or agent. What nobody reported is not nothing, and is told apart. */

export type Spend = {
	readonly requests: number;
	/** All of them, those without a price included. */ readonly tokens: number;
	/** US dollars, an estimate, of the tokens whose price is known. */ readonly dollars: number;
	/** Tokens whose price is not known. */ readonly unpriced: number;
};

export const noSpend: Spend = {requests: 0, tokens: 0, dollars: 0, unpriced: 0};

export function addSpend(one: Spend, other: Spend): Spend {
	return {
		requests: one.requests + other.requests,
		tokens: one.tokens + other.tokens,
		dollars: one.dollars + other.dollars,
		unpriced: one.unpriced + other.unpriced,
	};
}

const tokensOf = ({input, cached, output}: Usage) => input + cached + output;

/** What was spent between two counts of a run. Counts grow; one that is less than before was begun anew. */
export function spentBetween(before: Usage, after: Usage): Spend {
	const from = after.requests < before.requests ? noUsage : before;
	const tokens = Math.max(0, tokensOf(after) - tokensOf(from));
	// Once the price of one reply is not known, the cost of all of the run's later ones is not told either.
	const isPriced = after.dollars !== undefined && from.dollars !== undefined;
	return {
		requests: after.requests - from.requests,
		tokens,
		dollars: isPriced ? Math.max(0, after.dollars - from.dollars) : 0,
		unpriced: isPriced ? 0 : tokens,
	};
}

/** `~$4.12`; less than a cent is not called nothing. */
export function dollarsText(dollars: number): string {
	if (dollars > 0 && dollars < 0.01) {
		return '<$0.01';
	}

	return `~$${dollars.toFixed(dollars < 100 ? 2 : 0)}`;
}

/** What was spent in a few words; what has no known price is said to be so. Empty where nothing was counted. */
export function spendText({requests, tokens, dollars, unpriced}: Spend): string {
	if (requests === 0 && tokens === 0) {
		return '';
	}

	if (unpriced === 0) {
		return `${dollarsText(dollars)}, ${formatTokens(tokens)} tokens`;
	}

	return dollars === 0
		? `${formatTokens(tokens)} tokens, price not known`
		: `${dollarsText(dollars)} and ${formatTokens(unpriced)} tokens without a known price`;
}

export const spendKeys = ['day', 'project', 'agent'] as const;
export type SpendKey = (typeof spendKeys)[number];

export type SpendRow = Spend & {
	readonly key: string;
	/** Runs that reported what they spent. */ readonly runs: number;
	/** Runs that were at work and reported nothing: what they cost is not known. */ readonly silent: number;
};

/** What is known of a run for its spend: its whole journal. */
export type SpendSource = {readonly entries: readonly Entry[]};

type Collected = {spend: Spend; readonly runs: Set<string>; readonly silent: Set<string>};

/**
 * Spend since a moment, most recent day first, or the largest project or agent.
 * @param options.since milliseconds
 */
export function spendRows(
	sources: readonly SpendSource[],
	{by, since}: {readonly by: SpendKey; readonly since: number},
): SpendRow[] {
	const found = new Map<string, Collected>();
	const at = (key: string): Collected => {
		const known = found.get(key) ?? {spend: noSpend, runs: new Set<string>(), silent: new Set<string>()};
		found.set(key, known);
		return known;
	};

	for (const {entries} of sources) {
		const [created] = entries;
		if (created?.type !== 'run.created') {
			continue;
		}

		const keyOf = (entry: Entry) => ({day: localDay(entry.at), project: created.project.id, agent: created.agent})[by];
		const isSilent = !entries.some(entry => entry.type === 'usage.counted' && entry.usage.requests > 0);
		let usage: Usage = noUsage;
		for (const entry of entries) {
			const isNew = Date.parse(entry.at) >= since;
			if (entry.type === 'run.started' && isSilent && isNew) {
				at(keyOf(entry)).silent.add(created.id);
			}

			if (entry.type === 'usage.counted') {
				const spend = spentBetween(usage, entry.usage);
				usage = entry.usage;
				if (isNew && spend.requests > 0) {
					const own = at(keyOf(entry));
					own.spend = addSpend(own.spend, spend);
					own.runs.add(created.id);
				}
			}
		}
	}

	const rows = [...found].map(([key, {spend, runs, silent}]) => ({
		key,
		...spend,
		runs: runs.size,
		silent: silent.size,
	}));
	const byName = (a: SpendRow, b: SpendRow) => (a.key < b.key ? -1 : 1);
	return by === 'day'
		? rows.sort((a, b) => byName(b, a))
		: rows.sort((a, b) => b.dollars - a.dollars || b.tokens - a.tokens || byName(a, b));
}

/** All rows together; a run that is in two of them, such as one of two days, is counted in each. */
export function totalSpend(rows: readonly SpendRow[]): Spend {
	return rows.reduce<Spend>((sum, row) => addSpend(sum, row), noSpend);
}

/** The cost of a row as a table has it. */
export function costText({dollars, requests, unpriced, tokens, silent}: SpendRow): string {
	if (requests === 0) {
		return silent > 0 ? 'not reported' : '';
	}

	if (unpriced === tokens && dollars === 0) {
		return 'price not known';
	}

	return unpriced > 0 ? `${dollarsText(dollars)} and more` : dollarsText(dollars);
}

/** What a row leaves open, in words; empty where its cost is whole. */
export function openText({silent, unpriced, requests}: SpendRow): string {
	const parts = [
		unpriced > 0 ? `${formatTokens(unpriced)} tokens without a known price` : '',
		silent > 0 && requests > 0 ? `${silent} more ${silent === 1 ? 'run reports' : 'runs report'} no cost` : '',
		silent > 0 && requests === 0 ? `${silent} ${silent === 1 ? 'run reports' : 'runs report'} no cost` : '',
	];
	return parts.filter(part => part !== '').join('; ');
}
