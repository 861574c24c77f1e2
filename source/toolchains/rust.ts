import path from 'node:path';
import {Refusal} from '../core/refusal.ts';
import type {Shell, Toolchain} from '../core/toolchain.ts';
import {isFolder, isProgram, namesIn, nearest, readOnly, readText} from './look.ts';

/** The toolchain that the project names, as rustup reads it; undefined where it names none. */
function wantedBy(shell: Shell): string | undefined {
	const file = nearest(shell, ['rust-toolchain', 'rust-toolchain.toml']);
	const text = file?.text ?? '';
	const named =
		/^\s*channel\s*=\s*["']([^"']+)["']/m.exec(text)?.[1] ?? (file?.name === 'rust-toolchain' ? text.trim() : '');
	return shell.environment['RUSTUP_TOOLCHAIN'] ?? (/^[\w.-]+$/.test(named) ? named : undefined);
}

/**
 * Rust by rustup. Its programs are one shim that reads what is installed, so that `cargo +nightly` and a toolchain file
 * mean inside what they mean outside; cargo's own folder, with its login, is the run's own.
 */
export const rust: Toolchain = {
	id: 'rust',
	title: 'Rust (rustup, cargo)',
	variables: ['CARGO_HOME', 'RUSTUP_HOME', 'RUSTUP_TOOLCHAIN'],
	find(folder, shell) {
		const cargo = shell.environment['CARGO_HOME'] ?? path.join(shell.home, '.cargo');
		const rustup = shell.environment['RUSTUP_HOME'] ?? path.join(shell.home, '.rustup');
		if (folder !== path.join(cargo, 'bin') || !isFolder(folder)) {
			return undefined;
		}

		const installed = namesIn(path.join(rustup, 'toolchains'));
		const wanted = wantedBy(shell);
		if (wanted !== undefined && !installed.some(name => name === wanted || name.startsWith(`${wanted}-`))) {
			return new Refusal(
				`the project wants Rust ${wanted}, which is not installed`,
				`rustup toolchain install ${wanted}`,
			);
		}

		const env: Record<string, string> = isProgram(path.join(folder, 'rustup')) ? {RUSTUP_HOME: rustup} : {};
		const settings = path.join(rustup, 'settings.toml');
		const chosen = wanted ?? /^default_toolchain = "([^"]+)"/m.exec(readText(settings) ?? '')?.[1] ?? '';
		return {
			title: `Rust ${chosen} (rustup)`.replace('  ', ' '),
			path: [folder],
			// rustup makes the folder of its hashes where it is not there, and the place is read-only.
			mounts: readOnly(folder, ...['toolchains', 'update-hashes'].map(name => path.join(rustup, name)), settings),
			env,
		};
	},
};
