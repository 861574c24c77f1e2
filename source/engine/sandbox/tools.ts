import {existsSync, readdirSync, realpathSync, type Dirent} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {proxyPort, type Mount} from '../../core/plan.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Shell, Toolchain} from '../../core/toolchain.ts';
import {findJdks, javaConfiguration} from '../../host/java.ts';
import {homeFolder} from '../../host/person.ts';
import {versionOf} from '../../host/program.ts';
import {isOpenFolder, statusOf} from '../../host/status.ts';
import {systemFolders} from '../../host/toolchain.ts';
import type {Context} from '../context.ts';
import {listProjects} from '../project/list-projects.ts';
import {readSettings} from '../project/settings.ts';

/* The toolchains of the person's shell, as runs and verifications get them. */

/** What a run finds of the person's shell besides the system's own folders. */
export type ShellTools = {
	/** The search path inside. */
	readonly path: readonly string[];
	readonly mounts: readonly Mount[];
	readonly env: Readonly<Record<string, string>>;
	/** Folders of the person's search path, and what stands for them. */
	readonly found: ReadonlyArray<{readonly folder: string; readonly title: string}>;
	/** Folders that are not there inside, and why. */
	readonly left: ReadonlyArray<{
		readonly folder: string;
		readonly because: string;
		readonly hint: string;
		/** Whether the project or the person named what is missing. */
		readonly named: boolean;
	}>;
};

/** What package managers and logins keep in a home: no mount may hold one of them. */
export const logins = [
	'.npmrc',
	'.yarnrc.yml',
	'.pypirc',
	'.netrc',
	'.cargo/credentials',
	'.cargo/credentials.toml',
	'.m2/settings.xml',
	'.gradle/gradle.properties',
	'.gem/credentials',
	'.bundle/config',
	'.composer/auth.json',
	'.config/composer/auth.json',
	'.docker/config.json',
	'.ssh',
	'.gnupg',
	'.aws',
	'.kube',
	'.config/gh',
	'.git-credentials',
	'.local/share/keyrings',
	'.password-store',
];

