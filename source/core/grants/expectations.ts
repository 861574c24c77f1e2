import * as v from 'valibot';
import {isAmong, type People} from '../people/people.ts';
import {Refusal} from '../refusal.ts';
import {formatSpan, parseDuration} from '../text/time.ts';
import {linesOf, parseClosed} from '../text/yaml.ts';
import {lengthOf, type Terms} from './terms.ts';

/* A project's own table of what its policy lets be granted, to be tried at each change of it. */

/** Where a project keeps it. */
export const expectationsPath = '.fleet/policy-tests.yaml';

const timeUsage = 'a time, such as 2h';
const time = v.pipe(
	v.string(timeUsage),
	v.check(text => !(parseDuration(text) instanceof Refusal), timeUsage),
	v.transform(text => parseDuration(text) as number),
);
const outcomeUsage = 'refused, run (as long as it goes on), or a time, such as 1h';

const schema = v.array(
	v.strictObject({
		scope: v.string('a scope, as for fleet allow'),
		by: v.optional(v.string('a person of the people file')),
		for: v.optional(time),
		expect: v.pipe(
			v.string(outcomeUsage),
			v.check(text => ['refused', 'run'].includes(text) || !(parseDuration(text) instanceof Refusal), outcomeUsage),
		),
		uses: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
	}),
	'a list of expectations',
);

/** One line of the table. Times in milliseconds. */
export type Expectation = {
	readonly scope: string;
	/** Who signs, by name; undefined for nobody. */
	readonly by: string | undefined;
	/** What is asked for; undefined for the longest. */
	readonly for: number | undefined;
	/** `refused`, `run`, or a time as it is written. */
	readonly expect: string;
	readonly uses: number | undefined;
	/** `FILE:LINE`. */
	readonly at: string;
};

/** Reads a table. A key that is not known is an error with its line. @param file what it is called */
export function parseExpectations(text: string, file: string): Expectation[] | Refusal {
	const hint = '- {scope: "network:example.org", by: ada, for: 2h, expect: refused | run | 1h, uses: 1}';
	const read = parseClosed(text.trim() === '' ? '[]' : text, schema, {path: file, hint});
	if (read instanceof Refusal) {
		return read;
	}

	const lines = linesOf(
		text,
		read.map((_, index) => [index]),
	);
	return read.map(({scope, by, for: asked, expect, uses}, index) => ({
		scope,
		by,
		for: asked,
		expect,
		uses,
		at: `${file}:${lines[index]!}`,
	}));
}

/** What comes of a grant that is asked for as a line says. `uses`: undefined for any number. */
export type Outcome = {readonly outcome: string; readonly uses?: number | undefined; readonly because: string};

/**
 * What comes of a grant by its rules.
 * @param peopleOf whom a rule's names mean
 */
export function outcomeOf(
	{scope, by, for: asked}: Pick<Expectation, 'scope' | 'by' | 'for'>,
	terms: Terms | Refusal,
	peopleOf: (demand: Terms['by'][number]) => People,
): Outcome {
	if (terms instanceof Refusal) {
		return {outcome: 'refused', because: terms.because};
	}

	for (const demand of terms.by) {
		const person = by === undefined ? undefined : peopleOf(demand).find(({name}) => name === by);
		if (!person || !isAmong(person, demand.value)) {
			const who = by === undefined ? 'nobody signs' : `${by} is none of them`;
			return {outcome: 'refused', because: `it is for ${demand.value.join(' or ')} (${demand.at}), and ${who}`};
		}
	}

	const length = lengthOf(scope, terms, {asked});
	if (length instanceof Refusal) {
		return {outcome: 'refused', because: length.because};
	}

	const at = terms.longest ? ` (${terms.longest.at})` : '';
	return length === undefined
		? {outcome: 'run', uses: terms.uses?.value, because: 'no rule says how long'}
		: {outcome: formatSpan(length), uses: terms.uses?.value, because: `${formatSpan(length)}${at}`};
}

/** Whether what came is what was expected: 60m is 1h. */
export function isExpected({expect, uses}: Pick<Expectation, 'expect' | 'uses'>, came: Outcome): boolean {
	const plain = (text: string) => {
		const span = parseDuration(text);
		return span instanceof Refusal ? text : String(span);
	};

	return plain(expect) === plain(came.outcome) && (uses === undefined || uses === came.uses);
}
