import path from 'node:path';
import {Refusal} from '../core/refusal.ts';
import type {Shell, Toolchain, Tools} from '../core/toolchain.ts';
import {isProgram, isWithin, namesIn, nearest, newestOf, readOnly, readText, realPlace} from './look.ts';

/** Where a single program is put that has no installation of its own around it. */
const insideFolder = '/run/fleet/toolchain';

/** The version that the project names; undefined where it names none, or one that only the manager can tell. */
function wantedBy(shell: Shell): string | undefined {
	const text = nearest(shell, ['.nvmrc', '.node-version'])?.text.trim().split(/\s/)[0] ?? '';
	return /^v?\d+(?:\.\d+){0,2}$/.test(text) ? text : undefined;
}

/** Whether a folder is what Node's own archives unpack to: programs, headers and global packages. */
function isInstallation(prefix: string, home: string): boolean {
	return (
		isProgram(path.join(prefix, 'bin/node')) &&
		readText(path.join(prefix, 'include/node/node_version.h')) !== undefined &&
		!isWithin(home, prefix)
	);
}

/**
 * Has node-gyp compile addons with the headers of this installation. It fetches them otherwise, for each version anew,
 * from a host that no file of a project names. This is its name for a setting that npm does not take for one of its own.
 */
const headersOf = (prefix: string): Readonly<Record<string, string>> => ({npm_package_config_node_gyp_nodedir: prefix});

/** The folder in which a manager keeps its versions, as far as one is known from where a version lies. */
function versionsAround(prefix: string): {readonly folder: string; readonly below: string} | undefined {
	// nvm: versions/node/v20.1.0; fnm: node-versions/v20.1.0/installation; n: n/versions/node/20.1.0.
	const found = /^(.*\/(?:versions\/node|node-versions))\/[^/]+(\/installation)?$/.exec(prefix);
	return found ? {folder: found[1]!, below: found[2] ?? ''} : undefined;
}

function installation(prefix: string): Tools {
	const version =
		path.basename(prefix) === 'installation' ? path.basename(path.dirname(prefix)) : path.basename(prefix);
	return {
		title: `Node.js ${/\d/.test(version) ? version : ''}`.trim(),
		path: [path.join(prefix, 'bin')],
		mounts: readOnly(prefix),
		env: headersOf(prefix),
	};
}

/** Node by nvm, fnm, n or its own archive. The version is the project's, where it names one, else the shell's. */
export const node: Toolchain = {
	id: 'node',
	title: 'Node.js (nvm, fnm, n, archives)',
	variables: [],
	find(folder, shell) {
		const program = realPlace(path.join(folder, 'node'));
		if (program === undefined || !isProgram(program) || program.startsWith('/usr/')) {
			return undefined;
		}

		const prefix = path.dirname(path.dirname(program));
		if (!isInstallation(prefix, shell.home)) {
			const target = `${insideFolder}/node`;
			return {title: 'Node.js', path: [insideFolder], mounts: [{source: program, target, mode: 'read'}], env: {}};
		}

		const managed = versionsAround(prefix);
		const wanted = wantedBy(shell);
		if (managed && wanted !== undefined) {
			const version = newestOf(namesIn(managed.folder), wanted);
			const own = version === undefined ? undefined : path.join(managed.folder, version, managed.below);
			return own !== undefined && isInstallation(own, shell.home)
				? installation(own)
				: new Refusal(`the project wants Node ${wanted}, which is not installed`, `nvm install ${wanted}`);
		}

		return installation(prefix);
	},
};

/** Node and its package managers by Volta, whose programs are shims. */
export const volta: Toolchain = {
	id: 'volta',
	title: 'Volta',
	variables: ['VOLTA_HOME'],
	find(folder, shell) {
		const root = shell.environment['VOLTA_HOME'] ?? path.join(shell.home, '.volta');
		if (folder !== path.join(root, 'bin')) {
			return undefined;
		}

		const json = (text: string | undefined): Record<string, any> => {
			try {
				return (JSON.parse(text ?? '{}') ?? {}) as Record<string, any>;
			} catch {
				// Not JSON: it names no version.
				return {};
			}
		};
		const own = json(nearest(shell, ['package.json'])?.text)['volta'] as Record<string, unknown> | undefined;
		const user = json(readText(path.join(root, 'tools/user/platform.json')));
		const wanted: Record<string, unknown> = {
			node: own?.['node'] ?? user['node']?.['runtime'],
			npm: own?.['npm'] ?? user['node']?.['npm'],
			pnpm: own?.['pnpm'] ?? user['pnpm'],
			yarn: own?.['yarn'] ?? user['yarn'],
		};
		const places: string[] = [];
		for (const [name, version] of Object.entries(wanted)) {
			if (typeof version !== 'string' || !/^[\w.-]+$/.test(version)) {
				continue;
			}

			const place = path.join(root, 'tools/image', name, version);
			if (!namesIn(path.join(place, 'bin')).length) {
				return new Refusal(
					`the project wants ${name} ${version}, which is not installed`,
					`volta install ${name}@${version}`,
				);
			}

			places.push(place);
		}

		return {
			title: `Node.js ${String(wanted['node'] ?? '')} (Volta)`,
			// A package manager of its own comes before the one in Node's archive.
			path: places.toReversed().map(place => path.join(place, 'bin')),
			mounts: readOnly(...places),
			env: typeof wanted['node'] === 'string' ? headersOf(path.join(root, 'tools/image/node', wanted['node'])) : {},
		};
	},
};
