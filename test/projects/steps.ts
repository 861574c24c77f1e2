import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {must, write, type Place, type RealProject} from './project.ts';

/* One project's way from `project add` to a merge, by the real program, and what must hold at each step. */

/** Milliseconds. `cold` and `warm`: to the agent's first line, with setup's commands and without. */
export type Times = {add?: number; cold?: number; warm?: number; verify?: number; merge?: number};

type Shown = {
	readonly stage: string;
	readonly because: string;
	readonly exit: {readonly code: number | null} | null;
	readonly denied: ReadonlyArray<{readonly target: string; readonly because: string}>;
	readonly verification: {readonly steps: ReadonlyArray<{readonly tests?: {readonly passed: number} | null}>} | null;
};

type Entry = {readonly type: string; readonly of?: string; readonly reused?: boolean; readonly ms?: number};

/** How long an agent may take, with its setup: a cold one compiles. Milliseconds. */
const patience = 20 * 60_000;
const busy = new Set(['queued', 'starting', 'running']);

export class Fleet {
	readonly #project: RealProject;
	readonly #place: Place;
	readonly #env: Record<string, string>;
	readonly #times: Times;
	readonly #program: string;

	constructor(options: {
		readonly project: RealProject;
		readonly folder: string;
		readonly env: Record<string, string>;
		readonly toolchains: readonly string[];
		readonly times: Times;
		readonly root: string;
	}) {
		const home = path.join(options.folder, 'fleet');
		mkdirSync(path.join(home, 'config'), {recursive: true, mode: 0o700});
		if (options.toolchains.length > 0) {
			writeFileSync(
				path.join(home, 'config', 'settings.yaml'),
				`autoVerify: false\ntoolchains: ${JSON.stringify(options.toolchains)}\n`,
			);
		}

		this.#project = options.project;
		this.#env = {...options.env, FLEET_HOME: home};
		this.#place = {folder: path.join(options.folder, options.project.name), env: options.env};
		this.#times = options.times;
		this.#program = path.join(options.root, 'dist', 'fleet.cjs');
	}

