import {compose} from '../compose.ts';
import {parseBudget} from '../core/run/usage.ts';
import {orThrow, Refusal} from '../core/refusal.ts';
import {isUnreadable} from '../core/text/controls.ts';
import {printable} from '../core/names.ts';
import {planPrompt} from '../core/tasks/plan-file.ts';
import {findProject} from '../engine/project/projects.ts';
import {startRun} from '../engine/run/create.ts';
import {planAgents} from '../engine/tasks/read-plan.ts';
import {asTyped} from '../terminal/as-typed.ts';
import {askHidden} from '../terminal/ask.ts';
import type {Io} from '../terminal/program.ts';
import {sayRun} from './documents.ts';
import {accept} from './plan/accept.ts';
import {discard, drop, edit, next, release} from './plan/change.ts';
import {options, type PlanAction, type PlanRequest} from './plan/options.ts';
import {list, show} from './plan/show.ts';
import {modelScope, wantsProfile} from './run/questions.ts';
import {define, optional, required} from './verb.ts';

const actions: Readonly<Record<string, PlanAction>> = {list, show, edit, accept, release, drop, discard, next};

/** Starts the run that is to propose a plan. */
async function propose(io: Io, sentence: string, options: PlanRequest['options']): Promise<void> {
	const argv = io.rest ?? [];
	const agent = options.agent ?? 'command';
	if (agent === 'command' && argv.length === 0) {
		throw new Refusal('say who is to propose it', `fleet plan --agent NAME "${printable(sentence, 40)}"`);
	}

	if (isUnreadable(sentence) || sentence.length > 4000) {
		throw new Refusal(
			'a plan is asked for in one readable line of up to 4000 characters',
			'what is longer goes into a file of the project, which the line names',
		);
	}

	const context = compose(askHidden(io.interactive));
	const budget = options.budget === undefined ? undefined : orThrow(parseBudget(options.budget));
	const project = await findProject(context, options.project, io.folder);
	const asked = {...options, allow: [], include: undefined, filters: undefined};
	const model = await modelScope(context, io, {project, agentId: agent, options: asked});
	const profile = await wantsProfile(context, io, {agentId: agent, options: asked});
	const run = await startRun(context, {
		project,
		agent,
		argv,
		prompt: planPrompt(sentence, planAgents(context)),
		name: options.name,
		subject: `plan ${sentence}`,
		base: options.base,
		allow: model,
		because: "the agent's own model",
		budget,
		profile,
		plan: true,
	});
	io.report({runs: [run.id]});
	const text =
		`${run.id} ${run.stage} on ${run.branch}: it proposes a plan\n` +
		asTyped(`  fleet logs ${run.id} --follow   fleet plan show ${run.id}\n`);
	sayRun(io, context, {run: run.id, json: options.json, text});
}

export const verb = define({
	summary: 'have an agent propose tasks, and start them in their order once you accepted them',
	arguments: {
		what: required('"WHAT TO DO"', `what the plan is for, or an action: ${Object.keys(actions).join(', ')}`),
		run: optional('[RUN]', 'for an action: the run that proposed the plan'),
		task: optional('[TASK]', 'for release and drop: a task by its id'),
	},
	options,
	usage:
		'"WHAT TO DO" --agent NAME | list | show RUN | edit RUN | accept RUN | release RUN TASK | drop RUN TASK | discard RUN | next',
	async run(io, {what, run, task}, options) {
		const action = Object.hasOwn(actions, what) ? actions[what] : undefined;
		if (action) {
			await action(compose(askHidden(io.interactive)), io, {run, task, options});
			return;
		}

		if (run !== undefined || !what.trim().includes(' ')) {
			throw new Refusal(
				`fleet plan has no action "${printable(what)}": ${Object.keys(actions).join(', ')}`,
				'to ask for a plan: fleet plan --agent NAME "what to do, in a sentence"',
			);
		}

		await propose(io, what, options);
	},
});
