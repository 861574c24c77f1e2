import {mkdirSync} from 'node:fs';
import path from 'node:path';
import type {Mount} from '../../core/plan.ts';
import {baseMounts} from '../../host/borrowed.ts';
import {makeGitFolder, type Looked} from '../../host/git-folder.ts';
import {fillSubmodules} from '../run/submodules.ts';

/** What is checked out, and the folders that are made for it. */
export type CheckoutRequest = Pick<Looked, 'git' | 'commonDir' | 'what' | 'branch' | 'depth' | 'tree'> & {
	/** The project's folder, where its submodules are. */
	readonly root: string;
	readonly gitFolder: string;
	readonly home: string;
};

/** The name of what is checked out, for git. */
export function treeish(what: Looked['what']): string {
	return 'commit' in what ? what.commit : what.tree;
}

/**
 * A fresh checkout for commands in a sandbox, with a git folder and an empty HOME beside it, and its submodules filled.
 * @returns mounts of the project's objects, which the git folder borrows, and the submodules that were filled
 */
export async function checkOut({
	root,
	gitFolder,
	home,
	...looked
}: CheckoutRequest): Promise<{readonly mounts: readonly Mount[]; readonly submodules: readonly string[]}> {
	const {git, commonDir, what, tree} = looked;
	for (const made of [tree, gitFolder, home, path.join(tree, '.git')]) {
		mkdirSync(made, {recursive: true, mode: 0o700});
	}

	const mounts = baseMounts(commonDir);
	await makeGitFolder({...looked, folder: gitFolder, objectsSeenAt: at => mounts[at]!.target});
	return {mounts, submodules: await fillSubmodules({git, commonDir, root}, treeish(what), tree)};
}
