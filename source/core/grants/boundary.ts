import * as v from 'valibot';
import {limitEntries, limitNames, type AskedLimits} from '../limits.ts';
import {peopleOf, peopleRecord, unknownAmong, type People} from '../people/people.ts';
import {Refusal} from '../refusal.ts';
import {linesOf, parseClosed} from '../text/yaml.ts';
import {grantRules, numbered, patternOf, ruleKeys, scopePattern} from './rules.ts';
import type {Wall} from './terms.ts';

/* What no project's policy and no person on this machine widens. It only restricts. */

/** Where the machine's administrator keeps it. */
export const boundaryPath = '/etc/fleet/boundary.yaml';

/** The variable that names one more file: it counts besides, and takes nothing away. */
export const boundaryVariable = 'FLEET_BOUNDARY';

/** One boundary file, read. */
export type Boundary = {
	readonly wall: Wall;
	/** Whom its `by` means: its own people, since a project's file names whom it likes. */
	readonly people: People;
	readonly limits: AskedLimits;
};

const schema = v.strictObject({
	grants: v.optional(grantRules, []),
	only: v.optional(v.pipe(v.array(scopePattern, 'a list of scopes'), v.minLength(1, 'a list that names something'))),
	people: v.optional(peopleRecord, {}),
	limits: v.optional(v.strictObject(limitEntries), {}),
});

/**
 * Reads a boundary. A key that is not known, and a name that is nobody's, is an error with its line.
 * @param file what it is called, for errors and answers
 */
export function parseBoundary(text: string, file: string): Boundary | Refusal {
	const hint =
		`keys: grants (each: ${ruleKeys}), only (scopes), people (NAME: {keys, groups}), ` +
		`limits (${limitNames.join(', ')})`;
	const read = parseClosed(text, schema, {path: file, hint});
	if (read instanceof Refusal) {
		return read;
	}

	const people = peopleOf(read.people, file);
	if (people instanceof Refusal) {
		return people;
	}

	const lines = linesOf(text, [...read.grants.map((_, index) => ['grants', index]), ['only']]);
	const rules = numbered(read.grants, file, lines);
	const nobody = rules.flatMap(({by = [], at}) => unknownAmong(people, by).map(name => ({name, at})))[0];
	if (nobody) {
		return new Refusal(`${nobody.at}: ${nobody.name} is nobody of its people`, hint);
	}

	return {
		wall: {
			names: 'boundary',
			file,
			rules,
			only: read.only && {patterns: read.only.map(text => patternOf(text)), at: `${file}:${lines.at(-1)!}`},
		},
		people,
		limits: read.limits,
	};
}

/** The limits of several boundaries: of each the tightest. */
export function tightest(boundaries: readonly Boundary[]): AskedLimits {
	return Object.fromEntries(
		limitNames.flatMap(name => {
			const values = boundaries.flatMap(({limits}) => limits[name] ?? []);
			return values.length === 0 ? [] : [[name, Math.min(...values)]];
		}),
	);
}
