import type {ProjectKind} from '../core/project-kind.ts';
import {nodeFiles, proposeNode, readNode} from './package-json.ts';

/** What `bun test` runs by itself. */
const testFile = /(?:^|\/)[^/]+[._](?:test|spec)\.[cm]?[jt]sx?$/;

/** Bun, whose own runner tests what no script does. */
export const bun: ProjectKind = {
	id: 'bun',
	title: 'Bun',
	language: 'JavaScript',
	manifests: ['package.json'],
	reads: [...nodeFiles, '.gitignore', 'bun.lock'],
	detect(folder) {
		const node = readNode(folder);
		if (node?.manager !== 'bun') {
			return undefined;
		}

		const found = proposeNode(folder, node, {
			program: 'bun',
			install: node.lock === undefined ? 'bun install --no-save' : 'bun install --frozen-lockfile',
			run: script => `bun run ${script}`,
			usual: ['registry.npmjs.org'],
		});
		return found && typeof node.manifest.scripts['test'] !== 'string' && folder.paths.some(name => testFile.test(name))
			? {...found, verify: [...found.verify, 'bun test']}
			: found;
	},
};
