import {bundled, maxPackages, Unreadable, type LockFormat, type Package, type Script, type Source} from './package.ts';
import {fragmentOf, npmSource, pathSource} from './sources.ts';
import {pairsOf, parseJson, tableIn, textOf, valueOf} from './values.ts';

/* `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3. */

/** What npm runs at an install is what the lock file says from version 2 on. */
function scriptOf(entry: unknown): Script {
	return valueOf(entry, 'hasInstallScript') === true ? 'yes' : 'no';
}

function integrityOf(entry: unknown, source: Source, address: string): string[] {
	const integrity = source.kind === 'git' ? fragmentOf(address) : textOf(entry, 'integrity');
	return integrity === '' ? [] : [integrity];
}

/** A name as it is used, with what it stands for where that is another. */
export function aliased(name: string, real: string): string {
	return real === '' || real === name ? name : `${name}@npm:${real}`;
}

/** Of `packages`: by the folder that each is in. */
function readFolders(folders: ReadonlyArray<[string, unknown]>): Package[] {
	const there = new Set(folders.map(([folder]) => folder));
	const packages: Package[] = [];
	for (const [folder, entry] of folders) {
		const at = folder.lastIndexOf('node_modules/');
		const resolved = textOf(entry, 'resolved');
		// The project itself, and a link to a folder that has an entry of its own.
		if (folder === '' || (valueOf(entry, 'link') === true && there.has(resolved))) {
			continue;
		}

		if (tableIn(entry) === undefined) {
			throw new Unreadable(`the entry of ${folder} is no table`);
		}

		const version = textOf(entry, 'version');
		const real = textOf(entry, 'name');
		if (at === -1) {
			const name = real === '' ? folder : real;
			packages.push({name, version, source: pathSource(folder), script: scriptOf(entry), integrity: []});
			continue;
		}

		const name = folder.slice(at + 'node_modules/'.length);
		const isBundled = valueOf(entry, 'inBundle') === true && resolved === '';
		const linked = valueOf(entry, 'link') === true ? pathSource(resolved) : undefined;
		const source = linked ?? (isBundled ? bundled : npmSource(resolved, {name: real || name, version}));
		packages.push({
			name: aliased(name, real),
			version,
			source,
			script: scriptOf(entry),
			integrity: integrityOf(entry, source, resolved),
		});
	}

	return packages;
}

/** Of `dependencies`, as npm 6 reads them: each may hold others. */
function readTree(root: unknown): Package[] {
	const packages: Package[] = [];
	const left = [root];
	for (let tree = left.pop(); tree !== undefined; tree = left.pop()) {
		for (const [name, entry] of pairsOf(tree, 'dependencies')) {
			const stated = textOf(entry, 'version');
			const alias = /^npm:(.+)@([^@]*)$/.exec(stated);
			const [real = '', version = ''] = alias ? alias.slice(1) : [name, stated];
			// A version that is an address says where it comes from.
			const isAddress = /^[\w+.-]+:/.test(version);
			const address = isAddress ? version : textOf(entry, 'resolved');
			const isBundled = valueOf(entry, 'bundled') === true && address === '';
			const source = isBundled ? bundled : npmSource(address, {name: real, version: isAddress ? '' : version});
			packages.push({
				name: aliased(name, real),
				version: isAddress ? '' : version,
				source,
				script: 'unknown',
				integrity: integrityOf(entry, source, address),
			});
			const inner = valueOf(entry, 'dependencies');
			if (inner !== undefined) {
				left.push(inner);
			}
		}

		if (packages.length > maxPackages) {
			throw new Unreadable(`it has more than ${maxPackages} packages`);
		}
	}

	return packages;
}

const keyOf = ({name, source, integrity}: Package) => JSON.stringify([name, source.at, integrity]);

export const npm: LockFormat = {
	id: 'npm',
	ecosystem: 'npm',
	name: /^(?:package-lock|npm-shrinkwrap)\.json$/,
	hosts: ['registry.npmjs.org'],
	read(text) {
		const lock = parseJson(text);
		const version = valueOf(lock, 'lockfileVersion');
		if (version !== 1 && version !== 2 && version !== 3) {
			throw new Unreadable('its lockfileVersion is none of 1, 2 and 3');
		}

		const packages = readFolders(pairsOf(valueOf(lock, 'packages'), 'packages'));
		const known = new Set(packages.map(entry => keyOf(entry)));
		// Version 2 says all of it twice, for npm 6. What is said there alone is installed by that.
		const others = readTree(valueOf(lock, 'dependencies')).filter(
			entry => packages.length === 0 || (entry.source.kind !== 'path' && !known.has(keyOf(entry))),
		);
		return {packages: [...packages, ...others], hosts: []};
	},
};
