import xterm from '@xterm/headless';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {TerminalFilter} from '../../core/text/terminal-filter.ts';
import {SizeSplitter} from '../../core/text/terminal-size.ts';
import type {LineSource, LogLine} from './reader.ts';

/**
 * Passes over what the emulator cannot do: where all up to the very last cell is to be erased, it looks for the line
 * below, finds none, and throws where nobody can catch it.
 */
export function guardEmulator(terminal: InstanceType<typeof xterm.Terminal>): void {
	terminal.parser.registerCsiHandler({final: 'J'}, ([kind]) => {
		const {cursorX, cursorY} = terminal.buffer.active;
		return kind === 1 && cursorY >= terminal.rows - 1 && cursorX >= terminal.cols - 1;
	});
}

/** Lines that are kept above the last screen. */
const scrollbackLines = 2000;

/**
 * What a run's terminal shows, as lines of plain text: an emulator takes the escape
 * sequences, and only cells come out. Positions are numbers of lines.
 */
export class TerminalView implements LineSource {
	readonly #terminal = new xterm.Terminal({
		cols: 100,
		rows: 30,
		scrollback: scrollbackLines,
		allowProposedApi: true,
		convertEol: false,
		logLevel: 'off',
	});
	/** The agent's terminal had more than one size, if a person looked at it. */
	readonly #sizes = new SizeSplitter();
	/** Takes out sequences that would keep an emulator at work for minutes. */
	readonly #filter = new TerminalFilter();
	/** What it shows; undefined while that has not been read since the last write. */
	#lines: readonly string[] | undefined;

	constructor() {
		guardEmulator(this.#terminal);
	}

	write(bytes: Uint8Array, done: () => void): void {
		for (const piece of this.#sizes.push(bytes)) {
			if (piece instanceof Uint8Array) {
				this.#terminal.write(this.#filter.push(piece));
			} else {
				// Called when all that stands before it was taken, and before anything behind it is.
				this.#terminal.write('', () => this.#terminal.resize(piece.columns, piece.rows));
			}
		}

		this.#terminal.write('', () => {
			this.#lines = undefined;
			done();
		});
	}

	/** Everything up to the last line that is not blank. */
	lines(): readonly string[] {
		this.#lines ??= this.#readLines();
		return this.#lines;
	}

	#readLines(): string[] {
		const {active} = this.#terminal.buffer;
		const lines: string[] = [];
		for (let index = 0; index < active.length; index++) {
			lines.push(escapeLine(active.getLine(index)?.translateToString(true) ?? ''));
		}

		while (lines.length > 0 && lines.at(-1) === '') {
			lines.pop();
		}

		return lines;
	}

	range(): {from: number; to: number} {
		return {from: 0, to: this.lines().length};
	}

	after(position: number, count: number, keep: (text: string) => boolean = () => true): LogLine[] {
		return this.#numbered(keep)
			.filter(line => line.from >= position)
			.slice(0, count);
	}

	before(position: number, count: number, keep: (text: string) => boolean = () => true): LogLine[] {
		const lines = this.#numbered(keep).filter(line => line.to <= position);
		return lines.slice(Math.max(0, lines.length - count));
	}

	#numbered(keep: (text: string) => boolean): LogLine[] {
		return this.lines()
			.map((text, index) => ({from: index, to: index + 1, text}))
			.filter(({text}) => keep(text));
	}

	close(): void {
		this.#terminal.dispose();
	}
}
