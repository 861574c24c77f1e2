import {parse as parseToml} from 'smol-toml';
import {parseJson, tableIn, valueOf} from './values.ts';
import type {LockChange, PackageFlag} from './difference.ts';
import {directives} from './go.ts';
import {Unreadable} from './package.ts';
import {withoutPassword} from './sources.ts';
import {parseYaml} from './yaml.ts';

/*
 * What a project itself says of what runs when its packages are installed or built, and from where they come: settings
 * by their names. What is not named here decides nothing of that.
 */

/** What is compared, and what is shown of it: nothing of what may be a token. */
export type Setting = {readonly value: string; readonly shown: string};

/** Settings by name. A file that runs as a whole is one without a name. */
export type Settings = ReadonlyMap<string, Setting>;

export type InstallFormat = {
	readonly id: string;
	/** Of a whole path. */
	readonly path: RegExp;
	/** Whether it is one as a whole, so that whatever changed in it counts, and no text has to be read. */
	readonly isProgram?: boolean;
	/** Whether it counts only where it is a symbolic link. */
	readonly isLink?: boolean;
	/** @throws whatever a parser throws */
	read(text: string): Settings;
};

/** Settings that may hold a password or a token: whether they changed is said, not what they are. */
const hidden = /auth|token|password|secret|ident|\b_|key|cert/i;

function settingOf(name: string, value: unknown): Setting {
	const text = typeof value === 'string' ? value : JSON.stringify(value);
	return {value: text, shown: hidden.test(name) ? '***' : withoutPassword(text)};
}

/** The value behind a path of keys such as `tool.uv.index`. */
function at(root: unknown, path: string): unknown {
	return path.split('.').reduce((table, key) => valueOf(table, key), root);
}

/** Those of these paths that are there. */
function pick(root: unknown, paths: readonly string[]): Map<string, Setting> {
	const found = new Map<string, Setting>();
	for (const path of paths) {
		const value = at(root, path);
		if (value !== undefined) {
			found.set(path, settingOf(path, value));
		}
	}

	return found;
}

/** Every key of the top, or with `depth` 2 those below it. */
function keysOf(root: unknown, depth: 1 | 2): Map<string, Setting> {
	const found = new Map<string, Setting>();
	for (const [key, value] of Object.entries(tableIn(root) ?? {})) {
		const inner = depth === 2 ? tableIn(value) : undefined;
		for (const [name, part] of inner
			? Object.entries(inner).map(([below, own]): [string, unknown] => [`${key}.${below}`, own])
			: [[key, value] as [string, unknown]]) {
			found.set(name, settingOf(name, part));
		}
	}

	return found;
}

