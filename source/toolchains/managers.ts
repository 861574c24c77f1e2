import path from 'node:path';
import {Refusal} from '../core/refusal.ts';
import type {Shell, Toolchain, Tools} from '../core/toolchain.ts';
import {isFolder, isWithin, namesIn, nearest, newestOf, readOnly, readText, realPlace} from './look.ts';

/* asdf and mise: one manager for every language, whose programs are shims. */

/** Lines such as `nodejs 20.1.0 18.2.0`. */
function toolVersions(text: string): Array<readonly [string, readonly string[]]> {
	return text
		.split('\n')
		.map(line => line.replace(/#.*/, '').trim().split(/\s+/))
		.filter(([name, ...versions]) => /^[\w-]+$/.test(name ?? '') && versions.length > 0)
		.map(([name, ...versions]) => [name!, versions] as const);
}

/** The table `[tools]` of a mise.toml: `node = "20"`, `python = ["3.12", "3.11"]`, `go = {version = "1.22"}`. */
function miseTools(text: string): Array<readonly [string, readonly string[]]> {
	const table = /^\[tools\]\s*$([\s\S]*?)(?=^\[|$(?![\s\S]))/m.exec(text)?.[1] ?? '';
	return [...table.matchAll(/^\s*"?([\w:-]+)"?\s*=\s*(.+)$/gm)].map(
		([, name, value]) => [name!, [...value!.matchAll(/["']([\w.-]+)["']/g)].map(([, version]) => version!)] as const,
	);
}

/** What the nearest file says, then the person's own for what that one does not name. */
function wantedBy(
	shell: Shell,
	sources: ReadonlyArray<readonly [string | undefined, typeof toolVersions]>,
): Map<string, readonly string[]> {
	const wanted = new Map<string, readonly string[]>();
	for (const [text, parse] of sources) {
		for (const [name, versions] of parse(text ?? '')) {
			if (!wanted.has(name)) {
				wanted.set(name, versions);
			}
		}
	}

	return wanted;
}

/** Where an installed version keeps its programs. */
function programsOf(place: string): string[] {
	return ['bin', 'go/bin', 'packages/bin', 'sbin']
		.map(name => path.join(place, name))
		.filter(folder => isFolder(folder));
}

function versionsOf(
	wanted: ReadonlyMap<string, readonly string[]>,
	{
		manager,
		installs,
		installWith,
	}: {
		readonly manager: string;
		readonly installs: string;
		readonly installWith: (name: string, version: string) => string;
	},
): Tools | Refusal {
	const places: string[] = [];
	const titles: string[] = [];
	const env: Record<string, string> = {};
	for (const [name, versions] of wanted) {
		for (const version of versions) {
			if (version === 'system') {
				continue;
			}

			const folder = path.join(installs, name);
			const known = isFolder(path.join(folder, version)) ? version : newestOf(namesIn(folder), version);
			if (known === undefined) {
				return new Refusal(`the project wants ${name} ${version}, which is not installed`, installWith(name, version));
			}

			const real = realPlace(path.join(folder, known))!;
			places.push(real);
			titles.push(`${name} ${path.basename(real)}`);
			if (name === 'java') {
				env['JAVA_HOME'] ??= real;
			}
		}
	}

	return {
		title: `${titles.join(', ') || 'no tools'} (${manager})`,
		path: places.flatMap(place => programsOf(place)),
		mounts: readOnly(...places),
		env,
	};
}

/** One version's own folder of programs, as `mise activate` puts it on the search path. */
function oneOf(manager: string, folder: string, installs: string): Tools | undefined {
	const real = realPlace(folder) ?? folder;
	const [name, version] = real.slice(installs.length + 1).split('/');
	if (!isWithin(real, installs) || version === undefined) {
		return undefined;
	}

	const place = path.join(installs, name!, version);
	return {
		title: `${name} ${version} (${manager})`,
		path: [real],
		mounts: readOnly(place),
		env: name === 'java' ? {JAVA_HOME: place} : {},
	};
}

export const asdf: Toolchain = {
	id: 'asdf',
	title: 'asdf',
	variables: ['ASDF_DATA_DIR'],
	find(folder, shell) {
		const root = shell.environment['ASDF_DATA_DIR'] ?? path.join(shell.home, '.asdf');
		if (folder !== path.join(root, 'shims')) {
			return oneOf('asdf', folder, path.join(root, 'installs'));
		}

		const wanted = wantedBy(shell, [
			[nearest(shell, ['.tool-versions'])?.text, toolVersions],
			[readText(path.join(shell.home, '.tool-versions')), toolVersions],
		]);
		return versionsOf(wanted, {
			manager: 'asdf',
			installs: path.join(root, 'installs'),
			installWith: (name, version) => `asdf install ${name} ${version}`,
		});
	},
};

export const mise: Toolchain = {
	id: 'mise',
	title: 'mise',
	variables: ['MISE_DATA_DIR'],
	find(folder, shell) {
		const root = shell.environment['MISE_DATA_DIR'] ?? path.join(shell.home, '.local/share/mise');
		if (folder !== path.join(root, 'shims')) {
			return oneOf('mise', folder, path.join(root, 'installs'));
		}

		const wanted = wantedBy(shell, [
			[nearest(shell, ['mise.toml', '.mise.toml'])?.text, miseTools],
			[nearest(shell, ['.tool-versions'])?.text, toolVersions],
			[readText(path.join(shell.home, '.config/mise/config.toml')), miseTools],
		]);
		return versionsOf(wanted, {
			manager: 'mise',
			installs: path.join(root, 'installs'),
			installWith: (name, version) => `mise install ${name}@${version}`,
		});
	},
};
