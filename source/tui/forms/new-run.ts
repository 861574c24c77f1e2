import {nameFrom} from '../../core/names.ts';
import {Refusal} from '../../core/refusal.ts';
import {liveStages} from '../../core/run/stages.ts';
import {splitWords} from '../../core/text/shell-words.ts';
import {edit, moveLine, paste, replaceAt, valuesOf} from './edit.ts';
import type {Effect, Field, State} from '../state.ts';
import {bad, spoken, stay, type Step} from '../step.ts';

/* The form of a new run. What is asked depends on what was answered. */

const more = ['Base', 'After', 'Tries', 'Also', 'Scopes', 'Because'];

/** @param values what the fields hold, by label */
function newForm(
	state: State,
	values: Readonly<Record<string, string>>,
	before: readonly Field[] = [],
	withMore = before.some(field => more.includes(field.label)),
): Field[] {
	const project = values['Project'] ?? '';
	const offer = state.offers[project];
	const agent = state.agents.find(agent => agent.id === values['Agent']);
	const cursor = (label: string) =>
		before.find(field => field.label === label && field.value === values[label])?.cursor;
	const field = (label: string, hint: string, options: Partial<Field> = {}): Field => ({
		label,
		value: values[label] ?? '',
		hint,
		cursor: cursor(label),
		...options,
	});
	const choice = (label: string, hint: string, choices: readonly string[]): Field => ({
		label,
		value: values[label] ?? choices[0] ?? '',
		hint: `←/→ ${hint}`,
		choices,
	});
	const {model} = agent ?? {};
	const secret =
		model &&
		state.vault?.secrets.find(
			secret =>
				secret.reference.endsWith(`/${model.secret}`) && (secret.project === null || secret.project === project),
		);
	const secretNote = (wanted: string) => {
		if (secret) {
			return ` with ${secret.reference}`;
		}

		return state.vault ? `; no secret "${wanted}" yet (V)` : '';
	};

	const opens = model && `opens ${(secret?.hosts ?? model.hosts).join(' ')}${secretNote(model.secret)}`;
	const templates = offer?.prompts.length ?? 0;
	const promptHint =
		`${model ? 'empty: you talk to it (t)' : 'optional'}  ctrl-j line, ctrl-o editor, ctrl-r earlier` +
		(templates > 0 ? ', ctrl-t template' : '');
	const policy = offer && offer.network.length > 0 ? `the policy opens ${offer.network.join(' ')}; ` : '';
	return [
		choice(
			'Project',
			state.projects.find(one => one.id === project)?.root ?? '',
			state.projects.map(one => one.id),
		),
		choice(
			'Agent',
			agent === undefined
				? 'any program'
				: `${agent.title}${agent.installed ? '' : ': its program is not installed here'}`,
			state.agents.length === 0 ? ['command'] : state.agents.map(one => one.id),
		),
		...(model
			? [field('Prompt', promptHint, {multiline: true})]
			: [
					field('Command', 'any program; {prompt} stands for the prompt', {
						value: values['Command'] ?? state.recent.commands[0] ?? '',
					}),
					field('Prompt', promptHint, {multiline: true}),
				]),
		field('Name', 'optional; names the branch fleet/NAME'),
		...(model
			? [
					choice('Model', opens!, ['no', 'this run', 'always here']),
					field('Budget', 'optional: frozen at 5 (dollars) or 200k (tokens)'),
				]
			: []),
		...(withMore
			? [
					offer && offer.branches.length > 0
						? choice('Base', 'the branch it starts from, and is merged into', offer.branches)
						: field('Base', 'the branch it starts from, and is merged into'),
					choice('After', 'starts when that run is merged or has ended well', [
						'now',
						...state.runs
							.filter(
								run =>
									run.project.id === project &&
									(liveStages.has(run.stage) || ['stopped', 'captured', 'verified', 'approved'].includes(run.stage)),
							)
							.map(run => run.id)
							.slice(0, 20),
					]),
					choice('Tries', 'so many runs of the same prompt; = in the list compares them', ['1', '2', '3', '4', '5']),
					field(
						'Also',
						`more agents for the same prompt: ${
							state.agents
								.filter(one => one.model && one.installed && one.id !== agent?.id)
								.map(one => one.id)
								.join(', ') || 'none is installed'
						}`,
					),
					field('Scopes', `${policy}more from the start: network:HOST, files:PATH, secret:NAME`),
					field('Because', 'why the scopes are needed'),
				]
			: []),
	];
}

