import * as v from 'valibot';
import {isMap, isSeq, LineCounter, parseDocument, type Document} from 'yaml';
import {Refusal} from '../refusal.ts';

function lineOf(document: Document, counter: LineCounter, path: readonly unknown[]): number {
	let node: unknown = document.contents;
	// What an error is about is the key, where there is one: its value may begin on a later line.
	let place: unknown = node;
	for (const key of path) {
		const pair = isMap(node) ? node.items.find(pair => String(pair.key) === String(key)) : undefined;
		let value: unknown;
		if (pair) {
			value = pair.value;
		} else if (isSeq(node)) {
			value = node.items[Number(key)];
		}

		place = pair?.key ?? value ?? place;
		node = value;
	}

	const range = (place as {range?: [number, number, number]} | undefined)?.range;
	return range ? counter.linePos(range[0]).line : 1;
}

/** The lines on which the parts of a file stand, from 1; for a text that `parseClosed` read. @param paths of keys and indexes */
export function linesOf(text: string, paths: ReadonlyArray<readonly unknown[]>): number[] {
	const counter = new LineCounter();
	const document = parseDocument(text, {lineCounter: counter});
	return paths.map(path => lineOf(document, counter, path));
}

/**
 * Reads a file of the project's by a closed schema. Every error names the file and its line.
 * @param file.path what the file is called in the project
 * @param file.hint for every error; where it depends on that, by the first key of where the error is
 */
export function parseClosed<Schema extends v.GenericSchema>(
	text: string,
	schema: Schema,
	{path, hint: usage}: {readonly path: string; readonly hint: string | ((key: string | undefined) => string)},
): v.InferOutput<Schema> | Refusal {
	const counter = new LineCounter();
	const document = parseDocument(text, {lineCounter: counter, strict: true, uniqueKeys: true});
	const bad = (line: number, because: string, key?: string) =>
		new Refusal(`${path}:${line}: ${because}`, typeof usage === 'string' ? usage : usage(key));
	const [error] = document.errors;
	if (error) {
		return bad(counter.linePos(error.pos[0]).line, error.message.split('\n')[0]!.replace(/ at line.*/, ''));
	}

	let value: unknown;
	try {
		value = document.toJS({maxAliasCount: 0}) ?? {};
	} catch {
		return bad(1, 'aliases are not allowed');
	}

	const result = v.safeParse(schema, value);
	if (result.success) {
		return result.output;
	}

	const [issue] = result.issues;
	const keys = (issue.path ?? []).map(item => item.key);
	const line = lineOf(document, counter, keys);
	const first = keys.length === 0 ? undefined : String(keys[0]);
	if (issue.type !== 'strict_object' || keys.length === 0) {
		return bad(line, `${keys.join('.') || 'the file'}: ${issue.message}`, first);
	}

	// Of a key that has to be there, the schema names what it expected.
	return bad(
		line,
		`"${String(keys.at(-1))}" is ${issue.expected === 'never' ? 'not a key here' : 'missing here'}`,
		first,
	);
}
