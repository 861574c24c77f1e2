import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import type {Attempt, ProbeRequest} from '../core/probe.ts';

/* What every part of the probe tries by, and how it tells what it saw. */

/** What is to be tried. The host itself writes it to stdin, so its shape is taken as it is: a schema would be code that the sandbox loads. */
export const request = JSON.parse(fs.readFileSync(0, 'utf8')) as ProbeRequest;
const commandTimeoutMs = 10_000;
const connectTimeoutMs = 2000;
/** Who is sure to be there may be busy. */
const answerTimeoutMs = 10_000;

type Told = Omit<Attempt, 'control'> & {readonly control?: boolean};

let count = 0;

/** How many attempts were told. */
export const reported = (): number => count;

/** @param attempt.control whether trying was possible at all; true where nothing is said of it */
export function report({id, blocked, seen, control = true}: Told): void {
	// Told at once, so that a person sees it happen; the host believes nothing before the last line says that it is whole.
	fs.writeSync(1, `${JSON.stringify({id, blocked, seen: seen.slice(0, 300), control} satisfies Attempt)}\n`);
	count++;
}

export function wordsOf(error: unknown): string {
	const {code, message} = error as NodeJS.ErrnoException;
	return code ?? message;
}

/** An attempt that is blocked when it throws. */
export function tries(id: string, attempt: () => string): void {
	try {
		report({id, blocked: false, seen: attempt()});
	} catch (error) {
		report({id, blocked: true, seen: wordsOf(error)});
	}
}

export function run(argv: string[], options: {input?: string; cwd?: string} = {}): {code: number | null; text: string} {
	const result = spawnSync(argv[0]!, argv.slice(1), {encoding: 'utf8', timeout: commandTimeoutMs, ...options});
	return {
		code: result.error ? null : result.status,
		text:
			`${result.stdout ?? ''}${result.stderr ?? ''}${result.error ? wordsOf(result.error) : ''}`
				.trim()
				.split('\n')
				.at(-1) ?? '',
	};
}

export function connect(options: net.NetConnectOpts, send?: string): Promise<string> {
	return new Promise(resolve => {
		const socket = net.connect({
			...options,
			timeout: send === undefined ? connectTimeoutMs : answerTimeoutMs,
		} as net.NetConnectOpts);
		let answer = '';
		const end = (text: string) => {
			socket.destroy();
			resolve(text);
		};

		socket.once('connect', () => {
			if (send === undefined) {
				end('connected');
			} else {
				socket.write(send);
			}
		});
		socket.on('data', data => {
			answer += String(data);
			if (answer.includes('\r\n')) {
				end(answer.split('\r\n')[0]!);
			}
		});
		socket.once('timeout', () => end('timeout'));
		socket.once('error', error => end(wordsOf(error)));
		socket.once('close', () => resolve(answer || 'closed'));
	});
}
