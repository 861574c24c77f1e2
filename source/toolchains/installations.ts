import path from 'node:path';
import type {Toolchain, Tools} from '../core/toolchain.ts';
import {isFolder, isProgram, isWithin, namesIn, readOnly, readText, realPlace} from './look.ts';

/* Kinds that are one folder with everything in it, as an archive unpacks. */

function whole(title: string, prefix: string, env: Readonly<Record<string, string>> = {}): Tools {
	return {title, path: [path.join(prefix, 'bin')], mounts: readOnly(prefix), env};
}

/** The folder around a `bin`, with every link resolved; undefined where it is the home or holds it. */
function prefixOf(folder: string, home: string): string | undefined {
	const real = realPlace(folder);
	const prefix = real === undefined ? undefined : path.dirname(real);
	return prefix === undefined || path.basename(real!) !== 'bin' || isWithin(prefix, '/usr') || isWithin(home, prefix)
		? undefined
		: prefix;
}

/** Go by its own archive, or by `go install golang.org/dl/…` (~/sdk). */
export const go: Toolchain = {
	id: 'go',
	title: 'Go (archives)',
	variables: [],
	find(folder, {home}) {
		const prefix = prefixOf(folder, home);
		const [version = ''] = readText(path.join(prefix ?? '/nonexistent', 'VERSION'))?.split('\n') ?? [];
		return prefix !== undefined && /^go\d/.test(version) && isProgram(path.join(prefix, 'bin/go'))
			? whole(`Go ${version.slice(2)}`, prefix, {GOROOT: prefix})
			: undefined;
	},
};

/** A JDK, Maven, Gradle or another tool of the JVM by SDKMAN or its own archive. */
export const jvm: Toolchain = {
	id: 'jvm',
	title: 'JDKs, Maven, Gradle (SDKMAN, archives)',
	variables: ['SDKMAN_DIR'],
	find(folder, {home, environment}) {
		const prefix = prefixOf(folder, home);
		if (prefix === undefined) {
			return undefined;
		}

		const release = /^JAVA_VERSION="([^"]+)"/m.exec(readText(path.join(prefix, 'release')) ?? '')?.[1];
		if (release !== undefined && isProgram(path.join(prefix, 'bin/java'))) {
			return whole(`Java ${release}`, prefix, {JAVA_HOME: prefix});
		}

		const sdkman = path.join(environment['SDKMAN_DIR'] ?? path.join(home, '.sdkman'), 'candidates');
		if (isWithin(prefix, sdkman)) {
			const [name, version] = prefix.slice(sdkman.length + 1).split('/');
			return whole(`${name} ${version}`, prefix);
		}

		const tool = ['mvn', 'gradle', 'ant', 'kotlinc', 'scala', 'sbt'].find(name =>
			isProgram(path.join(prefix, 'bin', name)),
		);
		return tool !== undefined && isFolder(path.join(prefix, 'lib')) ? whole(path.basename(prefix), prefix) : undefined;
	},
};

/** Bun and Deno: one program each, in a hidden folder of the home. */
export const singles: Toolchain = {
	id: 'singles',
	title: 'Bun, Deno',
	variables: ['BUN_INSTALL', 'DENO_INSTALL'],
	find(folder, {home, environment}) {
		for (const [title, root, variable] of [
			['Bun', '.bun', 'BUN_INSTALL'],
			['Deno', '.deno', 'DENO_INSTALL'],
		] as const) {
			const own = environment[variable] ?? path.join(home, root);
			if (folder === path.join(own, 'bin') && isFolder(folder)) {
				return {title, path: [folder], mounts: readOnly(folder), env: {}};
			}
		}

		return undefined;
	},
};

/** What lies in /opt is the machine's, one folder for each product. */
export const opt: Toolchain = {
	id: 'opt',
	title: '/opt',
	variables: [],
	find(folder) {
		const real = realPlace(folder) ?? folder;
		const [, root, name] = real.split('/');
		return root === 'opt' && name !== undefined && isFolder(real)
			? {title: `/opt/${name}`, path: [real], mounts: readOnly(`/opt/${name}`), env: {}}
			: undefined;
	},
};

/** Homebrew on Linux: what it installed, without its own settings and its download cache. */
export const homebrew: Toolchain = {
	id: 'homebrew',
	title: 'Homebrew',
	variables: [],
	find(folder, {home}) {
		const prefix = ['/home/linuxbrew/.linuxbrew', path.join(home, '.linuxbrew')].find(place => isWithin(folder, place));
		const parts = [
			'bin',
			'sbin',
			'Cellar',
			'opt',
			'lib',
			'libexec',
			'include',
			'share',
			'etc/openssl@3',
			'etc/ca-certificates',
		];
		return prefix === undefined || !isFolder(path.join(prefix, 'Cellar'))
			? undefined
			: {
					title: 'Homebrew',
					path: [folder],
					mounts: readOnly(...parts.map(part => path.join(prefix, part)).filter(place => isFolder(place))),
					env: {},
				};
	},
};

/** Nix: everybody may read its store, and a profile is links into it. */
export const nix: Toolchain = {
	id: 'nix',
	title: 'Nix',
	variables: [],
	find(folder) {
		const real = realPlace(folder);
		return real !== undefined && real.startsWith('/nix/store/')
			? {title: 'Nix', path: [real], mounts: readOnly('/nix/store'), env: {}}
			: undefined;
	},
};

/** The programs of `go install` and `cargo install`-like folders: files that are programs of their own. */
export const goPrograms: Toolchain = {
	id: 'go-programs',
	title: 'go install',
	variables: ['GOBIN', 'GOPATH'],
	find(folder, {home, environment}) {
		const own = environment['GOBIN'] ?? path.join(environment['GOPATH']?.split(':')[0] ?? path.join(home, 'go'), 'bin');
		return folder === own && namesIn(folder).length > 0
			? {title: 'programs of go install', path: [folder], mounts: readOnly(folder), env: {}}
			: undefined;
	},
};
