import {copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {filterSettings, hasLfs, lfsProgram, type Filter, type LfsPlaces} from '../core/git/filters.ts';
import {Git} from './git.ts';
import {lfsProgramText} from './lfs-program.ts';
import {statusOf} from './status.ts';

/*
 * Git folders of fleet's own. What decides about files there is written by the host, from a list of what may: no
 * filter, no driver, no hook and no alias of anybody's is known in them, so none can run.
 */

/** Bytes of a person's attributes or ignore rules that are read. */
const maxRulesBytes = 1024 ** 2;

export function quote(value: string): string {
	return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

/**
 * What was asked of a repository's configuration: who works with
 * one `Git` works with the configuration as it was when it began.
 */
const asked = new WeakMap<Git, Map<string, Promise<string | undefined>>>();

function once<Answer extends string | undefined>(git: Git, what: string, ask: () => Promise<Answer>): Promise<Answer> {
	const answers = asked.get(git) ?? new Map<string, Promise<string | undefined>>();
	asked.set(git, answers);
	const answer = (answers.get(what) as Promise<Answer> | undefined) ?? ask();
	answers.set(what, answer);
	return answer;
}

/** The generated configuration: format and habits of the project and the person's name, never a copy. */
export function privateConfig(git: Git): Promise<string> {
	return once(git, 'config', () => readConfig(git));
}

async function readConfig(git: Git): Promise<string> {
	const {stdout} = await git.run([
		'config',
		'--null',
		'--get-regexp',
		'^(core\\.(filemode|ignorecase|symlinks|autocrlf|eol|safecrlf|precomposeunicode|longpaths)|' +
			'extensions\\.objectformat|user\\.(name|email)|init\\.defaultbranch)$',
	]);
	const values = new Map<string, string>();
	for (const record of stdout.split('\0')) {
		const newline = record.indexOf('\n');
		if (newline > 0) {
			values.set(record.slice(0, newline).toLowerCase(), record.slice(newline + 1));
		}
	}

	const format = values.get('extensions.objectformat');
	const lines = [
		'[core]',
		`\trepositoryformatversion = ${format ? 1 : 0}`,
		'\tbare = false',
		'\tlogallrefupdates = true',
	];
	for (const key of [
		'filemode',
		'ignorecase',
		'symlinks',
		'autocrlf',
		'eol',
		'safecrlf',
		'precomposeunicode',
		'longpaths',
	]) {
		const value = values.get(`core.${key}`);
		if (value !== undefined) {
			lines.push(`\t${key} = ${quote(value)}`);
		}
	}

	if (format) {
		lines.push('[extensions]', `\tobjectformat = ${quote(format)}`);
	}

	lines.push(
		'[user]',
		`\tname = ${quote(values.get('user.name') ?? 'fleet agent')}`,
		`\temail = ${quote(values.get('user.email') ?? 'agent@fleet.invalid')}`,
		'[gc]',
		'\tauto = 0',
		'[maintenance]',
		'\tauto = false',
		'',
	);
	return lines.join('\n');
}

/** In the real repository's record of a worktree: its patterns are those that a run was made with. */
const ownSparse = 'fleet-sparse';

/**
 * Has a run's worktree be a sparse checkout, in cone mode. In the record alone: to say so in its configuration would
 * change the format of the person's repository.
 */
export function writeSparse(commonDir: string, admin: string, patterns: string): void {
	const folder = path.join(commonDir, 'worktrees', admin);
	mkdirSync(path.join(folder, 'info'), {recursive: true});
	writeFileSync(path.join(folder, 'info', 'sparse-checkout'), patterns);
	writeFileSync(path.join(folder, ownSparse), '');
}

/**
 * What of a worktree is not checked out, where the project works
 * so: from the real repository's own record, which no agent writes.
 */
export async function sparsePatterns(
	commonDir: string,
	admin: string,
): Promise<{patterns: string; config: string} | undefined> {
	const folder = path.join(commonDir, 'worktrees', admin);
	const file = path.join(folder, 'info', 'sparse-checkout');
	if (!existsSync(file)) {
		return undefined;
	}

	const config = (cone: boolean) => `[core]\n\tsparseCheckout = true\n\tsparseCheckoutCone = ${cone}\n`;
	if (existsSync(path.join(folder, ownSparse))) {
		return {patterns: readFileSync(file, 'utf8'), config: config(true)};
	}

	const {stdout} = await new Git({gitDir: folder}).run([
		'config',
		'--type=bool',
		'--get-regexp',
		'^core\\.sparsecheckout(cone)?$',
	]);
	const on = (key: string) => new RegExp(`^core\\.${key} true$`, 'm').test(stdout);
	return on('sparsecheckout')
		? {
				patterns: readFileSync(file, 'utf8'),
				config: config(on('sparsecheckoutcone')),
			}
		: undefined;
}

/** What a person's git knows of files beside the tree's own .gitattributes and .gitignore. */
export type PersonRules = {
	/** Of the machine and of the person: weaker than what the tree says. */
	readonly attributes: string;
	/** Of this repository: stronger than what the tree says. */
	readonly ownAttributes: string;
	readonly ignored: string;
	readonly ownIgnored: string;
};

function readRules(file: string | undefined): string {
	const status = file === undefined ? undefined : statusOf(file);
	return status?.isFile() && status.size <= maxRulesBytes ? `${readFileSync(file!, 'utf8').replace(/\n$/, '')}\n` : '';
}

/** The file that the person's configuration names, or git's default for it. Not what fleet's own command line says. */
export function namedFile(
	git: Git,
	key: 'core.attributesFile' | 'core.excludesFile',
	fallback: string,
): Promise<string | undefined> {
	return once(git, key, () => findNamed(git, key, fallback));
}

async function findNamed(git: Git, key: string, fallback: string): Promise<string | undefined> {
	const {stdout} = await git.run(['config', '--null', '--show-scope', '--type=path', '--get-all', key]);
	const words = stdout.split('\0');
	for (let index = words.length - 1; index > 0; index -= 2) {
		if (words[index - 2] !== undefined && words[index - 2] !== 'command') {
			return words[index - 1] === '' ? undefined : words[index - 1];
		}
	}

	const base =
		process.env['XDG_CONFIG_HOME'] || (process.env['HOME'] ? path.join(process.env['HOME'], '.config') : undefined);
	return base === undefined ? undefined : path.join(base, 'git', fallback);
}

/** A line of ignore rules that means exactly one file. */
function lineFor(name: string): string {
	return name.includes('\n') ? '' : `/${name.replaceAll(/[\\*?[\]#! ]/g, String.raw`\$&`)}\n`;
}

/**
 * The rules that hold for the person's own git in this repository.
 * @param brought files that are not the repository's, whatever the rules say
 */
export async function personRules(git: Git, commonDir: string, brought: readonly string[] = []): Promise<PersonRules> {
	const [attributes, ignored] = await Promise.all([
		namedFile(git, 'core.attributesFile', 'attributes'),
		namedFile(git, 'core.excludesFile', 'ignore'),
	]);
	return {
		attributes: readRules('/etc/gitattributes') + readRules(attributes),
		ownAttributes: readRules(path.join(commonDir, 'info', 'attributes')),
		ignored: readRules(ignored),
		ownIgnored: readRules(path.join(commonDir, 'info', 'exclude')) + brought.map(name => lineFor(name)).join(''),
	};
}

/**
 * Writes the rules into a git folder.
 * @param seenAt where the folder is for whoever reads its configuration
 * @returns lines for that
 */
export function writeRules(folder: string, seenAt: string, rules: PersonRules): string {
	mkdirSync(path.join(folder, 'info'), {recursive: true, mode: 0o755});
	for (const [name, text] of [
		['fleet-attributes', rules.attributes],
		['info/attributes', rules.ownAttributes],
		['fleet-ignored', rules.ignored],
		['info/exclude', rules.ownIgnored],
	] as const) {
		writeFileSync(path.join(folder, name), text, {mode: 0o644});
	}

	return (
		`[core]\n\tattributesFile = ${quote(path.join(seenAt, 'fleet-attributes'))}\n` +
		`\texcludesFile = ${quote(path.join(seenAt, 'fleet-ignored'))}\n`
	);
}

/** The filters that files pass in a git folder, and where the content of Git LFS is for whoever uses it. */
export type FolderFilters = {readonly filters: readonly Filter[] | undefined} & Omit<LfsPlaces, 'program'>;

/**
 * Writes into a git folder what files pass.
 * @param seenAt where the folder is for whoever reads its configuration
 * @returns lines for that
 */
export function writeFilters(folder: string, seenAt: string, {filters, ...places}: FolderFilters): string {
	if (hasLfs(filters)) {
		writeFileSync(path.join(folder, lfsProgram), lfsProgramText, {mode: 0o644});
	}

	return filterSettings(filters, {...places, program: path.join(seenAt, lfsProgram)})
		.map(([key, value]) => {
			const [name, last] = [key.slice('filter.'.length, key.lastIndexOf('.')), key.slice(key.lastIndexOf('.') + 1)];
			return `[filter ${quote(name)}]\n\t${last} = ${quote(value)}\n`;
		})
		.join('');
}

/**
 * Makes a git folder with nothing in it but the host's own configuration and the person's rules.
 * @param seenAt where it will stand for whoever uses it
 * @param admin the name under which the real repository knows the worktree whose sparse patterns count, if any
 */
export async function makeOwnGit(
	folder: string,
	options: {
		git: Git;
		commonDir: string;
		seenAt?: string;
		admin?: string;
		bare?: boolean;
		brought?: readonly string[] | undefined;
		passes?: FolderFilters;
	},
): Promise<void> {
	const {git, commonDir, admin} = options;
	rmSync(folder, {recursive: true, force: true});
	for (const part of ['objects/info', 'objects/pack', 'refs/heads', 'info']) {
		mkdirSync(path.join(folder, part), {recursive: true, mode: options.bare ? 0o700 : 0o755});
	}

	writeFileSync(path.join(folder, 'HEAD'), 'ref: refs/heads/none\n');
	const [sparse, person, own] = await Promise.all([
		admin === undefined ? undefined : sparsePatterns(commonDir, admin),
		personRules(git, commonDir, options.brought),
		privateConfig(git),
	]);
	const rules = writeRules(folder, options.seenAt ?? folder, person);
	const config =
		own.replace('bare = false', `bare = ${options.bare ?? false}`) +
		(options.passes ? writeFilters(folder, options.seenAt ?? folder, options.passes) : '');
	// What is taken over is taken as it is: a warning of git's about line ends must not leave work behind.
	writeFileSync(path.join(folder, 'config'), `${config}${rules}[core]\n\tsafecrlf = false\n${sparse?.config ?? ''}`);
	if (sparse) {
		writeFileSync(path.join(folder, 'info', 'sparse-checkout'), sparse.patterns);
	}

	const shallow = path.join(commonDir, 'shallow');
	if (existsSync(shallow)) {
		copyFileSync(shallow, path.join(folder, 'shallow'));
	}
}
