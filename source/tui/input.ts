import {actIfEnabled} from './act.ts';
import {dialogKey, pasteIntoDialog} from './forms/dialogs.ts';
import {replaceAt} from './forms/edit.ts';
import {formKey, pasteIntoForm, withForm} from './forms/new-run.ts';
import {findBinding} from './keymap.ts';
import {pasteIntoPrompt, promptKey} from './prompt.ts';
import {dialogOf, withDialog} from './focus.ts';
import type {FormState} from './dialog.ts';
import {isInFiles} from './review/layout.ts';
import type {Message, ReviewState, State} from './state.ts';
import {bad, stay, type Step} from './step.ts';

/* Keys, pasted text, and text that comes back from an editor: each goes to what has the focus. */

/** A pause in typing after which keys count again that were dropped before. */
const settlingMs = 500;

/**
 * The keys of one event, one after the other. What was typed before a question
 * was on the screen is no answer to it: the rest of the event is dropped.
 */
export function typed(state: State, {keys, at}: Message & {type: 'keys'}): Step {
	const timed: State = {...state, notice: undefined, keyAt: at, now: Math.max(state.now, at ?? 0)};
	if (at !== undefined && state.deafUntil !== undefined && state.screen !== 'new') {
		if (at < state.deafUntil) {
			return bad({...timed, deafUntil: at + settlingMs}, 'keys typed before the screen changed were dropped');
		}

		return typed({...state, deafUntil: undefined}, {type: 'keys', keys, at});
	}

	let step = stay(timed);
	for (const key of keys) {
		const before = step.state;
		const next = typedKey(before, key);
		step = {state: next.state, effects: [...step.effects, ...next.effects]};
		if (dialogOf(next.state) !== undefined && dialogOf(before) === undefined) {
			break;
		}
	}

	return step;
}

function typedKey(state: State, key: string): Step {
	const {focus} = state;
	switch (focus.type) {
		case 'dialog': {
			return dialogKey(state, focus.dialog, key);
		}

		case 'prompt': {
			return promptKey(state, focus.prompt, key);
		}

		case 'form': {
			return formKey(state, focus.form, key);
		}

		case 'screen': {
			return screenKey(state, key);
		}
	}
}

/** Escape takes off what was put on the screen, before it leaves it; undefined where there is nothing of that. */
function takeOff(state: State): Step | undefined {
	const {list, logView, review} = state;
	if (state.screen === 'fleet') {
		return list.filter !== '' || list.marked.length > 0 || list.show !== 'all'
			? stay({...state, list: {...list, filter: '', marked: [], show: 'all'}})
			: undefined;
	}

	if (state.screen === 'activity') {
		const {activity} = state;
		return activity.filter !== '' || activity.spend
			? stay({...state, activity: {...activity, filter: '', spend: undefined}})
			: undefined;
	}

	if (state.screen !== 'run') {
		return undefined;
	}

	if (state.tab === 'output' && (logView.select || logView.search !== '')) {
		// A selection first, and the search with the next escape.
		const search = logView.select ? logView.search : '';
		return {
			state: {...state, logView: {...logView, select: undefined, search}},
			effects: [{type: 'log', kind: 'output', move: {to: 'same'}}],
		};
	}

	return state.tab === 'changes' && review ? takeOffReview(state, review) : undefined;
}

/** A selection first, then the list of the files, then the search. */
function takeOffReview(state: State, review: ReviewState): Step | undefined {
	if (review.anchor !== undefined) {
		return stay({...state, review: {...review, anchor: undefined}});
	}

	if (isInFiles(state)) {
		return stay({...state, review: {...review, isListing: false}});
	}

	return review.search ? stay({...state, review: {...review, search: undefined}}) : undefined;
}

function screenKey(state: State, key: string): Step {
	const without = key === 'escape' ? takeOff(state) : undefined;
	if (without) {
		return without;
	}

	const binding = findBinding(state, key);
	return binding ? actIfEnabled(state, binding.action) : stay(state);
}

/** Text that was pasted: it is typed where something is typed, and is never taken for keys. */
export function pasted(state: State, text: string): Step {
	const {focus} = state;
	switch (focus.type) {
		case 'dialog': {
			return pasteIntoDialog(state, focus.dialog, text);
		}

		case 'prompt': {
			return pasteIntoPrompt(state, focus.prompt, text);
		}

		case 'form': {
			return pasteIntoForm(state, focus.form, text);
		}

		case 'screen': {
			return bad(state, 'pasted text is not taken as keys');
		}
	}
}

/** A form with another text in the field that has the cursor, if that takes several lines. */
function withEdited<Form extends FormState>(form: Form, value: string): Form {
	const field = form.fields[form.at];
	return field?.multiline
		? {...form, fields: replaceAt(form.fields, form.at, {...field, value, cursor: undefined})}
		: form;
}

/** What came back from an editor, for the field that it was opened from. */
export function edited(state: State, text: string): Step {
	const {focus} = state;
	const value = text.replace(/\n$/, '');
	switch (focus.type) {
		case 'dialog': {
			return stay(withDialog(state, withEdited(focus.dialog, value)));
		}

		case 'form': {
			return stay(withForm(state, withEdited(focus.form, value)));
		}

		default: {
			return stay(state);
		}
	}
}
