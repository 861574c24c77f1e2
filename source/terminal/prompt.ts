import {closeSync, fstatSync, openSync, readSync} from 'node:fs';
import {hiddenText} from '../core/text/hidden.ts';
import {Refusal} from '../core/refusal.ts';
import type {Io} from './program.ts';

/** A file that is larger is no prompt. */
const maxPromptBytes = 4 * 1024 ** 2;

/**
 * A prompt as it was typed, or from a file.
 * @param file what `--prompt-file` names; `-` for stdin
 * @throws Refusal where both are given, or it cannot be read as text
 */
export function readPrompt(prompt: string | undefined, file: string | undefined): string | undefined {
	if (file === undefined) {
		return prompt;
	}

	if (prompt !== undefined) {
		throw new Refusal('there are two prompts: one typed, and one from a file', 'leave one of them out');
	}

	const name = file === '-' ? 'stdin' : `"${file}"`;
	let bytes: Buffer;
	try {
		bytes = readWhole(file);
	} catch (error) {
		throw new Refusal(
			`${name} cannot be read: ${(error as Error).message.replace(/,.*$/s, '')}`,
			'name a file of text with --prompt-file, or - to give it on stdin',
		);
	}

	if (bytes.length > maxPromptBytes) {
		throw new Refusal(
			`${name} is longer than a prompt may be: 4 MiB`,
			'put what is long into a file of the project, and name it in the prompt',
		);
	}

	let text: string;
	try {
		text = new TextDecoder('utf8', {fatal: true}).decode(bytes);
	} catch {
		throw new Refusal(`${name} is no text in UTF-8`, 'name a file of text');
	}

	text = text.replace(/\r?\n$/, '');
	if (text.trim() === '' || text.includes('\0')) {
		throw new Refusal(
			text.includes('\0') ? `${name} is no text: it holds NUL bytes` : `${name} is empty`,
			'name a file of text',
		);
	}

	return text;
}

/** Says that a prompt holds what the person who pasted it does not see, and an agent reads. */
export function noteHidden(io: Io, prompt: string | undefined): void {
	const text = hiddenText(prompt ?? '');
	if (text !== undefined) {
		io.err(`  note: the prompt holds ${text}; the agent reads them\n`);
	}
}

/** All of a file, or as much as shows that it is too long. */
function readWhole(file: string): Buffer {
	const descriptor = file === '-' ? 0 : openSync(file, 'r');
	try {
		if (fstatSync(descriptor).isDirectory()) {
			throw new Error('it is a folder');
		}

		const parts: Buffer[] = [];
		for (let length = 0; length <= maxPromptBytes;) {
			const part = Buffer.alloc(65_536);
			let count: number;
			try {
				count = readSync(descriptor, part, 0, part.length, null);
			} catch (error) {
				// A terminal or a pipe that another program made not to wait.
				if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
					throw error;
				}

				Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
				continue;
			}

			if (count === 0) {
				break;
			}

			parts.push(part.subarray(0, count));
			length += count;
		}

		return Buffer.concat(parts);
	} finally {
		if (file !== '-') {
			closeSync(descriptor);
		}
	}
}
