import {existsSync, mkdtempSync, realpathSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {submoduleRef} from '../../core/git/refs.ts';
import {repositoryMode, textOf} from '../../core/git/tree.ts';
import {Git, type ProjectCheckout} from '../../host/git.ts';
import {makeOwnGit} from '../../host/own-git.ts';
import {readTree} from '../handover/attributes.ts';
import {ownStatusOf} from '../../host/status.ts';

/* Submodules, as far as the person's own repository has them. Nothing of theirs is run. */

/** How deep submodules of submodules are followed. */
const deepest = 5;

/** A submodule of a tree, or of one of its submodules. */
export type Submodule = {
	/** From the top, as text. */
	readonly path: string;
	readonly commit: string;
	/** Where the person has its objects; undefined where they do not have that commit. */
	readonly objects: string | undefined;
};

/** A git folder itself, not a link to one. */
function isGitFolder(folder: string): boolean {
	return (
		ownStatusOf(folder)?.isDirectory() === true &&
		existsSync(path.join(folder, 'objects')) &&
		realpathSync(folder) === path.join(realpathSync(path.dirname(folder)), path.basename(folder))
	);
}

const isPlain = (text: string) =>
	text !== '' && !text.split('/').some(part => part === '' || part === '.' || part === '..' || part === '.git');

/** Where submodules may be kept: below the git folder of their parent, and in its checkout where it has one. */
type Parent = {readonly git: Git; readonly modules: string; readonly checkout: string | undefined};

/**
 * Where each submodule is kept, by its path in its parent. Names of
 * submodules are folders below `modules`, and lead nowhere else.
 */
async function gitFolders({git, modules, checkout}: Parent, settings: string): Promise<Map<string, string>> {
	const {code, stdout} = await git.run([
		'config',
		'--blob',
		settings,
		'--null',
		'--get-regexp',
		'^submodule\\..*\\.path$',
	]);
	const folders = new Map<string, string>();
	for (const record of code === 0 ? stdout.split('\0') : []) {
		const [key = '', place = ''] = record.split('\n');
		const name = key.replace(/^submodule\./, '').replace(/\.path$/, '');
		const candidates =
			isPlain(name) && isPlain(place)
				? [path.join(modules, name), ...(checkout === undefined ? [] : [path.join(checkout, place, '.git')])]
				: [];
		const folder = candidates.find(candidate => isGitFolder(candidate));
		if (folder !== undefined) {
			folders.set(place, folder);
		}
	}

	return folders;
}

/** Reads a submodule's objects, with nothing of its configuration in force but its format. */
const reading = (folder: string) => new Git({gitDir: folder, own: true});

async function has(folder: string, commit: string): Promise<boolean> {
	return (await reading(folder).run(['cat-file', '-e', `${commit}^{commit}`])).code === 0;
}

/** The submodules of a commit or a tree, and theirs, parents first. */
export async function submodulesOf({git, commonDir, root}: ProjectCheckout, tree: string): Promise<Submodule[]> {
	const found: Submodule[] = [];
	const visit = async (
		parent: Parent,
		tree: string,
		{prefix, depth}: {readonly prefix: string; readonly depth: number},
	): Promise<void> => {
		const {git} = parent;
		// Most repositories have none, and are not listed for it.
		if (depth > deepest || (await git.run(['cat-file', '-e', `${tree}:.gitmodules`])).code !== 0) {
			return;
		}

		const folders = await gitFolders(parent, `${tree}:.gitmodules`);
		for (const [bytes, {mode, object}] of await readTree(git, tree)) {
			if (mode !== repositoryMode) {
				continue;
			}

			const place = textOf(bytes);
			const folder = folders.get(place);
			const known = folder !== undefined && (await has(folder, object));
			found.push({path: prefix + place, commit: object, objects: known ? path.join(folder, 'objects') : undefined});
			if (known) {
				await visit({git: reading(folder), modules: path.join(folder, 'modules'), checkout: undefined}, object, {
					prefix: `${prefix}${place}/`,
					depth: depth + 1,
				});
			}
		}
	};

	await visit({git, modules: path.join(commonDir, 'modules'), checkout: root}, tree, {prefix: '', depth: 1});
	return found;
}

/**
 * Asks where a submodule came from for one commit, where that is a folder of this machine: no other way of reaching it
 * is open to fleet's git. It is kept under a ref of its own.
 */
async function fetchHere(folder: string, commit: string): Promise<void> {
	await new Git({gitDir: folder}).run([
		'fetch',
		'--quiet',
		'--no-tags',
		'--no-write-fetch-head',
		'--refmap=',
		'--no-recurse-submodules',
		'origin',
		`${commit}:${submoduleRef(commit)}`,
	]);
}

/**
 * Which of these submodules the person has in the state asked for.
 * @param base whose .gitmodules counts
 * @returns their paths, as bytes
 */
export async function knownCommits(
	{git, commonDir, root}: ProjectCheckout,
	base: string,
	wanted: ReadonlyArray<{readonly path: string; readonly commit: string}>,
): Promise<Set<string>> {
	const known = new Set<string>();
	const folders =
		wanted.length === 0
			? new Map<string, string>()
			: await gitFolders({git, modules: path.join(commonDir, 'modules'), checkout: root}, `${base}:.gitmodules`);
	for (const {path: place, commit} of wanted) {
		const folder = folders.get(textOf(place));
		if (folder === undefined) {
			continue;
		}

		if (!(await has(folder, commit))) {
			await fetchHere(folder, commit);
		}

		if (await has(folder, commit)) {
			known.add(place);
		}
	}

	return known;
}

/**
 * Writes the files of a tree's submodules into the folders that a checkout of it left empty, as they are stored.
 * @returns what was written
 */
export async function fillSubmodules(
	{git, commonDir, root}: ProjectCheckout,
	tree: string,
	folder: string,
): Promise<string[]> {
	const submodules = (await submodulesOf({git, commonDir, root}, tree)).filter(({objects}) => objects !== undefined);
	if (submodules.length === 0) {
		return [];
	}

	const made = mkdtempSync(path.join(os.tmpdir(), 'fleet-submodules-'));
	try {
		await makeOwnGit(path.join(made, 'own.git'), {git, commonDir});
		const filled: string[] = [];
		for (const [number, {path: place, commit, objects}] of submodules.entries()) {
			const workTree = path.join(folder, place);
			// One that is not checked out has no folder.
			if (!ownStatusOf(workTree)?.isDirectory()) {
				continue;
			}

			const own = new Git({gitDir: path.join(made, 'own.git'), workTree, own: true});
			const env = {GIT_INDEX_FILE: path.join(made, `index-${number}`), GIT_OBJECT_DIRECTORY: objects!};
			await own.must(['read-tree', commit], {env, cwd: workTree});
			await own.must(['checkout-index', '--all', '--force', '--quiet'], {env, cwd: workTree});
			filled.push(place);
		}

		return filled;
	} finally {
		rmSync(made, {recursive: true, force: true});
	}
}
