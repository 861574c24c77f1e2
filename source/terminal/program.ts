import process from 'node:process';
import type {WriteStream} from 'node:tty';
import {escapeControls, escapeLine} from '../core/text/escape-controls.ts';
import {exitCodes, Refusal} from '../core/refusal.ts';
import {TerminalFilter} from '../core/text/terminal-filter.ts';
import {openFilesLimit} from '../host/descriptors.ts';
import {machineRefusal} from '../host/write.ts';
import type {VerbReport} from '../protocol/report.ts';
import {asTyped} from './as-typed.ts';
import {endAll} from './take-terminal.ts';

/** What a verb may do to the outside. */
export type Io = {
	out(text: string | Uint8Array): void;
	err(text: string): void;
	/** Prints the one JSON document of `--json`. */
	json(value: unknown): void;
	/** Tells the program that started this one, where it listens. */
	report(report: VerbReport): void;
	/** Where it was typed. */
	readonly folder: string;
	/** What stood after "--"; undefined without one. */
	readonly rest: readonly string[] | undefined;
	/** Whether there is a person to ask. */
	readonly interactive: boolean;
};

/** Set for a verb that must come to its end also when nobody reads what it says any more. */
export const onItsOwn = 'FLEET_ON_ITS_OWN';

/** Has this process come to its end also when nobody reads what it says any more. */
export function goOnUnread(): void {
	process.env[onItsOwn] = '1';
}

/**
 * Open files that a verb may need at once, with those of Node
 * itself. What looks at runs or ends them is tried with fewer.
 */
const filesNeeded = 40;
const modest = new Set(['list', 'show', 'logs', 'journal', 'stop', 'pause', 'continue']);

/** Where a verb would fail halfway, by the limit of open files. @throws Refusal */
export function checkOpenFiles(verb: string): void {
	const limit = openFilesLimit();
	if (limit !== undefined && limit < filesNeeded && !modest.has(verb)) {
		throw new Refusal(
			`a program may have ${limit} files open here, and fleet ${verb} needs ${filesNeeded}`,
			'ulimit -n 1024, in this shell or before whatever started it',
		);
	}
}

const filters = new Map<WriteStream, TerminalFilter>();

/**
 * Writes to stdout or stderr. What a verb says may hold names and words that an agent chose: on a terminal, only what
 * paints goes through, whether the verb made it harmless or not. Elsewhere it is what it is.
 */
export function say(stream: WriteStream, text: string | Uint8Array): void {
	if (!stream.isTTY) {
		stream.write(text);
		return;
	}

	const filter = filters.get(stream) ?? new TerminalFilter();
	filters.set(stream, filter);
	stream.write(filter.push(Buffer.from(text as string)));
}

/** What was told to the program that started this one, on its way. */
let told: Promise<void> = Promise.resolve();

/** Tells the program that started this one, such as the screen; nothing where nobody listens. */
function tell(report: VerbReport): void {
	if (!process.send || !process.connected) {
		return;
	}

	const sent = new Promise<void>(resolve => {
		process.send!(report, () => resolve());
	});
	told = Promise.all([told, sent]).then(() => {});
}

/** What a verb may do to the outside, in this process. @param rest what stood after "--" */
export function createIo(rest: readonly string[] | undefined): Io {
	return {
		out: text => say(process.stdout, text),
		err: text => say(process.stderr, text),
		json: value => say(process.stdout, `${JSON.stringify(value, undefined, 2)}\n`),
		report: tell,
		get folder() {
			try {
				return process.cwd();
			} catch {
				throw new Refusal('the current folder is not there any more', 'cd /');
			}
		},
		rest,
		interactive: Boolean(process.stdin.isTTY && process.stderr.isTTY),
	};
}

/** A hint as it is typed here and, where the shell does not find fleet by its name, what makes that shorter. */
function hintText(hint: string): string {
	const text = escapeLine(hint);
	const typed = asTyped(text);
	return `  hint: ${typed}\n${typed === text ? '' : `  note: ${asTyped('fleet doctor --path')} makes that "fleet"\n`}`;
}

/** Says what went wrong. @param json whether the program that reads stdout expects a document @returns the exit code */
function complain(error: unknown, json: boolean): number {
	if (error instanceof Refusal) {
		const {code, because, hint} = error;
		tell({refusal: {...(code === undefined ? {} : {code}), because, hint}});
		if (json) {
			say(process.stdout, `${JSON.stringify({refusal: {code: code ?? null, because, hint}})}\n`);
		}

		say(process.stderr, `fleet: ${escapeLine(error.because)}\n${hintText(error.hint)}`);
		return error.exitCode;
	}

	const refusal = machineRefusal(error);
	if (refusal) {
		return complain(refusal, json);
	}

	const fault = error as Error;
	const because = `internal error: ${escapeLine(fault.message)}`;
	const hint = 'this is a fault in fleet; FLEET_DEBUG=1 shows where';
	tell({refusal: {because, hint}});
	say(process.stderr, `fleet: ${because}\n  hint: ${hint}\n`);
	if (process.env['FLEET_DEBUG']) {
		say(process.stderr, escapeControls(`${fault.stack}\n`));
	}

	return exitCodes.internal;
}

/**
 * Runs a program to its end, says what went wrong in one line, and ends the process with its exit code.
 * @param json whether a refusal is a document on stdout, too
 */
export async function runProgram(program: () => Promise<number>, json = false): Promise<void> {
	for (const stream of [process.stdout, process.stderr]) {
		stream.on('error', (error: NodeJS.ErrnoException) => {
			// `fleet logs | head` ends when head does; what a screen began goes on without it.
			if (process.env[onItsOwn] === undefined) {
				process.exit(error.code === 'EPIPE' ? 0 : 1);
			}
		});
	}

	// Where nobody catches it, a promise's end included: the terminal is a person's again before a word is said.
	process.on('uncaughtException', error => {
		endAll();
		process.exit(complain(error, json));
	});

	let code: number;
	try {
		code = await program();
	} catch (error) {
		code = complain(error, json);
	}

	// What was written goes out first; what is still open after that must not keep a verb from ending.
	process.stdout.write('', () => {
		process.stderr.write('', () => {
			void told.then(() => process.exit(code));
		});
	});
}
