import {mkdirSync, mkdtempSync, rmSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type {Run} from '../../core/run/run.ts';
import type {Outcome} from '../../core/seams.ts';
import {objectFolders} from '../../host/borrowed.ts';
import {makeGitFolder} from '../../host/git-folder.ts';
import type {Context} from '../context.ts';
import {openRun, rootOf} from '../project/projects.ts';
import {LiveRedactor} from '../run/live-redactor.ts';
import {fillSubmodules} from '../run/submodules.ts';

/** What a deploy's commands are run with. */
export type ShellOptions = {
	/** The target's name. */ readonly target: string;
	readonly commit: string;
	/** Values by the names of variables. */ readonly credentials: ReadonlyMap<string, string>;
	/** Told its output as it comes, with the credentials blanked. */ readonly tell: (text: string) => void;
	/** Tells this deploy from every other one. */ readonly id: string;
};

/**
 * Where the commands of one deploy run: a clean checkout of a commit and a HOME of its own, both gone with it. What one
 * command leaves there, such as the number of a pipeline, the next one finds.
 */
export class DeployShell {
	readonly #context: Context;
	readonly #run: Run;
	readonly #options: ShellOptions;
	readonly #folder: string;

	private constructor(context: Context, run: Run, {options, folder}: {options: ShellOptions; folder: string}) {
		this.#context = context;
		this.#run = run;
		this.#options = options;
		this.#folder = folder;
	}

	/** Makes one, and takes it away once the work is done. */
	static async with<Result>(
		context: Context,
		run: Run,
		{options, work}: {readonly options: ShellOptions; work(shell: DeployShell): Promise<Result>},
	): Promise<Result> {
		const folder = mkdtempSync(path.join(context.paths.state, 'deploy-'));
		try {
			const shell = new DeployShell(context, run, {options, folder});
			for (const made of [shell.#tree, shell.#home]) {
				mkdirSync(made, {recursive: true, mode: 0o700});
			}

			await shell.#checkOut();
			return await work(shell);
		} finally {
			rmSync(folder, {recursive: true, force: true});
		}
	}

	get #tree(): string {
		return path.join(this.#folder, 'tree');
	}

	get #home(): string {
		return path.join(this.#folder, 'home');
	}

	/** The commit as files. */
	async #checkOut(): Promise<void> {
		const {commit} = this.#options;
		const {git, commonDir} = await openRun(this.#context, this.#run);
		const objects = objectFolders(commonDir);
		await makeGitFolder({
			git,
			commonDir,
			// Beside the files, so that a command that copies them all does not publish it; git finds it from there.
			folder: path.join(this.#folder, '.git'),
			tree: this.#tree,
			what: {commit},
			branch: this.#run.merge!.target,
			depth: undefined,
			beside: true,
			objectsSeenAt: at => objects[at]!,
		});
		await fillSubmodules({git, commonDir, root: rootOf(this.#context, this.#run)}, commit, this.#tree);
	}

	/** Says something of fleet's own in the log. */
	say(text: string): void {
		this.#options.tell(`fleet: ${text}\n`);
	}

	/** Runs a command with the deploy's credentials. @param timeout milliseconds */
	async run(command: string, timeout: number): Promise<Outcome | Error> {
		const {target, commit, credentials, tell, id} = this.#options;
		const decoder = new TextDecoder();
		const redactor = new LiveRedactor(credentials.values(), bytes => tell(decoder.decode(bytes, {stream: true})));
		const outcome = await this.#context.executor
			.run(
				{
					argv: ['/bin/sh', '-c', command],
					cwd: this.#tree,
					env: {
						PATH: process.env['PATH'] ?? '/usr/bin:/bin',
						HOME: this.#home,
						LANG: process.env['LANG'] ?? 'C.UTF-8',
						FLEET_RUN: this.#run.id,
						FLEET_TARGET: target,
						FLEET_COMMIT: commit,
						FLEET_DEPLOY: id,
						...Object.fromEntries(credentials),
					},
				},
				{
					timeout,
					onOutput(bytes) {
						redactor.push(bytes);
					},
				},
			)
			.catch((error: unknown) => error as Error);
		redactor.end();
		tell(decoder.decode());
		return outcome;
	}
}
