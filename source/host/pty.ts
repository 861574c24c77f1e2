import {readSync} from 'node:fs';
import type {ReadStream} from 'node:tty';
import pty from '@lydell/node-pty';
import type {Invocation} from '../core/plan.ts';

/** A process on a terminal of its own. Bytes are raw: nothing is decoded before a person's terminal does. */
export type Terminal = {
	readonly pid: number;
	write(bytes: Uint8Array | string): void;
	resize(columns: number, rows: number): void;
	kill(signal: string): void;
};

/**
 * Starts an invocation on a pty. Must be called on the main
 * thread, since the sandbox dies with the thread that started it.
 */
export function openTerminal(
	invocation: Invocation,
	size: {columns: number; rows: number},
	hooks: {onData(bytes: Uint8Array): void; onExit(exit: {code: number; signal: number}): void},
): Terminal {
	const terminal = pty.spawn(invocation.argv[0]!, invocation.argv.slice(1), {
		cwd: invocation.cwd,
		env: invocation.env,
		cols: size.columns,
		rows: size.rows,
		encoding: null as never,
	});
	terminal.onData(data => {
		hooks.onData(data as unknown as Uint8Array);
	});
	readToTheEnd(terminal, hooks.onData);
	let ended = false;
	terminal.onExit(({exitCode, signal}) => {
		ended = true;
		hooks.onExit({code: exitCode, signal: signal ?? 0});
	});
	return {
		pid: terminal.pid,
		write(bytes) {
			terminal.write(bytes as string);
		},
		resize(columns, rows) {
			terminal.resize(Math.max(2, Math.min(1000, Math.floor(columns))), Math.max(2, Math.min(1000, Math.floor(rows))));
		},
		kill(signal) {
			// Its id may be another process's by then.
			if (!ended) {
				terminal.kill(signal);
			}
		},
	};
}

/**
 * The library closes a terminal 200 ms after its process ended, read or not: on a busy machine the last words would be
 * lost. So what the kernel still holds is read at that moment.
 */
function readToTheEnd(terminal: pty.IPty, onData: (bytes: Uint8Array) => void): void {
	const {_socket: socket, fd} = terminal as unknown as {_socket: ReadStream; fd: number};
	const destroy = socket.destroy.bind(socket);
	socket.destroy = error => {
		// No kernel buffer of a terminal is larger than this.
		for (let left = 1024 ** 2; left > 0 && !socket.destroyed;) {
			const bytes = Buffer.alloc(65_536);
			try {
				const length = readSync(fd, bytes);
				if (length === 0) {
					break;
				}

				left -= length;
				onData(bytes.subarray(0, length));
			} catch {
				// EIO: nothing is left, and nobody writes. EAGAIN: nothing is left.
				break;
			}
		}

		return destroy(error);
	};
}

/** "SIGKILL" and its like, by number; undefined for none. */
export function signalName(number: number): string | undefined {
	return (
		(
			{1: 'SIGHUP', 2: 'SIGINT', 3: 'SIGQUIT', 6: 'SIGABRT', 9: 'SIGKILL', 11: 'SIGSEGV', 15: 'SIGTERM'} as Record<
				number,
				string
			>
		)[number] ?? (number === 0 ? undefined : `signal ${number}`)
	);
}
