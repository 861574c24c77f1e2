import {execFileSync} from 'node:child_process';
import {repositoryMode} from '../../core/git/tree.ts';
import {treeish} from '../sandbox/checkout.ts';
import {readTree} from '../handover/attributes.ts';
import type {Setup} from './setup-types.ts';

/**
 * The paths that git keeps of a checkout that nothing ran in yet, each ended by NUL. A layer has none of them: where
 * another tree lacks one, or has another commit of a submodule, it would come back from below.
 * @param submodules folders whose files were written, from the top
 */
export async function trackedNames(
	{git, what}: Pick<Setup, 'git' | 'what'>,
	tree: string,
	submodules: readonly string[],
): Promise<Buffer> {
	const entries = await readTree(git, treeish(what));
	const own = [...entries].filter(([, {mode}]) => mode !== repositoryMode).map(([file]) => `${file}\0`);
	const theirs =
		submodules.length === 0
			? Buffer.alloc(0)
			: execFileSync('find', [...submodules.map(place => `./${place}`), '!', '-type', 'd', '-print0'], {
					cwd: tree,
					maxBuffer: 1024 ** 3,
				});
	return Buffer.concat([Buffer.from(own.join(''), 'latin1'), theirs]);
}
