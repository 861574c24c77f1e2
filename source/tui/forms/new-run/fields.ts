import {changesText} from '../../../core/profile.ts';
import {hasWorker} from '../../../core/run/stages.ts';
import {escapeLine} from '../../../core/text/escape-controls.ts';
import type {AgentView} from '../../../protocol/client.ts';
import type {Field} from '../../dialog.ts';
import type {State} from '../../state.ts';

/* The fields of the form of a new run. What is asked depends on what was answered. */

/** What the fields hold, by their ids; undefined for a field that there is not. */
export type FieldValues = Readonly<Record<string, string | undefined>>;

/** Ids of the fields that are shown only when they are asked for. */
export const extraFields: readonly string[] = ['base', 'after', 'variants', 'agents', 'scopes', 'reason'];

/** Characters of a recalled command that are shown. */
const maxRecalled = 40;

const startButton = '[ Start ]';

/** Runs that a new one can be started after, newest first. */
const maxPredecessors = 20;

/** How the scope of an agent's model is granted, by what is chosen; first what an agent is of no use without. */
export const modelChoices: Readonly<Record<string, string>> = {
	'this run': '--model',
	'always here': '--remember-model',
	no: '--no-model',
};

const stagesToStartAfter: readonly string[] = ['stopped', 'captured', 'verified', 'approved'];

/** Makes fields that keep what they hold, and their cursors. */
class FieldMaker {
	readonly #values: FieldValues;
	readonly #before: readonly Field[];

	constructor(values: FieldValues, before: readonly Field[]) {
		this.#values = values;
		this.#before = before;
	}

	text(id: string, label: string, options: Partial<Field> & {readonly hint: string}): Field {
		const value = this.#values[id] ?? '';
		const cursor = this.#before.find(field => field.id === id && field.value === this.#values[id])?.cursor;
		return {id, label, value, cursor, ...options};
	}

