import {readPointer} from './filters.ts';

/*
 * What a merged tree may not hold, told from names and modes alone. Names are read byte by byte: a character is a byte.
 */

/** One entry of a tree: its mode as git writes it, and the name of its object. */
export type Entry = {readonly mode: string; readonly object: string};

/** What became of one path. Undefined: it is not there. */
export type Change = {readonly path: string; readonly before: Entry | undefined; readonly after: Entry | undefined};

export const repositoryMode = '160000';

/** Bytes, each of them a character, as the text that they are. */
export function textOf(bytes: string): string {
	return new TextDecoder().decode(Uint8Array.from(bytes, character => character.charCodeAt(0)));
}

/** A path of bytes as people read it. */
export function shown(path: string): string {
	return JSON.stringify(textOf(path));
}

/** Reads `git ls-tree -r -z`, as latin1. */
export function parseTree(text: string): Map<string, Entry> {
	const entries = new Map<string, Entry>();
	for (const record of text.split('\0')) {
		const tab = record.indexOf('\t');
		if (tab > 0) {
			const [mode = '', , object = ''] = record.slice(0, tab).split(' ');
			entries.set(record.slice(tab + 1), {mode, object});
		}
	}

	return entries;
}

/** Reads `git diff-tree -r -z --raw --no-renames --no-abbrev`, as latin1. */
export function parseChanges(text: string): Change[] {
	const records = text.split('\0');
	const changes: Change[] = [];
	for (let index = 0; index + 1 < records.length; index += 2) {
		const [oldMode = '', newMode = '', oldObject = '', newObject = ''] = records[index]!.replace(/^:/, '').split(' ');
		const entry = (mode: string, object: string) => (mode === '000000' ? undefined : {mode, object});
		changes.push({path: records[index + 1]!, before: entry(oldMode, oldObject), after: entry(newMode, newObject)});
	}

	return changes;
}

/** The folders that a path lies in, the nearest first; the last is the top, ''. */
export function foldersOf(path: string): string[] {
	const folders: string[] = [];
	for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
		folders.push(path.slice(0, end));
	}

	return [...folders, ''];
}

/** Code points that HFS+ leaves out when it compares names. */
const unseen = /[\u200C-\u200F\u202A-\u202E\u206A-\u206F\uFEFF]/g;

/**
 * One part of a path as file systems that are generous about names take
 * it: case, what is not seen, spaces and dots at the end, a stream's name.
 */
export function folded(part: string): string {
	return textOf(part)
		.replaceAll(unseen, '')
		.normalize('NFKC')
		.toLowerCase()
		.replace(/[ .]*(?::.*)?$/, '');
}

/** Whether some file system takes a part of a path for git's own folder. */
export function isDotGit(part: string): boolean {
	return part.split('\\').some(piece => ['.git', 'git~1'].includes(folded(piece)));
}

/** Whether some file system takes a name for that of one of git's own files, such as `.gitmodules`. */
export function isLike(name: string, wanted: string): boolean {
	const plain = folded(name);
	return (
		plain === wanted || new RegExp(`^${wanted.slice(1, 7)}~[1-9]$`).test(plain) || /^gi7[a-f\d]{2,5}~\d$/.test(plain)
	);
}

/**
 * What makes git take a folder for a repository: HEAD, and where
 * its objects and refs are, or the name of a folder that has them.
 */
function isRepository(names: ReadonlySet<string>): boolean {
	return names.has('head') && (names.has('commondir') || (names.has('objects') && names.has('refs')));
}

/** The folders of a tree that git would take for repositories, among those given. */
function repositoriesIn(paths: Iterable<string>, wanted: ReadonlySet<string>): Set<string> {
	const names = new Map<string, Set<string>>();
	for (const path of paths) {
		for (let start = 0, end = path.indexOf('/'); ; start = end + 1, end = path.indexOf('/', start)) {
			const folder = start === 0 ? '' : path.slice(0, start - 1);
			if (wanted.has(folder)) {
				const known = names.get(folder) ?? new Set<string>();
				names.set(folder, known.add(folded(end === -1 ? path.slice(start) : path.slice(start, end))));
			}

			if (end === -1) {
				break;
			}
		}
	}

	return new Set([...names].filter(([, held]) => isRepository(held)).map(([folder]) => folder));
}

