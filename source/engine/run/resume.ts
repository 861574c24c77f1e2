import {randomUUID} from 'node:crypto';
import {decideResume, decideSpending} from '../../core/run/rules.ts';
import {orThrow} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import {insideHome} from '../../host/toolchain.ts';
import type {Context} from '../context.ts';
import {record} from '../record.ts';
import {withJournal} from '../runs.ts';
import type {LookOrder} from '../publish/look.ts';
import {whatWasSaid} from '../publish/said.ts';
import {planRebase} from './rebase.ts';
import {startSupervisor} from './start-supervisor.ts';
import {checkLength, checkPrompt} from './check-prompt.ts';
import {refuseOverDay} from './day-budget.ts';
import {whatFailed} from './what-failed.ts';

/**
 * Starts another attempt in the same worktree; with a prompt, as the next thing that is said in its conversation.
 * @param options.prompt what is said; undefined where it just goes on
 * @param options.failed to tell it what the last verification found, and after that the prompt
 * @param options.remarks to tell it what came back from the forge, and after that the prompt
 * @param options.rebase to bring its work onto its target as that is today
 */
export async function resumeRun(
	context: Context,
	runId: string,
	{
		prompt: typed,
		rebase = false,
		failed = false,
		remarks,
	}: {
		readonly prompt?: string | undefined;
		readonly rebase?: boolean;
		readonly failed?: boolean;
		readonly remarks?: LookOrder | undefined;
	},
): Promise<Run> {
	await withJournal(context, runId, async journal => {
		const {run} = journal;
		const refusal = decideResume(run) ?? decideSpending(run);
		if (refusal) {
			throw refusal;
		}

		await refuseOverDay(context, run.project.id);
		await checkPrompt(context, typed, {project: run.project});
		const said = remarks ? await whatWasSaid(context, journal, remarks) : undefined;
		const found = failed ? await whatFailed(context, run) : said?.prompt;
		const prompt = found === undefined || typed === undefined ? (found ?? typed) : `${found}\n\n${typed}`;
		// In a conversation that goes on, the task was said already.
		const next = prompt ?? (run.conversation !== undefined && !run.interactive ? 'Go on.' : undefined);
		const usual = next === undefined ? undefined : {prompt: next};
		const sent = rebase ? await planRebase(context, journal, prompt) : usual;
		if (!sent) {
			return;
		}

		const agent = context.agents.find(agent => agent.id === run.agent);
		if (agent) {
			checkLength(
				orThrow(
					agent.start({
						prompt: sent.prompt,
						argv: run.argv,
						cwd: '/',
						home: insideHome,
						program: agent.program,
						interactive: run.interactive,
						conversation: {id: run.conversation},
						pointer: undefined,
						uuid: randomUUID(),
						servers: [],
					}),
				),
			);
		}

		record(journal, {type: 'resume', ...sent}, {actor: context.actor});
		if (said) {
			journal.append({type: 'publish.told', ids: said.ids}, context.actor);
		}
	});
	return startSupervisor(context, runId);
}
