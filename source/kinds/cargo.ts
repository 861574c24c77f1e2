import type {ProjectKind} from '../core/project-kind.ts';
import {hostsIn, unique} from './hosts.ts';
import {tablesOf} from './toml.ts';

/** Rust packages by cargo, which keeps what it fetches below HOME. */
export const cargo: ProjectKind = {
	id: 'cargo',
	title: 'Cargo',
	language: 'Rust',
	manifests: ['Cargo.toml'],
	reads: ['Cargo.toml', 'Cargo.lock', '.cargo/'],
	detect(folder) {
		const manifest = folder.text('Cargo.toml');
		if (manifest === undefined) {
			return undefined;
		}

		const isLocked = folder.paths.includes('Cargo.lock');
		const isVendored = folder.paths.some(name => name.startsWith('vendor/') && name.endsWith('/Cargo.toml'));
		const settings = `${folder.text('.cargo/config.toml')}\n${folder.text('.cargo/config')}`;
		const locked = isLocked ? ' --locked' : '';
		const all = tablesOf(manifest).has('workspace') ? ' --workspace' : '';
		const isFormatted = ['rustfmt.toml', '.rustfmt.toml'].some(name => folder.paths.includes(name));
		return {
			by: isLocked ? 'Cargo.lock' : 'Cargo.toml',
			program: 'cargo',
			setup: isVendored ? [] : [`cargo fetch${locked}`],
			verify: [...(isFormatted ? ['cargo fmt --all --check'] : []), `cargo test --offline${locked}${all}`],
			network: isVendored
				? []
				: unique([
						'index.crates.io',
						'static.crates.io',
						// Of crates.io itself the lock names where its index was once; cargo asks the hosts above.
						...hostsIn(folder.text('Cargo.lock'), /^source = "((?:registry|sparse|git)\+[^"#?]+)/gm).filter(
							host =>
								host !== 'github.com' || /^source = "git\+https:\/\/github\.com/m.test(folder.text('Cargo.lock')!),
						),
						...hostsIn(manifest, /\bgit\s*=\s*"([^"]+)"/g),
						...hostsIn(settings, /\b(?:index|registry)\s*=\s*"([^"]+)"/g),
					]),
			inputs: unique([
				...['Cargo.toml', 'Cargo.lock', 'rust-toolchain.toml', 'rust-toolchain', '.cargo/config.toml'].filter(name =>
					folder.paths.includes(name),
				),
				...folder.paths.filter(name => name.endsWith('/Cargo.toml') && !name.startsWith('vendor/')).slice(0, 200),
			]),
			preview: undefined,
			notes: isLocked ? [] : ['no Cargo.lock: each setup may fetch other versions'],
		};
	},
};
