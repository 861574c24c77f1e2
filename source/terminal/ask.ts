import {spawnSync} from 'node:child_process';
import process from 'node:process';
import {createInterface} from 'node:readline';
import {Refusal} from '../core/refusal.ts';
import {say} from './program.ts';

/** Asks on the terminal. With `hidden`, what is typed is not shown. */
export async function ask(question: string, hidden: boolean): Promise<string> {
	// The screen switches the echo off before it gives the terminal to a verb.
	if (!hidden && process.stdin.isTTY) {
		spawnSync('stty', ['echo'], {stdio: ['inherit', 'ignore', 'ignore']});
	}

	say(process.stderr, question);
	return hidden ? readHidden() : readShown();
}

/** What a context asks with: the terminal, unseen; or a Refusal, where there is none. */
export function askHidden(interactive: boolean): ((question: string) => Promise<string>) | undefined {
	return interactive ? question => ask(question, true) : undefined;
}

/** The terminal itself does the echo and the line editing. */
function readShown(): Promise<string> {
	const reader = createInterface({input: process.stdin, terminal: false});
	return new Promise((resolve, reject) => {
		reader.once('line', line => {
			reader.removeAllListeners('close');
			reader.close();
			resolve(line);
		});
		reader.once('close', () => reject(new Refusal('the input ended', 'nothing was done')));
	});
}

/** Raw mode, set and taken back here, so that no other layer decides about the echo. */
function readHidden(): Promise<string> {
	const {stdin} = process;
	stdin.setRawMode(true);
	stdin.resume();
	let value = '';
	return new Promise<string>((resolve, reject) => {
		const end = (settle: () => void) => {
			stdin.off('data', onData);
			stdin.setRawMode(false);
			stdin.pause();
			process.stderr.write('\n');
			settle();
		};

		const onData = (bytes: Buffer) => {
			for (const character of bytes.toString('utf8')) {
				if (character === '\r' || character === '\n') {
					end(() => resolve(value));
					return;
				}

				if (character === '\u0003' || character === '\u0004') {
					end(() => reject(new Refusal('interrupted', 'nothing was done')));
					return;
				}

				if (character === '\u007F' || character === '\b') {
					value = [...value].slice(0, -1).join('');
				} else if (character === '\u0015') {
					value = '';
				} else if (character >= ' ') {
					value += character;
				}
			}
		};

		stdin.on('data', onData);
	});
}

/** The first lines of stdin, without their line feeds. */
export async function readLines(count: number): Promise<string[]> {
	const chunks: Buffer[] = [];
	for await (const chunk of process.stdin) {
		chunks.push(chunk as Buffer);
	}

	return Buffer.concat(chunks)
		.toString('utf8')
		.split('\n')
		.slice(0, count)
		.map(line => line.replace(/\r$/, ''));
}