	choice(
		id: string,
		label: string,
		{hint, choices}: {readonly hint: string; readonly choices: readonly string[]},
	): Field {
		return {id, label, value: this.#values[id] || (choices[0] ?? ''), hint: `←/→ ${hint}`, choices};
	}
}

/** What granting the scope of a model opens, and with which secret. */
function modelHint(state: State, project: string, model: NonNullable<AgentView['model']>): string {
	const [own, login, key] = [`project/${model.secret}`, `user/${model.login}`, `user/${model.secret}`].map(name =>
		state.vault?.secrets.find(
			one => one.reference.endsWith(`//${name}`) && (one.project === null || one.project === project),
		),
	);
	// In the order in which they are taken.
	const secret = own ?? login ?? key;
	const opens = `opens ${(secret?.hosts ?? model.hosts).join(' ')}`;
	if (secret) {
		return `${opens} with ${secret.reference}`;
	}

	return state.vault ? `${opens}; no secret "${model.secret}" yet (V)` : opens;
}

/** What the person's profile of an agent can be answered with, and the option that says so. */
export const profileChoices: Readonly<Record<string, string | undefined>> = {
	yes: undefined,
	no: '--no-profile',
	'not now': undefined,
	'approve it': '--profile',
};

/** Whether the person's own agent comes along; no field where there is nothing of it. */
function profileField(state: State, make: FieldMaker, agent: string): Field[] {
	const profile = state.profiles.find(one => one.agent === agent);
	if (!profile || profile.state === 'none') {
		return [];
	}

	const count = `${profile.files.length} ${profile.files.length === 1 ? 'file' : 'files'} of yours`;
	const why = profile.changes ? `changed (${changesText(profile.changes)})` : 'not approved';
	const [hint, choices] =
		profile.state === 'approved'
			? [`${count}: instructions, skills`, ['yes', 'no']]
			: [`${count}, ${why}: fleet profile ${agent}`, ['not now', 'approve it']];
	const field = make.choice('profile', 'Profile', {hint, choices});
	// Another agent, or an approval meanwhile, asks another question.
	return [choices.includes(field.value) ? field : {...field, value: choices[0]!}];
}

function agentHint(agent: AgentView | undefined): string {
	if (agent === undefined) {
		return 'any program';
	}

	return agent.installed ? agent.title : `${agent.title}: not installed`;
}

/** The last command, which a key recalls: one that is there already would be started by mistake. */
function lastCommand({recent}: State): string {
	const [last] = recent.commands;
	return last === undefined ? '' : `; ctrl-r: ${escapeLine(last).slice(0, maxRecalled)}`;
}

function makeExtraFields(state: State, make: FieldMaker, {project, agent}: {project: string; agent: string}): Field[] {
	const offer = state.offers[project];
	const baseHint = 'the branch it starts from, and is merged into';
	const predecessors = state.runs
		.filter(run => run.project.id === project && (hasWorker(run.stage) || stagesToStartAfter.includes(run.stage)))
		.map(run => run.id)
		.slice(0, maxPredecessors);
	const otherAgents = state.agents.filter(one => one.model && one.installed && one.id !== agent).map(one => one.id);
	const policy = offer && offer.network.length > 0 ? `the policy opens ${offer.network.join(' ')}; ` : '';
	return [
		offer && offer.branches.length > 0
			? make.choice('base', 'Base branch', {hint: baseHint, choices: offer.branches})
			: make.text('base', 'Base branch', {hint: baseHint}),
		make.choice('after', 'Start after', {
			hint: 'starts when that run is merged or has ended well',
			choices: ['now', ...predecessors],
		}),
		make.choice('variants', 'Variants', {
			hint: 'number of variants of the same prompt; = in the list compares them',
			choices: ['1', '2', '3', '4', '5'],
		}),
		make.text('agents', 'More agents', {hint: `for the same prompt: ${otherAgents.join(', ') || 'none is installed'}`}),
		make.text('scopes', 'Scopes', {hint: `${policy}more from the start: network:HOST, files:PATH, secret:NAME`}),
		make.text('reason', 'Reason', {hint: 'why the scopes are needed'}),
	];
}

/**
 * The fields for what is known now.
 * @param before the fields as they were, whose cursors stay
 * @param isExtended whether the fields are shown that few need
 */
export function makeFields(
	state: State,
	values: FieldValues,
	{
		before = [],
		isExtended = before.some(field => extraFields.includes(field.id)),
	}: {readonly before?: readonly Field[]; readonly isExtended?: boolean},
): Field[] {
	const project = values['project'] ?? '';
	const agent = state.agents.find(one => one.id === values['agent']);
	const {model} = agent ?? {};
	const make = new FieldMaker(values, before);
	const templates = (state.offers[project]?.prompts.length ?? 0) > 0 ? ', ctrl-t template' : '';
	return [
		...(model
			? []
			: [
					make.text('command', 'Command', {
						hint: `any program; {prompt} stands for the prompt${lastCommand(state)}`,
					}),
				]),
		make.text('prompt', 'Prompt', {
			hint:
				`${model ? 'what to do; empty: interactive' : 'what it is for'}  ` +
				`ctrl-o editor, ctrl-r history${templates}`,
			multiline: true,
		}),
		make.choice('project', 'Project', {
			hint: state.projects.find(one => one.id === project)?.root ?? '',
			choices: state.projects.map(one => one.id),
		}),
		make.choice('agent', 'Agent', {
			hint: agentHint(agent),
			choices: state.agents.length === 0 ? ['command'] : state.agents.map(one => one.id),
		}),
		...(model
			? [
					make.choice('model', 'Model', {
						hint: modelHint(state, project, model),
						choices: Object.keys(modelChoices),
					}),
				]
			: []),
		...(model ? profileField(state, make, agent!.id) : []),
		make.text('name', 'Name', {hint: 'optional; names the branch fleet/NAME'}),
		...(model ? [make.text('budget', 'Budget', {hint: 'optional: pause at 5 (dollars) or 200k (tokens)'})] : []),
		...(isExtended ? makeExtraFields(state, make, {project, agent: agent?.id ?? ''}) : []),
		{id: 'start', label: '', value: startButton, hint: 'ctrl-s from anywhere', choices: [startButton]},
	];
}
