import type {ProjectFolder, ProjectKind, Proposed} from '../core/project-kind.ts';
import {unique} from './hosts.ts';
import {kinds} from './registry.ts';

/* What a whole project is: the kinds of its folder, and of the folders below that are projects of their own. */

/** One kind in one folder, and what it proposes there. Commands are as they are run from the top. */
export type Part = Proposed & {
	readonly kind: string;
	readonly title: string;
	readonly language: string;
	/** The folder, below the top; empty for the top itself. */
	readonly folder: string;
	/** Whether its program is there. */
	readonly canRun: boolean;
};

/** Folders whose manifests belong to something else than the project. */
const aside =
	/^(?:\.|node_modules$|vendor$|third[-_]party$|external$|deps$|examples?$|samples?$|docs?$|tests?$|fixtures$|bench(?:marks?)?$|fuzz$|target$|dist$|build$)/;

/** What makes a folder a project of its own although one of the same language is above it: packages locked for itself. */
const locks: Readonly<Record<string, readonly string[]>> = {
	JavaScript: ['package-lock.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock', 'bun.lockb'],
	Python: ['uv.lock', 'poetry.lock', 'requirements.txt'],
	Rust: ['Cargo.lock'],
	Go: ['go.sum'],
};

/** How deep below the top a project may lie, how many folders are looked at, and how many get commands. */
const maxDepth = 3;
const maxLookedAt = 40;
const maxFolders = 8;

/** How many files are read: of a folder whose every file is asked for, there may be any number. */
const maxWanted = 500;

/** Every name that a kind may ask for, by whether it stands for a folder's files. */
export const wantedNames: readonly string[] = [...new Set(kinds.flatMap(({reads}) => reads))];

/** The languages of which a folder's files are, by their names alone. */
function languagesIn(files: ReadonlySet<string>, all: readonly ProjectKind[]): string[] {
	return unique(all.filter(({manifests}) => manifests.some(name => files.has(name))).map(({language}) => language));
}

function hasLock(files: {has(name: string): boolean}, language: string): boolean {
	return locks[language]?.some(name => files.has(name)) ?? false;
}

/** The folders that a folder lies in, from the top on. */
function above(name: string): string[] {
	const parts = name.split('/').slice(0, -1);
	return ['', ...parts.map((_, at) => parts.slice(0, at + 1).join('/'))];
}

/** The paths of a project whose text `detectParts` asks for. @param paths all that are committed */
export function wantedPaths(paths: readonly string[]): string[] {
	const folders = ['', ...foldersOf(paths, kinds).map(name => `${name}/`)];
	const wanted = (name: string) =>
		wantedNames.some(one =>
			one.endsWith('/') ? name.startsWith(one) && !name.slice(one.length).includes('/') : one === name,
		);
	const ignoring = new Set(
		folders.flatMap(folder => above(folder).map(name => `${name === '' ? '' : `${name}/`}.gitignore`)),
	);
	return paths
		.filter(
			name =>
				ignoring.has(name) || folders.some(folder => name.startsWith(folder) && wanted(name.slice(folder.length))),
		)
		.slice(0, maxWanted);
}

/**
 * Folders below that a kind may know, those that are most likely projects of their own first: the rest of a workspace
 * of hundreds is not looked at.
 */
function foldersOf(paths: readonly string[], all: readonly ProjectKind[]): string[] {
	const files = new Map<string, Set<string>>();
	for (const path of paths) {
		const at = path.lastIndexOf('/');
		const [folder, file] = [path.slice(0, Math.max(0, at)), path.slice(at + 1)];
		files.set(folder, (files.get(folder) ?? new Set()).add(file));
	}

	const names = [...files.keys()].filter(name => {
		const parts = name.split('/');
		return (
			name !== '' &&
			parts.length <= maxDepth &&
			parts.every(part => /^\w[\w.-]*$/.test(part) && !aside.test(part)) &&
			languagesIn(files.get(name)!, all).length > 0
		);
	});
	const isMember = (name: string) =>
		languagesIn(files.get(name)!, all).every(
			language =>
				!hasLock(files.get(name)!, language) &&
				above(name).some(one => languagesIn(files.get(one) ?? new Set(), all).includes(language)),
		);
	return names
		.map(name => ({name, rank: (isMember(name) ? maxDepth : 0) + name.split('/').length}))
		.sort((one, other) => one.rank - other.rank || (one.name < other.name ? -1 : 1))
		.slice(0, maxLookedAt)
		.map(({name}) => name)
		.sort((one, other) => one.split('/').length - other.split('/').length || (one < other ? -1 : 1));
}

