import {createReadStream, createWriteStream, existsSync, mkdtempSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {createInterface} from 'node:readline';
import process from 'node:process';
import {Readable, Transform} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {StringDecoder} from 'node:string_decoder';
import {compose} from '../compose.ts';
import {Repaints} from '../core/text/repaints.ts';
import {escapeControls} from '../core/text/escape-controls.ts';
import {Refusal} from '../core/refusal.ts';
import {isServiceName} from '../core/services.ts';
import type {Run} from '../core/run/run.ts';
import {hasWorker} from '../core/run/stages.ts';
import {restoreTerminal} from '../core/text/terminal-filter.ts';
import type {Context} from '../engine/context.ts';
import {findRun} from '../engine/runs.ts';
import {serviceLog} from '../engine/sandbox/services.ts';
import type {RunPaths} from '../host/paths.ts';
import {follow} from '../host/tail.ts';
import {runEditor} from '../terminal/editor.ts';
import type {Io} from '../terminal/program.ts';
import {endingSignals, onAnyEnd} from '../terminal/take-terminal.ts';
import {define, flag, required, text} from './verb.ts';

/** The log without what could steer a terminal, in a program of the person's choice. */
async function openIn(kind: 'pager' | 'editor', file: string, id: string): Promise<void> {
	await openText(kind, existsSync(file) ? createReadStream(file) : Readable.from([]), id);
}

async function openText(kind: 'pager' | 'editor', text: Readable, id: string): Promise<void> {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-log-'));
	try {
		const copy = path.join(folder, `${id}.log`);
		await pipeline(text, createReadable(), createWriteStream(copy, {mode: 0o600}));
		await runEditor(
			kind === 'pager' ? process.env['PAGER'] || 'less' : process.env['VISUAL'] || process.env['EDITOR'] || 'vi',
			copy,
		);
	} finally {
		rmSync(folder, {recursive: true, force: true});
	}
}

/** Bytes to text that is safe to show, line by line. */
function createReadable(): Transform {
	const decoder = new StringDecoder('utf8');
	const repaints = new Repaints();
	let held = '';
	return new Transform({
		transform(bytes: Buffer, _encoding, done) {
			const text = held + decoder.write(bytes);
			const end = text.lastIndexOf('\n') + 1;
			held = text.slice(end);
			done(null, escapeControls(repaints.push(text.slice(0, end))));
		},
		flush(done) {
			done(null, escapeControls(repaints.push(held + decoder.end()) + repaints.end()));
		},
	});
}

/** Options of which one at most means something. */
const oneOf = [
	['verify', 'deploy', 'service', 'full'],
	['full', 'follow'],
	['full', 'raw'],
	['service', 'follow'],
	['service', 'raw'],
	['service', 'pager'],
	['service', 'editor'],
	['pager', 'editor', 'follow'],
	['pager', 'editor', 'raw'],
] as const;

/** The log that the options name, what is said where there is none yet, and the verb that tells more. */
function logOf(
	{output, verifyLog, deployLog}: Pick<RunPaths, 'output' | 'verifyLog' | 'deployLog'>,
	id: string,
	options: {readonly verify: boolean; readonly deploy: boolean},
): {readonly output: string; readonly missing: string; readonly hint: string} {
	if (options.deploy) {
		const missing = 'not deployed';
		return {output: deployLog, missing, hint: `fleet show ${id}`};
	}

	if (options.verify) {
		const missing = 'not verified';
		return {output: verifyLog, missing, hint: `fleet verify ${id}`};
	}

	return {output, missing: 'no output', hint: `fleet show ${id}`};
}

/** Lines of a service's log that are printed. */
const serviceLines = 10_000;

async function printServiceLog(
	io: Io,
	context: Context,
	{id, name}: {readonly id: string; readonly name: string},
): Promise<void> {
	const places = context.paths.run(id);
	const written = isServiceName(name)
		? await serviceLog(context, {places, home: places.home, name}, serviceLines)
		: undefined;
	if (written === undefined) {
		throw new Refusal(`${id} has no log of a service ${JSON.stringify(name)}`, `fleet show ${id}`);
	}

	io.out(escapeControls(written));
}

/**
 * The output of an agent that says what its tools were given and gave back, with all of that.
 * @returns undefined for one that does not: its log is whole as it is
 */
async function wholeOutput(context: Context, run: Run): Promise<string | undefined> {
	const read = context.agents.find(agent => agent.id === run.agent)?.read;
	const {messages} = context.paths.run(run.id);
	if (!read || run.interactive || !existsSync(messages)) {
		return undefined;
	}

	const texts: string[] = [];
	for await (const line of createInterface({input: createReadStream(messages), crlfDelay: Infinity})) {
		const {text} = line === '' ? {} : read(line, 'whole');
		if (text !== undefined) {
			texts.push(`${text}\n`);
		}
	}

	return texts.join('');
}

export const verb = define({
	summary: "the agent's output, or the verify or deploy log",
	arguments: {run: required('RUN')},
	options: {
		follow: flag('follow until the run ends', 'f'),
		verify: flag('the log of the last verify'),
		deploy: flag('the log of the last deploy'),
		service: text('NAME', 'the end of what a service of the run wrote'),
		pager: flag('in $PAGER'),
		editor: flag('a copy, in $EDITOR'),
		full: flag('what its tools were given and gave back, whole; only of agents that tell it'),
		raw: flag("the agent's bytes as they are; on a terminal, those that paint"),
	},
	brief: ['follow', 'verify', 'deploy', 'full', 'pager', 'raw'],
	async run(io, {run: name}, options) {
		for (const flags of oneOf) {
			const [first, second] = flags.filter(flag => options[flag] !== false && options[flag] !== undefined);
			if (second !== undefined) {
				throw new Refusal(
					`--${first} and --${second} do not go together`,
					`fleet logs ${name} --${first}, or fleet logs ${name} --${second}`,
				);
			}
		}

		const context = compose();
		const {id} = findRun(context, name);
		if (options.service !== undefined) {
			await printServiceLog(io, context, {id, name: options.service});
			return;
		}

		const {output, missing, hint} = logOf(context.paths.run(id), id, options);
		const whole = options.full ? await wholeOutput(context, findRun(context, id)) : undefined;
		if (whole !== undefined && (options.pager || options.editor)) {
			await openText(options.pager ? 'pager' : 'editor', Readable.from([Buffer.from(whole)]), id);
			return;
		}

		if (whole !== undefined) {
			io.out(escapeControls(whole));
			return;
		}

		if (options.pager || options.editor) {
			await openIn(options.pager ? 'pager' : 'editor', output, id);
			return;
		}

		// Colours and modes that the agent left on are not the person's; also where ctrl-c ends it.
		const giveBack =
			options.raw && process.stdout.isTTY ? onAnyEnd(() => process.stdout.write(restoreTerminal)) : () => {};
		if (options.raw && process.stdout.isTTY) {
			for (const signal of endingSignals) {
				process.once(signal, () => process.exit(130));
			}
		}

		const decoder = new StringDecoder('utf8');
		let held = '';
		const repaints = new Repaints();
		// What is followed cannot wait for what may still be painted over: only what happens within a line is folded.
		const fold = (text: string) => repaints.push(text) + (options.follow ? repaints.end() : '');
		const print = (bytes: Uint8Array) => {
			if (options.raw) {
				io.out(bytes);
				return;
			}

			// An escape sequence may be cut by a chunk's end, but not by a line's.
			const text = held + decoder.write(Buffer.from(bytes));
			const end = text.lastIndexOf('\n') + 1;
			held = text.slice(end);
			io.out(escapeControls(fold(text.slice(0, end))));
		};

		const tail = follow(output, {from: 'start'}, bytes => print(bytes));
		tail.poll();
		while (options.follow && hasWorker(findRun(context, id).stage)) {
			await new Promise(resolve => {
				setTimeout(resolve, 100);
			});
			tail.poll();
		}

		tail.poll();
		tail.close();
		io.out(escapeControls(options.raw ? held : fold(held + decoder.end()) + repaints.end()));
		giveBack();
		if (!existsSync(output)) {
			io.err(`fleet: ${missing} yet\n  hint: ${hint}\n`);
		}
	},
});