function isWithin(place: string, folder: string): boolean {
	return place === folder || place.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

/** Why a mount may not be made: it would show a home, a login, a project or fleet's own; undefined where none would. */
function revealing(mounts: readonly Mount[], home: string, guarded: readonly string[]): string | undefined {
	const held = [home, ...logins.map(name => path.join(home, name))];
	for (const {source} of mounts) {
		if (held.some(place => isWithin(place, source))) {
			return `${source} holds logins`;
		}

		if (guarded.some(place => isWithin(place, source) || isWithin(source, place))) {
			return `${source} is a project's, or fleet's own`;
		}
	}

	return undefined;
}

/** The search path as the person's shell has it: not what npm and a starter of fleet put before it. */
export function shellPath(environment: NodeJS.ProcessEnv = process.env): string[] {
	const folders = (environment['FLEET_PATH'] ?? environment['PATH'] ?? '').split(path.delimiter);
	return [...new Set(folders)].filter(
		folder => path.isAbsolute(folder) && !/node_modules\/\.bin(?:\/|$)|node-gyp-bin/.test(folder),
	);
}

/** Every program of this name that a sandbox finds, on the host. */
export function programsCalled(name: string, tools: Pick<ShellTools, 'path' | 'mounts'>): string[] {
	return tools.path
		.map(folder => path.join(folder, name))
		.map(place => tools.mounts.find(mount => mount.target === place)?.source ?? place)
		.filter(place => existsSync(place));
}

/** The JDKs that a sandbox with these tools sees. */
export function jdksOf(tools: Pick<ShellTools, 'mounts' | 'env'>): string[] {
	return findJdks([tools.env['JAVA_HOME'] ?? '', ...tools.mounts.map(({target}) => target)]);
}

/** What Maven, Gradle, sbt and Ant build. */
const jvmBuilds = /^(?:pom\.xml|(?:build|settings)\.gradle(?:\.kts)?|build\.sbt|build\.xml|gradlew|mvnw)$/;

/** How far below a project's top a build may lie, and how many folders are looked into. */
const maxBuildDepth = 3;
const maxBuildFolders = 2000;

/** Whether a project, or a folder of it, is built for the JVM. Nearer folders are looked into first. */
export function isJvmProject(root: string): boolean {
	let level = [root];
	let seen = 0;
	for (let depth = 0; depth <= maxBuildDepth && seen < maxBuildFolders; depth++) {
		const entries = level.slice(0, maxBuildFolders - seen).flatMap(folder => entriesOf(folder));
		seen += level.length;
		if (entries.some(({name}) => jvmBuilds.test(name))) {
			return true;
		}

		level = entries
			.filter(entry => entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.'))
			.map(({parentPath, name}) => path.join(parentPath, name));
	}

	return false;
}

function entriesOf(folder: string): Dirent[] {
	try {
		return readdirSync(folder, {withFileTypes: true});
	} catch {
		// A folder that cannot be read has no build that could be told of a proxy.
		return [];
	}
}

/** What Maven and Gradle have to be told of the run's proxy, as files below HOME; none where there is no JDK. */
export function javaConfigurationOf(tools: Pick<ShellTools, 'mounts' | 'env'>): Record<string, string> {
	return jdksOf(tools).length === 0 ? {} : javaConfiguration(proxyPort);
}

function look(toolchains: readonly Toolchain[], folder: string, shell: Shell): ReturnType<Toolchain['find']> {
	for (const toolchain of toolchains) {
		const tools = toolchain.find(folder, shell);
		if (tools !== undefined) {
			return tools;
		}
	}

	return undefined;
}

/**
 * What works in the person's shell in a project's folder, for the sandboxes of that project.
 * @param options.project the project's folder, whose files may name versions; undefined for none
 * @param options.guarded places that no toolchain may show: projects, and what is fleet's own
 */
export function shellTools(
	toolchains: readonly Toolchain[],
	{
		project,
		guarded = [],
		environment = process.env,
	}: {project?: string | undefined; guarded?: readonly string[]; environment?: NodeJS.ProcessEnv} = {},
): ShellTools {
	const home = homeFolder(environment);
	const shell: Shell = {path: shellPath(environment), home, environment, project};
	const places: string[] = [];
	const mounts = new Map<string, Mount>();
	const env: Record<string, string> = {};
	const found: Array<ShellTools['found'][number]> = [];
	const left: Array<ShellTools['left'][number]> = [];
	for (const folder of shell.path) {
		if (systemFolders.includes(folder) || folder.startsWith('/usr/')) {
			places.push(folder);
			continue;
		}

		if (!isOpenFolder(folder)) {
			continue;
		}

		const tools = look(toolchains, folder, shell);
		const shown = tools === undefined || tools instanceof Refusal ? undefined : revealing(tools.mounts, home, guarded);
		if (tools === undefined) {
			left.push({
				folder,
				because: 'no toolchain that is known',
				hint: 'name its folder under toolchains in settings.yaml',
				named: false,
			});
		} else if (tools instanceof Refusal) {
			left.push({folder, because: tools.because, hint: tools.hint, named: true});
		} else if (shown !== undefined) {
			left.push({folder, because: shown, hint: 'move the tools to a folder of their own', named: false});
		} else {
			places.push(...tools.path);
			tools.mounts.forEach(mount => mounts.set(mount.target, mount));
			Object.assign(env, {...tools.env, ...env});
			found.push({folder, title: tools.title});
		}
	}

	// A variable that names a JDK holds for tools that read no search path.
	const java = environment['JAVA_HOME'] ?? '';
	if (env['JAVA_HOME'] === undefined && java.startsWith('/usr/')) {
		env['JAVA_HOME'] = java;
	}

	return {
		path: [...new Set([...places, ...systemFolders])],
		mounts: [...mounts.values()],
		env,
		found,
		left,
	};
}

/** The folders that the person named in the settings: each is given whole. */
function named(folders: readonly string[]): Toolchain {
	return {
		id: 'settings',
		title: 'settings.yaml',
		variables: [],
		find(folder) {
			const place = folders.find(one => isWithin(folder, one));
			return place === undefined
				? undefined
				: {title: place, path: [folder], mounts: [{source: realpathSync(place), target: place, mode: 'read'}], env: {}};
		},
	};
}

/** What runs and verifications of a project get of the person's shell. @param project its folder */
export async function toolsOf(
	context: Pick<Context, 'paths' | 'toolchains'>,
	project: string | undefined,
): Promise<ShellTools> {
	const {state, config, runtime} = context.paths;
	const settings = await readSettings(context.paths);
	const guarded = [...listProjects(context).map(({root}) => root), state, config, runtime];
	return shellTools([named(settings.toolchains), ...context.toolchains], {project, guarded});
}

/** Programs that people ask for by name, and how each is asked for its version where not by `--version`. */
const knownPrograms: Readonly<Record<string, readonly string[]>> = {
	...Object.fromEntries(
		[
			'node',
			'npm',
			'pnpm',
			'yarn',
			'bun',
			'deno',
			'python3',
			'pip',
			'uv',
			'poetry',
			'ruby',
			'bundle',
			'php',
			'composer',
			'rustc',
			'cargo',
			'java',
			'mvn',
			'gradle',
			'dotnet',
			'swift',
			'gcc',
			'clang',
			'make',
			'cmake',
			'ninja',
		].map(name => [name, ['--version']]),
	),
	go: ['version'],
	zig: ['version'],
};

/** A program as a run finds it: its version as far as it says one, and its place on the host. */
export type FoundProgram = {readonly name: string; readonly version: string; readonly place: string};

/** The programs that a run finds, of those that people ask for, each asked for its version. */
export async function listPrograms(tools: ShellTools): Promise<FoundProgram[]> {
	const env = {...tools.env, PATH: tools.path.join(path.delimiter)};
	const found = await Promise.all(
		Object.entries(knownPrograms).map(async ([name, argv]) => {
			const [place] = programsCalled(name, tools);
			if (place === undefined) {
				return undefined;
			}

			const said = await versionOf(place, {argv, env});
			return {name, version: /\d+(?:\.\d+)+(?:-(?:alpha|beta|rc|nightly)[\w.]*)?/.exec(said ?? '')?.[0] ?? '', place};
		}),
	);
	return found.filter(one => one !== undefined);
}

/**
 * What tells one set of tools from another without starting any: where each program is, its size and when it was
 * written. The same text as long as nothing was installed, upgraded or taken away.
 */
export function identityOf(tools: ShellTools): string {
	const programs = Object.keys(knownPrograms).flatMap(name => {
		const [place] = programsCalled(name, tools);
		const status = place === undefined ? undefined : statusOf(place);
		return status ? [`${name} ${realpathSync(place!)} ${status.size} ${Math.trunc(status.mtimeMs)}`] : [];
	});
	return [`${process.platform} ${process.arch}`, ...programs, ...tools.mounts.map(({source}) => source)].join('\n');
}