/** A line of a `.gitignore` above a folder, as the folder's own would have it. @param below the folder, from there */
function ignoredBelow(line: string, below: string): string[] {
	const plain = line.replace(/^\//, '');
	if (plain.startsWith(`${below}/`)) {
		return [plain.slice(below.length)];
	}

	return line.startsWith('/') ? [] : [line];
}

/** What git ignores in a folder by its own file and by those above it; undefined where there is none. */
function ignoredIn(folder: ProjectFolder, name: string): string | undefined {
	const texts = above(name).map(one => {
		const text = folder.text(one === '' ? '.gitignore' : `${one}/.gitignore`);
		const below = one === '' ? name : name.slice(one.length + 1);
		return text
			?.split('\n')
			.flatMap(line => ignoredBelow(line, below))
			.join('\n');
	});
	const there = [...texts, folder.text(`${name}/.gitignore`)].filter(text => text !== undefined);
	return there.length === 0 ? undefined : there.join('\n');
}

function within(folder: ProjectFolder, name: string): ProjectFolder {
	const start = `${name}/`;
	return {
		...folder,
		paths: folder.paths.filter(file => file.startsWith(start)).map(file => file.slice(start.length)),
		text: file => (file === '.gitignore' ? ignoredIn(folder, name) : folder.text(`${start}${file}`)),
	};
}

/** The kinds of one folder; one that stands behind the others only where none of them verifies anything. */
function partsOf(folder: ProjectFolder, name: string, all: readonly ProjectKind[]): Part[] {
	const inFolder = (command: string) =>
		name === '' ? command : `cd ${name} && ${/\|\|/.test(command) ? `{ ${command}; }` : command}`;
	const found = all.flatMap(kind => {
		const proposed = kind.detect(folder);
		return proposed === undefined || proposed.setup.length + proposed.verify.length === 0
			? []
			: [
					{
						kind,
						part: {
							...proposed,
							kind: kind.id,
							title: kind.title,
							language: kind.language,
							folder: name,
							canRun: folder.has(proposed.program),
							by: name === '' ? proposed.by : `${name}/${proposed.by}`,
							setup: proposed.setup.map(command => inFolder(command)),
							verify: proposed.verify.map(command => inFolder(command)),
							inputs: proposed.inputs.map(file => (name === '' ? file : `${name}/${file}`)),
							preview: proposed.preview === undefined ? undefined : inFolder(proposed.preview),
						},
					},
				];
	});
	const isVerified = found.some(({kind, part}) => !kind.isFallback && part.verify.length > 0 && part.canRun);
	return found.filter(({kind}) => !kind.isFallback || !isVerified).map(({part}) => part);
}

/** What is above a folder already: the languages, and whether its modules are a workspace of Go's. */
function heldAbove(folder: ProjectFolder, parts: ReadonlyMap<string, readonly Part[]>, name: string) {
	const folders = above(name);
	const held = folders.flatMap(one => parts.get(one) ?? []);
	return {
		isAnything: held.length > 0,
		languages: new Set(held.map(({language}) => language)),
		isGoWorkspace: folders.some(one => folder.paths.includes(one === '' ? 'go.work' : `${one}/go.work`)),
	};
}

/**
 * Everything that is proposed for a project, in the order in which it is run: by kind, since a server may hold what a
 * page's build makes, and of each kind from the top down.
 * @param all the kinds that are asked
 */
export function detectParts(folder: ProjectFolder, all: readonly ProjectKind[] = kinds): Part[] {
	const found = new Map<string, Part[]>([['', partsOf(folder, '', all)]]);
	const left: string[] = [];
	for (const name of foldersOf(folder.paths, all)) {
		const inner = within(folder, name);
		const {isAnything, languages, isGoWorkspace} = heldAbove(folder, found, name);
		const there = new Set(inner.paths);
		const isOwn = ({language, isCalled}: ProjectKind) =>
			languages.has(language)
				? hasLock(there, language) && !(language === 'Go' && isGoWorkspace)
				: !(isCalled && isAnything);
		const parts = partsOf(
			inner,
			name,
			all.filter(kind => isOwn(kind)),
		);
		if (parts.length === 0) {
			continue;
		}

		if (found.size > maxFolders) {
			left.push(name);
		} else {
			found.set(name, parts);
		}
	}

	const order = all.map(({id}) => id);
	const parts = [...found.values()].flat().sort((one, other) => order.indexOf(one.kind) - order.indexOf(other.kind));
	const last = parts.at(-1);
	return last === undefined || left.length === 0
		? parts
		: [...parts.slice(0, -1), {...last, notes: [...last.notes, `besides, and not proposed: ${left.join(', ')}`]}];
}

/** What all parts together ask for. */
export function joinParts(
	parts: readonly Part[],
): Record<'setup' | 'verify' | 'network' | 'inputs' | 'preview', string[]> {
	return {
		setup: unique(parts.flatMap(({setup}) => setup)),
		verify: unique(parts.flatMap(({verify}) => verify)),
		network: unique(parts.flatMap(({network}) => network)),
		inputs: unique(parts.flatMap(({inputs}) => inputs)),
		preview: unique(parts.map(({preview}) => preview)),
	};
}
