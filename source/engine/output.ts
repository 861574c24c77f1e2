import {closeSync, openSync, renameSync, writeSync} from 'node:fs';
import {StringDecoder} from 'node:string_decoder';
import type {AgentNews} from '../core/seams.ts';
import {Redactor} from '../core/redact.ts';

/** Bytes of one part; there are two at most. What a run may write in all is limited as its disk use is. */
const logLimit = 512 * 1024 ** 2;

/** A file that is appended to, and begun anew when it has grown too large, keeping the part before. */
class Log {
	#file: number;
	#size = 0;
	/** Bytes of the part before. */
	#earlier = 0;
	readonly #path: string;

	constructor(path: string) {
		this.#path = path;
		this.#file = openSync(path, 'a', 0o600);
	}

	write(bytes: Uint8Array | string): void {
		this.#size += typeof bytes === 'string' ? writeSync(this.#file, bytes) : writeSync(this.#file, bytes);
		if (this.#size > logLimit) {
			closeSync(this.#file);
			renameSync(this.#path, `${this.#path}.1`);
			this.#file = openSync(this.#path, 'a', 0o600);
			this.#earlier = this.#size;
			this.#size = 0;
		}
	}

	get kept(): number {
		return this.#earlier + this.#size;
	}

	close(): void {
		closeSync(this.#file);
	}
}

/** How long the beginning of what could be a value waits for more, milliseconds. */
const patience = 40;

/** The longest line of structured output, characters; a longer one is shown as it is. */
const longestLine = 8 * 1024 ** 2;

/**
 * What an agent writes, on its way to disk and to people: known values are blanked first, whatever comes after. Where the
 * output is structured, people get what its lines say, and the lines themselves are kept beside it.
 */
export class AgentOutput {
	readonly #log: Log;
	readonly #lines: Log | undefined;
	readonly #redactor: Redactor;
	readonly #read: ((line: string) => AgentNews) | undefined;
	readonly #onBytes: (bytes: Uint8Array) => void;
	readonly #onNews: (news: AgentNews) => void;
	readonly #decoder = new StringDecoder('utf8');
	#rest = '';
	#pushes = 0;
	#timer: NodeJS.Timeout | undefined;

	/** @param options.read where the output is structured, what a line of it says */
	constructor(options: {file: string; values: readonly string[]; read?: ((line: string) => AgentNews) | undefined; onBytes(bytes: Uint8Array): void; onNews(news: AgentNews): void}) {
		this.#log = new Log(options.file);
		this.#read = options.read;
		this.#lines = options.read && new Log(options.file.replace(/\.log$/, '.jsonl'));
		this.#redactor = new Redactor(options.values);
		this.#onBytes = bytes => options.onBytes(bytes);
		this.#onNews = news => options.onNews(news);
	}

	/** Bytes that it takes of the disk. */
	get kept(): number {
		return this.#log.kept + (this.#lines?.kept ?? 0);
	}

	/** More values that must not be written. */
	blank(values: readonly string[]): void {
		this.#redactor.add(values);
	}

	push(bytes: Uint8Array): void {
		this.#pushes++;
		this.#take(this.#redactor.push(bytes));
		if (this.#redactor.waits) {
			this.#flushSoon();
		}
	}

	/** One timer at a time: output comes faster than timers are worth making. */
	#flushSoon(): void {
		const before = this.#pushes;
		this.#timer ??= setTimeout(() => {
			this.#timer = undefined;
			if (!this.#redactor.waits) {
				return;
			}

			if (this.#pushes === before) {
				this.#take(this.#redactor.flush());
			} else {
				this.#flushSoon();
			}
		}, patience);
	}

	/** Writes what is left. */
	end(): void {
		clearTimeout(this.#timer);
		this.#take(this.#redactor.end());
		if (this.#rest !== '') {
			this.#line(this.#rest);
		}

		this.#log.close();
		this.#lines?.close();
	}

	#take(bytes: Uint8Array): void {
		if (bytes.length === 0) {
			return;
		}

		if (!this.#read) {
			this.#show(bytes);
			return;
		}

		const lines = (this.#rest + this.#decoder.write(Buffer.from(bytes))).split('\n');
		this.#rest = lines.pop()!;
		for (const line of lines) {
			this.#line(line.replace(/\r$/, ''));
		}

		if (this.#rest.length > longestLine) {
			this.#line(this.#rest);
			this.#rest = '';
		}
	}

	#line(line: string): void {
		let news: AgentNews = {text: line};
		try {
			news = this.#read!(line);
		} catch {
			// A run does not end because a line of its agent's is not what an adapter expects: the line is shown as it is.
		}

		if (line.startsWith('{')) {
			this.#lines!.write(`${line}\n`);
		}

		if (news.text !== undefined) {
			this.#show(Buffer.from(`${news.text.replaceAll(/\r?\n/g, '\r\n')}\r\n`));
		}

		this.#onNews(news);
	}

	#show(bytes: Uint8Array): void {
		this.#log.write(bytes);
		this.#onBytes(bytes);
	}
}

/** Requests come as fast as an agent can ask. Each of the first hundred of a kind is written down, then every doubling; and no run writes more than ten thousand of such lines. */
export class EventCounter {
	readonly #counts = new Map<string, number>();
	#written = 0;

	count(target: string): {count: number; write: boolean} {
		if (!this.#counts.has(target) && this.#counts.size >= 2000) {
			return {count: 0, write: false};
		}

		const count = (this.#counts.get(target) ?? 0) + 1;
		this.#counts.set(target, count);
		const write = this.#written < 10_000 && (count <= 100 || (count & (count - 1)) === 0);
		this.#written += write ? 1 : 0;
		return {count, write};
	}
}
