import {parse as parseToml} from 'smol-toml';
import {noSource, Unreadable, type LockFormat, type Package, type Script, type Source} from './package.ts';
import {gitSource, hostOf, pathSource, registrySource, urlSource} from './sources.ts';
import {listOf, pairsOf, parseJson, textOf, valueOf} from './values.ts';

/* `poetry.lock`, `uv.lock`, `Pipfile.lock`, and `requirements.txt` with pins. */

const hosts = ['pypi.org', 'files.pythonhosted.org'];

/** One name however it is written: `Foo_Bar` is `foo-bar`. */
function plainName(name: string): string {
	return name.replaceAll(/[-_.]+/g, '-').toLowerCase();
}

/** What is not built yet is built when it is installed, by a program of the package's own. */
function scriptOf(files: readonly string[], source: Source): Script {
	if (source.kind === 'git') {
		return 'yes';
	}

	if (files.some(file => file.endsWith('-none-any.whl'))) {
		return 'no';
	}

	return files.length === 0 || files.some(file => file.endsWith('.whl')) ? 'unknown' : 'yes';
}

/** The last part of an address. */
function fileOf(address: string): string {
	const [plain = ''] = address.split(/[?#]/, 1);
	return plain.slice(plain.lastIndexOf('/') + 1);
}

function poetrySource(source: unknown): Source {
	const address = textOf(source, 'url');
	switch (textOf(source, 'type')) {
		case '': {
			return registrySource('');
		}

		case 'legacy': {
			return registrySource(address);
		}

		case 'git': {
			return gitSource(address);
		}

		case 'url': {
			return urlSource(address);
		}

		case 'directory':
		case 'file': {
			return pathSource(address);
		}

		default: {
			return {...noSource, at: address};
		}
	}
}

export const poetry: LockFormat = {
	id: 'poetry',
	ecosystem: 'pypi',
	name: /^poetry\.lock$/,
	hosts,
	read(text) {
		const lock = parseToml(text.replace(/^\uFEFF/, ''));
		const older = valueOf(valueOf(lock, 'metadata'), 'files');
		const packages = listOf(lock['package'], 'package').map((entry): Package => {
			const name = textOf(entry, 'name');
			const stated = valueOf(entry, 'source');
			const source = poetrySource(stated);
			const files = listOf(valueOf(entry, 'files') ?? valueOf(older, name), 'files');
			const commit = source.kind === 'git' ? textOf(stated, 'resolved_reference') : '';
			return {
				name: plainName(name),
				version: textOf(entry, 'version'),
				source,
				script: scriptOf(
					files.map(file => textOf(file, 'file')),
					source,
				),
				integrity: [...files.map(file => textOf(file, 'hash')), commit].filter(part => part !== ''),
			};
		});
		return {packages, hosts: []};
	},
};

function uvSource(source: unknown): Source {
	const [registry, git, url] = ['registry', 'git', 'url'].map(key => textOf(source, key));
	const local = ['path', 'directory', 'editable', 'virtual'].map(key => textOf(source, key)).find(text => text !== '');
	if (registry !== undefined && registry !== '') {
		return registrySource(registry);
	}

	if (git !== undefined && git !== '') {
		return gitSource(git);
	}

	if (url !== undefined && url !== '') {
		return urlSource(url);
	}

	return local === undefined ? noSource : pathSource(local);
}

export const uv: LockFormat = {
	id: 'uv',
	ecosystem: 'pypi',
	name: /^uv\.lock$/,
	hosts,
	read(text) {
		const lock = parseToml(text.replace(/^\uFEFF/, ''));
		if (lock['version'] !== 1) {
			throw new Unreadable('its version is not 1');
		}

		const others = new Set<string>();
		const packages = listOf(lock['package'], 'package').map((entry): Package => {
			const stated = valueOf(entry, 'source');
			const source = uvSource(stated);
			const built = valueOf(entry, 'sdist');
			const files = [...listOf(valueOf(entry, 'wheels'), 'wheels'), ...(built === undefined ? [] : [built])];
			const git = textOf(stated, 'git');
			const commit = git.includes('#') ? git.slice(git.indexOf('#') + 1) : '';
			for (const file of files) {
				const host = hostOf(textOf(file, 'url'));
				if (host !== '') {
					others.add(host);
				}
			}

			return {
				name: plainName(textOf(entry, 'name')),
				version: textOf(entry, 'version'),
				source,
				script:
					source.kind === 'path'
						? 'unknown'
						: scriptOf(
								files.map(file => fileOf(textOf(file, 'url') || textOf(file, 'path'))),
								source,
							),
				integrity: [...files.map(file => textOf(file, 'hash')), commit].filter(part => part !== ''),
			};
		});
		// The project itself and the members of its workspace are no packages that come from anywhere.
		return {packages: packages.filter(({source}) => source.kind !== 'path' || source.at !== '.'), hosts: [...others]};
	},
};

function pipenvSource(entry: unknown, indexes: ReadonlyMap<string, string>): Source {
	const [git, file, path, index] = ['git', 'file', 'path', 'index'].map(key => textOf(entry, key));
	if (git !== '') {
		return gitSource(git!);
	}

	if (file !== '') {
		return /^https?:/.test(file!) ? urlSource(file!) : pathSource(file!);
	}

	return path === '' ? registrySource(indexes.get(index!) ?? '') : pathSource(path!);
}

export const pipenv: LockFormat = {
	id: 'pipenv',
	ecosystem: 'pypi',
	name: /^Pipfile\.lock$/,
	hosts,
	read(text) {
		const lock = parseJson(text);
		const sources = listOf(valueOf(valueOf(lock, '_meta'), 'sources'), 'sources');
		const indexes = new Map(sources.map(source => [textOf(source, 'name'), textOf(source, 'url')]));
		const packages = pairsOf(lock, 'the file')
			.filter(([section]) => section !== '_meta')
			.flatMap(([section, entries]) => pairsOf(entries, section))
			.map(([name, entry]): Package => {
				const source = pipenvSource(entry, indexes);
				const hashes = listOf(valueOf(entry, 'hashes'), 'hashes');
				return {
					name: plainName(name),
					version: textOf(entry, 'version').replace(/^==/, ''),
					source,
					script: scriptOf([], source),
					integrity: [...hashes, textOf(entry, 'ref')].filter(
						part => typeof part === 'string' && part !== '',
					) as string[],
				};
			});
		return {packages, hosts: [...indexes.values()].map(url => hostOf(url)).filter(host => host !== '')};
	},
};

/** What a requirement names in place of a version. */
function addressSource(address: string): Source {
	if (/^(?:git|hg|svn|bzr)\+/.test(address)) {
		// A commit follows an at sign that is no user's.
		return gitSource(address.replace(/@[^@/]*(?=#|$)/, ''));
	}

	return /^https?:/.test(address) ? urlSource(address) : pathSource(address);
}

function requirementOf(line: string): Package | undefined {
	const [, first = ''] = /^(\S+)/.exec(line) ?? [];
	const integrity = [...line.matchAll(/--hash[= ](\S+)/g)].map(match => match[1]!);
	const [stated = ''] = line.split(/(?:\s--|\s;|;\s)/, 1);
	// What else is said of one requirement goes to its build.
	const options = (line.match(/\s--(?!hash\b)[\w-]+(?:[= ]\S+)?/g) ?? []).join('');
	const named = /^([\w.-]+)\s*(?:\[[^\]]*\])?\s*(?:@\s*(\S+)|(.*))$/.exec(stated);
	if (!named || /^[\w+]+:|^\.{0,2}\//.test(first)) {
		const source = addressSource(first);
		return {name: first, version: '', source, script: source.kind === 'git' ? 'yes' : 'unknown', integrity};
	}

	const [, name = '', address, version = ''] = named;
	const source = address === undefined ? registrySource('') : addressSource(address);
	const commit = source.kind === 'git' ? (/@([^@/#]+)(?:#|$)/.exec(address!)?.[1] ?? '') : '';
	return {
		name: plainName(name),
		version: `${version.trim().replace(/^==\s*/, '')}${options}`,
		source,
		script: source.kind === 'git' ? 'yes' : 'unknown',
		integrity: commit === '' ? integrity : [...integrity, commit],
	};
}

/** Lines as Python splits them, joined and without comments as pip does it: what hides from one reader is read by another. */
function* requirementLines(text: string): Generator<string> {
	let begun = '';
	// eslint-disable-next-line no-control-regex -- Python ends lines at these
	for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|[\n\r\v\f\u001C-\u001E\u0085\u2028\u2029]/)) {
		const isComment = /^\s*#/.test(line);
		if (line.endsWith('\\') && !isComment) {
			begun += line.replaceAll(/^\\+|\\+$/g, '');
		} else {
			const [plain = ''] = `${begun}${isComment ? ' ' : ''}${line}`.split(/(?:^|\s)#/, 1);
			begun = '';
			yield plain.trim();
		}
	}

	yield begun.trim();
}

/** What a line of a requirements file may begin with, in full; pip takes the beginning of a word for the word. */
const requirementOptions = [
	'index-url',
	'extra-index-url',
	'pypi-url',
	'find-links',
	'editable',
	'requirement',
	'constraint',
	'no-index',
	'no-binary',
	'only-binary',
	'prefer-binary',
	'require-hashes',
	'pre',
	'trusted-host',
	'use-feature',
] as const;
const shortOptions: Readonly<Record<string, (typeof requirementOptions)[number]>> = {
	i: 'index-url',
	f: 'find-links',
	e: 'editable',
	r: 'requirement',
	c: 'constraint',
};

/** @throws Unreadable where it is none that pip knows in such a file */
function optionOf(line: string): {readonly name: (typeof requirementOptions)[number]; readonly value: string} {
	const [, short = '', rest = ''] = /^-([a-z])(.*)$/s.exec(line) ?? [];
	const [, long = '', value = ''] = /^--([\w-]+)(?:\s*=\s*|\s+|$)(.*)$/s.exec(line) ?? [];
	const name =
		requirementOptions.find(one => one === long) ??
		(long === '' ? shortOptions[short] : requirementOptions.find(one => one.startsWith(long)));
	if (name === undefined) {
		throw new Unreadable('it has an option that no requirements file has');
	}

	return {name, value: long === '' ? rest.replace(/^[=\s]+/, '') : value};
}

/** Another file that is read as well: one that is not compared itself is to be looked at. */
function includedFile(name: string, file: string): Package {
	const isCompared = isRequirements.test(file) && !/^[\w+]+:/.test(file);
	const source = isCompared ? pathSource(file) : {...noSource, at: file};
	return {name: `${name} ${file}`, version: '', source, script: 'no', integrity: []};
}

const isRequirements =
	/(?:^|\/)(?:[\w.-]*[-_.])?(?:requirements|constraints)(?:[-_.][\w.-]*)?\.txt$|(?:^|\/)requirements\/[\w.-]+\.txt$/;

export const requirements: LockFormat = {
	id: 'requirements',
	ecosystem: 'pypi',
	name: /^(?:[\w.-]*[-_.])?(?:requirements|constraints)(?:[-_.][\w.-]*)?\.txt$/,
	path: isRequirements,
	hosts,
	read(text) {
		const packages: Package[] = [];
		const others: string[] = [];
		for (const line of requirementLines(text)) {
			if (line !== '' && !line.startsWith('-')) {
				packages.push(requirementOf(line)!);
				continue;
			}

			const {name, value} = line === '' ? {name: 'pre' as const, value: ''} : optionOf(line);
			if (name === 'editable') {
				packages.push(requirementOf(value)!);
			} else if (name === 'requirement' || name === 'constraint') {
				packages.push(includedFile(name, value));
			} else if (['index-url', 'extra-index-url', 'pypi-url', 'find-links', 'trusted-host'].includes(name)) {
				others.push(hostOf(value) || value);
			}
		}

		return {packages, hosts: others};
	},
};

export const python = [poetry, uv, pipenv, requirements];
