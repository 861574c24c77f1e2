import {createHash} from 'node:crypto';
import {closeSync, fdatasyncSync, fstatSync, ftruncateSync, mkdirSync, openSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {eventTypes, type Entry, type RunEvent} from '../core/run/event.ts';
import {foldRun, evolve} from '../core/run/evolve.ts';
import type {Run} from '../core/run/run.ts';
import type {Actor} from '../core/actor.ts';
import {Lock} from './lock.ts';
import {pulse} from './paths.ts';
import {writeAll} from './write.ts';

/** `prev` of a journal's first line. */
export const firstPrev = '0'.repeat(64);

/**
 * What a journal file amounts to. `fault` names the first bad line, counted from 1; lines after it are not believed.
 */
export type JournalReading = {
	readonly entries: Entry[];
	/** True where the last line was cut off by the end of its writer: ignored by readers, removed by the next writer. */
	readonly torn: boolean;
	readonly fault: {line: number; because: string} | undefined;
	/** SHA-256 of the last good line, its own hash included. */
	readonly head: string;
	/** Bytes up to the end of the last whole line. */
	readonly length: number;
};

function digest(line: string): string {
	return createHash('sha256').update(line).digest('hex');
}

/** What a line has to follow from: the number and the SHA-256 of the line before. */
export type LineBefore = {readonly seq: number; readonly head: string};

/** @param before undefined where the line before was not read */
function check(line: string, before: LineBefore | undefined): Entry | string {
	let entry: Entry;
	try {
		// Checked by hand below: every journal is read before the screen's first frame, and its hash vouches for the rest.
		entry = JSON.parse(line) as Entry;
	} catch {
		return 'not JSON';
	}

	if (entry === null || typeof entry !== 'object' || !eventTypes.has(entry.type)) {
		return 'not an event that is known';
	}

	if (!before) {
		return entry;
	}

	if (entry.seq !== before.seq + 1) {
		return `numbered ${String(entry.seq)}, ${before.seq + 1} was expected: a line is missing, added or moved`;
	}

	return entry.prev === before.head ? entry : 'does not follow from the line before: one of the two was changed';
}

/**
 * A line with its own hash at its end: the SHA-256 of what stands
 * before it. It is what the last line has in place of a line after it.
 */
function seal(body: string): string {
	return `${body.slice(0, -1)},"hash":"${digest(body)}"}`;
}

const sealLength = ',"hash":""}'.length + 64;

/** Whether a line is as it was sealed; undefined for one without a hash, as earlier versions wrote them. */
function isSealed(line: string): boolean | undefined {
	const body = line.slice(0, -sealLength);
	return line.slice(-sealLength).startsWith(',"hash":"') ? seal(`${body}}`) === line : undefined;
}

/** Why the last line is not believed. All others have the line after them as a witness. */
function faultOfLast(last: string, before: string | undefined): string | undefined {
	const sealed = isSealed(last);
	if (sealed === undefined) {
		return before !== undefined && isSealed(before) !== undefined
			? 'has no hash, although the line before has one: it was changed'
			: undefined;
	}

	return sealed ? undefined : 'does not have the hash that it names: it was changed';
}

/** Reads and checks journal text. Never throws for bad content. */
export function parseJournal(text: string): JournalReading {
	return checkLines(text, {seq: 0, head: firstPrev});
}

/**
 * The same for a part of a journal that begins with a line.
 * @param before what its first line has to follow from; undefined where that was not read
 */
export function checkLines(text: string, before: LineBefore | undefined): JournalReading {
	const entries: Entry[] = [];
	let prev = before;
	let position = 0;
	let [previous, last]: Array<{line: string; prev: LineBefore | undefined; position: number} | undefined> = [];
	while (position < text.length) {
		const end = text.indexOf('\n', position);
		if (end === -1) {
			break;
		}

		const line = text.slice(position, end);
		const entry = check(line, prev);
		if (typeof entry === 'string') {
			return {
				entries,
				torn: false,
				fault: {line: (prev?.seq ?? 0) + 1, because: entry},
				head: prev?.head ?? firstPrev,
				length: Buffer.byteLength(text.slice(0, position)),
			};
		}

		entries.push(entry);
		[previous, last] = [last, {line, prev, position}];
		prev = {seq: entry.seq, head: digest(line)};
		position = end + 1;
	}

	const because = last && faultOfLast(last.line, previous?.line);
	if (last && because !== undefined) {
		return {
			entries: entries.slice(0, -1),
			torn: false,
			fault: {line: prev?.seq ?? 0, because},
			head: last.prev?.head ?? firstPrev,
			length: Buffer.byteLength(text.slice(0, last.position)),
		};
	}

	return {
		entries,
		torn: position < text.length,
		fault: undefined,
		head: prev?.head ?? firstPrev,
		length: Buffer.byteLength(text.slice(0, position)),
	};
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

/** What is true whether it is written down or not: it happened, or it takes something away from the run. */
const facts: ReadonlySet<RunEvent['type']> = new Set<RunEvent['type']>([
	'run.exited',
	'run.failed',
	'run.crashed',
	'run.frozen',
	'scope.revoked',
	'scope.expired',
	'egress.denied',
	'egress.allowed',
	'request.refused',
	'secret.used',
	'ports.listening',
	'port.used',
	'port.closed',
	'secret.refused',
	'alarm.raised',
	'agent.status',
	'agent.conversation',
	'usage.counted',
	'gate.refused',
]);

/** The one writer of a run's journal, for as long as it holds the lock. */
export class Journal {
	readonly #lock: Lock;
	readonly #places: {readonly pulse?: string | undefined};
	readonly #file: number;
	#head: string;
	#seq: number;
	#run: Run | undefined;
	/** Bytes that the file is to have: what is behind them is the beginning of a line that could not be written. */
	#length: number;
	#torn = false;
	/** Lines that could not be written yet, each with its line feed. */
	#unwritten: string[] = [];
	#onUnwritten: ((error: Error) => void) | undefined;
	readonly #listeners = new Set<(entry: Entry) => void>();

	private constructor(
		places: {readonly pulse?: string | undefined},
		lock: Lock,
		{file, reading}: {readonly file: number; readonly reading: JournalReading},
	) {
		this.#places = places;
		this.#lock = lock;
		this.#file = file;
		this.#head = reading.head;
		this.#seq = reading.entries.length;
		this.#run = foldRun(reading.entries);
		this.#length = reading.length;
	}

	/**
	 * Takes the lock and cuts off a torn last line. Undefined when another process writes.
	 * @throws where the chain is broken: nothing is ever appended to a journal that was changed
	 */
	static open(places: {journal: string; lock: string; pulse?: string | undefined}, waitMs = 0): Journal | undefined {
		mkdirSync(path.dirname(places.journal), {recursive: true, mode: 0o700});
		const lock = Lock.acquire(places.lock, waitMs);
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

			return new Journal(places, lock, {file, reading});
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

	/**
	 * Has what happened remembered where it cannot be written, and written before the next line that can be. What is yet
	 * to be done (a grant, an approval, a start) fails all the same. Only for a process that lives on.
	 * @param told gets the error of each write that failed
	 */
	keepFacts(told: (error: Error) => void): void {
		this.#onUnwritten = told;
	}

	/** Writes what could not be written before. @returns whether nothing is left */
	flush(): boolean {
		try {
			this.#write('', true);
			return true;
		} catch {
			// It was told when it first could not be written.
			return false;
		}
	}

	/** Adds to the file, after what could not be added before. What fails half-way is cut off again. */
	#write(text: string, durable: boolean): void {
		if (this.#torn) {
			ftruncateSync(this.#file, this.#length);
			this.#torn = false;
		}

		const bytes = Buffer.from(this.#unwritten.join('') + text);
		if (bytes.length === 0) {
			return;
		}

		// Two lines of the same number would break the journal for good.
		if (fstatSync(this.#file).size !== this.#length) {
			throw new Error('another process wrote to the journal, so nothing more is written by this one');
		}

		try {
			writeAll(this.#file, bytes);
			if (durable) {
				fdatasyncSync(this.#file);
			}
		} catch (error) {
			this.#torn = true;
			try {
				ftruncateSync(this.#file, this.#length);
				this.#torn = false;
			} catch {
				// Before the next line, or by the next writer.
			}

			throw error;
		}

		this.#length += bytes.length;
		this.#unwritten = [];
	}

	/** How many lines there are, and the SHA-256 of the last. */
	get last(): {readonly seq: number; readonly line: string} {
		return {seq: this.#seq, line: this.#head};
	}

	/**
	 * Writes one line and, unless `durable` is false, waits until it is on disk: intent precedes the act.
	 * @throws the system's error where it cannot be written; then it is not there, and did not happen
	 */
	append(event: RunEvent, actor: Actor, durable = true): Entry {
		const entry = {seq: this.#seq + 1, at: new Date().toISOString(), actor, prev: this.#head, ...event} as Entry;
		const line = seal(JSON.stringify(entry));
		// Folded first: a line that cannot be folded must not be written.
		const next = evolve(this.#run, entry);
		let failed: Error | undefined;
		try {
			this.#write(`${line}\n`, durable);
		} catch (error) {
			if (!this.#onUnwritten || !facts.has(event.type)) {
				throw error;
			}

			this.#unwritten.push(`${line}\n`);
			failed = error as Error;
		}

		this.#seq++;
		this.#head = digest(line);
		this.#run = next;
		pulse(this.#places);
		for (const listener of this.#listeners) {
			listener(entry);
		}

		if (failed) {
			this.#onUnwritten!(failed);
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
