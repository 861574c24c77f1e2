import {readFileSync} from 'node:fs';
import type {Invocation} from '../../core/plan.ts';
import {filesOf} from '../../scopes/registry.ts';
import type {Context} from '../context.ts';
import type {FilesPlace} from './files.ts';
import type {Session} from '../sandbox/session.ts';

/* What `files:` scopes open and close while a run goes on. */

/** The folders of one run that is alive. */
export class LiveFiles {
	readonly #context: Context;
	readonly #session: Session;
	/** The host's id of the sandbox's monitor. */
	readonly #monitor: number;

	constructor(context: Context, session: Session, monitor: number) {
		this.#context = context;
		this.#session = session;
		this.#monitor = monitor;
	}

	/** Mounts what was looked at and is granted. @returns why it waits for the next start; undefined where it is there */
	async give({scope, path, mode, identity}: FilesPlace): Promise<string | undefined> {
		// Given twice, it would have to be taken twice.
		await this.take(scope);
		return this.#run(
			this.#session.prepared.give(
				{source: path, target: path, mode, identity},
				this.#initPid(),
				this.#session.holderPid,
			),
		);
	}

	/** Takes away what a scope opened. @returns why it stayed; undefined where it is gone, or the scope opens no files */
	async take(scope: string): Promise<string | undefined> {
		const found = filesOf(scope);
		return found && this.#run(this.#session.prepared.take(found.path, this.#initPid(), this.#session.holderPid));
	}

	/** The sandbox's first process, as the host counts. */
	#initPid(): number {
		return Number(readFileSync(`/proc/${this.#monitor}/task/${this.#monitor}/children`, 'utf8').split(' ')[0]);
	}

	async #run(invocation: Invocation | undefined): Promise<string | undefined> {
		if (!invocation) {
			return 'there is no Perl here to make the mount';
		}

		let words = '';
		try {
			const {code} = await this.#context.executor.run(invocation, {
				timeout: 10_000,
				onOutput(bytes) {
					words = (words + Buffer.from(bytes).toString('utf8')).slice(-500);
				},
			});
			return code === 0 ? undefined : words.trim().split('\n').at(-1) || 'the mount could not be made';
		} catch (error) {
			return (error as Error).message;
		}
	}
}
