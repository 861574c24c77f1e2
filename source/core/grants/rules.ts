import * as v from 'valibot';
import {Refusal} from '../refusal.ts';
import {formatSpan, parseDuration} from '../text/time.ts';
import {parsePattern, type ScopePattern} from './pattern.ts';

/* Rules about grants, as a policy and a boundary write them: who may turn a scope on, for how long, how often, or nobody. */

/** The kinds whose uses are counted. */
export const countedKinds = ['network', 'secret', 'mcp'] as const;

/** One rule. Each of its keys restricts, and none opens anything. */
export type GrantRule = {
	/** As it is written. */
	readonly scope: string;
	readonly pattern: ScopePattern;
	/** People and groups, one of whom has to sign. */
	readonly by?: readonly string[] | undefined;
	/** Milliseconds. */
	readonly longest?: number | undefined;
	readonly uses?: number | undefined;
	readonly never?: true | undefined;
	/** `FILE:LINE`. */
	readonly at: string;
};

const scopeUsage = 'a scope is written as for fleet allow, with * for what varies';

/** Why a text is no pattern, and what to write. */
function patternFault(text: unknown): string | undefined {
	const read = typeof text === 'string' ? parsePattern(text) : new Refusal(scopeUsage, '');
	return read instanceof Refusal ? `${read.because}${read.hint === '' ? '' : ` (${read.hint})`}` : undefined;
}

/** A pattern of scopes, as it is written. */
export const scopePattern = v.pipe(
	v.string(scopeUsage),
	v.check(
		text => patternFault(text) === undefined,
		({input}) => patternFault(input) ?? scopeUsage,
	),
);

/** @returns the pattern of a text that was checked by `scopePattern` */
export function patternOf(text: string): ScopePattern {
	const read = parsePattern(text);
	if (read instanceof Refusal) {
		throw new TypeError(read.because);
	}

	return read;
}

const name = v.pipe(
	v.string('a name'),
	v.regex(/^[a-z0-9][a-z0-9._-]{0,60}$/, 'a person or a group of the people file'),
);
const timeUsage = 'a time is a number and a unit, such as 30m or 2h';
const time = v.pipe(
	v.string(timeUsage),
	v.check(text => !(parseDuration(text) instanceof Refusal), timeUsage),
	v.transform(text => parseDuration(text) as number),
);

const kindOf = (scope: string) => scope.split(':', 1)[0]!;

const rule = v.pipe(
	v.strictObject({
		scope: scopePattern,
		by: v.optional(v.pipe(v.array(name, 'a list of people and groups'), v.minLength(1, 'a list that names somebody'))),
		longest: v.optional(time),
		uses: v.optional(
			v.pipe(
				v.number('a number'),
				v.integer('a whole number'),
				v.minValue(1, 'at least 1; never: true allows none'),
				v.maxValue(10_000, 'at most 10000'),
			),
		),
		never: v.optional(v.literal(true, 'true, or the key left out')),
	}),
	v.check(
		({never, by, longest, uses}) => never === undefined || (by ?? longest ?? uses) === undefined,
		'never: true says all, and stands alone with its scope',
	),
	v.check(
		({never, by, longest, uses}) => (never ?? by ?? longest ?? uses) !== undefined,
		'a rule has by, longest, uses or never',
	),
	v.check(
		({scope, uses}) => uses === undefined || countedKinds.some(kind => kind === kindOf(scope)),
		`uses are counted of ${countedKinds.join(', ')} alone`,
	),
	v.check(
		({scope, never}) => kindOf(scope) !== 'deploy' || never !== undefined,
		'of a deploy a rule can say never: true alone, since no run is granted one',
	),
	v.transform((written): GrantRule => ({...written, pattern: patternOf(written.scope), at: ''})),
);

/** The value of `grants:`. Their lines are not known yet: see `numbered`. */
export const grantRules = v.array(rule, 'a list of rules, each with scope: and by:, longest:, uses: or never:');

/** The keys of a rule, for a hint. */
export const ruleKeys = 'scope, by, longest, uses, never';

/** The rules, each with where it stands. @param lines of the file, one for each rule */
export function numbered(rules: readonly GrantRule[], file: string, lines: readonly number[]): GrantRule[] {
	return rules.map((rule, index) => ({...rule, at: `${file}:${lines[index] ?? 1}`}));
}

/** What a rule says besides its scope, in words. */
export function ruleWords({by, longest, uses, never}: GrantRule): string {
	return [
		...(never ? ['never'] : []),
		...(by ? [`by ${by.join(' or ')}`] : []),
		...(longest === undefined ? [] : [`for ${formatSpan(longest)} at most`]),
		...(uses === undefined ? [] : [uses === 1 ? 'for one use' : `for ${uses} uses`]),
	].join(', ');
}
