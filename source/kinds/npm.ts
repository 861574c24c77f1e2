import type {ProjectKind} from '../core/project-kind.ts';
import {nodeFiles, proposeNode, readNode} from './package-json.ts';

/** A package.json that no other package manager keeps. */
export const npm: ProjectKind = {
	id: 'npm',
	title: 'npm',
	language: 'JavaScript',
	manifests: ['package.json'],
	reads: [...nodeFiles, '.gitignore', 'package-lock.json', 'npm-shrinkwrap.json'],
	detect(folder) {
		const node = readNode(folder);
		return node?.manager === 'npm'
			? proposeNode(folder, node, {
					program: 'npm',
					install: node.lock === undefined ? 'npm install --no-package-lock' : 'npm ci',
					run: script => (script === 'test' ? 'npm test' : `npm run ${script}`),
					usual: ['registry.npmjs.org'],
				})
			: undefined;
	},
};
