import type {ProjectFolder, ProjectKind} from '../core/project-kind.ts';
import {nodeFiles, proposeNode, readNode, type NodeFolder} from './package-json.ts';

/** Yarn 2 and later, whose options and settings are other ones. */
function isModern(folder: ProjectFolder, {version}: NodeFolder): boolean {
	return version === undefined
		? folder.paths.includes('.yarnrc.yml') || /^__metadata:/m.test(folder.text('yarn.lock') ?? '')
		: !/^[01]\./.test(version);
}

/** How yarn is called: the one that the project keeps, the one of the machine, or one that is fetched. */
function programs(
	folder: ProjectFolder,
	modern: boolean,
	{version}: NodeFolder,
): {setup: string; verify: string; program: string} {
	const kept = /^yarnPath:\s*["']?([\w./-]+\.[cm]?js)\b/m.exec(folder.text('.yarnrc.yml') ?? '')?.[1];
	if (kept !== undefined && folder.paths.includes(kept)) {
		return {setup: `node ${kept}`, verify: `node ${kept}`, program: 'node'};
	}

	if (folder.has('yarn') && (!modern || !folder.has('npx'))) {
		return {setup: 'yarn', verify: 'yarn', program: 'yarn'};
	}

	// Yarn 2 and later is published under another name; the old one that machines have does not read such a project.
	const name = modern ? `@yarnpkg/cli-dist@${version ?? '4'}` : `yarn@${version ?? '1'}`;
	const call = (options: string) => `npx --yes ${options}--package=${name} -- yarn`;
	return {setup: call(''), verify: call('--offline '), program: 'npx'};
}

/** Yarn, of both kinds. */
export const yarn: ProjectKind = {
	id: 'yarn',
	title: 'Yarn',
	reads: [...nodeFiles, '.gitignore', 'yarn.lock'],
	detect(folder) {
		const node = readNode(folder);
		if (node?.manager !== 'yarn') {
			return undefined;
		}

		const modern = isModern(folder, node);
		const {setup, verify, program} = programs(folder, modern, node);
		const frozen = modern ? '--immutable' : '--frozen-lockfile';
		const loose = modern ? '' : '--no-lockfile';
		return proposeNode(folder, node, {
			program,
			install: `${setup} install ${node.lock === undefined ? loose : frozen}`.trim(),
			run: script => `${verify} ${script === 'test' ? 'test' : `run ${script}`}`,
			usual: ['registry.yarnpkg.com', 'registry.npmjs.org'],
		});
	},
};
