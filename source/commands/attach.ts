import process from 'node:process';
import {compose} from '../compose.ts';
import {Refusal} from '../core/refusal.ts';
import {TerminalFilter} from '../core/terminal-filter.ts';
import {connect, findRun} from '../engine/runs.ts';
import type {Verb} from './verb.ts';

/** ctrl-q: leaves the run alone and gives the terminal back. */
const leave = 0x11;

/** Whatever mode the agent's program left behind: modes off, main screen, cursor shown. */
const restoreTerminal = '\u001B[?1049l\u001B[?1000l\u001B[?1002l\u001B[?1003l\u001B[?1006l\u001B[?2004l\u001B[?1l\u001B[?25h\u001B>\u001B[0m\r\n';

export const verb: Verb = {
	define(command) {
		command.argument('<run>');
	},
	async run(io, [name]) {
		if (!process.stdin.isTTY || !process.stdout.isTTY) {
			throw new Refusal('attach needs a terminal', `fleet logs ${name} --follow`);
		}

		const context = compose();
		const run = findRun(context, name!);
		const connection = await connect(context, run.id);
		if (!connection) {
			throw new Refusal(`${run.id} is not running: ${run.because}`, `fleet logs ${run.id}, or fleet resume ${run.id}`);
		}

		const filter = new TerminalFilter();
		let ended = '';
		connection.onOutput = bytes => {
			process.stdout.write(filter.push(bytes));
		};
		const over = new Promise<void>(resolve => {
			connection.onEnd = because => {
				ended = because;
				resolve();
			};
			process.stdin.on('data', (bytes: Buffer) => {
				const position = bytes.indexOf(leave);
				const own = position === -1 ? bytes : bytes.subarray(0, position);
				if (own.length > 0) {
					void connection.request({method: 'input', data: own.toString('base64')}).catch(() => {});
				}

				if (position !== -1) {
					resolve();
				}
			});
			process.on('SIGTERM', () => resolve());
			process.on('SIGHUP', () => resolve());
		});
		const size = () => ({columns: Math.max(2, process.stdout.columns), rows: Math.max(2, process.stdout.rows)});
		const onResize = () => {
			void connection.request({method: 'resize', ...size()}).catch(() => {});
		};

		process.stdin.setRawMode(true);
		process.stdin.resume();
		try {
			process.stdout.write('\u001B[2J\u001B[H');
			await connection.request({method: 'attach', ...size(), actor: context.actor as `person:${string}`});
			process.stdout.on('resize', onResize);
			await over;
		} finally {
			process.stdout.off('resize', onResize);
			process.stdin.setRawMode(false);
			process.stdin.pause();
			process.stdin.removeAllListeners('data');
			process.stdout.write(restoreTerminal);
			connection.close();
		}

		io.out(ended === '' ? `left ${run.id} running\n` : `${run.id}: ${ended}\n`);
	},
};
