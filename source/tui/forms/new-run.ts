import {formOf, withoutForm} from '../focus.ts';
import type {Field, FormState} from '../dialog.ts';
import type {State} from '../state.ts';
import {bad, good, stay, type Step} from '../step.ts';
import {paste, replaceAt, valuesOf} from './edit.ts';
import {extraFields, makeFields} from './new-run/fields.ts';
import {startEffects} from './new-run/start.ts';
import {reduceForm} from './reducer.ts';

/* The form of a new run: how it opens, takes keys, and starts what was filled in. */

/** How long keys are dropped after one that was pressed while the run is being started. */
const deafMs = 1000;

/** With another form, in place of the one that is there: it may be below a dialog. */
export function withForm(state: State, form: FormState): State {
	const {focus} = state;
	return {
		...state,
		focus: focus.type === 'dialog' ? {...focus, behind: {type: 'form', form}} : {type: 'form', form},
	};
}

/** What the fields hold as it was typed, with the blanks around. */
const rawValues = ({fields}: FormState) => Object.fromEntries(fields.map(field => [field.id, field.value]));

/** Where a field is; the first where it is not there. */
const indexOf = ({fields}: FormState, id: string) =>
	Math.max(
		0,
		fields.findIndex(field => field.id === id),
	);

/** Fields in which a person writes, as opposed to those in which one chooses. */
const hasWords = (fields: readonly Field[]) =>
	fields.some(field => field.choices === undefined && field.value.trim() !== '');

/** Leaves the form; what was written in it is there again when it is opened the next time. */
function leave(state: State, {fields}: FormState): Step {
	const left = withoutForm(state, 'fleet');
	if (!hasWords(fields)) {
		return stay({...left, draft: undefined});
	}

	const kept: State = {...left, draft: fields};
	return state.isStarting ? stay(kept) : good(kept, 'not started; what you typed is kept for the next new run');
}

/**
 * The form, with the cursor in what has to be typed: what the agent is to do, or the command. What was written in one
 * that was left is there again, as it was, with its project and its agent.
 */
export function openForm(state: State, project: string, agent: string): Step {
	const {draft} = state;
	const values = draft ? rawValues({fields: draft, at: 0}) : {project, agent};
	const fields = makeFields(state, values, draft ? {before: draft} : {isExtended: false});
	return {
		state: withForm(
			{...state, screen: 'new', from: 'fleet'},
			{
				fields,
				at: Math.max(
					0,
					fields.findIndex(field => field.id === 'command'),
				),
			},
		),
		effects: [{type: 'vault'}, {type: 'profiles'}, {type: 'offer', project: values['project'] ?? project}],
	};
}

/** The form with the hints and choices that follow from what has been read meanwhile. */
export function refreshForm(state: State): State {
	const form = formOf(state);
	return form === undefined
		? state
		: withForm(state, {...form, fields: makeFields(state, rawValues(form), {before: form.fields})});
}

/** With another text in a field, and the cursor there; as it is where there is no such field or text. */
function withValue(state: State, form: FormState, {id, value}: {id: string; value: string | undefined}): Step {
	const at = form.fields.findIndex(field => field.id === id);
	return value === undefined || at === -1
		? stay(state)
		: stay(withForm(state, {at, fields: replaceAt(form.fields, at, {...form.fields[at]!, value, cursor: undefined})}));
}

/** The entry after one, for a key that goes through all of them. */
function entryAfter(entries: readonly string[], value: string): string | undefined {
	return entries[(entries.indexOf(value) + 1) % Math.max(1, entries.length)];
}

/** Shows the fields that few need, or hides them. */
function toggleExtended(state: State, form: FormState): Step {
	const isExtended = !form.fields.some(field => extraFields.includes(field.id));
	const fields = makeFields(state, rawValues(form), {before: form.fields, isExtended});
	const at = isExtended ? indexOf({fields, at: 0}, extraFields[0]!) : Math.min(form.at, fields.length - 1);
	return stay(withForm(state, {fields, at}));
}

function nextTemplate(state: State, form: FormState): Step {
	const {project, prompt} = rawValues(form);
	const templates = state.offers[project ?? '']?.prompts ?? [];
	if (templates.length === 0) {
		return bad(state, 'the project has no prompt templates (.fleet/prompts/NAME.md, committed)');
	}

	const texts = templates.map(({text}) => text);
	return withValue(state, form, {id: 'prompt', value: entryAfter(texts, prompt ?? '')});
}

/** The fields that follow from a choice, and what has to be read for them. */
function chosen(state: State, before: FormState, form: FormState): Step {
	const values = rawValues(form);
	const fields = makeFields(state, values, {before: before.fields});
	const project = values['project'];
	return {
		// The fields before the one that was chosen in may be others now.
		state: withForm(state, {fields, at: indexOf({fields, at: 0}, form.fields[form.at]!.id)}),
		effects: project === undefined || project === rawValues(before)['project'] ? [] : [{type: 'offer', project}],
	};
}

function start(state: State, form: FormState): Step {
	const effects = startEffects(state, valuesOf(form.fields));
	return 'because' in effects
		? bad(withForm(state, {...form, at: indexOf(form, effects.field)}), effects.because)
		: {
				state: {
					...state,
					isStarting: true,
					fleetBusy: effects.length > 1 ? `${effects.length} new runs` : 'new run',
				},
				effects,
			};
}

export function formKey(state: State, form: FormState, key: string): Step {
	if (state.isStarting && key !== 'escape' && key !== 'ctrl-c') {
		// The screen goes to the list as soon as it has started; what is typed now must not land there.
		return bad(
			{...state, deafUntil: state.keyAt === undefined ? undefined : state.keyAt + deafMs},
			'starting…; esc goes to the list',
		);
	}

	const field = form.fields[form.at]!;
	switch (key) {
		case 'ctrl-s': {
			return start(state, form);
		}

		case 'ctrl-x': {
			return toggleExtended(state, form);
		}

		case 'ctrl-o': {
			const at = indexOf(form, 'prompt');
			return {
				state: withForm(state, {...form, at}),
				effects: [{type: 'edit', text: form.fields[at]!.value}],
			};
		}

		case 'ctrl-r': {
			return field.id === 'command'
				? withValue(state, form, {id: 'command', value: entryAfter(state.recent.commands, field.value)})
				: withValue(state, form, {
						id: 'prompt',
						value: entryAfter(state.recent.prompts, rawValues(form)['prompt'] ?? ''),
					});
		}

		case 'ctrl-t': {
			return nextTemplate(state, form);
		}
	}

	const result = reduceForm(form, key);
	switch (result.type) {
		case 'cancelled': {
			return leave(state, form);
		}

		case 'submitted': {
			return start(state, form);
		}

		case 'edit': {
			return {state, effects: [{type: 'edit', text: result.text}]};
		}

		case 'changed': {
			const isChoice = field.choices !== undefined && result.form.at === form.at;
			return isChoice ? chosen(state, form, result.form) : stay(withForm(state, result.form));
		}
	}
}

export function pasteIntoForm(state: State, {fields, at}: FormState, text: string): Step {
	return stay(withForm(state, {at, fields: replaceAt(fields, at, paste(fields[at]!, text))}));
}
