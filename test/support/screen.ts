import process from 'node:process';
import type {TestContext} from 'node:test';
import {StringDecoder} from 'node:string_decoder';
import xterm from '@xterm/headless';
import {openTerminal, type Terminal} from '../../source/host/pty.ts';
import {program, until, type Fleet} from './fleet.ts';

const named: Record<string, string> = {
	enter: '\r',
	esc: '\u001B',
	tab: '\t',
	space: ' ',
	up: '\u001B[A',
	down: '\u001B[B',
	right: '\u001B[C',
	left: '\u001B[D',
	'ctrl-q': '\u0011',
	'ctrl-s': '\u0013',
	'ctrl-t': '\u0014',
	'ctrl-x': '\u0018',
	'ctrl-c': '\u0003',
	'ctrl-u': '\u0015',
	backspace: '\u007F',
};

/** A real terminal with the real program in it: keys go in, and what a person would see comes out. */
export class Screen {
	readonly #emulator: InstanceType<typeof xterm.Terminal>;
	readonly #terminal: Terminal;
	/** Everything that was written to the terminal, as it came. */
	raw = '';
	exited: number | undefined;

	constructor(fleet: Fleet, argv: readonly string[] = [], size = {columns: 100, rows: 30}) {
		// A program may be made to paint what is no sequence; what the emulator thinks of it is not for the test's output.
		this.#emulator = new xterm.Terminal({
			cols: size.columns,
			rows: size.rows,
			allowProposedApi: true,
			logLevel: 'off',
		});
		const decoder = new StringDecoder('utf8');
		this.#terminal = openTerminal(
			{argv: [process.execPath, program, ...argv], cwd: fleet.project, env: fleet.env},
			size,
			{
				onData: bytes => {
					const text = decoder.write(Buffer.from(bytes));
					this.raw += text;
					this.#emulator.write(text);
				},
				onExit: ({code}) => {
					this.exited = code;
				},
			},
		);
		// A program may ask its terminal; a terminal answers.
		this.#emulator.onData(data => this.#terminal.write(data));
	}

	get pid(): number {
		return this.#terminal.pid;
	}

	/** What is on the screen now, line by line. */
	lines(): string[] {
		const {active} = this.#emulator.buffer;
		return Array.from(
			{length: this.#emulator.rows},
			(_, index) => active.getLine(active.viewportY + index)?.translateToString(true) ?? '',
		);
	}

	text(): string {
		return this.lines().join('\n');
	}

	/** Presses keys one after the other; a word that is no key's name is typed. */
	async press(...keys: string[]): Promise<void> {
		for (const key of keys) {
			this.#terminal.write(named[key] ?? key);
			// A person's keys are not one event; and escape must be told from the beginning of a sequence.
			await new Promise(resolve => {
				setTimeout(resolve, 60);
			});
		}
	}

	/** Waits for a question, reads it, and answers it by one key. */
	async answer(question: RegExp | string, key = 'y'): Promise<void> {
		await this.see(question);
		// Sooner than a person can have read it, a key is no answer.
		await new Promise(resolve => {
			setTimeout(resolve, 400);
		});
		await this.press(key);
	}

	/** Writes to the terminal at once. */
	write(text: string): void {
		this.#terminal.write(text);
	}

	/** Waits until nothing more is drawn. */
	async idle(): Promise<void> {
		for (let before = -1; before !== this.raw.length;) {
			before = this.raw.length;
			await new Promise(resolve => {
				setTimeout(resolve, 30);
			});
		}
	}

	async see(wanted: RegExp | string, what = String(wanted)): Promise<void> {
		try {
			await until(() => (typeof wanted === 'string' ? this.text().includes(wanted) : wanted.test(this.text())), what);
		} catch (error) {
			throw new Error(`${(error as Error).message}\n${this.text()}`);
		}
	}

	async gone(unwanted: RegExp | string): Promise<void> {
		await until(
			() => !(typeof unwanted === 'string' ? this.text().includes(unwanted) : unwanted.test(this.text())),
			`${unwanted} is gone\n${this.text()}`,
		);
	}

	resize(columns: number, rows: number): void {
		this.#emulator.resize(columns, rows);
		this.#terminal.resize(columns, rows);
	}

	kill(signal: string): void {
		if (this.exited === undefined) {
			this.#terminal.kill(signal);
		}
	}

	async quit(): Promise<void> {
		await this.press('ctrl-c');
		await until(() => this.exited !== undefined, 'the screen ends');
	}
}

/** A screen that ends with its test. @param argv the verb and its arguments; none for the screen itself */
export function openScreen(
	t: TestContext,
	fleet: Fleet,
	{argv, size}: {readonly argv?: readonly string[]; readonly size?: {columns: number; rows: number}} = {},
): Screen {
	const screen = new Screen(fleet, argv, size);
	t.after(() => screen.kill('SIGKILL'));
	return screen;
}
