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

/** Whether a verb has questions, and whether what it said stays until a key is pressed. */
type Manner = {readonly asks: boolean; readonly stays: boolean};

/** How a verb ended, or why it could not be started. */
type Ended = {readonly code: number} | {readonly problem: Refusal};

/**
 * What a shell does around a verb that has questions. The echo is off until it asks something that may be seen: a
 * passphrase that is typed before the question for it is there would be shown. The shell waits for the key, since this
 * process's own reading of the terminal was Ink's.
 */
const aroundVerb = (stays: boolean) =>
	'stty -echo 2>/dev/null; "$@"; code=$?; stty echo 2>/dev/null; ' +
	`${stays ? 'printf "\\npress enter to go back to fleet "; read -r _; ' : ''}exit "$code"`;

async function runAlone(argv: readonly string[], {asks, stays}: Manner): Promise<Ended> {
	await release();
	const line = asks ? ['/bin/sh', '-c', aroundVerb(stays), 'sh', ...self, ...argv] : [...self, ...argv];
	return new Promise(resolve => {
		// The keyboard's signals are the verb's while it has the terminal.
		const ignore = () => {};
		const end = (ended: Ended) => {
			process.off('SIGINT', ignore);
			process.off('SIGQUIT', ignore);
			resolve(ended);
		};

		process.on('SIGINT', ignore);
		process.on('SIGQUIT', ignore);
		try {
			const child = spawn(line[0]!, line.slice(1), {stdio: 'inherit'});
			child.on('error', error => end({problem: startProblem(error)}));
			child.on('close', code => end({code: code ?? 1}));
		} catch (error) {
			end({problem: startProblem(error)});
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
 * @returns how many of them succeeded, and why one could not be started
 */
export async function runInTerminal({
	pause,
	more = [],
	...first
}: Verb & {readonly pause: boolean; readonly more?: readonly Verb[] | undefined}): Promise<{
	readonly succeeded: number;
	readonly problem?: Refusal;
}> {
	const verbs = [first, ...more];
	let succeeded = 0;
	for (const [index, verb] of verbs.entries()) {
		if (pause) {
			const count = verbs.length > 1 ? `${index + 1} of ${verbs.length}: ` : '';
			process.stdout.write(`${index === 0 ? cleared : '\n'}${count}fleet ${verb.argv[0] ?? ''}${nameIn(verb)}\n`);
		}

		const ended = await runOne(verb, {asks: pause, stays: pause && index === verbs.length - 1});
		if ('problem' in ended) {
			return {succeeded, problem: ended.problem};
		}

		succeeded += ended.code === 0 ? 1 : 0;
	}

	return {succeeded};
}

async function runOne({argv, input}: Verb, manner: Manner): Promise<Ended> {
	if (input === undefined) {
		return runAlone(argv, manner);
	}

	let folder: string | undefined;
	try {
		folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-prompt-'));
		const file = path.join(folder, 'PROMPT.md');
		writeFileSync(file, input, {mode: 0o600});
		return await runAlone(
			argv.map((argument, index) => (argument === '-' && argv[index - 1] === '--prompt-file' ? file : argument)),
			manner,
		);
	} catch (error) {
		return {problem: startProblem(error)};
	} finally {
		if (folder !== undefined) {
			rmSync(folder, {recursive: true, force: true});
		}
	}
}
