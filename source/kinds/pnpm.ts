import type {ProjectKind} from '../core/project-kind.ts';
import {nodeFiles, proposeNode, readNode} from './package-json.ts';

/** The major version where the project names none. */
const usualVersion = '10';

/** pnpm: by itself where it is there, else as Node's own tools fetch it. */
export const pnpm: ProjectKind = {
	id: 'pnpm',
	title: 'pnpm',
	reads: [...nodeFiles, '.gitignore', 'pnpm-lock.yaml', 'pnpm-workspace.yaml'],
	detect(folder) {
		const node = readNode(folder);
		if (node?.manager !== 'pnpm') {
			return undefined;
		}

		const fetched = `npx --yes pnpm@${node.version ?? usualVersion}`;
		const isFetched = !folder.has('pnpm') && folder.has('npx');
		const program = isFetched ? fetched : 'pnpm';
		// Without network npx takes what setup fetched, and does not ask whether there is a newer one.
		const verifying = isFetched ? fetched.replace('--yes', '--yes --offline') : 'pnpm';
		return proposeNode(folder, node, {
			program: isFetched ? 'npx' : 'pnpm',
			install: `${program} install ${node.lock === undefined ? '--no-lockfile' : '--frozen-lockfile'}`,
			run: script => `${verifying} ${script === 'test' ? 'test' : `run ${script}`}`,
			usual: ['registry.npmjs.org'],
		});
	},
};
