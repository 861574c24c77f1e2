import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {printable} from '../core/names.ts';
import type {Refusal} from '../core/refusal.ts';
import {self, startProblem} from './run-verb.ts';

/* A verb that has the terminal for itself, while the screen is away. */

type Verb = {readonly argv: readonly string[]; readonly input?: string | undefined};

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

/** The name that a verb gives to its run, where it gives one. */
function nameIn({argv}: Verb): string {
	const at = argv.indexOf('--name');
	return at === -1 ? '' : ` --name ${printable(argv[at + 1] ?? '')}`;
}

/** Clears the terminal: what an earlier verb asked there must not look like a question of now. */
const cleared = '\u001B[H\u001B[2J';

/**
 * Gives the terminal to verbs, one after the other, and waits for their end.
 * @param wanted.input what it reads as a prompt: from a file, since stdin is the terminal
 * @param wanted.pause whether what they said stays until a key is pressed
 * @param wanted.more further ones, each after the one before it, however that ended
 * @returns why one could not be started; undefined where all were
 */
export async function runInTerminal({
	pause,
	more = [],
	...first
}: Verb & {readonly pause: boolean; readonly more?: readonly Verb[] | undefined}): Promise<Refusal | undefined> {
	const verbs = [first, ...more];
	for (const [index, verb] of verbs.entries()) {
		if (pause) {
			const count = verbs.length > 1 ? `${index + 1} of ${verbs.length}: ` : '';
			process.stdout.write(`${index === 0 ? cleared : '\n'}${count}fleet ${verb.argv[0] ?? ''}${nameIn(verb)}\n`);
		}

		const problem = await runOne(verb, pause && index === verbs.length - 1);
		if (problem) {
			return problem;
		}
	}

	return undefined;
}

async function runOne({argv, input}: Verb, pause: boolean): Promise<Refusal | undefined> {
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
