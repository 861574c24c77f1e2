/* What a kind of project (npm, Cargo, Maven …) needs to be set up and verified, read from what is committed. */

/** One folder of a project, as it is committed. */
export type ProjectFolder = {
	/** Paths of all files below it. */
	readonly paths: readonly string[];
	/** What a file holds; undefined where it is not there, or too large to be looked at. */
	text(path: string): string | undefined;
	/** Whether a sandbox of the project finds a program of this name. */
	has(program: string): boolean;
};

/** What is proposed for one folder. Commands are run by `sh -c` in that folder. */
export type Proposed = {
	/** The file by which the kind is known. */
	readonly by: string;
	/** The program without which none of it can run. */
	readonly program: string;
	/** Run with the network below; what they leave in HOME and in places that git does not keep is there afterwards. */
	readonly setup: readonly string[];
	/** Run afterwards without any network, one after another. Tests come last. */
	readonly verify: readonly string[];
	/** Hosts that the commands of setup ask, as a policy names them. */
	readonly network: readonly string[];
	/** Files on which the result of setup depends. */
	readonly inputs: readonly string[];
	/** What shows the project to a person who works on it, such as a development server; only told. */
	readonly preview?: string | undefined;
	/** What a person should know, one line each. */
	readonly notes: readonly string[];
};

/**
 * One kind of project. The contract, which the conformance suite holds every kind to:
 * - `detect` is pure and total: whatever the files hold, it answers, and only from what is committed;
 * - what it proposes installs what is locked, where something is locked, and changes no file that git keeps;
 * - verify needs no network, and tests what lies in the folder, not a copy that setup made;
 * - a host is one that the kind's own registry has, or that a file of the project names; no credential is repeated.
 */
export type ProjectKind = {
	readonly id: string;
	readonly title: string;
	/** What its packages are written in: of one language, a folder below a project belongs to that project. */
	readonly language: string;
	/** Names of files, in the folder, without any of which it is not of this kind. */
	readonly manifests: readonly string[];
	/** Whether it builds parts of other projects, too, whose own build calls it: then it is no project of its own there. */
	readonly isCalled?: boolean;
	/** Names of files, in the folder, whose text it asks for; one that ends with `/` stands for the files in it. */
	readonly reads: readonly string[];
	/** Whether it is proposed only where no other kind of the folder has a verify command. */
	readonly isFallback?: boolean;
	/** @returns undefined where the folder is not of this kind */
	detect(folder: ProjectFolder): Proposed | undefined;
};
