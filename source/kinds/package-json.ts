import * as v from 'valibot';
import type {ProjectFolder, Proposed} from '../core/project-kind.ts';
import {hostOf, hostsIn, unique} from './hosts.ts';

/* What npm, pnpm, yarn and bun have in common: package.json, who of them keeps the packages, the registries. */

const record = v.optional(v.record(v.string(), v.unknown()), {});
const schema = v.object({
	packageManager: v.optional(v.string()),
	scripts: record,
	dependencies: record,
	devDependencies: record,
	optionalDependencies: record,
	peerDependencies: record,
	workspaces: v.optional(v.unknown()),
});

export type Manifest = v.InferOutput<typeof schema>;

/** A package manager of Node's. */
export type Manager = 'npm' | 'pnpm' | 'yarn' | 'bun';

/** Lock files, and whose they are. Where there are several, the first counts. */
const locks: ReadonlyArray<readonly [string, Manager]> = [
	['pnpm-lock.yaml', 'pnpm'],
	['yarn.lock', 'yarn'],
	['bun.lock', 'bun'],
	['bun.lockb', 'bun'],
	['package-lock.json', 'npm'],
	['npm-shrinkwrap.json', 'npm'],
];

/** What tells the manager where there is no lock file. */
const settings: ReadonlyArray<readonly [string, Manager]> = [
	['pnpm-workspace.yaml', 'pnpm'],
	['.yarnrc.yml', 'yarn'],
	['bunfig.toml', 'bun'],
];

/** The names that every manager's kind reads. */
export const nodeFiles: readonly string[] = ['package.json', '.npmrc', '.yarnrc.yml', 'bunfig.toml'];

/** A folder with a package.json, and what is known of its packages. */
export type NodeFolder = {
	readonly manifest: Manifest;
	readonly manager: Manager;
	/** Version that `packageManager` names, without its hash. */
	readonly version: string | undefined;
	readonly lock: string | undefined;
	/** The file by which the manager is known. */
	readonly by: string;
	/** Whether it has packages, or other folders with some. */
	readonly hasPackages: boolean;
};

function readManifest(text: string | undefined): Manifest | undefined {
	try {
		const {success, output} = v.safeParse(schema, JSON.parse((text ?? '').replace(/^\uFEFF/, '')));
		return success ? output : undefined;
	} catch {
		// No manifest that its manager could read either.
		return undefined;
	}
}

/** @returns undefined where there is no package.json that can be read */
export function readNode(folder: ProjectFolder): NodeFolder | undefined {
	const manifest = readManifest(folder.text('package.json'));
	if (!manifest) {
		return undefined;
	}

	const isThere = ([name]: readonly [string, Manager]) => folder.paths.includes(name);
	const [, named, version] = /^(npm|pnpm|yarn|bun)@([\w.-]+)/.exec(manifest.packageManager ?? '') ?? [];
	const found = locks.filter(lock => isThere(lock));
	const known = found[0] ?? settings.find(one => isThere(one));
	const manager = (named as Manager | undefined) ?? known?.[1] ?? 'npm';
	const lock = found.find(([, whose]) => whose === manager)?.[0];
	return {
		manifest,
		manager,
		version,
		lock,
		by: lock ?? (named === undefined ? (known?.[0] ?? 'package.json') : 'package.json'),
		hasPackages:
			lock !== undefined ||
			manifest.workspaces !== undefined ||
			[manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies].some(
				packages => Object.keys(packages).length > 0,
			),
	};
}

/** Scripts that look at a result, in the order in which they are proposed: what others need first, tests last. */
const looking: readonly string[] = ['build', 'typecheck', 'type-check', 'check', 'lint', 'test'];

/** What npm writes into a new package.json, and what would wait for a person. */
const noCheck = /no test specified|--watch(?!=false)|--ui\b/;

/** The scripts that verify, by name: one that another of them runs is left to that one. */
export function verifyingScripts({scripts}: Manifest): string[] {
	const text = (name: string) =>
		Object.hasOwn(scripts, name) && typeof scripts[name] === 'string' ? scripts[name] : '';
	const names = looking.filter(name => text(name) !== '' && !noCheck.test(text(name)));
	const callers = [...names, ...names.map(name => `pre${name}`)];
	return names.filter(
		name =>
			!callers.some(
				other =>
					other !== name &&
					other !== `pre${name}` &&
					new RegExp(String.raw`\b(?:npm|pnpm|yarn|bun|run|run-s|npm-run-all)\b[^&|;]*\s${name}(?![\w:-])`).test(
						text(other),
					),
			),
	);
}

/** The script that shows the project while it is worked on. */
export function previewScript({scripts}: Manifest): string | undefined {
	return ['dev', 'start', 'serve', 'preview'].find(name => typeof scripts[name] === 'string');
}