/** `key = value`, or with a blank between them, of files such as `.npmrc`; sections are passed over. */
function lineSettings(text: string, separator: RegExp): Map<string, Setting> {
	const found = new Map<string, Setting>();
	for (const raw of text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
		const line = raw.trim();
		const cut = line.search(separator);
		if (line !== '' && !/^[#;![]/.test(line)) {
			const name = (cut === -1 ? line : line.slice(0, cut)).trim();
			const value = cut === -1 ? '' : line.slice(cut + 1).trim();
			// A list is the same name several times.
			const before = found.get(name);
			found.set(name, settingOf(name, before === undefined ? value : `${before.value}, ${value}`));
		}
	}

	return found;
}

/** Scripts that npm, pnpm, Yarn or Bun run by themselves when a project's packages, or the project, are installed. */
const scripts = [
	'scripts.preinstall',
	'scripts.install',
	'scripts.postinstall',
	'scripts.preprepare',
	'scripts.prepare',
	'scripts.postprepare',
	'scripts.prepublish',
	'scripts.prepublishOnly',
	'scripts.dependencies',
	'scripts.prepack',
	'scripts.pack',
	'scripts.postpack',
	'scripts.pnpm:devPreinstall',
];

/** Which packages may run scripts of theirs, and which program installs them. */
const builds = [
	'onlyBuiltDependencies',
	'onlyBuiltDependenciesFile',
	'neverBuiltDependencies',
	'ignoredBuiltDependencies',
	'dangerouslyAllowAllBuilds',
	'allowBuilds',
	'configDependencies',
];

const composerScripts = [
	'install',
	'update',
	'autoload-dump',
	'package-install',
	'package-update',
	'operations',
].flatMap(event => ['pre', 'post'].flatMap(when => [`scripts.${when}-${event}-cmd`, `scripts.${when}-${event}`]));

/** A file that is a program, or is read as one, as a whole. */
function program(id: string, path: RegExp): InstallFormat {
	return {id, path, isProgram: true, read: text => new Map([['', {value: text, shown: ''}]])};
}

/** Files that an install or a build runs, or reads as a program. */
const programs = [
	String.raw`setup\.py`,
	String.raw`build\.rs`,
	String.raw`binding\.gyp`,
	String.raw`\.pnpmfile\.[cm]?js`,
	String.raw`\.yarn/(?:releases|plugins)/.+`,
	String.raw`\.pnp(?:\.loader)?\.[cm]?js`,
	String.raw`\.mvn/[^/]+`,
	'mvnw(?:\\.cmd)?',
	'gradlew(?:\\.bat)?',
	String.raw`gradle/wrapper/[^/]+\.jar`,
	String.raw`\.mvn/wrapper/[^/]+\.(?:jar|java)`,
	String.raw`[^/]+\.gradle(?:\.kts)?`,
	'buildSrc/.+',
	'Gemfile',
	String.raw`gems\.rb`,
	String.raw`[^/]+\.gemspec`,
	String.raw`extconf\.rb`,
];

/** Folders in which such files lie. */
const settingsFolders = [
	String.raw`\.cargo`,
	String.raw`\.mvn`,
	String.raw`\.mvn/wrapper`,
	'gradle',
	'gradle/wrapper',
	'buildSrc',
	String.raw`\.yarn`,
	String.raw`\.yarn/(?:releases|plugins)`,
	String.raw`\.bundle`,
	'requirements',
];

export const installFormats: readonly InstallFormat[] = [
	{
		id: 'package.json',
		path: /(?:^|\/)package\.json$/,
		read: text =>
			pick(parseJson(text), [
				...scripts,
				...builds.map(name => `pnpm.${name}`),
				'trustedDependencies',
				'allowScripts',
				'lavamoat.allowScripts',
				'dependenciesMeta',
				'packageManager',
				'devEngines.packageManager',
				'gypfile',
				'overrides',
				'resolutions',
				'patchedDependencies',
				'pnpm.overrides',
				'pnpm.patchedDependencies',
				'pnpm.packageExtensions',
			]),
	},
	{
		id: 'pnpm',
		path: /(?:^|\/)pnpm-workspace\.yaml$/,
		// All that .npmrc may say may stand here as well, under names of its own.
		read: text => {
			const settings = keysOf(parseYaml(text)[0], 1);
			['packages', 'catalog', 'catalogs'].forEach(name => settings.delete(name));
			return settings;
		},
	},
	{id: 'npmrc', path: /(?:^|\/)\.npmrc$/, read: text => lineSettings(text, /=/)},
	{id: 'pip', path: /(?:^|\/)pip\.(?:conf|ini)$/, read: text => lineSettings(text, /[=:]/)},
	{id: 'yarnrc', path: /(?:^|\/)\.yarnrc$/, read: text => lineSettings(text, /\s/)},
	{id: 'yarn', path: /(?:^|\/)\.yarnrc\.yml$/, read: text => keysOf(parseYaml(text)[0], 1)},
	{id: 'bun', path: /(?:^|\/)bunfig\.toml$/, read: text => keysOf(at(parseToml(text), 'install'), 1)},
	{id: 'uv', path: /(?:^|\/)uv\.toml$/, read: text => keysOf(parseToml(text), 1)},
	{
		id: 'pyproject',
		path: /(?:^|\/)pyproject\.toml$/,
		read: text =>
			pick(parseToml(text), [
				'build-system.build-backend',
				'build-system.backend-path',
				'build-system.requires',
				...['index', 'index-url', 'extra-index-url', 'sources', 'no-build', 'find-links'].map(
					name => `tool.uv.${name}`,
				),
				...['pip', 'override-dependencies', 'extra-build-dependencies', 'allow-insecure-host', 'index-strategy'].map(
					name => `tool.uv.${name}`,
				),
				'tool.poetry.source',
				'tool.poetry.build',
				'tool.pdm.source',
				'tool.pdm.build',
				'tool.hatch.build.hooks',
				'tool.hatch.metadata.hooks',
				'tool.setuptools.cmdclass',
			]),
	},
	{
		id: 'cargo',
		path: /(?:^|\/)Cargo\.toml$/,
		read: text => pick(parseToml(text), ['package.build', 'package.links', 'build-dependencies', 'patch', 'replace']),
	},
	{id: 'cargo-config', path: /(?:^|\/)\.cargo\/config(?:\.toml)?$/, read: text => keysOf(parseToml(text), 2)},
	{
		id: 'composer',
		path: /(?:^|\/)composer\.json$/,
		read: text => pick(parseJson(text), [...composerScripts, 'config.allow-plugins', 'repositories']),
	},
	{
		id: 'wrapper',
		path: /(?:^|\/)(?:gradle|maven)-wrapper\.properties$/,
		read: text => lineSettings(text, /[=:]/),
	},
	{
		id: 'go.work',
		path: /(?:^|\/)go\.work$/,
		read: text =>
			new Map(
				directives(text)
					.filter(({verb}) => verb === 'replace' || verb === 'toolchain')
					.map(({verb, parts}) => [`${verb} ${parts[0] ?? ''}`, settingOf(verb, parts.slice(1).join(' '))]),
			),
	},
	{
		id: 'setup.cfg',
		path: /(?:^|\/)setup\.cfg$/,
		read: text =>
			new Map(
				[...lineSettings(text.replaceAll(/\r?\n[ \t]+/g, ' '), /[=:]/)].filter(([name]) =>
					/^(?:setup_requires|dependency_links|cmdclass|index[-_]url|find[-_]links|allow[-_]hosts)$/.test(name),
				),
			),
	},
	{id: 'rust-toolchain', path: /(?:^|\/)rust-toolchain(?:\.toml)?$/, read: text => lineSettings(text, /=/)},
	{id: 'poetry', path: /(?:^|\/)poetry\.toml$/, read: text => keysOf(parseToml(text), 2)},
	{id: 'bundler', path: /(?:^|\/)\.bundle\/config$/, read: text => lineSettings(text, /:/)},
	{id: 'gradle', path: /(?:^|\/)gradle\.properties$/, read: text => lineSettings(text, /[=:]/)},
	program('program', new RegExp(`(?:^|/)(?:${programs.join('|')})$`)),
	// Read as the folder that it leads to, none of whose own names say what they are.
	{...program('link', new RegExp(`(?:^|/)(?:${settingsFolders.join('|')})$`)), isLink: true},
];

export function installFormatOf(path: string): InstallFormat | undefined {
	return installFormats.find(format => format.path.test(path));
}

/** What changed of them, a line each. */
export function compareSettings(before: Settings | undefined, after: Settings | undefined): string[] {
	const lines: string[] = [];
	for (const name of new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])) {
		const [was, is] = [before?.get(name), after?.get(name)];
		if (was?.value !== is?.value) {
			lines.push(settingText(name, is));
		}
	}

	return lines;
}

