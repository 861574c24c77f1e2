import {spawn, type ChildProcess} from 'node:child_process';
import process from 'node:process';
import {Refusal} from '../core/refusal.ts';
import {machineRefusal} from '../host/write.ts';
import type {ActionResult} from '../protocol/client.ts';
import type {VerbReport} from '../protocol/report.ts';
import {onItsOwn} from './program.ts';

/* How the screen does anything: by a verb, as a process of its own. */

/** This very program, for the verbs that the screen asks for. */
export const self = [process.execPath, process.argv[1]!] as const;

/** What is kept of a verb's output, characters: more than the largest diff that one prints. */
const maxCharacters = 128 * 1024 ** 2;

/** Why a verb could not be started. */
export function startProblem(error: unknown): Refusal {
	return (
		machineRefusal(error) ??
		new Refusal(`a program was not started: ${(error as Error).message.split('\n')[0]}`, 'fleet doctor')
	);
}

/** The end of a verb that could not say itself why it ended. */
function endedWith({because, hint}: Refusal, stdout = ''): ActionResult {
	return {code: 1, stdout, stderr: `fleet: ${because}\n  hint: ${hint}\n`, report: {refusal: {because, hint}}};
}

/** What a verb reported. The schema is loaded with the first one: the first frame needs none. */
async function readReports(told: readonly unknown[]): Promise<VerbReport> {
	if (told.length === 0) {
		return {};
	}

	const {parseReport} = await import('../protocol/report.ts');
	return Object.assign({}, ...told.map(message => parseReport(message))) as VerbReport;
}

/**
 * Runs a verb as a process of its own, which comes to its end also when this one ends.
 * @param onLine gets each line of its output as it comes
 * @param input what it reads from stdin
 */
export function runVerb(
	argv: readonly string[],
	onLine: ((line: string) => void) | undefined,
	input: string | undefined,
): Promise<ActionResult> {
	return new Promise<ActionResult>(resolve => {
		const failed = (error: unknown) => resolve(endedWith(startProblem(error)));
		let child: ChildProcess;
		try {
			child = spawn(self[0], [self[1], ...argv], {
				stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', 'ipc'],
				detached: true,
				env: {...process.env, [onItsOwn]: '1'},
			});
		} catch (error) {
			// Some of what keeps a program from starting is thrown, and some is an event.
			failed(error);
			return;
		}

		child.on('error', failed);
		if (!child.stdout || !child.stderr) {
			return;
		}

		child.stdin?.on('error', () => {});
		child.stdin?.end(input);
		const told: unknown[] = [];
		child.on('message', message => told.push(message));
		let stdout = '';
		let stderr = '';
		let line = 0;
		child.stdout.setEncoding('utf8').on('data', (text: string) => {
			stdout += stdout.length < maxCharacters ? text : '';
			if (onLine) {
				for (let end = stdout.indexOf('\n', line); end !== -1; end = stdout.indexOf('\n', line)) {
					onLine(stdout.slice(line, end));
					line = end + 1;
				}
			}
		});
		child.stderr.setEncoding('utf8').on('data', (text: string) => {
			stderr += stderr.length < maxCharacters ? text : '';
		});
		child.on('close', (code, signal) => {
			if (signal) {
				resolve(
					endedWith(new Refusal(`${argv[0]} was ended by ${signal}`, 'look at what it did, then do it again'), stdout),
				);
				return;
			}

			const ended = {code: code ?? 1, stdout, stderr};
			readReports(told).then(
				report => resolve({...ended, report}),
				() => resolve(ended),
			);
		});
	});
}
