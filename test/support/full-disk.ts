import assert from 'node:assert/strict';
import {spawn, spawnSync} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import type {Fleet} from './fleet.ts';
import {program, root} from './fleet.ts';

export const codes = ['ENOSPC', 'ENOSPC short', 'EDQUOT', 'EIO short'];
const preload = path.join(root, 'test', 'support', 'failing-writes.ts');

type Outcome = {code: number | null; stdout: string; stderr: string; writes: number};

/** Runs a program of node's with everything that it writes below fleet's folder failing from the `number`th time on. */
export function failing(fleet: Fleet, number: number, how: string, argv: readonly string[], input = ''): Outcome {
	const [code, short = ''] = how.split(' ');
	const {status, stdout, stderr, output} = spawnSync(
		process.execPath,
		['--disable-warning=ExperimentalWarning', '--import', preload, ...argv],
		{
			cwd: argv.includes(program) ? fleet.project : root,
			env: {...fleet.env, FAIL: `${code} ${number} ${fleet.env['FLEET_HOME']} ${short}`.trim()},
			encoding: 'utf8',
			stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
			input,
			timeout: 60_000,
		},
	);
	return {code: status, stdout, stderr, writes: Number(output[3] ?? 0)};
}

/** The same of a verb, while a server in this process answers it. */
export function failingVerb(
	fleet: Fleet,
	number: number,
	how: string,
	argv: readonly string[],
	env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
	const [code, short = ''] = how.split(' ');
	const fail = `${code} ${number} ${fleet.env['FLEET_HOME']} ${short}`.trim();
	const child = spawn(
		process.execPath,
		['--disable-warning=ExperimentalWarning', '--import', preload, program, ...argv],
		{
			cwd: fleet.project,
			env: {...fleet.env, ...env, FAIL: fail},
			stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
			timeout: 60_000,
		},
	);
	const texts = ['', '', '', ''];
	for (const at of [1, 2, 3]) {
		child.stdio[at]!.on('data', (piece: Buffer) => {
			texts[at] += piece.toString();
		});
	}

	return new Promise(resolve => {
		child.once('close', status =>
			resolve({code: status, stdout: texts[1]!, stderr: texts[2]!, writes: Number(texts[3])}),
		);
	});
}

/** What a folder holds, to come back to. */
export function save(fleet: Fleet): () => void {
	const copy = (from: string, to: string) => {
		spawnSync('rm', ['-rf', '--', to]);
		assert.equal(spawnSync('cp', ['-a', '--', from, to]).status, 0);
	};

	const saved = `${fleet.folder}-saved`;
	copy(fleet.folder, saved);
	return () => copy(saved, fleet.folder);
}

export function journalStatus(fleet: Fleet, name: string): string {
	return (JSON.parse(fleet.run(['journal', 'verify', name, '--json']).stdout) as Array<{status: string}>)[0]!.status;
}

/**
 * The writes that are tried: each one with FULL_DISK=all, else the last ones, which decide, and some of those before.
 */
export function tried(writes: number): number[] {
	const all = Array.from({length: writes}, (_, index) => index + 1);
	return process.env['FULL_DISK'] === 'all'
		? all
		: all.filter(number => number > writes - 3 || number % Math.ceil(writes / 3) === 1 || writes < 7);
}
