import {parse as parseToml} from 'smol-toml';
import {noSource, type LockFormat, type Package, type Source} from './package.ts';
import {fragmentOf, gitSource, pathSource, registrySource} from './sources.ts';
import {listOf, textOf, valueOf} from './values.ts';

/* `Cargo.lock`. It does not say which packages have a build script. */

/** The index of the public registry by its two protocols: the name that lock files have, and the host of the newer one. */
const index = 'https://github.com/rust-lang/crates.io-index';
const sparseHost = 'index.crates.io';

function sourceOf(source: string): Source {
	if (source === '') {
		return pathSource('');
	}

	if (source.startsWith('git+')) {
		return gitSource(source.slice('git+'.length));
	}

	const address = /^(?:registry|sparse)\+(.*)$/s.exec(source)?.[1];
	if (address === undefined) {
		return {...noSource, at: source};
	}

	return registrySource(address === `https://${sparseHost}/` ? index : address);
}

export const cargo: LockFormat = {
	id: 'cargo',
	ecosystem: 'cargo',
	name: /^Cargo\.lock$/,
	hosts: ['github.com'],
	read(text) {
		const lock = parseToml(text.replace(/^\uFEFF/, ''));
		const older = lock['metadata'];
		const packages = listOf(lock['package'], 'package').map((entry): Package => {
			const [name, version, address] = [textOf(entry, 'name'), textOf(entry, 'version'), textOf(entry, 'source')];
			const source = sourceOf(address);
			const checksum = textOf(entry, 'checksum') || textOf(older, `checksum ${name} ${version} (${address})`);
			const integrity = [checksum, source.kind === 'git' ? fragmentOf(address) : ''].filter(part => part !== '');
			return {name, version, source, script: valueOf(entry, 'source') === undefined ? 'no' : 'unknown', integrity};
		});
		return {packages, hosts: []};
	},
};
