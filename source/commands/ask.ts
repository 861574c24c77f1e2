import process from 'node:process';
import {createInterface} from 'node:readline/promises';
import {Writable} from 'node:stream';
import {Refusal} from '../core/refusal.ts';

/** Asks on the terminal. With `hidden`, what is typed is not shown and not kept in any history. */
export async function ask(question: string, hidden: boolean): Promise<string> {
	process.stderr.write(question);
	const silent = new Writable({write: (_chunk, _encoding, done) => done()});
	const reader = createInterface({input: process.stdin, output: hidden ? silent : process.stderr, terminal: true, historySize: 0});
	try {
		return await new Promise<string>((resolve, reject) => {
			reader.once('line', resolve);
			reader.once('SIGINT', () => reject(new Refusal('interrupted', 'nothing was done')));
			reader.once('close', () => reject(new Refusal('the input ended', 'nothing was done')));
		});
	} finally {
		reader.removeAllListeners('close');
		reader.close();
		if (hidden) {
			process.stderr.write('\n');
		}
	}
}

/** The first lines of stdin, without their line feeds. */
export async function readLines(count: number): Promise<string[]> {
	const chunks: Buffer[] = [];
	for await (const chunk of process.stdin) {
		chunks.push(chunk as Buffer);
	}

	return Buffer.concat(chunks).toString('utf8').split('\n').slice(0, count).map(line => line.replace(/\r$/, ''));
}
