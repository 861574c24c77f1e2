import {existsSync} from 'node:fs';
import process from 'node:process';
import {setTimeout} from 'node:timers/promises';
import type {SimpleGit} from 'simple-git';
import {isOdd} from '../core/places.ts';
import {machineRefusal} from './write.ts';
import {Refusal} from '../core/refusal.ts';

/* The one place where fleet runs git on the host. Nobody else constructs an instance. */

// Both packages take longer to load than the screen takes to paint, and reading needs neither.
const loadExeca = async () => (await import('execa')).execa;
const loadSimpleGit = async () => (await import('simple-git')).simpleGit;

/** Everything of git's own configuration that could run a program, or reach further than asked, switched off. */
export const settings: readonly string[] = [
	'core.hooksPath=/dev/null',
	'core.fsmonitor=false',
	'core.pager=cat',
	'diff.external=',
	'submodule.recurse=false',
	'fetch.recurseSubmodules=false',
	'gc.auto=0',
	'maintenance.auto=false',
	'protocol.allow=never',
	'protocol.file.allow=always',
	'credential.helper=',
	'log.showSignature=false',
	'safe.bareRepository=explicit',
	'commit.gpgSign=false',
	'i18n.commitEncoding=UTF-8',
	'i18n.logOutputEncoding=UTF-8',
	'core.quotePath=false',
	'advice.detachedHead=false',
];

/** In a repository of fleet's own the attributes and ignore rules are those that its configuration names. */
const personal = ['core.attributesFile=/dev/null'];

/**
 * Where git stands while it works: a folder in which nobody but the machine's
 * owner puts files, since what stands there may be taken for a worktree's.
 */
export const nowhere = '/';

const unsafe = {
	allowUnsafeFsMonitor: true,
	allowUnsafeHooksPath: true,
	allowUnsafeDiffExternal: true,
	allowUnsafePager: true,
	allowUnsafeProtocolOverride: true,
	allowUnsafeCredentialHelper: true,
	allowUnsafeConfigPaths: true,
	allowUnsafePack: true,
	allowUnsafeEditor: true,
	allowUnsafeAskPass: true,
	allowUnsafeSshCommand: true,
	allowUnsafeConfigEnvCount: true,
};

/**
 * Where a git command works. `own`: a repository that fleet made, for which no configuration of the person's counts.
 */
export type Repository = {readonly gitDir: string; readonly workTree?: string; readonly own?: boolean};

/** A project's repository: git over it, and the git folder that all its worktrees share. */
export type ProjectGit = {readonly git: Git; readonly commonDir: string};

/** The same, and where the project's own checkout is. */
export type ProjectCheckout = ProjectGit & {readonly root: string};

export type GitResult = {readonly code: number; readonly stdout: string; readonly stderr: string};

function environment(repository: Repository): Record<string, string> {
	const passed = ['PATH', 'HOME', 'XDG_CONFIG_HOME', 'USER', 'LOGNAME', 'TMPDIR'];
	return {
		...Object.fromEntries(passed.flatMap(name => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))),
		LC_ALL: 'C',
		GIT_TERMINAL_PROMPT: '0',
		GIT_OPTIONAL_LOCKS: '0',
		GIT_NO_LAZY_FETCH: '1',
		GIT_EDITOR: 'true',
		GIT_ASKPASS: 'true',
		GIT_NO_REPLACE_OBJECTS: '1',
		...(repository.own
			? {
					GIT_CONFIG_NOSYSTEM: '1',
					GIT_CONFIG_GLOBAL: '/dev/null',
					GIT_ATTR_NOSYSTEM: '1',
					XDG_CONFIG_HOME: '/nonexistent',
				}
			: {}),
	};
}

function configuration(repository: Repository): readonly string[] {
	return repository.own ? settings : [...settings, ...personal];
}

/** Where git works, for its command line. */
export function scope(repository: Repository): string[] {
	return [
		`--git-dir=${repository.gitDir}`,
		...(repository.workTree === undefined ? [] : [`--work-tree=${repository.workTree}`]),
	];
}

/** simple-git takes an exit code for a failure only where git said something, too. */
function failure(
	error: Buffer | Error | undefined,
	{exitCode, stdErr}: {readonly exitCode: number; readonly stdErr: readonly Buffer[]},
): Buffer | Error | undefined {
	return (
		error ??
		(exitCode === 0
			? undefined
			: new Error(
					Buffer.concat([...stdErr])
						.toString('utf8')
						.trim() || `git ended with exit code ${exitCode}`,
				))
	);
}