/** The form, with the cursor in what is most likely typed first. */
export function openForm(state: State, project: string, agent: string): Step {
	const form = newForm(state, {Project: project, Agent: agent}, [], false);
	return {
		state: {...state, screen: 'new', from: 'fleet', form, formAt: 2},
		effects: [{type: 'vault'}, {type: 'offer', project}],
	};
}

/** The form made anew, since something that it shows is known only now. */
export function refreshForm(state: State): State {
	return state.screen === 'new'
		? {
				...state,
				form: newForm(state, Object.fromEntries(state.form.map(field => [field.label, field.value])), state.form),
			}
		: state;
}

/** The entry after one in a list, for keys that go through it. */
function cycle(entries: readonly string[], value: string): string | undefined {
	return entries.length === 0 ? undefined : entries[(entries.indexOf(value) + 1) % entries.length];
}

function withValue(state: State, label: string, value: string | undefined): Step {
	const at = state.form.findIndex(field => field.label === label);
	return value === undefined || at === -1
		? stay(state)
		: stay({...state, formAt: at, form: replaceAt(state.form, at, {...state.form[at]!, value, cursor: undefined})});
}

export function formKey(state: State, key: string): Step {
	const field = state.form[state.formAt]!;
	const to = (at: number) => stay({...state, formAt: (at + state.form.length) % state.form.length});
	const raw = Object.fromEntries(state.form.map(field => [field.label, field.value]));
	if (state.busy[''] !== undefined && key !== 'escape' && key !== 'ctrl-c') {
		// It is on its way to the list; what is typed now must not land there.
		return bad(
			{...state, deafUntil: state.keyAt === undefined ? undefined : state.keyAt + 1000},
			'it is being started; esc goes to the list',
		);
	}

	switch (key) {
		case 'escape':
		case 'ctrl-c': {
			return stay({...state, screen: 'fleet'});
		}

		case 'tab':
		case 'shift-tab':
		case 'down':
		case 'up': {
			const moved = key === 'up' || key === 'down' ? moveLine(field, key === 'up' ? -1 : 1) : undefined;
			return moved
				? stay({...state, form: replaceAt(state.form, state.formAt, moved)})
				: to(state.formAt + (key === 'up' || key === 'shift-tab' ? -1 : 1));
		}

		case 'ctrl-s': {
			return startRuns(state, valuesOf(state.form));
		}

		case 'return': {
			return state.formAt < state.form.length - 1 ? to(state.formAt + 1) : startRuns(state, valuesOf(state.form));
		}

		case 'ctrl-x': {
			const withMore = !state.form.some(field => more.includes(field.label));
			const form = newForm(state, raw, state.form, withMore);
			return stay({
				...state,
				form,
				formAt: withMore ? form.findIndex(field => field.label === 'Base') : Math.min(state.formAt, form.length - 1),
			});
		}

		case 'ctrl-o': {
			return {state, effects: [{type: 'edit', text: raw['Prompt'] ?? ''}]};
		}

		case 'ctrl-r': {
			return field.label === 'Command'
				? withValue(state, 'Command', cycle(state.recent.commands, field.value))
				: withValue(state, 'Prompt', cycle(state.recent.prompts, raw['Prompt'] ?? ''));
		}

		case 'ctrl-t': {
			const prompts = state.offers[raw['Project'] ?? '']?.prompts ?? [];
			return prompts.length === 0
				? bad(state, 'the project has no templates: .fleet/prompts/NAME.md, committed')
				: withValue(
						state,
						'Prompt',
						cycle(
							prompts.map(prompt => prompt.text),
							raw['Prompt'] ?? '',
						),
					);
		}

		default: {
			const edited = edit(field, key);
			if (!field.choices) {
				return stay({...state, form: replaceAt(state.form, state.formAt, edited)});
			}

			const form = newForm(state, {...raw, [field.label]: edited.value}, state.form);
			return {
				state: {...state, form},
				effects:
					field.label === 'Project' && edited.value !== field.value ? [{type: 'offer', project: edited.value}] : [],
			};
		}
	}
}

