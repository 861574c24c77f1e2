/*
 * A person's own agent: the instructions, skills and commands that they keep for it below their HOME. What a profile is
 * made of is data, by agent; reading it is the engine's.
 */

export const profileKinds = [
	'instructions',
	'skill',
	'command',
	'subagent',
	'output style',
	'rules',
	'settings',
] as const;
export type ProfileKind = (typeof profileKinds)[number];

/** A file, or with a `/` at its end a folder, by its path below HOME, on the host and inside. */
export type ProfilePlace = {
	readonly path: string;
	readonly kind: ProfileKind;
	/** Of a folder: which names of files belong to it; all by default. */
	readonly names?: RegExp | undefined;
};

/** What of a settings file is kept: no other key, and no value of another form. */
export type AllowedSettings = {readonly [key: string]: AllowedValue};
/** `word`: a name, a model, a style; never an address, a path or a command line. `names`: of files, one or several. */
export type AllowedValue = 'flag' | 'number' | 'word' | 'names' | AllowedSettings;

export type Settings = {readonly [key: string]: SettingsValue};
export type SettingsValue = string | number | boolean | readonly string[] | Settings;

/** What was kept of a settings file, and the keys that were not. */
export type KeptSettings = {readonly kept: Settings; readonly left: readonly string[]};

export type ProfileSettings = {
	/** Where it is on the host; the first that is there counts. */
	readonly paths: readonly string[];
	/** Where it is inside. */
	readonly target: string;
	/** Pure and total. @returns undefined for a text that is no settings file */
	keep(text: string): KeptSettings | undefined;
	/** What was kept, below what the adapter writes: where both say something, the adapter's counts. */
	merge(kept: Settings, own: string | undefined): string;
};

/** What a profile of an agent is made of. */
export type ProfileLayout = {
	/** Folders below HOME that a variable moves elsewhere on the host, such as `.claude` by CLAUDE_CONFIG_DIR. */
	readonly moved: ReadonlyArray<{readonly folder: string; readonly variable: string; readonly below?: string}>;
	readonly places: readonly ProfilePlace[];
	readonly settings: ProfileSettings;
	/** What lies beside them and never goes in, and why. */
	readonly never: ReadonlyArray<{readonly path: string; readonly because: string}>;
};

/** A file of a profile as it is listed: what a person says yes to. */
export type ProfileFile = {
	/** Below HOME, as it is inside. */
	readonly path: string;
	readonly kind: ProfileKind;
	/** Bytes. */
	readonly size: number;
	/** SHA-256 of its content; of settings, of what is kept of them. */
	readonly sha256: string;
	readonly executable: boolean;
	/** Where it lies, where a link leads to it. */
	readonly real?: string | undefined;
};

/** How a profile differs from what was approved, by path. */
export type ProfileChanges = {
	readonly added: readonly string[];
	readonly changed: readonly string[];
	readonly removed: readonly string[];
};

/** All of a file that an approval is about, as one text. */
export function tokenOf({kind, sha256, executable, real}: Omit<ProfileFile, 'path' | 'size'>): string {
	return [sha256, kind, executable ? 'x' : '-', real ?? ''].join(' ');
}

/** @param approved `tokenOf` by path, as it was approved */
export function changesSince(
	approved: Readonly<Record<string, string>>,
	files: readonly ProfileFile[],
): ProfileChanges {
	const now = new Map(files.map(file => [file.path, tokenOf(file)]));
	return {
		added: [...now.keys()].filter(path => !Object.hasOwn(approved, path)).sort(),
		changed: [...now].flatMap(([path, token]) =>
			Object.hasOwn(approved, path) && approved[path] !== token ? [path] : [],
		),
		removed: Object.keys(approved)
			.filter(path => !now.has(path))
			.sort(),
	};
}

/** Such as `1 changed, 2 added`; empty where nothing is. */
export function changesText({added, changed, removed}: ProfileChanges): string {
	return [
		[changed, 'changed'],
		[added, 'added'],
		[removed, 'removed'],
	]
		.flatMap(([paths, word]) => (paths!.length === 0 ? [] : [`${paths!.length} ${word as string}`]))
		.join(', ');
}
