import {StringDecoder} from 'node:string_decoder';
import type {AgentNews} from '../../core/seams.ts';
import {sizeMark, type TerminalSize} from '../../core/text/terminal-size.ts';
import {LogWriter} from '../../host/log-writer.ts';
import {LiveRedactor} from './live-redactor.ts';

/** The longest line of structured output, characters; a longer one is shown as it is. */
const longestLine = 8 * 1024 ** 2;

/**
 * What an agent writes, on its way to disk and to people: known values are blanked first, whatever comes after. Where
 * the output is structured, people get what its lines say, and the lines themselves are kept beside it.
 */
export class AgentOutput {
	readonly #log: LogWriter;
	readonly #lines: LogWriter | undefined;
	readonly #redactor: LiveRedactor;
	readonly #read: ((line: string) => AgentNews) | undefined;
	readonly #onBytes: (bytes: Uint8Array) => void;
	readonly #onNews: (news: AgentNews) => void;
	readonly #decoder = new StringDecoder('utf8');
	#rest = '';

	/**
	 * @param options.messages where the output is structured: what a line of it says, and the file that keeps these lines
	 * @param options.onLost is told where the disk takes no more
	 */
	constructor(options: {
		file: string;
		values: readonly string[];
		messages?: {readonly file: string; read(line: string): AgentNews} | undefined;
		onBytes(bytes: Uint8Array): void;
		onNews(news: AgentNews): void;
		onLost?(error: Error): void;
	}) {
		const lost = {onLost: (error: Error) => options.onLost?.(error)};
		this.#log = new LogWriter(options.file, lost);
		this.#read = options.messages?.read;
		this.#lines = options.messages && new LogWriter(options.messages.file, lost);
		this.#redactor = new LiveRedactor(options.values, bytes => this.#take(bytes));
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
		this.#redactor.push(bytes);
	}

	/** Keeps how large the terminal is from here on; of a program that paints. */
	noteSize(size: TerminalSize): void {
		this.#log.write(Buffer.from(sizeMark(size)));
	}

	/** Writes what is left. */
	end(): void {
		this.#redactor.end();
		if (this.#rest !== '') {
			this.#line(this.#rest);
		}

		this.#log.close();
		this.#lines?.close();
	}

	#take(bytes: Uint8Array): void {
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

/**
 * Requests come as fast as an agent can ask. Each of the first hundred of a kind is written
 * down, then every doubling; and no run writes more than ten thousand of such lines.
 */
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
