import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type {TestContext} from 'node:test';
import {compose} from '../../source/compose.ts';
import type {Context} from '../../source/engine/context.ts';
import {listRunIds} from '../../source/engine/runs.ts';
import {Lock} from '../../source/host/lock.ts';
import {runFileOf} from '../../source/host/run-files.ts';

export const root = path.resolve(import.meta.dirname, '..', '..');
export const program = path.join(root, 'dist', 'fleet.cjs');

export type Result = {code: number | null; stdout: string; stderr: string};

/** A fleet of its own: a home, a project with a policy, and the real program. Everything goes with the test. */
export class Fleet {
	readonly folder = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'fleet-test-'));
	readonly home = path.join(this.folder, 'home');
	readonly project = path.join(this.folder, 'project');
	readonly env: Record<string, string>;
	readonly #autoVerify: boolean;

	constructor(
		test: Pick<TestContext, 'after'>,
		options: {
			policy?: string;
			files?: Record<string, string>;
			add?: boolean;
			/** Whether work is checked by itself; most tests take each step by hand. */ autoVerify?: boolean;
		} = {},
	) {
		mkdirSync(this.home, {mode: 0o700});
		mkdirSync(this.project);
		this.#autoVerify = options.autoVerify ?? false;
		this.settings('');
		this.env = {
			PATH: `${path.dirname(process.execPath)}:${process.env['PATH']}`,
			HOME: this.home,
			FLEET_HOME: path.join(this.folder, 'fleet'),
			LANG: 'C.UTF-8',
			TERM: 'xterm-256color',
			USER: 'tester',
		};
		writeFileSync(path.join(this.home, '.gitconfig'), '[user]\n\tname = Test Person\n\temail = test@example.invalid\n');
		test.after(() => this.end());
		this.git('init', '--quiet', '--initial-branch=main');
		const files: Record<string, string> = {
			'a.txt': 'one\n',
			'.fleet/policy.yaml': options.policy ?? 'verify:\n  - test -f a.txt\n',
			...options.files,
		};
		for (const [name, content] of Object.entries(files)) {
			mkdirSync(path.dirname(path.join(this.project, name)), {recursive: true});
			writeFileSync(path.join(this.project, name), content);
		}

		this.git('add', '--all');
		this.git('commit', '--quiet', '--message=start');
		if (options.add !== false) {
			this.must('project', 'add', '--yes');
		}
	}

	/** Writes the person's settings. @param home in place of this fleet's own */
	settings(text: string, home = path.join(this.folder, 'fleet')): void {
		mkdirSync(path.join(home, 'config'), {recursive: true, mode: 0o700});
		writeFileSync(path.join(home, 'config', 'settings.yaml'), `${text}autoVerify: ${this.#autoVerify}\n`);
	}

	git(...argv: string[]): string {
		return execFileSync('git', ['-C', this.project, ...argv], {
			env: this.env,
			encoding: 'utf8',
			stdio: ['ignore', 'pipe', 'pipe'],
		}).trim();
	}

	/** Runs a verb. */
	run(argv: readonly string[], options: {input?: string; cwd?: string; env?: Record<string, string>} = {}): Result {
		const {status, stdout, stderr} = spawnSync(process.execPath, [program, ...argv], {
			cwd: options.cwd ?? this.project,
			env: {...this.env, ...options.env},
			encoding: 'utf8',
			input: options.input ?? '',
			timeout: 300_000,
		});
		return {code: status, stdout, stderr};
	}

	/** Runs a verb that must succeed, and returns what it printed. */
	must(...argv: string[]): string {
		const {code, stdout, stderr} = this.run(argv);
		if (code !== 0) {
			throw new Error(`fleet ${argv.join(' ')}: ${code}\n${stdout}${stderr}`);
		}

		return stdout;
	}

	json<T = Record<string, any>>(...argv: string[]): T {
		return JSON.parse(this.must(...argv, '--json')) as T;
	}

	/** Starts a shell script as a run's agent. */
	start(name: string, script: string, ...options: string[]): void {
		this.must('run', '--name', name, ...options, '--', 'sh', '-c', script);
	}

	/** Starts a script and waits until it has ended. @returns its output */
	async agent(name: string, script: string, ...options: string[]): Promise<string> {
		this.start(name, script, ...options);
		await this.until(name, 'stopped');
		return this.must('logs', name);
	}

	stage(name: string): string {
		return this.json('show', name)['stage'];
	}

	/** @param patience milliseconds */
	async until(name: string, stage: string, patience?: number): Promise<void> {
		await until(
			() => this.stage(name) === stage,
			() => `${name} becomes ${stage}, it is ${this.stage(name)}`,
			patience,
		);
	}

	/** The engine's own context for this fleet, for tests that go below the verbs. */
	context(): Context {
		const before = {...process.env};
		Object.assign(process.env, this.env);
		try {
			return compose();
		} finally {
			process.env = before;
		}
	}

	spawn(argv: readonly string[]) {
		return spawn(process.execPath, [program, ...argv], {
			cwd: this.project,
			env: this.env,
			stdio: ['ignore', 'pipe', 'pipe'],
		});
	}

	end(): void {
		try {
			for (const run of JSON.parse(this.run(['list', '--json']).stdout || '[]') as Array<{id: string; stage: string}>) {
				if (['running', 'frozen', 'starting'].includes(run.stage)) {
					this.run(['stop', run.id]);
				}
			}

			// A supervisor counts the changes once more after its run has ended.
			const {paths} = this.context();
			const held = () => listRunIds({paths}).some(id => Lock.isHeld(paths.run(id).lock));
			for (let tries = 0; tries < 200 && held(); tries++) {
				spawnSync('sleep', ['0.05']);
			}

			rmSync(paths.runtime, {recursive: true, force: true});
			this.#checkFolders();
		} finally {
			this.#remove();
		}
	}

	/** What a run's folder holds is what `runFiles` names, in every test. */
	#checkFolders(): void {
		const {paths} = this.context();
		const unnamed = listRunIds({paths})
			.flatMap(id => readdirSync(paths.run(id).folder))
			.filter(name => runFileOf(name) === undefined);
		if (unnamed.length > 0) {
			throw new Error(`source/host/run-files.ts does not name ${unnamed.join(', ')}`);
		}
	}

	#remove(): void {
		spawnSync('chmod', ['-R', 'u+rwX', this.folder], {stdio: 'ignore'});
		// A verb that the screen began may still be at its end, and make a file where all were taken away.
		for (let tries = 0; existsSync(this.folder); tries++) {
			try {
				rmSync(this.folder, {recursive: true, force: true});
			} catch (error) {
				if (tries === 50) {
					throw error;
				}

				spawnSync('sleep', ['0.1']);
			}
		}
	}
}

/** Waits for a condition, 60 s at most. @param patience another limit, milliseconds */
export async function until(
	condition: () => boolean | Promise<boolean>,
	what: string | (() => string),
	patience = 60_000,
): Promise<void> {
	const end = Date.now() + patience;
	for (;;) {
		if (await condition()) {
			return;
		}

		if (Date.now() > end) {
			throw new Error(`did not happen in ${patience / 1000} s: ${typeof what === 'string' ? what : what()}`);
		}

		await new Promise(resolve => {
			setTimeout(resolve, 50);
		});
	}
}