	/** Its sources become a repository, with the policy where it is not to be proposed. */
	lay(): void {
		mkdirSync(this.#place.folder);
		this.#project.lay(this.#place);
		if (this.#project.policy !== undefined) {
			write(this.#place, {'.fleet/policy.yaml': this.#project.policy});
		}

		if (!existsSync(path.join(this.#place.folder, '.git'))) {
			this.#git('init', '--quiet', '--initial-branch=main');
		}

		this.#git('config', 'user.name', 'Real Project');
		this.#git('config', 'user.email', 'project@example.invalid');
		this.#git('add', '--all');
		this.#git('commit', '--quiet', '--message=as its registry has it');
	}

	add(): void {
		const {ms, value} = this.#timed(() => this.#fleet('project', 'add', '--yes'));
		this.#times.add = ms;
		process.stdout.write(value.replace(/^/gm, '  | '));
		this.#tell('add', ms);
		assert.ok(
			this.#git('ls-files', '.fleet/policy.yaml').trim() !== '',
			'project add proposed no policy, and there is none by hand',
		);
	}

	/** The agent passes the tests in its run, then changes one file and adds one. */
	begin(name: string): void {
		const {tests, edits, line} = this.#project;
		const script = [
			this.#beginning,
			tests,
			`printf '%s\\n' ${quote(line)} >> ${quote(edits)}`,
			`printf 'added by a run\\n' > added-by-a-run.txt`,
		].join('\n');
		// `project add` may have made what setup leaves when it tried its proposal: then that is a part of a cold start.
		const started = this.#untilEnd(name, script);
		const setup = this.#setup(name);
		this.#times.cold = started + (setup?.reused ? (setup.ms ?? 0) : 0);
		this.#tell('cold', this.#times.cold);
	}

	/** @returns how many tests its commands counted, where fleet could read that */
	verify(): string {
		const {ms} = this.#timed(() => this.#fleet('verify', 'first'));
		this.#times.verify = ms;
		this.#tell('verify', ms);
		const steps = this.#shown('first').verification?.steps ?? [];
		const tests = steps.reduce((sum, step) => sum + (step.tests?.passed ?? 0), 0);
		return tests === 0 ? '' : String(tests);
	}

	/** Exactly what the agent did is on main, and in the checkout, and nothing that setup left. */
	merge(): void {
		const before = this.#git('rev-parse', 'main').trim();
		this.#fleet('approve', 'first', '--because', 'it is what was asked for');
		this.#times.merge = this.#timed(() => this.#fleet('merge', 'first', '--because', 'verified')).ms;
		const changed = this.#git('diff', '--name-only', before, 'main').trim().split('\n').sort();
		assert.deepEqual(changed, [this.#project.edits, 'added-by-a-run.txt'].sort(), 'what the merge changed');
		assert.ok(
			this.#git('show', `main:${this.#project.edits}`).endsWith(`${this.#project.line}\n`),
			'the line is on main',
		);
		assert.equal(this.#git('status', '--porcelain').trim(), '', 'the checkout is as main is');
		this.#tell('merge', this.#times.merge);
	}

	/** A second run, after the merge: the same setup, which does not run again. */
	again(): void {
		this.#times.warm = this.#untilEnd('second', this.#beginning);
		this.#tell('warm', this.#times.warm);
		assert.notEqual(this.#setup('second')?.reused, false, 'setup ran once more');
		this.#fleet('discard', 'second');
	}

	/** Whatever still lives ends here. */
	end(): void {
		this.#try('stop', 'first');
		this.#try('stop', 'second');
	}

	readonly #beginning = `set -e\necho "began $(date +%s%3N)"`;

	/** Starts a run and waits for its end. @returns how long it took until its agent's first line, milliseconds */
	#untilEnd(name: string, script: string): number {
		const began = Date.now();
		this.#fleet('run', '--name', name, '--', 'sh', '-c', script);
		const latest = began + patience;
		let shown = this.#shown(name);
		while (busy.has(shown.stage) && Date.now() < latest) {
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
			shown = this.#shown(name);
		}

		const log = this.#fleet('logs', name, '--raw');
		assert.ok(
			shown.stage === 'stopped' && shown.exit?.code === 0,
			`the run is ${shown.stage}: ${shown.because}\n${this.#denials(shown)}${log.slice(-4000)}`,
		);
		const first = /began (\d+)/.exec(log)?.[1];
		assert.ok(first !== undefined, `the agent said nothing: ${log.slice(-500)}`);
		return Number(first) - began;
	}

	#denials({denied}: Shown): string {
		return denied.map(({target, because}) => `denied: ${target}: ${because}\n`).join('');
	}

	#shown(name: string): Shown {
		return JSON.parse(this.#fleet('show', name, '--json')) as Shown;
	}

	/** What its journal says of its setup; undefined where the policy has none. */
	#setup(name: string): Entry | undefined {
		const entries = JSON.parse(this.#fleet('journal', name, '--json')) as Entry[];
		return entries.findLast(({type, of}) => type === 'setup.finished' && of === 'run');
	}

	#git(...argv: string[]): string {
		return must(this.#place, 'git', ...argv);
	}

	/** Runs a verb that must succeed. @throws Error with what it said, and with the log of a verification that failed */
	#fleet(...argv: string[]): string {
		const {status, stdout, stderr} = this.#try(...argv);
		if (status !== 0) {
			const log = argv[0] === 'verify' ? this.#try('logs', argv[1]!, '--verify').stdout.slice(-4000) : '';
			throw new Error(`fleet ${argv.slice(0, 4).join(' ')}: exit code ${status}\n${stdout}${stderr}\n${log}`);
		}

		return stdout;
	}

	#try(...argv: string[]) {
		return spawnSync(process.execPath, [this.#program, ...argv], {
			cwd: this.#place.folder,
			env: this.#env,
			encoding: 'utf8',
			stdio: ['ignore', 'pipe', 'pipe'],
			timeout: patience,
			maxBuffer: 1e8,
		});
	}

	#timed<T>(act: () => T): {ms: number; value: T} {
		const began = Date.now();
		const value = act();
		return {ms: Date.now() - began, value};
	}

	#tell(what: string, ms: number): void {
		process.stdout.write(`  ${what} ${(ms / 1000).toFixed(1)} s\n`);
	}
}

function quote(text: string): string {
	return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
