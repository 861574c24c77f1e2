import {agentNames} from '../../compose.ts';
import type {Context} from '../../engine/context.ts';
import type {Io} from '../../terminal/program.ts';
import {choice, flag, json, reason, text, type OptionValues} from '../verb.ts';

export const options = {
	agent: text(
		'NAME',
		'who proposes the plan; for accept, who does the tasks that name nobody: by default the same',
		agentNames,
	),
	model: choice("turn the agents' model scopes on, without asking", 'start them without'),
	rememberModel: flag('turn it on for every run of this agent in the project'),
	profile: choice('copy your own instructions of the agent, without asking', 'do not copy them (fleet profile)'),
	budget: text('AMOUNT', 'pause the run that proposes the plan when it has used this much'),
	project: text('NAME', 'the project; by default the one this folder belongs to'),
	name: text('NAME', 'a name for the run that proposes the plan'),
	base: text('BRANCH', 'what the tasks start from, and are merged into'),
	file: text('FILE', 'for edit: the plan from a file, - for stdin, in place of your editor'),
	yes: flag('for accept: start the runs without asking'),
	revision: text('N', 'for accept: only the plan that was shown as this one, as show --json says it'),
	because: reason(),
	json,
};

/** What was typed after the action. */
export type PlanRequest = {
	/** The run, as it was typed. */
	readonly run: string | undefined;
	readonly task: string | undefined;
	readonly options: OptionValues<typeof options>;
};

export type PlanAction = (context: Context, io: Io, request: PlanRequest) => Promise<void>;
