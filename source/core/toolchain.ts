import type {Mount} from './plan.ts';
import type {Refusal} from './refusal.ts';

/* What works in a person's shell, as a run and a verification can have it: read-only, and without its credentials. */

/** A person's shell in one folder, as far as it decides which programs are found. */
export type Shell = {
	/** The search path: absolute folders, in order, as they are written. */
	readonly path: readonly string[];
	readonly home: string;
	readonly environment: Readonly<Record<string, string | undefined>>;
	/** The project's folder, whose files may name versions; undefined where there is none. */
	readonly project: string | undefined;
};

/** What stands inside for one folder of the search path. */
export type Tools = {
	/** What it is, such as `Python 3.12.1 (pyenv)`. */
	readonly title: string;
	/** Folders of the search path inside, in place of the one that was asked for; none where its programs stay outside. */
	readonly path: readonly string[];
	/** Read-only. What a package manager keeps for itself, and every login, stays outside. */
	readonly mounts: readonly Mount[];
	readonly env: Readonly<Record<string, string>>;
};

/**
 * One kind of toolchain. The contract, which the conformance suite holds every kind to:
 * - `find` reads the disk, starts no program, changes nothing and is total: what it cannot read is not its own;
 * - what it mounts is a version that is installed or programs alone: no home, no manager's state, no credential;
 * - a shim is replaced by the real program, of the version that the project or the person named;
 * - a version that is named and not installed is a refusal with the command that installs it, never another version.
 */
export type Toolchain = {
	readonly id: string;
	readonly title: string;
	/** What of `Shell.environment` it reads. */
	readonly variables: readonly string[];
	/** @param folder one of the search path; @returns undefined where it is not of this kind */
	find(folder: string, shell: Shell): Tools | Refusal | undefined;
};