function settingText(name: string, setting: Setting | undefined): string {
	if (name === '') {
		return setting
			? 'runs when packages are installed or built'
			: 'ran when packages were installed or built, and is gone';
	}

	return setting ? `${name} is now: ${setting.shown}` : `${name} is gone`;
}

/**
 * What a change of one file did to what runs at an install, and from where packages come.
 * @param texts undefined where the file was not there, or is gone
 * @returns undefined where it did nothing to that
 */
export function compareInstall(
	path: string,
	format: InstallFormat,
	texts: {readonly before: Text | undefined; readonly after: Text | undefined},
): LockChange | undefined {
	const left: LockChange['state'] = texts.after === undefined ? 'deleted' : 'changed';
	const state: LockChange['state'] = texts.before === undefined ? 'made' : left;
	// No package is in it, so that it counts for none of the ecosystems.
	const file = {path, format: format.id, ecosystem: 'npm' as const, state, packages: []};
	try {
		const [before, after] = [texts.before, texts.after].map(text =>
			text === undefined ? undefined : readText(format, text),
		);
		const flags = compareSettings(before, after).map((text): PackageFlag => ({id: 'install', text}));
		return flags.length === 0 ? undefined : {...file, flags};
	} catch (error) {
		const why = error instanceof Unreadable ? error.message : 'what it says of what runs at install';
		return {...file, unread: why, flags: []};
	}
}

/** The text of a file, or why there is none. */
export type Text = string | {readonly unread: string};

function readText(format: InstallFormat, text: Text): Settings {
	if (typeof text !== 'string') {
		throw new Unreadable(text.unread);
	}

	return format.read(text);
}
