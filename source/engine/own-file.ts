import {readFileSync} from 'node:fs';
import * as v from 'valibot';
import {Refusal} from '../core/refusal.ts';

/** A JSON file of fleet's own. */
export type OwnFile<Output> = {
	readonly file: string;
	readonly schema: v.GenericSchema<unknown, Output>;
	/** What it holds, as a refusal names it: `a list of secrets`. */
	readonly what: string;
	/** What to do about a damaged one. */
	readonly hint: string;
};

/**
 * Reads such a file. A damaged one is never taken for an empty one: writing it anew would lose what a person decided.
 * @returns undefined where there is none
 * @throws Refusal where it cannot be read, or is not what it should be
 */
export function readOwnFile<Output>({file, schema, what, hint}: OwnFile<Output>): Output | undefined {
	let text: string;
	try {
		text = readFileSync(file, 'utf8');
	} catch (error) {
		const {code} = error as NodeJS.ErrnoException;
		if (code === 'ENOENT') {
			return undefined;
		}

		throw new Refusal(`${file} cannot be read: ${code}`, hint);
	}

	const value = parseOwn(schema, text);
	if (value === undefined) {
		throw new Refusal(`${file} is not ${what}`, hint);
	}

	return value;
}

/** A JSON text of a form; undefined for any other. */
export function parseOwn<Output>(schema: v.GenericSchema<unknown, Output>, text: string): Output | undefined {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		// What is no JSON has no form either.
		return undefined;
	}

	const parsed = v.safeParse(schema, value);
	return parsed.success ? parsed.output : undefined;
}
