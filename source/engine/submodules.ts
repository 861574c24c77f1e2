import {existsSync, lstatSync, realpathSync} from 'node:fs';
import path from 'node:path';

import {Git} from '../host/git.ts';

/* Submodules, as far as the person's own repository has them. Nothing is fetched and nothing of theirs is run. */

/** The objects of a submodule that the person has, and the folder of its own submodules. */
export type Copy = {readonly objects: string; readonly modules: string};

/** Where each submodule of a tree is kept, by its path. Names of submodules are folders below `modules`, and never lead out of it. */
async function copiesOf(git: Git, modules: string, checkout: string | undefined, settings: string): Promise<Map<string, Copy>> {
	const {code, stdout} = await git.run(['config', '--blob', settings, '--null', '--get-regexp', '^submodule\\..*\\.path$']);
	const copies = new Map<string, Copy>();
	for (const record of code === 0 ? stdout.split('\0') : []) {
		const [key = '', place = ''] = record.split('\n');
		const name = key.replace(/^submodule\./, '').replace(/\.path$/, '');
		const folders = [path.join(modules, name), ...(checkout === undefined ? [] : [path.join(checkout, place, '.git')])];
		const isPlain = (text: string) => text !== '' && !text.split('/').some(part => part === '' || part === '.' || part === '..' || part === '.git');
		const folder = isPlain(name) && isPlain(place) ? folders.find(folder => isGitFolder(folder)) : undefined;
		if (folder !== undefined) {
			copies.set(Buffer.from(place).toString('latin1'), {objects: path.join(folder, 'objects'), modules: path.join(folder, 'modules')});
		}
	}

	return copies;
}

/** A git folder itself, not a link to one. */
function isGitFolder(folder: string): boolean {
	return lstatSync(folder, {throwIfNoEntry: false})?.isDirectory() === true && existsSync(path.join(folder, 'objects')) && realpathSync(path.dirname(folder)) === path.resolve(path.dirname(folder));
}

/** A git of fleet's own reading a submodule's objects. */
function reading(copy: Copy): {git: Git; env: Record<string, string>} {
	return {git: new Git({gitDir: path.dirname(copy.objects), own: true}), env: {GIT_OBJECT_DIRECTORY: copy.objects}};
}

/** Which of these submodules, in the state asked for, the person's repository has. @returns their paths */
export async function knownCommits(git: Git, commonDir: string, root: string, base: string, wanted: ReadonlyArray<{readonly path: string; readonly commit: string}>): Promise<Set<string>> {
	const known = new Set<string>();
	if (wanted.length === 0) {
		return known;
	}

	const copies = await copiesOf(git, path.join(commonDir, 'modules'), root, `${base}:.gitmodules`);
	for (const {path: place, commit} of wanted) {
		const copy = copies.get(place);
		if (copy && (await reading(copy).git.run(['cat-file', '-e', `${commit}^{commit}`])).code === 0) {
			known.add(place);
		}
	}

	return known;
}

