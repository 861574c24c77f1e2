import {spawn, type ChildProcessWithoutNullStreams} from 'node:child_process';
import process from 'node:process';
import {StringDecoder} from 'node:string_decoder';
import type {Invocation} from '../../core/plan.ts';
import {printable} from '../../core/names.ts';
import {Guard, type Limited} from '../sandbox/guard.ts';
import type {Transport, TransportEvents} from './connection.ts';

/** How long between two looks at what it holds, milliseconds. */
const lookMs = 1000;

/** Characters of what it says for people that are kept, to tell why it ended. */
const maxWords = 2000;

/** A server's process, with a message on each line of its pipes. It ends with this process. */
export class ServerProcess implements Transport {
	readonly #child: ChildProcessWithoutNullStreams;
	readonly #events: TransportEvents;
	readonly #longest: number;
	readonly #closing: Promise<void>;
	#over = false;
	#line: string[] = [];
	#size = 0;
	#words = '';

	/**
	 * @param options.longest characters of one message; a longer one ends the server
	 * @param options.closed called when it is gone, to take away what was made for it
	 */
	constructor(
		{argv, cwd, env}: Invocation,
		{
			limited,
			events,
			longest,
			closed,
		}: {readonly limited: Limited; readonly events: TransportEvents; readonly longest: number; closed(): Promise<void>},
	) {
		this.#events = events;
		this.#longest = longest;
		// A group of its own: what ends it ends all of it.
		this.#child = spawn(argv[0]!, argv.slice(1), {cwd, env: {...env}, stdio: 'pipe', detached: true});
		const child = this.#child;
		const kill = () => this.#kill();
		process.once('exit', kill);
		child.stdin.on('error', () => {});
		child.stderr.setEncoding('utf8').on('data', (text: string) => {
			this.#words = (this.#words + text).slice(-maxWords);
		});
		const decoder = new StringDecoder('utf8');
		child.stdout.on('data', (bytes: Buffer) => this.#read(decoder.write(bytes)));
		child.once('error', error => this.#end(`the server could not be started: ${error.message}`));
		const guard = child.pid === undefined ? undefined : new Guard(child.pid, limited);
		const timer = setInterval(() => void this.#look(guard).catch(() => {}), lookMs);
		timer.unref();
		this.#closing = new Promise<void>(resolve => {
			child.once('close', (code, signal) => {
				const last = printable(this.#words.trim().split('\n').at(-1) ?? '', 200);
				this.#end(`the server ended (${signal ?? code})${last === '' ? '' : `: ${last}`}`);
				resolve();
			});
		}).then(async () => {
			clearInterval(timer);
			process.off('exit', kill);
			await guard?.close();
			await closed();
		});
	}

	send(text: string): void {
		if (!this.#over && this.#child.stdin.writable) {
			this.#child.stdin.write(`${text}\n`);
		}
	}

	async close(): Promise<void> {
		this.#end('it was closed');
		await this.#closing;
	}

	#end(because: string): void {
		if (!this.#over) {
			this.#over = true;
			this.#events.onEnd(because);
		}

		this.#kill();
	}

	#kill(): void {
		try {
			process.kill(-this.#child.pid!, 'SIGKILL');
		} catch {
			// Nothing of the group is left.
		}
	}

	/** Only what came is looked through for an end of a line: a message may come in many pieces. */
	#read(text: string): void {
		const [first = '', ...more] = text.split('\n');
		this.#line.push(first);
		this.#size += first.length;
		for (const next of more) {
			const line = this.#line.join('');
			this.#line = [next];
			this.#size = next.length;
			if (line.trim() !== '' && !this.#over) {
				this.#events.onText(line);
			}
		}

		if (this.#size > this.#longest) {
			this.#line = [];
			this.#size = 0;
			this.#end('the server sent a message without an end');
		}
	}

	async #look(guard: Guard | undefined): Promise<void> {
		const over = await guard?.look();
		if (over?.how === 'end') {
			this.#end(`the server was ended: ${over.because}`);
		}
	}
}