/**
 * What must not be merged, in the whole tree that a merge would be: what a run adds may be one half of it, and what is
 * there already the other.
 * @param tree every path of the merged tree
 * @param changes what the merge changes
 * @param ignoreCase names that differ in case alone are one file here
 */
export function findForbidden(
	tree: ReadonlyMap<string, Entry>,
	changes: readonly Change[],
	ignoreCase: boolean,
): string[] {
	const present = changes.filter(({after}) => after !== undefined);
	return [
		...new Set([
			...forbiddenNames(present),
			...newRepositories(tree, changes),
			...(ignoreCase && present.length > 0 ? sameButForCase(tree, present) : []),
		]),
	];
}

/** Names and kinds of entry that are no plain files of a project's. */
function forbiddenNames(present: readonly Change[]): string[] {
	const problems: string[] = [];
	for (const {path, before, after} of present) {
		const parts = path.split('/');
		if (/[\u0000-\u001F\u007F]/.test(path)) {
			problems.push(`${shown(path)} has a control byte in its name`);
		}

		if (parts.some(part => isDotGit(part))) {
			problems.push(`${shown(path)} is a name that git keeps for itself`);
		}

		if (after!.mode === repositoryMode && before?.mode !== repositoryMode) {
			problems.push(`${shown(path)} is a link to another repository`);
		}

		for (const wanted of parts.length === 1 ? ['.gitmodules', '.lfsconfig'] : []) {
			if (isLike(path, wanted) && (path !== wanted || !after!.mode.startsWith('100'))) {
				problems.push(`${shown(path)} stands for ${wanted} and is no plain file`);
			}
		}

		// Where case does not count, it says which files pass which program, and is not looked at as such.
		const last = parts.at(-1)!;
		if (last !== '.gitattributes' && isLike(last, '.gitattributes')) {
			problems.push(`${shown(path)} stands for .gitattributes, and is spelled otherwise`);
		}
	}

	return problems;
}

/** Folders that the merge makes repositories of, or in which it changes how one that is there is configured. */
function newRepositories(tree: ReadonlyMap<string, Entry>, changes: readonly Change[]): string[] {
	const problems: string[] = [];
	const present = changes.filter(({after}) => after !== undefined);
	// What is taken away makes no repository.
	const folders = new Set(present.flatMap(({path}) => foldersOf(path)));
	const gone = new Set(changes.filter(({before}) => before === undefined).map(({path}) => path));
	const repositories = repositoriesIn(tree.keys(), folders);
	const before =
		repositories.size === 0
			? repositories
			: repositoriesIn(
					[
						...[...tree.keys()].filter(path => !gone.has(path)),
						...changes.filter(({before, after}) => before && !after).map(({path}) => path),
					],
					repositories,
				);
	for (const folder of repositories) {
		const inside = (path: string) => {
			if (folder === '') {
				return path;
			}

			return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : undefined;
		};
		// One that is there already, such as a test's, may not get another configuration.
		if (
			!before.has(folder) ||
			present.some(({path}) =>
				/^(?:[^/]+$|(?:objects|refs|hooks|info|logs|worktrees|modules)\/)/i.test(inside(path) ?? '/'),
			)
		) {
			problems.push(`${shown(folder === '' ? '.' : folder)} is a repository inside the repository`);
		}
	}

	return problems;
}

/** New names that differ from others in case alone. */
function sameButForCase(tree: ReadonlyMap<string, Entry>, present: readonly Change[]): string[] {
	const problems: string[] = [];
	const fold = (path: string) =>
		path
			.split('/')
			.map(part => folded(part))
			.join('/');
	const seen = Map.groupBy(tree.keys(), fold);
	for (const {path, before} of present) {
		const others = seen.get(fold(path)) ?? [];
		if (!before && others.length > 1) {
			problems.push(`${others.map(other => shown(other)).join(' and ')} are one file where case does not count`);
		}
	}

	return problems;
}

/**
 * Whether a file is what Git LFS keeps in a repository in place of content. Nothing at all is kept as it is. A spelling
 * that only LFS reads is none: what it stands for would be in no verification.
 */
export function isPointer(content: string): boolean {
	return content === '' || readPointer(content) !== undefined;
}

/**
 * Whether every line of a submodule file's settings was there before. Both as `git config --list --null` prints them.
 */
export function onlyTakesAway(before: string, after: string): boolean {
	const known = new Set(before.split('\0'));
	return after.split('\0').every(setting => known.has(setting));
}
