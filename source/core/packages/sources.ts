import {noSource, type Source} from './package.ts';

/* Where packages come from, told from the addresses in lock files. */

/** The address as programs read it; undefined where it is none. */
function parse(address: string): URL | undefined {
	return URL.parse(address) ?? undefined;
}

/** The host of an address, with its port; empty where it has none. */
export function hostOf(address: string): string {
	return parse(address.replace(/^(?:git|registry|sparse|hg|svn|bzr)\+/, ''))?.host ?? sshHost(address);
}

/** The host of `git@host:path`. */
function sshHost(address: string): string {
	return /^(?:[\w.-]+@)([\w.-]+):/.exec(address)?.[1] ?? '';
}

/** Without what follows `#`, and without a password, as this is shown. */
function withoutFragment(address: string): string {
	const at = address.indexOf('#');
	return withoutPassword(at === -1 ? address : address.slice(0, at));
}

/** A text without the passwords of addresses in it. */
export function withoutPassword(text: string): string {
	return text.replaceAll(/(:\/\/)[^/@\s:]{0,200}:[^/@\s]{0,500}@/g, '$1***@');
}

/** What follows `#`: of a repository, its commit. */
export function fragmentOf(address: string): string {
	const at = address.indexOf('#');
	return at === -1 ? '' : address.slice(at + 1);
}

export function gitSource(address: string): Source {
	const at = withoutFragment(address);
	const short = /^(github|gitlab|bitbucket|gist):/.exec(at)?.[1];
	return {
		kind: 'git',
		at,
		host: short === undefined ? hostOf(at) : `${short}.${short === 'bitbucket' ? 'org' : 'com'}`,
	};
}

export function pathSource(at: string): Source {
	return {kind: 'path', at, host: ''};
}

/** A file by its address, whatever it holds. */
export function urlSource(address: string): Source {
	return {kind: 'url', at: withoutFragment(address), host: hostOf(address)};
}

/** A registry by its address; the default one where there is none. */
export function registrySource(address: string): Source {
	return {kind: 'registry', at: withoutFragment(address), host: address === '' ? '' : hostOf(address)};
}

const git = /^(?:git[+:@]|ssh:|github:|gitlab:|bitbucket:|gist:)|^[^#]*\.git(?:#|$)/;

/**
 * Where a package of npm's comes from. Only an address at which registries keep just this name and version counts as
 * a registry's: one of another name's archive installs another package, whatever the lock file calls it.
 */
export function npmSource(
	resolved: string,
	{name, version}: {readonly name: string; readonly version: string},
): Source {
	if (resolved === '') {
		return registrySource('');
	}

	if (git.test(resolved)) {
		return gitSource(resolved);
	}

	if (/^(?:file:|link:|portal:|workspace:|\.{0,2}\/)/.test(resolved)) {
		return pathSource(resolved);
	}

	const address = parse(resolved);
	if (address?.protocol !== 'https:' && address?.protocol !== 'http:') {
		return {...noSource, at: resolved};
	}

	const isRegistrys =
		address.protocol === 'https:' && address.username === '' && holds(address.pathname, name, version);
	return isRegistrys ? {kind: 'registry', at: `https://${address.host}`, host: address.host} : urlSource(resolved);
}

/** Whether a path is that of one version of one package in a registry of npm's kind. */
function holds(path: string, name: string, version: string): boolean {
	let plain: string;
	try {
		plain = decodeURIComponent(path);
	} catch {
		// What cannot be decoded is no registry's own address.
		return false;
	}

	const last = name.slice(name.lastIndexOf('/') + 1);
	// Build metadata is no part of a registry's address.
	const [number = ''] = version.split('+');
	return (
		plain.endsWith(`/${name}/-/${last}-${number}.tgz`) ||
		plain.endsWith(`/${name}/-/${name}-${number}.tgz`) ||
		(plain.includes(`/download/${name}/${number}/`) && !plain.includes('..'))
	);
}