/** What git says of a record of a worktree whose files are there and still empty. */
const halfMade = /failed to read \S.*\/worktrees\/[^/]+\/commondir/;

/** Two seconds. */
const halfMadeTries = 20;

/** A hardened git for one repository. All arguments are an argv; nothing passes a shell. */
export class Git {
	readonly repository: Repository;
	#instance: SimpleGit | undefined;

	constructor(repository: Repository) {
		this.repository = repository;
	}

	/** Runs git and returns its stdout. @throws with git's words where it fails */
	async raw(...argv: string[]): Promise<string> {
		const env = environment(this.repository);
		this.#instance ??= (await loadSimpleGit())({
			baseDir: nowhere,
			config: [...configuration(this.repository)],
			unsafe,
			allowEnvironment: Object.keys(env).filter(name => name.startsWith('GIT_')),
			timeout: {block: 120_000},
			errors: failure,
		} as never).env(env);
		return this.#instance.raw([...scope(this.repository), ...argv]);
	}

	/** The same with the line feed at the end taken off. */
	async line(...argv: string[]): Promise<string> {
		return (await this.raw(...argv)).replace(/\n$/, '');
	}

	/**
	 * Runs git with stdin or where a non-zero exit is an answer. Never throws for an exit code.
	 * `env` adds variables; with `latin1` a character is a byte, for names that are no UTF-8.
	 */
	async run(
		argv: readonly string[],
		options: {
			input?: string | Uint8Array;
			env?: Record<string, string>;
			cwd?: string;
			limit?: number;
			encoding?: 'latin1';
		} = {},
	): Promise<GitResult> {
		const execa = await loadExeca();
		const result = await execa(
			'git',
			[...configuration(this.repository).flatMap(setting => ['-c', setting]), ...scope(this.repository), ...argv],
			{
				env: {...environment(this.repository), ...options.env},
				extendEnv: false,
				cwd: options.cwd ?? nowhere,
				reject: false,
				stripFinalNewline: false,
				encoding: options.encoding ?? 'utf8',
				maxBuffer: options.limit ?? 256 * 1024 ** 2,
				timeout: 120_000,
				...(options.input === undefined ? {stdin: 'ignore' as const} : {input: options.input}),
			},
		);
		if (result.exitCode === undefined && !result.isMaxBuffer) {
			throw new Error(`git ${argv[0]} did not run: ${result.shortMessage}`);
		}

		return {code: result.exitCode ?? 1, stdout: result.stdout, stderr: result.stderr};
	}

	/**
	 * Runs `git worktree`, which reads the record of every worktree: where another git has just made one and not filled
	 * it yet, it ends before it did anything, and is run again.
	 * @returns the last answer, where that went on for seconds: then a record is damaged
	 */
	async worktree(...argv: readonly string[]): Promise<GitResult> {
		for (let tries = 1; ; tries++) {
			const result = await this.run(['worktree', ...argv]);
			if (result.code === 0 || tries === halfMadeTries || !halfMade.test(result.stderr)) {
				return result;
			}

			// Not all at the same moment.
			await setTimeout(tries * 10 * (0.5 + Math.random()));
		}
	}

	/** `run`, with a failure as an exception. */
	async must(
		argv: readonly string[],
		options: {input?: string | Uint8Array; env?: Record<string, string>; cwd?: string; encoding?: 'latin1'} = {},
	): Promise<string> {
		const {code, stdout, stderr} = await this.run(argv, options);
		if (code !== 0) {
			throw new Error(`git ${argv.slice(0, 2).join(' ')}: ${stderr.trim().split('\n').at(-1) ?? code}`);
		}

		return stdout;
	}

	/**
	 * Fetches objects that a partial clone left with its server. As the person's own git does it for a checkout: with
	 * their transport and credentials, which no agent had a hand in; hooks and whatever else would run stays off.
	 */
	async fetchPromised(remote: string, objects: readonly string[]): Promise<GitResult> {
		const execa = await loadExeca();
		const kept = settings.filter(setting => !/^(?:protocol|credential)\./.test(setting));
		const result = await execa(
			'git',
			[
				...[...kept, 'fetch.negotiationAlgorithm=noop'].flatMap(setting => ['-c', setting]),
				...scope(this.repository),
				'fetch',
				'--quiet',
				'--no-tags',
				'--no-write-fetch-head',
				'--no-auto-maintenance',
				'--recurse-submodules=no',
				'--filter=blob:none',
				'--stdin',
				remote,
			],
			{
				env: {
					...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'))),
					LC_ALL: 'C',
					GIT_TERMINAL_PROMPT: '0',
				},
				extendEnv: false,
				cwd: nowhere,
				reject: false,
				input: objects.map(object => `${object}\n`).join(''),
				timeout: 600_000,
			},
		);
		return {code: result.exitCode ?? 1, stdout: result.stdout, stderr: result.stderr};
	}

	/**
	 * A setting as the person's git has it, not as it is set for fleet's own calls.
	 * @param name in lower case
	 * @returns its last value; undefined where it is not set, or is not of that type
	 */
	async setting(name: string, type?: 'bool' | 'path'): Promise<string | undefined> {
		const {code, stdout} = await this.run([
			'config',
			...(type ? [`--type=${type}`] : []),
			'--null',
			'--show-scope',
			'--get-all',
			name,
		]);
		const parts = code === 0 ? stdout.split('\0') : [];
		const values = parts.filter((_, index) => index % 2 === 1 && parts[index - 1] !== 'command');
		return values.at(-1);
	}

	/** The object a revision names, as full hex; undefined where there is none. */
	async resolve(revision: string): Promise<string | undefined> {
		const {code, stdout} = await this.run(['rev-parse', '--verify', '--quiet', '--end-of-options', revision]);
		const name = stdout.trim();
		return code === 0 && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(name) ? name : undefined;
	}

	/**
	 * Starts git with a stream for stdin: for packs. The process stands
	 * in an object, since by itself it is a promise of its own end.
	 * @param memory bytes that it may hold of its own, where the machine can limit that
	 */
	async spawn(argv: readonly string[], memory: number) {
		const execa = await loadExeca();
		const limited = existsSync(limiter) ? [limiter, `--data=${memory}`, 'git'] : ['git'];
		return {
			process: execa(
				limited[0]!,
				[
					...limited.slice(1),
					...configuration(this.repository).flatMap(setting => ['-c', setting]),
					...scope(this.repository),
					...argv,
				],
				{
					env: environment(this.repository),
					extendEnv: false,
					cwd: nowhere,
					reject: false,
					stdin: 'pipe',
					timeout: 600_000,
				},
			),
		};
	}
}

