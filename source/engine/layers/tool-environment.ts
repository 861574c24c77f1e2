import {isModernLock, runsFromItsCache} from '../../kinds/yarn.ts';
import type {Git} from '../../host/git.ts';
import {readBlobs, readTree} from '../handover/attributes.ts';

/** How far below the top folders of Yarn are looked for, and how many. */
const maxDepth = 3;
const maxFolders = 50;

/**
 * Variables that have tools lay down what runs need below the project or HOME, where they would have it elsewhere.
 *
 * Yarn's Plug'n'Play runs packages from Yarn's cache, which lies by default in HOME, as one path relative to the
 * project: it leads to nothing from a checkout that lies elsewhere than setup's. Below the project it comes along.
 * @throws Refusal where the tree cannot be read
 */
export async function toolEnvironment(git: Git, tree: string): Promise<Readonly<Record<string, string>>> {
	const entries = await readTree(git, tree);
	const locks = [...entries]
		.filter(([file]) => /(?:^|\/)yarn\.lock$/.test(file) && file.split('/').length <= maxDepth + 1)
		.slice(0, maxFolders)
		.map(([file, {object}]) => ({
			lock: object,
			settings: entries.get(file.replace(/yarn\.lock$/, '.yarnrc.yml'))?.object,
		}));
	const texts = await readBlobs(
		git,
		locks.flatMap(({lock, settings}) => (settings === undefined ? [lock] : [lock, settings])),
	);
	return locks.some(
		({lock, settings}) =>
			isModernLock(texts.get(lock)) && runsFromItsCache(settings === undefined ? undefined : texts.get(settings)),
	)
		? {YARN_ENABLE_GLOBAL_CACHE: 'false'}
		: {};
}
