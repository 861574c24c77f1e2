import process from 'node:process';
import {compose} from '../compose.ts';
import {KeptLine} from '../core/text/kept-line.ts';
import {LeaveKeys} from '../core/text/leave-keys.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import {Refusal} from '../core/refusal.ts';
import {restoreTerminal, TerminalFilter} from '../core/text/terminal-filter.ts';
import {connect} from '../engine/owner.ts';
import {findRun} from '../engine/runs.ts';
import type {Connection} from '../host/socket.ts';
import {endingSignals, onAnyEnd} from '../terminal/take-terminal.ts';
import {define, required} from './verb.ts';

/** How long what could be the beginning of a key's sequence waits for the rest. */
const keyWaitMs = 50;

/** Joins this terminal to the agent's, until the person leaves or the run ends. @returns why it ended; empty where the person left */
async function join(connection: Connection, run: string): Promise<string> {
	const {stdin, stdout} = process;
	const size = () => ({columns: Math.max(2, stdout.columns), rows: Math.max(2, stdout.rows)});
	const line = new KeptLine(` ctrl-q leaves ${run} running (or ctrl-] three times)`, size());
	const filter = new TerminalFilter();
	const keys = new LeaveKeys();
	let ended = '';
	let due: NodeJS.Timeout | undefined;
	const forward = (text: string) => {
		if (text !== '') {
			void connection.request({type: 'input', data: Buffer.from(text, 'latin1').toString('base64')}).catch(() => {});
		}
	};

	connection.onOutput = bytes => {
		stdout.write(line.keep(Buffer.from(filter.push(bytes)).toString('latin1')), 'latin1');
	};
	let leave = () => {};
	const over = new Promise<void>(resolve => {
		leave = resolve;
		connection.onEnd = because => {
			ended = because;
			resolve();
		};
	});
	const onData = (bytes: Buffer) => {
		clearTimeout(due);
		const typed = keys.push(bytes.toString('latin1'), Date.now());
		forward(typed.forward);
		if (typed.leave) {
			leave();
		} else if (keys.waits) {
			due = setTimeout(() => forward(keys.flush()), keyWaitMs);
		}
	};

	const onResize = () => {
		stdout.write(line.resize(size()), 'latin1');
		void connection.request({type: 'resize', ...line.size}).catch(() => {});
	};

	const giveBack = onAnyEnd(() => {
		stdin.setRawMode(false);
		stdout.write(`${line.clear()}${restoreTerminal}\r\n`);
	});
	for (const signal of endingSignals) {
		process.on(signal, leave);
	}

	stdin.setRawMode(true);
	stdin.on('data', onData);
	stdin.on('end', leave);
	stdin.resume();
	try {
		stdout.write(`\u001B[2J\u001B[H${line.draw()}`);
		// Who does not answer must not keep a person from leaving.
		await Promise.race([over, connection.request({type: 'attach', ...line.size})]);
		stdout.on('resize', onResize);
		await over;
	} finally {
		clearTimeout(due);
		stdout.off('resize', onResize);
		stdin.off('data', onData);
		stdin.off('end', leave);
		stdin.pause();
		connection.onOutput = () => {};
		giveBack();
		connection.close();
		for (const signal of endingSignals) {
			process.off(signal, leave);
		}
	}

	return ended;
}

export const verb = define({
	summary: "the agent's own terminal; ctrl-q, or ctrl-] three times, leaves it running",
	arguments: {run: required('RUN')},
	options: {},
	async run(io, {run: name}) {
		const {stdin, stdout} = process;
		if (!stdin.isTTY || !stdout.isTTY) {
			throw new Refusal('attach needs a terminal', `fleet logs ${name} --follow`);
		}

		const context = compose();
		const run = findRun(context, name);
		const connection = await connect(context, run.id);
		if (!connection) {
			throw new Refusal(`${run.id} is not running: ${run.because}`, `fleet logs ${run.id}, or fleet resume ${run.id}`);
		}

		const ended = await join(connection, run.id);
		io.out(ended === '' ? `left ${run.id} running\n` : `${run.id}: ${escapeLine(ended)}\n`);
	},
});
