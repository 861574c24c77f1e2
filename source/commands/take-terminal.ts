import process from 'node:process';
import type {ReadStream, WriteStream} from 'node:tty';

/**
 * Takes the terminal's other screen and draws a first frame there: what draws all further ones takes longer to load
 * than this. Keys wait in the terminal until somebody reads them.
 *
 * @param frame lines with SGR sequences, as many as the terminal has; none for an empty screen
 * @returns gives the terminal back as it was; a second call does nothing
 */
export function takeTerminal(stdin: ReadStream, stdout: WriteStream, frame: readonly string[]): () => void {
	// First of all: from here on ctrl-c is a key, and ends nothing halfway.
	stdin.setRawMode(true);
	stdout.write(`\u001B[?1049h\u001B[?25l\u001B[H${frame.join('\r\n')}\u001B[H`);
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
