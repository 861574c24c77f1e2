import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type {Run} from '../core/run/run.ts';
import {capture} from '../engine/handover/capture.ts';
import type {Context} from '../engine/context.ts';
import {createRun} from '../engine/run/create.ts';
import {sweep} from '../engine/sandbox/jail.ts';
import {refresh} from '../engine/run/refresh.ts';
import {givenFiles} from '../engine/grants/files.ts';
import {runPlan, chooseSandbox, egressState} from '../engine/sandbox/plan.ts';
import {readPolicy} from '../engine/project/policy.ts';
import {findFilters} from '../engine/project/filters.ts';
import {addProject, openRepository} from '../engine/project/projects.ts';
import {diff} from '../engine/handover/diff.ts';
import {toolsOf} from '../engine/sandbox/tools.ts';
import {openSession} from '../engine/sandbox/session.ts';
import {verify} from '../engine/handover/verify.ts';
import {Journal} from '../host/journal.ts';
import {lfsMounts} from '../host/lfs.ts';
import {findPaths} from '../host/paths.ts';
import {markRemoved} from '../host/worktree.ts';

/** Git as a person runs it: with nothing hardened, so that what was planted goes off. */
function plainGit(project: string, home: string): (...argv: string[]) => string {
	return (...argv) =>
		execFileSync('git', ['-C', project, ...argv], {
			env: {
				PATH: process.env['PATH'] ?? '/usr/bin:/bin',
				HOME: home,
				LC_ALL: 'C',
				GIT_CONFIG_NOSYSTEM: '1',
				GIT_TERMINAL_PROMPT: '0',
			},
			encoding: 'utf8',
			stdio: ['ignore', 'pipe', 'pipe'],
			timeout: 60_000,
		}).trim();
}

/** Makes a repository with one commit and a branch `other`. */
export function seed(
	project: string,
	home: string,
	files: Readonly<Record<string, string>> = {},
): (...argv: string[]) => string {
	mkdirSync(project);
	mkdirSync(home, {recursive: true});
	const git = plainGit(project, home);
	git('init', '--quiet', '--initial-branch=main');
	git('config', 'user.name', 'A Person');
	git('config', 'user.email', 'person@example.invalid');
	for (const [name, content] of Object.entries({
		'a.txt': 'one\n',
		'.fleet/policy.yaml': 'verify: ["true"]\n',
		...files,
	})) {
		mkdirSync(path.dirname(path.join(project, name)), {recursive: true});
		writeFileSync(path.join(project, name), content);
	}

	git('add', '--all');
	git('commit', '--quiet', '--message=start');
	git('branch', 'other');
	return git;
}

/** A repository and a fleet of its own, in which one agent may do its worst. */
export class ThrowawayProject {
	readonly folder: string;
	readonly project: string;
	readonly context: Context;
	readonly git: (...argv: string[]) => string;

	private constructor(folder: string, context: Context, git: (...argv: string[]) => string) {
		this.folder = folder;
		this.project = path.join(folder, 'project');
		this.context = context;
		this.git = git;
	}

	static async make(context: Context, files: Readonly<Record<string, string>> = {}): Promise<ThrowawayProject> {
		const folder = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'fleet-attack-'));
		try {
			const git = seed(path.join(folder, 'project'), path.join(folder, 'home'), files);
			const own = {...context, paths: findPaths({HOME: folder, FLEET_HOME: path.join(folder, 'fleet')})};
			const made = new ThrowawayProject(folder, own, git);
			await addProject(own, made.project);
			return made;
		} catch (error) {
			rmSync(folder, {recursive: true, force: true});
			throw error;
		}
	}

	/** Runs a script as an agent, in a run's own sandbox, until it ends. @returns the run and what the script wrote */
	async agent(
		script: string,
		options: {name?: string; timeout?: number; allow?: readonly string[]; filters?: boolean; path?: string} = {},
	): Promise<{run: Run; output: string}> {
		const name = options.name ?? 'attack';
		const {project} = await addProject(this.context, this.project);
		const created = await createRun(this.context, {
			project,
			agent: 'command',
			argv: ['sh', '-c', script],
			name,
			allow: options.allow ?? [],
			because: 'the attack',
			path: options.path,
			filters: options.filters ? await findFilters(project, 'HEAD') : undefined,
		});
		return this.again(created, script, options.timeout);
	}

	/** Another attempt in the same worktree. */
	async again({id}: Run, script: string, timeout = 60_000): Promise<{run: Run; output: string}> {
		const places = this.context.paths.run(id);
		const {sandbox} = await chooseSandbox(this.context);
		const journal = Journal.open(places)!;
		let output = '';
		try {
			const {git, commonDir} = await openRepository(this.project);
			const {policy} = await readPolicy(git, journal.run.base);
			markRemoved(id, places);
			await sweep(this.context, {id}, places);
			await refresh(this.context, journal.run, {git, commonDir, places});
			const session = await openSession(
				sandbox,
				runPlan(journal.run, {
					places,
					commonDir,
					granted: (await givenFiles(this.context, journal.run, Date.now())).mounts,
					policy,
					settings: {},
					injected: {
						mounts: await lfsMounts({git, commonDir}),
						env: {},
						tools: await toolsOf(this.context, this.project),
					},
				}),
				{
					folder: places.sandbox,
					hooks: {
						state: () => egressState(journal.run, policy, {now: Date.now()}),
						onDenied() {},
						onAllowed() {},
						onAsked() {},
					},
				},
			);
			try {
				journal.append(
					{type: 'run.started', attempt: journal.run.attempt + 1, pid: process.pid, sandbox: sandbox.id, notes: []},
					'fleet',
					false,
				);
				await this.context.executor.run(
					session.prepared.enter(
						{argv: ['/bin/sh', '-c', script], cwd: journal.run.worktree, env: {}},
						session.holderPid,
					),
					{
						timeout,
						onOutput(bytes) {
							output += Buffer.from(bytes).toString('utf8');
						},
					},
				);
			} finally {
				await session.close();
			}

			journal.append({type: 'run.exited', code: 0, signal: null, because: 'finished'}, 'fleet', false);
			return {run: journal.run, output: output.trim()};
		} finally {
			journal.close();
		}
	}

	/**
	 * Everything that fleet itself does with a result is part of an attack's chance. A refusal is an answer.
	 * @returns what each of the steps came to
	 */
	async handle(
		{id}: Run,
		steps: ReadonlyArray<'capture' | 'diff' | 'verify'> = ['capture', 'diff', 'verify'],
	): Promise<{capture: string; diff: string; verify: string}> {
		const journal = Journal.open(this.context.paths.run(id))!;
		const work = {
			capture: async () => (await capture(this.context, journal)).head,
			diff: () => diff(this.context, journal.run, false),
			verify: () => verify(this.context, journal, {onOutput() {}}),
		};
		const words = {capture: '', diff: '', verify: ''};
		try {
			for (const step of steps) {
				try {
					words[step] = String(await work[step]());
				} catch (error) {
					words[step] = `refused: ${(error as Error).message}`;
				}
			}

			return words;
		} finally {
			journal.close();
		}
	}

	close(): void {
		if (existsSync(this.folder)) {
			execFileSync('chmod', ['-R', 'u+rwX', '--', this.folder], {stdio: 'ignore'});
			execFileSync('rm', ['-rf', '--one-file-system', '--', this.folder, this.context.paths.runtime], {
				stdio: 'ignore',
			});
		}
	}
}
