import {Unreadable} from './package.ts';

/* Reading what a parser of JSON, YAML or TOML made of an untrusted text. Only own keys are looked at. */

type Table = Readonly<Record<string, unknown>>;

/** What maps names to values; undefined for anything else, such as a list. */
export function tableIn(value: unknown): Table | undefined {
	return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Table) : undefined;
}

/** @throws Unreadable where it is none */
export function tableOf(value: unknown, what: string): Table {
	const table = tableIn(value);
	if (table === undefined) {
		throw new Unreadable(`${what} is no table of names`);
	}

	return table;
}

/** The pairs of a table. What is not there has none. @throws Unreadable where it is something else */
export function pairsOf(value: unknown, what: string): Array<[string, unknown]> {
	return value === undefined || value === null || value === '' ? [] : Object.entries(tableOf(value, what));
}

/** The elements of a list. What is not there has none. @throws Unreadable where it is something else */
export function listOf(value: unknown, what: string): readonly unknown[] {
	if (value === undefined || value === null) {
		return [];
	}

	if (!Array.isArray(value)) {
		throw new Unreadable(`${what} is no list`);
	}

	return value;
}

/** The value of an own key. */
export function valueOf(table: unknown, key: string): unknown {
	const known = tableIn(table);
	return known !== undefined && Object.hasOwn(known, key) ? known[key] : undefined;
}

/** A text by its key; empty where there is none. */
export function textOf(table: unknown, key: string): string {
	const value = valueOf(table, key);
	return typeof value === 'string' ? value : '';
}

/** Reads JSON as package managers do: a byte order mark is passed over. @throws SyntaxError */
export function parseJson(text: string): unknown {
	return JSON.parse(text.replace(/^\uFEFF/, ''));
}
