import {Refusal} from '../refusal.ts';
import {formatSpan} from '../text/time.ts';
import {contains, overlaps, readScope, type ScopePattern} from './pattern.ts';
import type {GrantRule} from './rules.ts';

/* What all rules together make of a grant. Every rule that counts for it counts: none is more special than another. */

/** Whose names a rule's `by` means. */
export type Names = 'project' | 'boundary';

/** Rules of one file, and for a boundary what can be granted at all. */
export type Wall = {
	readonly names: Names;
	readonly rules: readonly GrantRule[];
	/** Where it is there, what it does not contain cannot be granted. `at`: its `FILE:LINE`. */
	readonly only?: {readonly patterns: readonly ScopePattern[]; readonly at: string} | undefined;
	/** What the file is called, for a person. */
	readonly file: string;
};

/** One demand, and where it stands. */
type Said<Value> = {readonly value: Value; readonly at: string};

/** What a grant may be at most. */
export type Terms = {
	/** Milliseconds; undefined for as long as the run. */
	readonly longest?: Said<number> | undefined;
	/** Undefined for any number. */
	readonly uses?: Said<number> | undefined;
	/** One of each of these has to sign. */
	readonly by: ReadonlyArray<Said<readonly string[]> & {readonly names: Names}>;
};

/** The terms of what no rule is about. */
export const free: Terms = {by: []};

const least = (one: Said<number> | undefined, value: number | undefined, at: string): Said<number> | undefined =>
	value === undefined || (one !== undefined && one.value <= value) ? one : {value, at};

function forbidden(
	scope: string,
	{of, at, because}: {readonly of: string; readonly at: string; readonly because: string},
): Refusal {
	const through = scope === of ? scope : `${scope} opens ${of}, which`;
	return new Refusal(
		`${through} ${because} (${at})`,
		`fleet policy explain ${scope} says what is allowed; who keeps ${at.replace(/:\d+$/, '')} can change that`,
	);
}

/**
 * What a grant may be at most, by every rule that is about anything that it opens.
 * @param opened the scope, and after it what else it opens, such as the hosts of a secret; each in its one spelling
 * @param aliases other names of what it opens: what restricts those counts, and nobody has to allow them
 * @returns a refusal where it can be granted to no run
 */
export function termsOf(
	opened: readonly string[],
	walls: readonly Wall[],
	aliases: readonly string[] = [],
): Terms | Refusal {
	if (walls.length === 0) {
		return free;
	}

	const [scope = ''] = opened;
	const read = [...opened, ...aliases].map(text => ({text, scope: readScope(text)}));
	let terms = free;
	for (const {rules, only, names} of walls) {
		for (const rule of rules) {
			const hit = read.find(one => overlaps(rule.pattern, one.scope));
			if (hit === undefined) {
				continue;
			}

			if (rule.never) {
				return forbidden(scope, {of: hit.text, at: rule.at, because: 'is never granted'});
			}

			terms = {
				longest: least(terms.longest, rule.longest, rule.at),
				uses: least(terms.uses, rule.uses, rule.at),
				by: rule.by ? [...terms.by, {value: rule.by, at: rule.at, names}] : terms.by,
			};
		}

		const out =
			only && read.slice(0, opened.length).find(one => !only.patterns.some(pattern => contains(pattern, one.scope)));
		if (only && out !== undefined) {
			return forbidden(scope, {of: out.text, at: only.at, because: 'is not among what can be granted on this machine'});
		}
	}

	return terms;
}

/**
 * How long a grant lasts, milliseconds: what was asked, or the longest allowed; undefined for as long as the run.
 * @param own what else limits it, such as the secret's own longest grant
 * @returns a refusal where more was asked than is allowed
 */
export function lengthOf(
	scope: string,
	terms: Terms,
	{asked, own}: {readonly asked: number | undefined; readonly own?: number | undefined},
): number | undefined | Refusal {
	const longest = least(terms.longest, own, '');
	if (longest === undefined || (asked !== undefined && asked <= longest.value)) {
		return asked;
	}

	return asked === undefined
		? longest.value
		: new Refusal(
				`${scope} is granted for ${formatSpan(longest.value)} at most${longest.at === '' ? '' : ` (${longest.at})`}`,
				`--for ${formatSpan(longest.value)}`,
			);
}

/** What the rules say of a grant that nobody asked for yet, as a journal and a screen have it. Nothing where none counts. */
export type ToldTerms = {
	/** Why it can be granted to no run. */
	readonly never?: string;
	/** Milliseconds. */
	readonly longest?: number;
	/** In one line. */
	readonly says: string;
};

export function toldTerms(terms: Terms | Refusal): ToldTerms | undefined {
	if (terms instanceof Refusal) {
		return {never: terms.because, says: terms.because};
	}

	const says = termsWords(terms);
	return says === '' ? undefined : {...(terms.longest ? {longest: terms.longest.value} : {}), says};
}

/** Terms in one line, for whoever decides; empty where there are none. */
export function termsWords({longest, uses, by}: Terms): string {
	return [
		...(longest ? [`for ${formatSpan(longest.value)} at most (${longest.at})`] : []),
		...(uses ? [`${uses.value === 1 ? 'for one use' : `for ${uses.value} uses`} (${uses.at})`] : []),
		...by.map(({value, at}) => `signed by ${value.join(' or ')} (${at})`),
	].join(', ');
}
