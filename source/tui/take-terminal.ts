import process from 'node:process';
import type {ReadStream, WriteStream} from 'node:tty';
import {paintLine} from './line.ts';
import type {State} from './state.ts';
import {themes} from './theme.ts';
import {frameLines} from './view.ts';

/**
 * Takes the terminal's other screen and draws a first frame there: what draws all further ones takes longer to load
 * than this. Keys wait in the terminal until somebody reads them.
 *
 * @param state what to draw; nothing where it is undefined
 * @returns gives the terminal back as it was; a second call does nothing
 */
export function takeTerminal(stdin: ReadStream, stdout: WriteStream, state: State | undefined): () => void {
	const lines = state ? frameLines(state).map(line => paintLine(line, state.columns, themes[state.theme])) : [];
	stdout.write(`\u001B[?1049h\u001B[?25l\u001B[H${lines.join('\r\n')}\u001B[H`);
	stdin.setRawMode(true);
	let taken = true;
	const giveBack = () => {
		if (taken) {
			taken = false;
			process.off('exit', giveBack);
			stdin.setRawMode(false);
			stdout.write('\u001B[?1049l\u001B[?25h');
		}
	};

	// Whatever ends the program.
	process.on('exit', giveBack);
	return giveBack;
}
