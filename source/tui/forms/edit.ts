import {escapeControls} from '../../core/text/escape-controls.ts';
import type {Field} from '../dialog.ts';

/* Typing: what a key does to a field. */

export function cursorOf(field: Field): number {
	return Math.min(field.value.length, field.cursor ?? field.value.length);
}

function withText(field: Field, before: string, after: string): Field {
	return {...field, value: before + after, cursor: after === '' ? undefined : before.length};
}

/** The beginning of the character, or of the word, before a position. */
function back(text: string, word: boolean): number {
	return word ? text.replace(/\S+\s*$|\s+$/, '').length : text.length - ([...text].at(-1)?.length ?? 0);
}

/** How far a key moves along the choices of a field. */
function choiceStep(key: string): number {
	switch (key) {
		case 'left': {
			return -1;
		}

		case 'right':
		case 'space': {
			return 1;
		}

		default: {
			return 0;
		}
	}
}

/** What a key types; empty for one that types nothing. */
function typed(key: string): string {
	if (key === 'space') {
		return ' ';
	}

	return [...key].length === 1 ? key : '';
}

/** A key in a list of options: the row under the cursor is chosen, or not any more. */
function choose(field: Field, key: string): Field {
	const option = field.options?.[field.cursor ?? 0];
	if (key !== 'space' || !option || option.isOff) {
		return field;
	}

	const chosen = chosenOf(field.value);
	if (!field.several) {
		return {...field, value: option.value};
	}

	const value = chosen.includes(option.value)
		? chosen.filter(other => other !== option.value)
		: [...chosen, option.value];
	return {...field, value: value.join(separator)};
}

/** Stands between the options that were chosen. */
const separator = '\n';

/** The options that a field's value names. */
export const chosenOf = (value: string): readonly string[] => value.split(separator).filter(one => one !== '');

/** The cursor on another option, which is chosen with it where only one can be; undefined beyond the first and the last. */
function moveOption(field: Field, by: number): Field | undefined {
	const at = (field.cursor ?? 0) + by;
	const option = field.options?.[at];
	return option && {...field, cursor: at, ...(field.several ? {} : {value: option.value})};
}

/** One key in a field. The same field where the key means nothing there. */
export function edit(field: Field, key: string): Field {
	if (field.options) {
		return choose(field, key);
	}

	if (field.choices && field.choices.length > 0) {
		const by = choiceStep(key);
		const {choices} = field;
		return by === 0
			? field
			: {...field, value: choices[(Math.max(0, choices.indexOf(field.value)) + by + choices.length) % choices.length]!};
	}

	const at = cursorOf(field);
	const before = field.value.slice(0, at);
	const after = field.value.slice(at);
	switch (key) {
		case 'backspace': {
			return withText(field, before.slice(0, back(before, false)), after);
		}

		case 'ctrl-w':
		case 'alt-backspace': {
			return withText(field, before.slice(0, back(before, true)), after);
		}

		case 'ctrl-u': {
			return withText(field, '', after);
		}

		case 'ctrl-k': {
			return withText(field, before, '');
		}

		case 'ctrl-d':
		case 'delete': {
			return withText(field, before, after.slice([...after][0]?.length ?? 0));
		}

		case 'left': {
			return {...field, cursor: back(before, false)};
		}

		case 'right': {
			return {...field, cursor: at + ([...after][0]?.length ?? 0)};
		}

		case 'alt-left':
		case 'alt-b': {
			return {...field, cursor: back(before, true)};
		}

		case 'alt-right':
		case 'alt-f': {
			return {...field, cursor: at + (/^\s*\S*/.exec(after)?.[0].length ?? 0)};
		}

		case 'home':
		case 'ctrl-a': {
			return {...field, cursor: before.lastIndexOf('\n') + 1};
		}

		case 'end':
		case 'ctrl-e': {
			const end = after.indexOf('\n');
			return {...field, cursor: end === -1 ? undefined : at + end};
		}

		case 'ctrl-j':
		case 'alt-return': {
			return field.multiline ? withText(field, `${before}\n`, after) : field;
		}

		default: {
			const text = typed(key);
			return text === '' ? field : withText(field, before + text, after);
		}
	}
}

/** Text that was pasted. A word that confirms something is never pasted. */
export function paste(field: Field, text: string): Field {
	if (field.choices || field.options || field.confirm !== undefined) {
		return field;
	}

	const clean = escapeControls(text.replaceAll(/\r\n?/g, '\n'));
	const at = cursorOf(field);
	return withText(
		field,
		field.value.slice(0, at) + (field.multiline ? clean : clean.replaceAll('\n', ' ').trimEnd()),
		field.value.slice(at),
	);
}

/** The line of a text with several that a cursor is in, and its first. */
function moveLine(field: Field, by: number): Field | undefined {
	if (!field.multiline) {
		return undefined;
	}

	const at = cursorOf(field);
	const start = field.value.lastIndexOf('\n', at - 1) + 1;
	const column = at - start;
	if (by < 0) {
		if (start === 0) {
			return undefined;
		}

		const previous = field.value.lastIndexOf('\n', start - 2) + 1;
		return {...field, cursor: Math.min(previous + column, start - 1)};
	}

	const end = field.value.indexOf('\n', at);
	if (end === -1) {
		return undefined;
	}

	const nextEnd = field.value.indexOf('\n', end + 1);
	return {...field, cursor: Math.min(end + 1 + column, nextEnd === -1 ? field.value.length : nextEnd)};
}

/** The cursor in the row above or below, of options or of a text; undefined where there is none. */
export const moveRow = (field: Field, by: number): Field | undefined =>
	field.options ? moveOption(field, by) : moveLine(field, by);

export function replaceAt<T>(items: readonly T[], at: number, item: T): T[] {
	return items.map((other, index) => (index === at ? item : other));
}

/** What the fields hold, by their ids, without blanks around. */
export function valuesOf(fields: readonly Field[]): Record<string, string> {
	return Object.fromEntries(fields.map(field => [field.id, field.value.trim()]));
}
