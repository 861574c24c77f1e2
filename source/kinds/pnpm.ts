import type {ProjectKind} from '../core/project-kind.ts';
import {fetched, nodeFiles, proposeNode, readNode} from './package-json.ts';

/** The major version where the project names none. */
const usualVersion = '10';

/** pnpm: the machine's where it is there, else one that setup fetches. */
export const pnpm: ProjectKind = {
	id: 'pnpm',
	title: 'pnpm',
	language: 'JavaScript',
	manifests: ['package.json'],
	reads: [...nodeFiles, '.gitignore', 'pnpm-lock.yaml', 'pnpm-workspace.yaml'],
	detect(folder) {
		const node = readNode(folder);
		if (node?.manager !== 'pnpm') {
			return undefined;
		}

		const own = folder.has('pnpm') ? undefined : fetched('pnpm', `pnpm@${node.version ?? usualVersion}`);
		const call = own?.program ?? 'pnpm';
		return proposeNode(folder, node, {
			program: own ? 'npm' : 'pnpm',
			first: own?.setup,
			install: `${call} install ${node.lock === undefined ? '--no-lockfile' : '--frozen-lockfile'}`,
			run: script => `${call} ${script === 'test' ? 'test' : `run ${script}`}`,
			usual: ['registry.npmjs.org'],
		});
	},
};
