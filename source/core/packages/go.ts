import {Unreadable, type LockFormat, type Package} from './package.ts';
import {pathSource, registrySource, urlSource} from './sources.ts';

/* `go.mod` and `go.sum`. Go runs nothing of a module's when it is fetched or built. */

/** The words of a line of `go.mod`, of which some may be in quotes. One without its end goes on to the line's. */
function words(line: string): string[] {
	return (line.match(/"(?:[^"\\]|\\.)*"?|`[^`]*`?|[()]|[^\s"`()]+/g) ?? []).map(word =>
		/^["`]/.test(word) ? word.replaceAll(/^["`]|["`]$/g, '') : word,
	);
}

type Replacement = {readonly name: string; readonly version: string; readonly by: string; readonly to: string};

function replacementOf(parts: readonly string[], line: number): Replacement {
	const arrow = parts.indexOf('=>');
	const [by = '', to = ''] = parts.slice(arrow + 1);
	if (arrow < 1 || by === '') {
		throw new Unreadable(`line ${line} is no replacement`);
	}

	return {name: parts[0]!, version: arrow > 1 ? parts[1]! : '', by, to};
}

/** What a `go.mod` or a `go.work` may say. */
const verbs = new Set([
	'module',
	'go',
	'toolchain',
	'godebug',
	'require',
	'exclude',
	'replace',
	'retract',
	'tool',
	'ignore',
	'use',
]);

/** The lines of `go.mod` by their verbs, those of blocks, too. @throws Unreadable at one that go does not know */
export function directives(text: string): Array<{verb: string; parts: string[]; line: number}> {
	const found: Array<{verb: string; parts: string[]; line: number}> = [];
	let block = '';
	for (const [index, raw] of text
		.replace(/^\uFEFF/, '')
		.split('\n')
		.entries()) {
		const at = raw.indexOf('//');
		// A comment begins at a word's begin; `https://` is none of a module's names.
		const parts = words(at === -1 ? raw : raw.slice(0, at));
		const [verb = ''] = parts;
		if (block !== '' && verb === ')') {
			block = '';
		} else if (block === '' && parts.at(-1) === '(' && parts.length === 2) {
			block = verb;
		} else if (parts.length > 0 && !verbs.has(block || verb)) {
			throw new Unreadable(`line ${index + 1} is not as go writes it`);
		} else if (parts.length > 0) {
			found.push({verb: block || verb, parts: block === '' ? parts.slice(1) : parts, line: index + 1});
		}
	}

	return found;
}

export const goMod: LockFormat = {
	id: 'go.mod',
	ecosystem: 'go',
	name: /^go\.mod$/,
	hosts: [],
	read(text) {
		const required = new Map<string, string>();
		/** By the name, and by the name with the version that is replaced. */
		const replacements = new Map<string, Replacement>();
		for (const {verb, parts, line} of directives(text)) {
			if (verb === 'require') {
				const [name = '', version = ''] = parts;
				if (version === '') {
					throw new Unreadable(`line ${line} requires no version`);
				}

				required.set(name, version);
			} else if (verb === 'replace') {
				const found = replacementOf(parts, line);
				replacements.set(`${found.name} ${found.version}`, found);
			}
		}

		const packages = [...required].map(([name, version]): Package => {
			const found = replacements.get(`${name} ${version}`) ?? replacements.get(`${name} `);
			if (!found) {
				return {name, version, source: registrySource(''), script: 'no', integrity: []};
			}

			const isPath = found.to === '';
			// Another version of the same module comes from where it always does; another module from another place.
			const other = found.by === name ? registrySource('') : urlSource(`https://${found.by}`);
			const source = isPath ? pathSource(found.by) : other;
			return {name, version: isPath ? version : found.to, source, script: 'no', integrity: []};
		});
		return {packages, hosts: []};
	},
};

export const goSum: LockFormat = {
	id: 'go.sum',
	ecosystem: 'go',
	name: /^(?:go|go\.work)\.sum$/,
	hosts: [],
	read(text) {
		const packages: Package[] = [];
		for (const [index, line] of text.split('\n').entries()) {
			const parts = line.trim().split(/\s+/);
			if (parts.length === 1 && parts[0] === '') {
				continue;
			}

			const [name = '', version = '', checksum = ''] = parts;
			if (parts.length !== 3) {
				throw new Unreadable(`line ${index + 1} is no checksum`);
			}

			// Of a module that is only looked at for what it requires, nothing is built.
			if (!version.endsWith('/go.mod')) {
				packages.push({name, version, source: registrySource(''), script: 'no', integrity: [checksum]});
			}
		}

		return {packages, hosts: []};
	},
};
