import {branchName} from '../git/refs.ts';
import {fenced} from '../text/fence.ts';
import type {Retry} from './event.ts';
import {decideSpending} from './rules.ts';
import type {Run, Verification} from './run.ts';

/* What a verification found, and goes back to the agent. Pure. */

/** The end of what the commands wrote that an agent is told: lines, and UTF-16 units. */
const longest = {lines: 150, text: 12_000};

/** In the list: `retry 1 of 2: 2 of 33 tests failed`. */
export function retryText({round, of}: Retry, because: string): string {
	return `retry ${round} of ${of}${because === '' ? '' : `: ${because}`}`;
}

/**
 * Whether what a verification found goes back to the agent by itself: only what failed, to an agent that can be told
 * something, a limited number of times since a person last spoke, and within the run's budget.
 * @param retries as the policy has it
 */
export function retryOf(run: Run, result: Verification['result'], retries: number): Retry | undefined {
	const round = run.rounds.filter(one => one.result === 'failed').length + 1;
	const canBeTold = !run.interactive && (run.agent !== 'command' || run.task !== undefined);
	return result === 'failed' && canBeTold && round <= retries && decideSpending(run) === undefined
		? {round, of: retries}
		: undefined;
}

/** The last lines of a text. */
function endOf(text: string): string {
	const lines = text.trimEnd().split('\n').slice(-longest.lines).join('\n');
	return lines.length > longest.text ? `…${lines.slice(-longest.text)}` : lines;
}

/**
 * What the agent is told: which command failed, with the end of what it wrote.
 * @param output what the commands wrote, without control characters; undefined where it is not to be told
 */
export function failurePrompt(
	run: Pick<Run, 'target' | 'task' | 'conversation'>,
	{steps, because}: Pick<Verification, 'steps' | 'because'>,
	output: string | undefined,
): string {
	const failed = steps.findLast(({code}) => code !== 0);
	const words = output === undefined ? '' : endOf(output);
	return [
		// An agent without a conversation does not know what it was asked for.
		...(run.conversation === undefined && run.task !== undefined ? [`The task was: ${run.task}`] : []),
		`Your work was merged with ${branchName(run.target)} and checked, and it did not pass: ${because}.`,
		...(failed ? [`The command that failed: ${failed.command}`] : []),
		...(words === '' ? [] : [`The end of what it wrote:\n${fenced(words)}`]),
		'Find the cause and correct it in this folder. Do not weaken the checks. They run again when you have finished.',
	].join('\n\n');
}
