import xterm from '@xterm/headless';
import {neutraliseLine} from '../core/neutralise.ts';

/** What a run's terminal shows, as lines of plain text: an emulator takes the escape sequences, and only cells come out. */
export class TerminalView {
	readonly #terminal = new xterm.Terminal({cols: 100, rows: 30, scrollback: 2000, allowProposedApi: true, convertEol: false});

	write(bytes: Uint8Array, done: () => void): void {
		this.#terminal.write(bytes, done);
	}

	reset(): void {
		this.#terminal.reset();
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

	close(): void {
		this.#terminal.dispose();
	}
}
