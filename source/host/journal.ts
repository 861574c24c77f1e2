import {createHash} from 'node:crypto';
import {closeSync, fdatasyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync} from 'node:fs';
import path from 'node:path';
import {eventTypes, type Entry, type RunEvent} from '../core/event.ts';
import {foldRun, evolve, type Run} from '../core/run.ts';
import type {Actor} from '../core/scope.ts';
import {Lock} from './lock.ts';
import {pulse} from './paths.ts';

/** `prev` of a journal's first line. */
export const firstPrev = '0'.repeat(64);

/** What a journal file amounts to. `fault` names the first bad line, counted from 1; lines after it are not believed. */
export type JournalReading = {
	readonly entries: Entry[];
	/** True where the last line was cut off by the end of its writer: ignored by readers, removed by the next writer. */
	readonly torn: boolean;
	readonly fault: {line: number; because: string} | undefined;
	/** SHA-256 of the last good line. */
	readonly head: string;
	/** Bytes up to the end of the last whole line. */
	readonly length: number;
};

function digest(line: string): string {
	return createHash('sha256').update(line).digest('hex');
}

function check(line: string, seq: number, prev: string): Entry | string {
	let entry: Entry;
	try {
		entry = JSON.parse(line) as Entry;
	} catch {
		return 'not JSON';
	}

	if (entry === null || typeof entry !== 'object' || !eventTypes.has(entry.type)) {
		return 'not an event that is known';
	}

	if (entry.seq !== seq) {
		return `numbered ${String(entry.seq)}, ${seq} was expected: a line is missing, added or moved`;
	}

	return entry.prev === prev ? entry : 'does not follow from the line before: one of the two was changed';
}

/** Reads and checks journal text. Never throws for bad content. */
export function parseJournal(text: string): JournalReading {
	const entries: Entry[] = [];
	let prev = firstPrev;
	let position = 0;
	while (position < text.length) {
		const end = text.indexOf('\n', position);
		if (end === -1) {
			break;
		}

		const line = text.slice(position, end);
		const entry = check(line, entries.length + 1, prev);
		if (typeof entry === 'string') {
			return {entries, torn: false, fault: {line: entries.length + 1, because: entry}, head: prev, length: Buffer.byteLength(text.slice(0, position))};
		}

		entries.push(entry);
		prev = digest(line);
		position = end + 1;
	}

	return {entries, torn: position < text.length, fault: undefined, head: prev, length: Buffer.byteLength(text.slice(0, position))};
}

/** Reads a journal file. An absent file is an empty journal. */
export function readJournal(file: string): JournalReading {
	let text = '';
	try {
		text = readFileSync(file, 'utf8');
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
			throw error;
		}
	}

	return parseJournal(text);
}

/** The one writer of a run's journal, for as long as it holds the lock. */
export class Journal {
	readonly #lock: Lock;
	readonly #places: {readonly pulse?: string | undefined};
	readonly #file: number;
	#head: string;
	#seq: number;
	#run: Run | undefined;
	readonly #listeners = new Set<(entry: Entry) => void>();

	private constructor(places: {readonly pulse?: string | undefined}, lock: Lock, file: number, reading: JournalReading) {
		this.#places = places;
		this.#lock = lock;
		this.#file = file;
		this.#head = reading.head;
		this.#seq = reading.entries.length;
		this.#run = foldRun(reading.entries);
	}

	/**
	 * Takes the lock and cuts off a torn last line. Undefined when another process writes.
	 * @throws where the chain is broken: nothing is ever appended to a journal that was changed
	 */
	static open(places: {journal: string; lock: string; pulse?: string | undefined}, wait = 0): Journal | undefined {
		mkdirSync(path.dirname(places.journal), {recursive: true, mode: 0o700});
		const lock = Lock.acquire(places.lock, wait);
		if (!lock) {
			return undefined;
		}

		try {
			const reading = readJournal(places.journal);
			if (reading.fault) {
				throw new Error(`the journal is broken at line ${reading.fault.line}: ${reading.fault.because}`);
			}

			const file = openSync(places.journal, 'a', 0o600);
			if (reading.torn) {
				ftruncateSync(file, reading.length);
			}

			return new Journal(places, lock, file, reading);
		} catch (error) {
			lock.release();
			throw error;
		}
	}

	/** The run as of the last line; undefined for an empty journal. */
	get state(): Run | undefined {
		return this.#run;
	}

	/** @throws on a journal with no line yet */
	get run(): Run {
		if (!this.#run) {
			throw new Error('the journal is empty');
		}

		return this.#run;
	}

	/** Writes one line and, unless `durable` is false, waits until it is on disk: intent precedes the act. */
	append(event: RunEvent, actor: Actor, durable = true): Entry {
		const entry = {seq: this.#seq + 1, at: new Date().toISOString(), actor, prev: this.#head, ...event} as Entry;
		const line = JSON.stringify(entry);
		// Folded first: a line that cannot be folded must not be written.
		const next = evolve(this.#run, entry);
		writeSync(this.#file, `${line}\n`);
		if (durable) {
			fdatasyncSync(this.#file);
		}

		this.#seq++;
		this.#head = digest(line);
		this.#run = next;
		pulse(this.#places);
		for (const listener of this.#listeners) {
			listener(entry);
		}

		return entry;
	}

	/** @returns a function that ends the subscription */
	subscribe(listener: (entry: Entry) => void): () => void {
		this.#listeners.add(listener);
		return () => {
			this.#listeners.delete(listener);
		};
	}

	close(): void {
		closeSync(this.#file);
		this.#lock.release();
	}
}
