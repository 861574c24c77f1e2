import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type {Refusal} from '../core/refusal.ts';
import {self, startProblem} from './run-verb.ts';

/* A verb that has the terminal for itself, while the screen is away. */

/** Ink leaves a read of the terminal pending, which would take the next program's first key. */
export async function release(): Promise<void> {
	await new Promise(setImmediate);
	process.stdin.resume();
	process.stdin.pause();
	await new Promise(setImmediate);
}

async function runAlone(argv: readonly string[], pause: boolean): Promise<Refusal | undefined> {
	await release();
	// The shell waits for the key, since this process's own reading of the terminal was Ink's.
	const line = pause
		? ['/bin/sh', '-c', '"$@"; printf "\\npress enter to go back to fleet "; read -r _', 'sh', ...self, ...argv]
		: [...self, ...argv];
	return new Promise(resolve => {
		// The keyboard's signals are the verb's while it has the terminal.
		const ignore = () => {};
		const end = (problem?: Refusal) => {
			process.off('SIGINT', ignore);
			process.off('SIGQUIT', ignore);
			resolve(problem);
		};

		process.on('SIGINT', ignore);
		process.on('SIGQUIT', ignore);
		try {
			const child = spawn(line[0]!, line.slice(1), {stdio: 'inherit'});
			child.on('error', error => end(startProblem(error)));
			child.on('close', () => end());
		} catch (error) {
			end(startProblem(error));
		}
	});
}

/**
 * Gives the terminal to a verb, and waits for its end.
 * @param wanted.input what it reads as a prompt: from a file, since stdin is the terminal
 * @param wanted.pause whether what it said stays until a key is pressed
 * @returns why it could not be started; undefined where it was
 */
export async function runInTerminal({
	argv,
	input,
	pause,
}: {
	readonly argv: readonly string[];
	readonly input?: string | undefined;
	readonly pause: boolean;
}): Promise<Refusal | undefined> {
	if (input === undefined) {
		return runAlone(argv, pause);
	}

	let folder: string | undefined;
	try {
		folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-prompt-'));
		const file = path.join(folder, 'PROMPT.md');
		writeFileSync(file, input, {mode: 0o600});
		return await runAlone(
			argv.map((argument, index) => (argument === '-' && argv[index - 1] === '--prompt-file' ? file : argument)),
			pause,
		);
	} catch (error) {
		return startProblem(error);
	} finally {
		if (folder !== undefined) {
			rmSync(folder, {recursive: true, force: true});
		}
	}
}
