/* What a lock file says about packages. Its text is untrusted: an agent may have written it by hand. */

/**
 * Where a package comes from. `registry`: by its own name and version from a registry. `url`: any other file by http.
 * `unknown`: the file does not say, or what it says is not understood.
 */
export type Source = {
	readonly kind: 'registry' | 'git' | 'url' | 'path' | 'unknown';
	/** As the file has it, without the commit of a repository and without what changes with each version. */
	readonly at: string;
	/** The host that it is fetched from; empty where the file names none. */
	readonly host: string;
};

/** Whether a package runs something of its own when it is installed, as far as the lock file says. */
export type Script = 'yes' | 'no' | 'unknown';

export type Package = {
	readonly name: string;
	/** Empty where the file has none. */
	readonly version: string;
	readonly source: Source;
	readonly script: Script;
	/** Checksums, or the commit of a repository. */
	readonly integrity: readonly string[];
};

/** What was read of a lock file. `hosts`: hosts that it names besides those of its packages, such as of an index. */
export type PackageList = {readonly packages: readonly Package[]; readonly hosts: readonly string[]};

/** What kind of package a name belongs to: the same name in two files of one ecosystem is one package. */
export type Ecosystem = 'npm' | 'pypi' | 'cargo' | 'go' | 'maven' | 'rubygems' | 'composer';

/** One format of lock files. */
export type LockFormat = {
	readonly id: string;
	readonly ecosystem: Ecosystem;
	/** Of the last part of a path. */
	readonly name: RegExp;
	/** Of a whole path, where the last part alone does not tell. */
	readonly path?: RegExp;
	/** Public hosts from which packages of this format come by default. */
	readonly hosts: readonly string[];
	/** @throws Unreadable, or whatever a parser throws, where not all of it is understood */
	read(text: string): PackageList;
};

/** A file that cannot be read. Whoever catches it says so: never that nothing changed. */
export class Unreadable extends Error {}

export const noSource: Source = {kind: 'unknown', at: '', host: ''};

/** Within the archive of another package. */
export const bundled: Source = {...noSource, at: 'within another package'};

/** Packages of one file. More than that is no project's, and would fill memory. */
export const maxPackages = 100_000;
