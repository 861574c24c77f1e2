import assert from 'node:assert/strict';
import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {openTerminal, type Terminal} from '../../source/host/pty.ts';
import {program, until, type Fleet} from './fleet.ts';
import {WatchedTerminal} from './watched-terminal.ts';

/** A verb in a shell that says how it ended and what the terminal's line settings are then. */
export class VerbOnTerminal {
	raw = '';
	readonly emulator: WatchedTerminal;
	readonly #terminal: Terminal;
	readonly #before: string;
	exited = false;

	constructor(
		fleet: Fleet,
		verb: string,
		{
			env = {},
			columns = 24,
			rows = 8,
			before = ':',
		}: {
			env?: Record<string, string>;
			columns?: number;
			rows?: number;
			/** What the shell does first. */ before?: string;
		} = {},
	) {
		this.emulator = new WatchedTerminal(columns, rows);
		const script =
			`${before}; stty -a > ${fleet.folder}/before; ${process.execPath} ${program} ${verb}; ` +
			`printf 'ended-%s\\n' "$?"; stty -a > ${fleet.folder}/after; cat > /dev/null`;
		this.#before = this.emulator.modes();
		this.#terminal = openTerminal(
			{argv: ['/bin/sh', '-c', script], cwd: fleet.project, env: {...fleet.env, ...env}},
			{columns, rows},
			{
				onData: bytes => {
					this.raw += Buffer.from(bytes).toString('latin1');
					this.emulator.write(bytes);
				},
				onExit: () => {
					this.exited = true;
				},
			},
		);
	}

	async see(wanted: RegExp): Promise<void> {
		await until(() => wanted.test(this.raw), String(wanted)).catch((error: Error) => {
			throw new Error(`${error.message}, in ${JSON.stringify(this.raw)}`);
		});
	}

	write(text: string): void {
		this.#terminal.write(Buffer.from(text, 'latin1'));
	}

	/** The process id of the attached program itself. */
	get pid(): number {
		return Number(
			readFileSync(`/proc/${this.#terminal.pid}/task/${this.#terminal.pid}/children`, 'utf8').trim().split(' ')[0],
		);
	}

	/** Asserts that the verb has ended, and the terminal is as it was before. */
	async isAsBefore(fleet: Fleet, what: string): Promise<void> {
		await this.see(/ended-\d+/);
		const after = path.join(fleet.folder, 'after');
		await until(() => existsSync(after) && readFileSync(after, 'utf8') !== '', 'the settings are written');
		assert.equal(this.emulator.modes(), this.#before, what);
		assert.equal(this.emulator.screen, 'normal', what);
		assert.equal(readFileSync(after, 'utf8'), readFileSync(path.join(fleet.folder, 'before'), 'utf8'), what);
	}

	end(): void {
		if (!this.exited) {
			this.#terminal.kill('SIGKILL');
		}
	}
}
