import {factOf} from '../../core/notify/facts.ts';
import type {Journal} from '../../host/journal.ts';
import type {Context} from '../context.ts';
import {readSettings} from '../project/settings.ts';
import type {NotifyValues} from './deliver.ts';
import {flush, spool} from './spool.ts';

/** What comes within as long is one message; and how long at first, and at most, until a run is told of again, milliseconds. */
const [burstMs, gapMs, longestGapMs] = [5000, 60_000, 1_800_000];

/**
 * Watches a run's journal for the moment in which the run comes to need a person. Nothing of it ever fails, or keeps the run
 * from going on: who cannot be told is told by `fleet notify` and `fleet doctor`.
 */
export class Needs {
	readonly #context: Context;
	readonly #journal: Journal;
	readonly #values: NotifyValues;
	readonly #burstMs: number;
	readonly #unsubscribe: () => void;
	#known: string | undefined;
	#timer: NodeJS.Timeout | undefined;
	#sending: Promise<void> = Promise.resolve();
	#told = 0;
	#next = 0;

	/** @param burst milliseconds; for tests */
	constructor(
		context: Context,
		journal: Journal,
		{
			values = {},
			burst = burstMs,
		}: {readonly values?: NotifyValues | undefined; readonly burst?: number | undefined} = {},
	) {
		this.#context = context;
		this.#journal = journal;
		this.#values = values;
		this.#burstMs = burst;
		// What it needs already, before this attempt, is no news.
		this.#known = factOf(journal.run)?.need;
		this.#unsubscribe = journal.subscribe(() => this.#look());
	}

	/** After the journal is closed: tells what is left, and waits until that is sent or given up. */
	async end(): Promise<void> {
		this.#unsubscribe();
		await this.#sending;
		if (this.#timer) {
			clearTimeout(this.#timer);
			this.#timer = undefined;
			await new Promise(resolve => {
				setTimeout(resolve, this.#burstMs);
			});
			this.#send();
		}

		await this.#sending;
	}

	#look(): void {
		const fact = factOf(this.#journal.run);
		const isNew = fact !== undefined && fact.need !== this.#known;
		this.#known = fact?.need;
		if (!isNew) {
			return;
		}

		this.#quietly(async () => {
			const {notify} = await readSettings(this.#context.paths);
			if (notify.send.length > 0) {
				spool(this.#context.paths, fact);
				this.#begin();
			}
		});
	}

	#begin(): void {
		// An agent can come to need somebody as often as it likes: each message is followed by a longer silence.
		const wait = Math.max(this.#burstMs, this.#next - Date.now());
		this.#timer ??= setTimeout(() => {
			this.#timer = undefined;
			this.#send();
		}, wait);
	}

	#send(): void {
		this.#next = Date.now() + Math.min(longestGapMs, gapMs * 2 ** this.#told++);
		this.#quietly(async () => flush(this.#context, this.#values));
	}

	#quietly(work: () => Promise<void>): void {
		this.#sending = this.#sending.then(work).catch(() => {
			// What cannot be told changes nothing of the run.
		});
	}
}
