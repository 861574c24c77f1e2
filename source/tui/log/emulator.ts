import xterm from '@xterm/headless';
import {neutraliseLine} from '../../core/text/escape-controls.ts';
import {TerminalFilter} from '../../core/text/terminal-filter.ts';
import type {LogMove, LogState} from '../state.ts';

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

/** The line that a move goes to. @param here where the window is @param last where it is at the end */
function lineAfter(move: LogMove, here: number, last: number): number {
	if ('by' in move) {
		return here + move.by;
	}

	if ('position' in move) {
		return move.position;
	}

	switch (move.to) {
		case 'start': {
			return 0;
		}

		case 'end': {
			return last;
		}

		case 'same': {
			return here;
		}
	}
}

/**
 * What a run's terminal shows, as lines of plain text: an
 * emulator takes the escape sequences, and only cells come out.
 */
export class TerminalView {
	readonly #terminal = new xterm.Terminal({
		cols: 100,
		rows: 30,
		scrollback: 2000,
		allowProposedApi: true,
		convertEol: false,
		logLevel: 'off',
	});
	/** An emulator can be given work for minutes, too. */
	readonly #filter = new TerminalFilter();

	constructor() {
		guardEmulator(this.#terminal);
	}

	write(bytes: Uint8Array, done: () => void): void {
		this.#terminal.write(this.#filter.push(bytes), done);
	}

	/** Everything up to the last line that is not blank. */
	lines(): string[] {
		const {active} = this.#terminal.buffer;
		const lines: string[] = [];
		for (let index = 0; index < active.length; index++) {
			lines.push(neutraliseLine(active.getLine(index)?.translateToString(true) ?? ''));
		}

		while (lines.length > 0 && lines.at(-1) === '') {
			lines.pop();
		}

		return lines;
	}

	/** The same as a pager's window; positions are numbers of lines. */
	page(run: string, {height}: {height: number}, before: LogState | undefined, move: LogMove): LogState {
		const lines = this.lines();
		const last = Math.max(0, lines.length - height);
		const here = before?.kind === 'screen' && !before.following ? before.range.at : last;
		const top = Math.max(0, Math.min(last, lineAfter(move, here, last)));
		return {
			run,
			kind: 'screen',
			rows: lines
				.slice(top, top + height)
				.map((text, index) => ({from: top + index, to: top + index + 1, spans: [{text}]})),
			following: top === last,
			range: {from: 0, at: top, to: lines.length},
		};
	}

	close(): void {
		this.#terminal.dispose();
	}
}
