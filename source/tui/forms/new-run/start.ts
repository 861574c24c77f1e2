import {nameFrom} from '../../../core/names.ts';
import {Refusal} from '../../../core/refusal.ts';
import {splitWords} from '../../../core/text/shell-words.ts';
import type {Effect, State} from '../../state.ts';
import {spoken} from '../../step.ts';
import {modelChoices, profileChoices, type FieldValues} from './fields.ts';

/** Why the form does not amount to a run yet, and the field that has to be filled in otherwise. */
export type FormProblem = {readonly field: string; readonly because: string};

type NewRuns = {
	readonly agents: readonly string[];
	/** The command of runs without an agent of their own. */
	readonly argv: readonly string[];
	readonly variants: number;
	/** Whether the first agent has a model. */
	readonly hasModel: boolean;
};

/** Characters of a batch's name that come from the form, before the part that makes it unique. */
const maxBatchNameLength = 24;

const splitList = (text: string | undefined) => (text ?? '').split(/[\s,]+/).filter(word => word !== '');

function readForm(state: State, values: FieldValues): NewRuns | FormProblem {
	const agents = [values['agent'] ?? '', ...splitList(values['agents'])];
	const unknown = agents.find(name => name !== 'command' && !state.agents.some(agent => agent.id === name));
	if (unknown !== undefined) {
		return {field: 'agents', because: `there is no agent "${unknown}"`};
	}

	const hasModel = state.agents.find(agent => agent.id === agents[0])?.model !== undefined;
	const argv = hasModel ? [] : splitWords(values['command'] ?? '');
	if (argv instanceof Refusal) {
		return {field: 'command', because: argv.because};
	}

	if (!hasModel && argv.length === 0) {
		return {field: 'command', because: 'a command is needed'};
	}

	if (values['scopes'] && !values['reason']) {
		return {field: 'reason', because: 'a scope needs a reason'};
	}

	const variants = Number(values['variants'] || '1');
	return variants * agents.length > 1 && hasModel && !values['prompt']
		? {field: 'prompt', because: 'several runs need a prompt'}
		: {agents, argv, variants, hasModel};
}

/** The name of one run of several. @param variant which of an agent's runs it is, from 1 on */
function nameOf(values: FieldValues, {agents, variants}: NewRuns, {agent, variant}: {agent: string; variant: number}) {
	const ofAgent = agents.length > 1 ? `-${agent}` : '';
	const ofVariant = variants > 1 ? `-${variant}` : '';
	return nameFrom(`${values['name']}${ofAgent}${ofVariant}`, 'run');
}

/** Options that are the same for each run of the form. */
function sharedOptions(values: FieldValues): string[] {
	return [
		...(values['base'] ? ['--base', values['base']] : []),
		...(values['after'] && values['after'] !== 'now' ? ['--after', values['after']] : []),
	];
}

function scopeOptions(values: FieldValues): string[] {
	return [
		...splitList(values['scopes']).flatMap(scope => ['--allow', scope]),
		...(values['reason'] ? ['--because', values['reason']] : []),
	];
}

/** Options of an agent that has a model. */
function agentOptions(values: FieldValues, agent: string): string[] {
	// It was asked about the one agent; others of the same prompt have theirs as it was approved.
	const profile = agent === values['agent'] ? profileChoices[values['profile'] ?? ''] : undefined;
	return [
		'--agent',
		agent,
		modelChoices[values['model'] ?? ''] ?? modelChoices['no']!,
		...(profile === undefined ? [] : [profile]),
		...(values['prompt'] ? [] : ['--interactive']),
		...(values['budget'] ? ['--budget', values['budget']] : []),
	];
}

/** The verbs that the form amounts to, one for each run; or why it does not yet. */
export function startEffects(state: State, values: FieldValues): readonly Effect[] | FormProblem {
	const runs = readForm(state, values);
	if ('because' in runs) {
		return runs;
	}

	const {agents, argv, variants} = runs;
	const prompt = values['prompt'] ?? '';
	const batchName = nameFrom(values['name'] || prompt || argv[0] || '', 'batch', maxBatchNameLength);
	const size = variants * agents.length;
	const id = `${batchName}-${state.now.toString(36).slice(-4)}`;
	const batch = size > 1 ? ['--batch', id] : [];
	const {argv: promptArguments, input} = prompt === '' ? {argv: []} : spoken(prompt);
	return agents.flatMap(agent =>
		Array.from({length: variants}, (_, index): Effect => {
			const hasModel = state.agents.find(one => one.id === agent)?.model !== undefined;
			const name = values['name'] ? ['--name', nameOf(values, runs, {agent, variant: index + 1})] : [];
			const options = [
				'--project',
				values['project'] ?? '',
				...name,
				...sharedOptions(values),
				...batch,
				...scopeOptions(values),
				...(hasModel ? agentOptions(values, agent) : []),
			];
			return {
				type: 'act',
				run: undefined,
				argv: ['run', ...options, ...promptArguments, ...(hasModel ? [] : ['--', ...argv])],
				...(input === undefined ? {} : {input}),
				title: 'new run',
				then: 'started',
				...(size > 1 ? {batch: {id, size}} : {}),
			};
		}),
	);
}
