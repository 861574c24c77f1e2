import type {ProjectFolder, ProjectKind} from '../core/project-kind.ts';
import {fetched, nodeFiles, proposeNode, readNode, type NodeFolder} from './package-json.ts';

/** Yarn 2 and later, whose options and settings are other ones. */
function isModern(folder: ProjectFolder, {version}: NodeFolder): boolean {
	return version === undefined
		? folder.paths.includes('.yarnrc.yml') || isModernLock(folder.text('yarn.lock'))
		: !/^[01]\./.test(version);
}

/** How yarn is called, and what fetches it first. */
type Called = {readonly call: string; readonly program: string; readonly first?: string};

/** The one that the project keeps, the one of the machine, or one that setup fetches. */
function calledBy(folder: ProjectFolder, modern: boolean, {version}: NodeFolder): Called {
	const kept = /^yarnPath:\s*["']?([\w./-]+\.[cm]?js)\b/m.exec(folder.text('.yarnrc.yml') ?? '')?.[1];
	if (kept !== undefined && folder.paths.includes(kept)) {
		return {call: `node ${kept}`, program: 'node'};
	}

	if (folder.has('yarn') && (!modern || !folder.has('npm'))) {
		return {call: 'yarn', program: 'yarn'};
	}

	// Yarn 2 and later is published under another name; the old one that machines have does not read such a project.
	const own = fetched('yarn', modern ? `@yarnpkg/cli-dist@${version ?? '4'}` : `yarn@${version ?? '1'}`);
	return {call: own.program, program: 'npm', first: own.setup};
}

/** Whether a `yarn.lock` is of Yarn 2 or later. */
export function isModernLock(text: string | undefined): boolean {
	return /^__metadata:/m.test(text ?? '');
}

/** Whether Yarn 2 or later runs packages from its cache, and lays down no `node_modules`. @param settings `.yarnrc.yml` */
export function runsFromItsCache(settings: string | undefined): boolean {
	return !/^nodeLinker:\s*["']?(?:node-modules|pnpm)\b/m.test(settings ?? '');
}

/** Yarn, of both kinds. */
export const yarn: ProjectKind = {
	id: 'yarn',
	title: 'Yarn',
	language: 'JavaScript',
	manifests: ['package.json'],
	reads: [...nodeFiles, '.gitignore', 'yarn.lock'],
	detect(folder) {
		const node = readNode(folder);
		if (node?.manager !== 'yarn') {
			return undefined;
		}

		const modern = isModern(folder, node);
		const {call, program, first} = calledBy(folder, modern, node);
		const frozen = modern ? '--immutable' : '--frozen-lockfile';
		const loose = modern ? '' : '--no-lockfile';
		return proposeNode(folder, node, {
			program,
			first,
			install: `${call} install ${node.lock === undefined ? loose : frozen}`.trim(),
			run: script => `${call} ${script === 'test' ? 'test' : `run ${script}`}`,
			usual: ['registry.yarnpkg.com', 'registry.npmjs.org'],
		});
	},
};
