import type {FormState} from '../dialog.ts';
import {edit, moveRow, replaceAt} from './edit.ts';

/** What a key does to a form. `edit`: the text of the field is to be written in an editor. */
export type FormResult =
	| {readonly type: 'changed'; readonly form: FormState}
	| {readonly type: 'cancelled'}
	| {readonly type: 'submitted'}
	| {readonly type: 'edit'; readonly text: string};

/** A key in a form: the same for dialogs and for a new run. Neither knows what the fields are for. */
export function reduceForm(form: FormState, key: string): FormResult {
	const {fields, at} = form;
	const field = fields[at]!;
	const changed = (changes: Partial<FormState>): FormResult => ({type: 'changed', form: {fields, at, ...changes}});
	switch (key) {
		case 'escape':
		case 'ctrl-c': {
			return {type: 'cancelled'};
		}

		case 'tab':
		case 'shift-tab':
		case 'down':
		case 'up': {
			const isBack = key === 'up' || key === 'shift-tab';
			// In options, and in a text of several lines, the arrows move from line to line first.
			const isArrow = key === 'up' || key === 'down';
			const by = isBack ? -1 : 1;
			const moved = isArrow ? moveRow(field, by) : undefined;
			return moved
				? changed({fields: replaceAt(fields, at, moved)})
				: changed({at: (at + (isBack ? fields.length - 1 : 1)) % fields.length});
		}

		case 'return': {
			return at < fields.length - 1 ? changed({at: at + 1}) : {type: 'submitted'};
		}

		case 'ctrl-o': {
			return field.multiline ? {type: 'edit', text: field.value} : changed({});
		}

		default: {
			return changed({fields: replaceAt(fields, at, edit(field, key))});
		}
	}
}