export function pasteIntoForm(state: State, text: string): Step {
	return stay({...state, form: replaceAt(state.form, state.formAt, paste(state.form[state.formAt]!, text))});
}

/** The verbs that the form amounts to: one for each run. */
function startRuns(state: State, values: Readonly<Record<string, string>>): Step {
	const value = (label: string) => values[label] ?? '';
	const fieldOf = (label: string) =>
		Math.max(
			0,
			state.form.findIndex(field => field.label === label),
		);
	const agents = [
		value('Agent'),
		...value('Also')
			.split(/[\s,]+/)
			.filter(name => name !== ''),
	];
	const unknown = agents.find(name => name !== 'command' && !state.agents.some(agent => agent.id === name));
	if (unknown !== undefined) {
		return bad({...state, formAt: fieldOf('Also')}, `there is no agent "${unknown}"`);
	}

	const model = state.agents.find(agent => agent.id === value('Agent'))?.model;
	const argv = model ? [] : splitWords(value('Command'));
	if (argv instanceof Refusal || (!model && argv.length === 0)) {
		return bad({...state, formAt: fieldOf('Command')}, argv instanceof Refusal ? argv.because : 'a command is needed');
	}

	if (value('Scopes') !== '' && value('Because') === '') {
		return bad({...state, formAt: fieldOf('Because')}, 'a scope needs a reason');
	}

	const prompt = value('Prompt');
	const tries = Number(value('Tries') || '1');
	const several = tries * agents.length > 1;
	if (several && model && prompt === '') {
		return bad({...state, formAt: fieldOf('Prompt')}, 'several at once need a prompt');
	}

	const batch = several
		? `${nameFrom(value('Name') || prompt || argv[0] || '', 'batch', 24)}-${state.now.toString(36).slice(-4)}`
		: undefined;
	const runs = agents.flatMap(agent => Array.from({length: tries}, (_, index) => ({agent, index: index + 1})));
	const effects = runs.map(({agent, index}): Effect => {
		const own = state.agents.find(one => one.id === agent)?.model;
		const scope =
			{no: '--no-model', 'this run': '--model', 'always here': '--remember-model'}[value('Model')] ?? '--no-model';
		const name =
			value('Name') === ''
				? undefined
				: nameFrom(
						several
							? `${value('Name')}${agents.length > 1 ? `-${agent}` : ''}${tries > 1 ? `-${index}` : ''}`
							: value('Name'),
						'run',
					);
		const options = [
			'--project',
			value('Project'),
			...(name === undefined ? [] : ['--name', name]),
			...(value('Base') === '' ? [] : ['--base', value('Base')]),
			...(['', 'now'].includes(value('After')) ? [] : ['--after', value('After')]),
			...(batch === undefined ? [] : ['--batch', batch]),
			...value('Scopes')
				.split(/[\s,]+/)
				.filter(scope => scope !== '')
				.flatMap(scope => ['--allow', scope]),
			...(value('Because') === '' ? [] : ['--because', value('Because')]),
			...(own
				? [
						'--agent',
						agent,
						scope,
						...(prompt === '' ? ['--interactive'] : []),
						...(value('Budget') === '' ? [] : ['--budget', value('Budget')]),
					]
				: []),
		];
		const {argv: said, input} = prompt === '' ? {argv: []} : spoken(prompt);
		return {
			type: 'act',
			run: '',
			argv: ['run', ...options, ...said, ...(own ? [] : ['--', ...argv])],
			...(input === undefined ? {} : {input}),
			title: 'new run',
			then: 'started',
		};
	});
	return {state: {...state, busy: {...state.busy, '': several ? `${runs.length} new runs` : 'new run'}}, effects};
}
