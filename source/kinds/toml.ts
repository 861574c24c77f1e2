/*
 * As much of TOML as manifests are asked for here: tables, and what their keys hold as text. What is written in another
 * way than people and tools write it is passed over, which costs a proposal and decides nothing.
 */

/** A table's lines by its name, such as `project.optional-dependencies`; those of an array of tables come together. */
export function tablesOf(text: string): ReadonlyMap<string, string> {
	const found = new Map<string, string>();
	let name = '';
	for (const line of text.split(/\r?\n/)) {
		const header = /^\s*\[\[?\s*([\w.\-"' ]+?)\s*\]?\]\s*(?:#.*)?$/.exec(line)?.[1];
		if (header === undefined) {
			found.set(name, `${found.get(name) ?? ''}${line}\n`);
		} else {
			name = header.replaceAll(/["' ]/g, '');
			found.set(name, found.get(name) ?? '');
		}
	}

	return found;
}

/** What stands behind each key of a table: up to the next key that begins a line. */
export function valuesOf(table: string | undefined): ReadonlyMap<string, string> {
	const found = new Map<string, string>();
	let key: string | undefined;
	let depth = 0;
	for (const line of (table ?? '').split('\n')) {
		const start = depth === 0 ? /^\s*([\w.-]+|"[^"]+"|'[^']+')\s*=\s*(.*)$/.exec(line) : null;
		if (start) {
			key = start[1]!.replaceAll(/["']/g, '');
			found.set(key, start[2]!);
		} else if (key !== undefined) {
			found.set(key, `${found.get(key)}\n${line}`);
		}

		const plain = line.replaceAll(/"(?:[^"\\]|\\.)*"|'[^']*'/g, '').replace(/#.*$/, '');
		depth = Math.max(0, depth + (plain.match(/[[{]/g)?.length ?? 0) - (plain.match(/[\]}]/g)?.length ?? 0));
	}

	return found;
}

/** The strings of a value. */
export function stringsOf(value: string | undefined): string[] {
	return [...(value ?? '').replaceAll(/^\s*#.*$/gm, '').matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g)].map(
		([, double, single]) => double ?? single ?? '',
	);
}
