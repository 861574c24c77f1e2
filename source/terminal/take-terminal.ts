import process from 'node:process';
import type {ReadStream, WriteStream} from 'node:tty';

/** What asks a program to end, or does it by default; a terminal's own keys are no signals while a verb has it. */
export const endingSignals = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const;

const ends = new Set<() => void>();

/**
 * Has something done at the end, whatever ends the program: also where nobody catches what went wrong.
 * @returns does it now; it is done once
 */
export function onAnyEnd(work: () => void): () => void {
	const end = () => {
		if (ends.delete(end)) {
			if (ends.size === 0) {
				process.off('exit', endAll);
			}

			try {
				work();
			} catch {
				// The terminal is gone.
			}
		}
	};

	if (ends.size === 0) {
		process.on('exit', endAll);
	}

	ends.add(end);
	return end;
}

/** Does all of that now, the last first, before something is said that a person is to read. */
export function endAll(): void {
	for (const end of [...ends].reverse()) {
		end();
	}
}

/** What is switched on while a screen is shown: reports of the mouse and of the focus, and brackets round a paste. */
const plainKeyboard = '\u001B[?1002l\u001B[?1004l\u001B[?1006l\u001B[?2004l';

const reportFocus = '\u001B[?1004h';

/** The same, with the other screen, lines that go on in the next one, and the cursor. */
const plainTerminal = `${plainKeyboard}\u001B[0m\u001B[?7h\u001B[?1049l\u001B[?25h`;

/** Takes a terminal's keys alone, for who writes line after line. @returns gives them back */
export function takeKeyboard(stdin: ReadStream, stdout: WriteStream): () => void {
	stdin.setRawMode(true);
	stdout.write(reportFocus);
	return onAnyEnd(() => {
		stdin.setRawMode(false);
		stdout.write(`${plainKeyboard}\u001B[?25h`);
	});
}

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
	const giveBack = onAnyEnd(() => {
		stdin.setRawMode(false);
		stdout.write(plainTerminal);
	});
	// Without wrapping: a row that is too wide, once the terminal is smaller, moves no other.
	stdout.write(`\u001B[?1049h\u001B[?7l${reportFocus}\u001B[?25l\u001B[H${frame.join('\r\n')}\u001B[H`);
	return giveBack;
}
