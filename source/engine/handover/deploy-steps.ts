import {setTimeout as sleep} from 'node:timers/promises';
import type {DeployTarget} from '../../core/deploy/policy-keys.ts';
import type {DeployOutcome} from '../../core/run/event.ts';
import type {Outcome} from '../../core/seams.ts';
import {formatDuration} from '../../core/text/time.ts';
import type {DeployShell} from './deploy-shell.ts';

/** How long a deploy's own command may take, milliseconds. */
const commandTimeoutMs = 60 * 60_000;

/** How long one look at what was deployed may take, milliseconds. */
const tryTimeoutMs = 60_000;

/** What a command says that looks whether something elsewhere has ended, and it has not (EX_TEMPFAIL of sysexits.h). */
const notYet = 75;

/** How a deploy came out, and why. `isBad`: it came through, and what is there now was found bad. */
export type DeployEnd = {readonly outcome: DeployOutcome; readonly because: string; readonly isBad?: boolean};

/** How a command ended, where that is no exit code. */
function broken(outcome: Outcome | Error, limitMs: number): DeployEnd | undefined {
	if (outcome instanceof Error) {
		return {outcome: 'failed', because: `it could not be started: ${outcome.message}`};
	}

	if (outcome.timedOut) {
		const limit = limitMs === commandTimeoutMs ? 'an hour' : formatDuration(limitMs);
		return {outcome: 'unknown', because: `it was ended after ${limit}; look at the target`};
	}

	return outcome.code === null
		? {outcome: 'unknown', because: `its command was ended by ${outcome.signal ?? 'a signal'}; look at the target`}
		: undefined;
}

const codeOf = (outcome: Outcome | Error) => (outcome as Outcome).code;

/** Asks until what was begun elsewhere has ended. What nobody can tell stays unknown. */
async function waitFor(
	shell: DeployShell,
	{command, every, longest}: NonNullable<DeployTarget['wait']>,
): Promise<DeployEnd> {
	const end = Date.now() + longest;
	shell.say(`waits until it is done: ${command}`);
	for (;;) {
		const left = end - Date.now();
		if (left <= 0) {
			return {outcome: 'unknown', because: `it was not done after ${formatDuration(longest)}; look at the target`};
		}

		const ended = await shell.run(command, left);
		const code = codeOf(ended);
		if (ended instanceof Error || broken(ended, left)) {
			return {outcome: 'unknown', because: 'whether it is done could not be asked; look at the target'};
		}

		if (code === 0) {
			return {outcome: 'succeeded', because: 'done, as its wait command says'};
		}

		if (code !== notYet) {
			return code === 1
				? {outcome: 'failed', because: 'it failed, as its wait command says'}
				: {outcome: 'unknown', because: `its wait command ended with exit code ${code}; look at the target`};
		}

		await sleep(Math.min(every, Math.max(0, end - Date.now())));
	}
}

/** Looks whether what was deployed works. */
async function checkHealth(
	shell: DeployShell,
	{command, tries, every}: NonNullable<DeployTarget['health']>,
): Promise<string | undefined> {
	shell.say(`looks whether it works: ${command}`);
	for (let count = 1; ; count++) {
		const ended = await shell.run(command, tryTimeoutMs);
		const why = broken(ended, tryTimeoutMs)?.because ?? `exit code ${codeOf(ended)}`;
		if (codeOf(ended) === 0) {
			return undefined;
		}

		shell.say(`try ${count} of ${tries}: ${why}`);
		if (count === tries) {
			return `the health check failed ${tries === 1 ? 'once' : `${tries} times`}: ${why}`;
		}

		await sleep(every);
	}
}

/** Brings a commit to a target: the command, the wait for what it began, and the look at what is there then. */
export async function runSteps(shell: DeployShell, {command, wait, health}: DeployTarget): Promise<DeployEnd> {
	const ended = await shell.run(command, commandTimeoutMs);
	const stopped = broken(ended, commandTimeoutMs);
	if (stopped) {
		return stopped;
	}

	if (codeOf(ended) !== 0) {
		return {outcome: 'failed', because: `exit code ${codeOf(ended)}`};
	}

	const came: DeployEnd = wait ? await waitFor(shell, wait) : {outcome: 'succeeded', because: 'exit code 0'};
	if (came.outcome !== 'succeeded' || !health) {
		return came;
	}

	const bad = await checkHealth(shell, health);
	return bad === undefined
		? {outcome: 'succeeded', because: `${came.because}, and the health check passed`}
		: {outcome: 'failed', because: bad, isBad: true};
}
