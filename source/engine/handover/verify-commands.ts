import {randomUUID} from 'node:crypto';
import {closeSync, openSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {StringDecoder} from 'node:string_decoder';
import {hitText} from '../../core/limits.ts';
import type {Invocation} from '../../core/plan.ts';
import {serviceArguments, type FoundService} from '../../core/services.ts';
import type {PreparedSandbox} from '../../core/seams.ts';
import {isPassed, shellName, VerifyReader, type Checked} from '../../core/run/verdict.ts';
import type {Looked} from '../../host/git-folder.ts';
import {writeAll} from '../../host/write.ts';
import type {Context} from '../context.ts';
import {runLimited, type Folders, type Limited} from '../sandbox/guard.ts';
import {serviceLog} from '../sandbox/services.ts';
import {boxOf, layOut, startScript, type Work} from './merged-tree.ts';

/* The policy's commands, run over a merged tree: each in a sandbox, none with network or credentials. */

/** What the commands write, kept and told. Neither a full disk nor a reader that is gone ends the work. */
export class VerifyLog {
	readonly #file: number;
	readonly #tell: (text: string) => void;
	/** Why not all of it is kept. */
	failure: string | undefined;

	constructor(file: string, tell: (text: string) => void) {
		this.#file = openSync(file, 'w', 0o600);
		this.#tell = tell;
	}

	write(text: string): void {
		try {
			writeAll(this.#file, Buffer.from(text));
		} catch (error) {
			this.failure ??= (error as Error).message;
		}

		this.#tell(text);
	}

	close(): void {
		closeSync(this.#file);
	}
}

/** Runs the policy's commands, one after another while they pass, in a fresh checkout with a git folder beside it. */
export async function runCommands(work: Work, what: Looked['what']): Promise<Checked[]> {
	const {context, run, sandbox, policy, folder, log, commandTimeoutMs} = work;
	const laid = await layOut(work, what, {CI: 'true', FLEET_VERIFY: '1'});
	const {home, services} = laid;
	const checked: Checked[] = [];
	for (const command of policy.verify.commands) {
		log.write(`$ ${command}\n`);
		// Each has a control group of its own: what one leaves behind is not the next one's.
		const {limited, folders} = boxOf(work, laid, `verify-${process.pid}`);
		const one = await runCommand(
			{
				context,
				prepared: sandbox.prepare(limited.plan, path.join(folder, 'sandbox')),
				limited,
				folders,
				services,
				signal: work.signal,
				timeout: commandTimeoutMs ?? limited.plan.limits.command,
			},
			command,
			text => log.write(text),
		);
		checked.push(one);
		if (!isPassed(one) || work.signal?.aborted) {
			await (one.started ? writeServiceLogs({context, run, log}, services, home) : undefined);
			log.write(one.code === 0 ? '' : `exit code ${one.timedOut ? 124 : (one.code ?? 128)}\n`);
			break;
		}
	}

	return checked;
}

/** Adds the end of what the services of a command wrote that did not pass. */
async function writeServiceLogs(
	{context, run, log}: Pick<Work, 'context' | 'run' | 'log'>,
	services: readonly FoundService[],
	home: string,
): Promise<void> {
	for (const {name} of services) {
		const text = await serviceLog(context, {places: context.paths.run(run.id), home, name}, 20);
		log.write(text === undefined ? '' : `fleet: the end of what ${name} wrote:\n${text}\n`);
	}
}

/** What one command is run in. `timeout`: milliseconds. */
type Box = {
	readonly context: Context;
	readonly prepared: PreparedSandbox;
	readonly limited: Limited;
	readonly folders: Folders;
	readonly services: readonly FoundService[];
	readonly signal: AbortSignal | undefined;
	readonly timeout: number;
};

/** The command in its sandbox, after its services. @param mark what tells that they are ready */
function invocationOf({prepared, limited, services}: Box, mark: string, command: string): Invocation {
	const argv = ['/bin/sh', '-c', startScript, 'sh', ...serviceArguments(services), mark];
	return prepared.alone({
		argv: [...argv, '/bin/sh', '-c', command, shellName],
		cwd: limited.plan.cwd,
		env: {},
	});
}

async function runCommand(box: Box, command: string, tell: (text: string) => void): Promise<Checked> {
	const {context, limited, folders, services, timeout, signal} = box;
	const began = Date.now();
	const reader = new VerifyReader();
	const decoders = {stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8')};
	const mark = `${randomUUID()}\n`;
	let first: string | undefined = '';
	const take = (text: string, stream: 'stdout' | 'stderr') => {
		reader.push(text, stream);
		tell(text);
	};

	const outcome = await runLimited(context, invocationOf(box, mark.trim(), command), {
		limited,
		timeout,
		folders,
		signal,
		notesHits: true,
		onOutput(bytes, stream) {
			const text = decoders[stream].write(Buffer.from(bytes));
			if (stream === 'stderr' || first === undefined) {
				take(text, stream);
				return;
			}

			first += text;
			if (first.length >= mark.length) {
				const started = first.startsWith(mark);
				take(started ? first.slice(mark.length) : first, stream);
				first = started ? undefined : '';
			}
		},
	});
	if (first !== undefined) {
		take(first, 'stdout');
	}

	const hits = [
		...(outcome.timedOut ? [hitText('verifyMinutes', {...limited.plan.limits, command: timeout})] : []),
		...outcome.hits.map(hit => hit.because),
	];
	for (const because of [...(outcome.over === undefined ? [] : [`ended: ${outcome.over}`]), ...hits]) {
		tell(`\nfleet: ${because}\n`);
	}

	reader.end();
	const {tests, ran, foundNone, missing, doubt, last} = reader;
	return {
		command,
		code: outcome.code,
		ms: Date.now() - began,
		started: first === undefined,
		timedOut: outcome.timedOut,
		over: outcome.over,
		hits,
		services: services.map(({name}) => name),
		tests,
		ran,
		foundNone,
		missing,
		doubt,
		last,
	};
}
