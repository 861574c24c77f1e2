import {noSource, Unreadable, type LockFormat, type Package, type PackageList, type Source} from './package.ts';
import {aliased} from './npm.ts';
import {fragmentOf, gitSource, npmSource, pathSource, registrySource, urlSource} from './sources.ts';
import {pairsOf, textOf} from './values.ts';
import {parseYaml} from './yaml.ts';

/* `yarn.lock`, of Yarn 1 and of its successors. Neither says which packages run something at an install. */

/** The name and what follows it, of `@scope/name@range`. */
function split(text: string): [name: string, range: string] {
	const at = text.indexOf('@', 1);
	return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** A text as Yarn 1 writes it: in quotes like JSON's where it has to be. */
function unquote(text: string): string {
	if (!text.startsWith('"')) {
		return text;
	}

	const value: unknown = JSON.parse(text);
	return typeof value === 'string' ? value : '';
}

type Block = {readonly patterns: readonly string[]; readonly fields: Map<string, string>};

/** The patterns of `a@^1, "b@2 || 3":`. */
function patternsOf(line: string): string[] {
	const parts = line.slice(0, -1).match(/"(?:[^"\\]|\\.)*"|[^",\s][^,]*/g) ?? [];
	return parts.map(part => unquote(part.trim()));
}

/** @throws Unreadable at the first line that Yarn 1 does not write */
function readBlocks(text: string): Block[] {
	const blocks: Block[] = [];
	for (const [index, line] of text.split(/\r?\n/).entries()) {
		if (line.trim() === '' || line.startsWith('#')) {
			continue;
		}

		const field = /^ {2}([\w-]+) (\S.*)$/.exec(line);
		if (/^[^\s#].*:$/.test(line)) {
			blocks.push({patterns: patternsOf(line), fields: new Map()});
		} else if (field && blocks.length > 0) {
			blocks.at(-1)!.fields.set(field[1]!, unquote(field[2]!));
		} else if (blocks.length === 0 || !/^ {2}(?:optionalD|d)ependencies:$|^ {4}\S/.test(line)) {
			throw new Unreadable(`line ${index + 1} is not as Yarn writes it`);
		}
	}

	return blocks;
}

function readClassic(text: string): Package[] {
	return readBlocks(text).flatMap(({patterns, fields}) => {
		const version = fields.get('version') ?? '';
		const resolved = fields.get('resolved') ?? '';
		const names = new Map(
			patterns.map(pattern => {
				const [name, range] = split(pattern);
				const real = range.startsWith('npm:') ? split(range.slice(4))[0] : name;
				return [aliased(name, real), {name: real, range}];
			}),
		);
		return [...names].map(([shown, {name, range}]) => {
			const address = resolved === '' && /^(?:file|link|portal):/.test(range) ? range : resolved;
			const source = npmSource(address, {name, version});
			const integrity = fields.get('integrity') ?? fragmentOf(resolved);
			return {name: shown, version, source, script: 'unknown' as const, integrity: integrity === '' ? [] : [integrity]};
		});
	});
}

/** Where a package comes from, of `npm:1.2.3` and the like; what follows `::` are parameters. */
function berrySource(reference: string): Source {
	const [plain = ''] = reference.split('::', 1);
	const archive = /[:&]__archiveUrl=([^&]*)/.exec(reference)?.[1];
	if (archive !== undefined) {
		return urlSource(decodeURIComponent(archive));
	}

	if (plain.startsWith('npm:')) {
		return registrySource('');
	}

	if (/^(?:workspace|file|link|portal|patch|exec):/.test(plain)) {
		// A patch of a package is one of the project's own files, over what its own address says.
		return pathSource(plain.replace(/#.*$/s, ''));
	}

	if (/[#&]commit=|^git[@+:]|\.git(?:#|$)/.test(plain)) {
		return gitSource(plain);
	}

	return /^https?:/.test(plain) ? urlSource(plain) : {...noSource, at: plain};
}

function readBerry(text: string): Package[] {
	const [lock, ...more] = parseYaml(text);
	if (more.length > 0) {
		throw new Unreadable('it has several documents');
	}

	return pairsOf(lock, 'the file')
		.filter(([key]) => key !== '__metadata')
		.map(([key, entry]) => {
			const [name, reference] = split(textOf(entry, 'resolution'));
			if (name === '') {
				throw new Unreadable('an entry has no resolution');
			}

			const alias = split(split(key.split(', ', 1)[0]!)[1].replace(/^npm:/, ''))[0];
			const source = berrySource(reference);
			const commit = source.kind === 'git' ? fragmentOf(reference) : '';
			return {
				name: alias === name ? aliased(split(key)[0], name) : name,
				version: textOf(entry, 'version'),
				source,
				script: source.kind === 'path' && reference.startsWith('workspace:') ? ('no' as const) : ('unknown' as const),
				integrity: [textOf(entry, 'checksum'), commit].filter(part => part !== ''),
			};
		})
		.filter(({source}) => source.at !== 'workspace:.');
}

export const yarn: LockFormat = {
	id: 'yarn',
	ecosystem: 'npm',
	name: /^yarn\.lock$/,
	hosts: ['registry.yarnpkg.com', 'registry.npmjs.org'],
	read(text): PackageList {
		return {packages: /^__metadata:/m.test(text) ? readBerry(text) : readClassic(text), hosts: []};
	},
};
