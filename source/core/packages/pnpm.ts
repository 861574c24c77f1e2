import {noSource, Unreadable, type LockFormat, type Package, type Script, type Source} from './package.ts';
import {gitSource, npmSource, pathSource, registrySource} from './sources.ts';
import {listOf, pairsOf, textOf, valueOf} from './values.ts';
import {parseYaml} from './yaml.ts';

/* `pnpm-lock.yaml`, versions 6 to 9. It may hold several documents, the first of them for pnpm's own configuration. */

/** The name and the version, or address, of `/@scope/name@1.2.3(peer@1.0.0)`. */
function split(key: string): {name: string; version: string} {
	const plain = key.replace(/^\//, '');
	const at = plain.indexOf('@', 1);
	if (at === -1) {
		return {name: plain, version: ''};
	}

	const [version = ''] = plain.slice(at + 1).split('(', 1);
	return {name: plain.slice(0, at), version};
}

/** Characters of a source that is kept as it is written. */
const maxAddress = 1000;

function sourceOf(resolution: unknown, named: {readonly name: string; readonly version: string}): Source {
	const tarball = textOf(resolution, 'tarball');
	const repository = textOf(resolution, 'repo');
	if (repository !== '') {
		return gitSource(repository);
	}

	if (textOf(resolution, 'type') === 'directory') {
		return pathSource(textOf(resolution, 'directory'));
	}

	// Such as an archive of Node itself, whose address may stand anywhere below.
	if (textOf(resolution, 'type') !== '' || valueOf(resolution, 'variants') !== undefined) {
		return {...noSource, at: JSON.stringify(resolution).slice(0, maxAddress)};
	}

	return tarball === '' ? registrySource('') : npmSource(tarball, named);
}

function readDocument(document: unknown): Package[] {
	const version = Number.parseFloat(textOf(document, 'lockfileVersion'));
	if (!(version >= 6 && version < 10)) {
		throw new Unreadable('its lockfileVersion is not 6 to 9');
	}

	const built = new Set(listOf(valueOf(document, 'onlyBuiltDependencies'), 'onlyBuiltDependencies'));
	// From version 9 on, the file no longer says which packages build something.
	const otherwise: Script = version >= 9 ? 'unknown' : 'no';
	return pairsOf(valueOf(document, 'packages'), 'packages').map(([key, entry]) => {
		const found = split(key);
		const name = textOf(entry, 'name') || found.name;
		const isAddress = found.version.includes(':');
		const number = textOf(entry, 'version') || (isAddress ? '' : found.version);
		const resolution = valueOf(entry, 'resolution');
		const integrity = [textOf(resolution, 'integrity'), textOf(resolution, 'commit')].filter(text => text !== '');
		return {
			name,
			version: number,
			source: sourceOf(resolution, {name, version: number}),
			script: textOf(entry, 'requiresBuild') === 'true' || built.has(name) ? 'yes' : otherwise,
			integrity,
		};
	});
}

export const pnpm: LockFormat = {
	id: 'pnpm',
	ecosystem: 'npm',
	name: /^pnpm-lock\.yaml$/,
	hosts: ['registry.npmjs.org'],
	read(text) {
		const documents = parseYaml(text);
		if (documents.length === 0) {
			throw new Unreadable('it is empty');
		}

		return {packages: documents.flatMap(document => readDocument(document)), hosts: []};
	},
};