/** Of util-linux, which the sandbox needs as well. */
const limiter = '/usr/bin/prlimit';

/** Why no repository is used whose path has no spelling that every program reads alike. */
export const oddPath = () => new Refusal('its path holds a control byte, or what is not UTF-8', 'rename the folder');

/**
 * Finds the repository that a folder belongs to, as git itself
 * would, but executing nothing. A refusal where there is none.
 */
export async function discover(
	folder: string,
): Promise<{commonDir: string; gitDir: string; topLevel: string | undefined; bare: boolean} | Refusal> {
	const execa = await loadExeca();
	const ask = (...what: string[]) =>
		execa(
			'git',
			[
				...settings.filter(setting => !setting.startsWith('safe.bare')).flatMap(setting => ['-c', setting]),
				'-C',
				folder,
				'rev-parse',
				'--path-format=absolute',
				...what,
			],
			{
				env: environment({gitDir: ''}),
				extendEnv: false,
				reject: false,
				timeout: 20_000,
				stdin: 'ignore',
			},
		);
	// Asked together, the top level of a bare repository would fail all of it.
	const [result, top] = await Promise.all([
		ask('--git-common-dir', '--absolute-git-dir', '--is-bare-repository', '--is-inside-work-tree'),
		ask('--show-toplevel'),
	]);
	if (result.exitCode !== 0) {
		const machine = result.exitCode === undefined ? machineRefusal(result) : undefined;
		if (machine) {
			throw machine;
		}

		return result.exitCode === undefined
			? new Refusal('git is not installed', 'install it by the package manager of this machine')
			: new Refusal(result.stderr.split('\n')[0]!.replace('fatal: ', ''), 'name a folder of a repository');
	}

	const [commonDir = '', gitDir = '', bare = '', inside = '', ...more] = result.stdout.split('\n');
	if (more.length > 0 || isOdd(result.stdout.replaceAll('\n', ''))) {
		return oddPath();
	}

	let topLevel: string | undefined;
	if (inside === 'true') {
		topLevel = top.stdout;
		if (isOdd(topLevel)) {
			return oddPath();
		}
	}

	return {commonDir, gitDir, topLevel, bare: bare === 'true'};
}