/** Where packages come from: the registries of the settings, and what a lock file names. */
export function registries(folder: ProjectFolder, lock: string | undefined, usual: readonly string[]): string[] {
	const npmrc = folder.text('.npmrc') ?? '';
	const own = /^\s*registry\s*=\s*(\S+)/m.exec(npmrc)?.[1] ?? yarnRegistry(folder);
	const first = own === undefined ? undefined : hostOf(own);
	return unique([
		...(first === undefined ? usual : [first]),
		...hostsIn(npmrc, /^\s*(?:@[\w.-]+:)?registry\s*=\s*(\S+)/gm),
		...hostsIn(folder.text('.yarnrc.yml'), /npmRegistryServer:\s*["']?([^\s"']+)/g),
		...hostsIn(folder.text('bunfig.toml'), /(?:registry|url)\s*=\s*["']([^"'\s]+)/g),
		...(lock === undefined ? [] : lockedHosts(folder.text(lock))),
	]);
}

function yarnRegistry(folder: ProjectFolder): string | undefined {
	return /^npmRegistryServer:\s*["']?([^\s"']+)/m.exec(folder.text('.yarnrc.yml') ?? '')?.[1];
}

/** `resolved` of npm and yarn, `tarball` of pnpm, and what has the form of a git dependency in any of them. */
const lockedPattern =
	/(?:"resolved":\s*"|\bresolved\s+"|\btarball:\s*["']?|resolution:\s*"[^"\n]*@)((?:git\+)?(?:https?|ssh|git):\/\/[^\s"',}]+)/g;

/** npm replaces what the public registry stands for by the registry of the settings, and so does yarn. */
const stoodFor = new Set(['registry.npmjs.org', 'registry.yarnpkg.com']);

function lockedHosts(text: string | undefined): string[] {
	return hostsIn(text, lockedPattern).filter(host => !stoodFor.has(host));
}

/** Lines about what a person has to see to. */
export function nodeNotes(folder: ProjectFolder, {lock, manager, hasPackages}: NodeFolder): string[] {
	const ignored = /^\s*\/?(?:\*\*\/)?node_modules\/?\s*$/m.test(folder.text('.gitignore') ?? '');
	const others = locks
		.filter(([name, whose]) => whose !== manager && folder.paths.includes(name))
		.map(([name]) => name);
	return [
		...(hasPackages && lock === undefined ? ['no lock file: each setup may install other versions'] : []),
		...(others.length > 0 ? [`${others.join(' and ')} is of another package manager, and not used`] : []),
		...(hasPackages && !ignored ? ['.gitignore does not name node_modules, so that a run would hand it in'] : []),
		...(/_authToken|_password|npmAuthToken/.test(`${folder.text('.npmrc')}${folder.text('.yarnrc.yml')}`)
			? ['its registry asks for a login: add it by fleet secret add, and name it under secrets of setup']
			: []),
	];
}

/** Files on which installed packages depend. */
export function nodeInputs(folder: ProjectFolder, {lock, manifest}: NodeFolder): string[] {
	const isWorkspace = manifest.workspaces !== undefined || folder.paths.includes('pnpm-workspace.yaml');
	return unique([
		'package.json',
		lock,
		...['.npmrc', 'pnpm-workspace.yaml', '.yarnrc.yml', 'bunfig.toml', '.nvmrc', '.node-version'].filter(name =>
			folder.paths.includes(name),
		),
		...(isWorkspace
			? folder.paths.filter(name => name.endsWith('/package.json') && !name.includes('node_modules/')).slice(0, 200)
			: []),
	]);
}

/** A package manager that is not on the machine: what setup fetches, and how it is called from then on. */
export function fetched(name: string, spec: string): {readonly setup: string; readonly program: string} {
	// In HOME, which verifications have as setup left it; the cache that npx looks into stays with setups. On the search
	// path, since scripts of a workspace call their manager.
	return {
		setup: `npm install --no-audit --no-fund --prefix "$HOME/.tools" ${spec}`,
		program: `PATH="$HOME/.tools/node_modules/.bin:$PATH" ${name}`,
	};
}

/** A proposal by what the managers differ in; undefined where there is nothing to do. */
export function proposeNode(
	folder: ProjectFolder,
	node: NodeFolder,
	{
		program,
		first,
		install,
		run,
		usual,
	}: {
		readonly program: string;
		/** What comes before it, where there is anything to install or to run. */ readonly first?: string | undefined;
		readonly install: string;
		/** The command that runs a script. */ run(script: string): string;
		readonly usual: readonly string[];
	},
): Proposed | undefined {
	const verify = verifyingScripts(node.manifest).map(name => run(name));
	const setup = [...(first === undefined ? [] : [first]), ...(node.hasPackages ? [install] : [])];
	const preview = previewScript(node.manifest);
	return setup.length === 0 && verify.length === 0
		? undefined
		: {
				by: node.by,
				program,
				setup,
				verify,
				network: setup.length === 0 ? [] : registries(folder, node.lock, usual),
				inputs: setup.length === 0 ? [] : nodeInputs(folder, node),
				preview: preview === undefined ? undefined : run(preview),
				notes: nodeNotes(folder, node),
			};
}
