import type {ProjectFolder, ProjectKind, Proposed} from '../core/project-kind.ts';
import {unique} from './hosts.ts';
import {kinds} from './registry.ts';

/* What a whole project is: the kinds of its folder, and of the folders below that are projects of their own. */

/** One kind in one folder, and what it proposes there. Commands are as they are run from the top. */
export type Part = Proposed & {
	readonly kind: string;
	readonly title: string;
	/** The folder, below the top; empty for the top itself. */
	readonly folder: string;
	/** Whether its program is there. */
	readonly canRun: boolean;
};

/** Folders whose manifests belong to something else than the project. */
const aside =
	/^(?:\.|node_modules$|vendor$|third[-_]party$|external$|deps$|examples?$|samples?$|docs?$|tests?$|fixtures$|bench(?:marks?)?$|fuzz$|target$|dist$|build$)/;

/** What makes a folder below a project of its own, although there is one at the top: packages locked for itself. */
const ownLocks = [
	'package-lock.json',
	'pnpm-lock.yaml',
	'yarn.lock',
	'bun.lock',
	'uv.lock',
	'poetry.lock',
	'Cargo.lock',
	'go.sum',
	'requirements.txt',
];

/** How many folders below are looked at. */
const maxFolders = 6;

/** Every name that a kind may ask for, by whether it stands for a folder's files. */
export const wantedNames: readonly string[] = [...new Set(kinds.flatMap(({reads}) => reads))];

/** The paths of a project whose text `detectParts` asks for. @param paths all that are committed */
export function wantedPaths(paths: readonly string[]): string[] {
	const folders = ['', ...foldersOf(paths).map(name => `${name}/`)];
	const wanted = (name: string) =>
		wantedNames.some(one =>
			one.endsWith('/') ? name.startsWith(one) && !name.slice(one.length).includes('/') : one === name,
		);
	return paths.filter(name => folders.some(folder => name.startsWith(folder) && wanted(name.slice(folder.length))));
}

function foldersOf(paths: readonly string[]): string[] {
	const names = new Set<string>();
	for (const name of paths) {
		const [folder, file, ...more] = name.split('/');
		if (
			file !== undefined &&
			more.length === 0 &&
			!aside.test(folder!) &&
			/^[\w.-]+$/.test(folder!) &&
			(wantedNames.includes(file) || ownLocks.includes(file))
		) {
			names.add(folder!);
		}
	}

	return [...names].sort().slice(0, maxFolders);
}

function within(folder: ProjectFolder, name: string): ProjectFolder {
	const start = `${name}/`;
	return {
		...folder,
		paths: folder.paths.filter(file => file.startsWith(start)).map(file => file.slice(start.length)),
		text: file => folder.text(`${start}${file}`),
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

/**
 * Everything that is proposed for a project, in the order in which it is run.
 * @param all the kinds that are asked
 */
export function detectParts(folder: ProjectFolder, all: readonly ProjectKind[] = kinds): Part[] {
	const top = partsOf(folder, '', all);
	const below = foldersOf(folder.paths).flatMap(name => {
		const inner = within(folder, name);
		// Where the top has a kind, a folder below belongs to it, unless it locks packages for itself.
		return top.length === 0 || ownLocks.some(lock => inner.paths.includes(lock)) ? partsOf(inner, name, all) : [];
	});
	return [...top, ...below];
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
