import {cursorOf} from '../forms/edit.ts';
import type {Span} from '../../core/text/spans.ts';
import {isAnswered, isTyped, type Dialog, type KeyWord} from '../dialog.ts';
import {bindingOf, bindingsOf, keyName, keyOf, keysOf, shortTitle, type Action} from '../keymap.ts';
import {noticeText} from '../kept-notices.ts';
import {glanceOf} from '../list.ts';
import {nextSteps} from '../next-step.ts';
import {placeOf, selectedRun, type Prompt, type State} from '../state.ts';
import type {Line} from '../paint/line.ts';

/** The next step of the selected run, with its key. */
function nextStepOf(state: State): {readonly action: Action; readonly key: string; readonly title: string} | undefined {
	const run = selectedRun(state);
	const next = run && glanceOf(run, state).next;
	if (next === undefined) {
		return undefined;
	}

	const {action, word} = nextSteps[next];
	const binding = bindingOf(action);
	return binding.disabled?.(state) === undefined
		? {action, key: keyName(keysOf(binding, state)[0] ?? ''), title: word}
		: undefined;
}

/** What is done to several runs at once, the likeliest first. */
const batchActions: readonly Action[] = [
	'verify',
	'approve',
	'merge',
	'grant',
	'stop',
	'discard',
	'compare',
	'audit',
	'panic',
	'thaw',
	'acknowledge',
];

/** Where several runs are selected: how many, and what can be done to any of them. */
function batchKeys(state: State): readonly KeyWord[] {
	const entry = (action: Action) => {
		const binding = bindingOf(action);
		return {key: keyName(keysOf(binding, state)[0] ?? ''), title: shortTitle(binding)};
	};
	return fitted(
		[
			{key: '', title: `${state.list.marked.length} selected:`},
			...batchActions.filter(action => bindingOf(action).disabled?.(state) === undefined).map(action => entry(action)),
			{key: 'space', title: 'select'},
			{key: 'esc', title: 'none'},
		],
		state.columns - 1,
	);
}

/** Keys of a place, each with its words, as many as there is room for; the ways out are always among them. */
function footerKeys(state: State): ReadonlyArray<{readonly key: string; readonly title: string}> {
	const place = placeOf(state);
	if (place === 'fleet' && state.list.marked.length > 0) {
		return batchKeys(state);
	}

	const own = bindingsOf(place)
		.filter(binding => binding.footer !== undefined)
		.sort((a, b) => a.footer! - b.footer!);
	const toEntry = (binding: (typeof own)[number]) => ({
		key: keyName(keysOf(binding, state)[0] ?? ''),
		title: shortTitle(binding),
	});
	const isWay = ({action}: (typeof own)[number]) => ['back', 'help', 'quit'].includes(action);
	const ways = own.filter(binding => isWay(binding)).map(binding => toEntry(binding));
	// What cannot be done now is in the help, with the reason.
	const next = place === 'fleet' ? nextStepOf(state) : undefined;
	const now = own.filter(
		binding => !isWay(binding) && binding.action !== next?.action && binding.disabled?.(state) === undefined,
	);
	const size = ({key, title}: {key: string; title: string}) => key.length + title.length + 3;
	let room = state.columns - 1 - ways.reduce((sum, entry) => sum + size(entry), 0);
	const shown: Array<{readonly key: string; readonly title: string}> = next === undefined ? [] : [next];
	room -= next === undefined ? 0 : size(next);
	for (const binding of now) {
		const entry = toEntry(binding);
		if (size(entry) <= room) {
			shown.push(entry);
			room -= size(entry);
		}
	}

	return [...shown, ...ways];
}

/** The same as text. */
export function footerText(state: State): string {
	return footerKeys(state)
		.map(({key, title}) => `${key} ${title}`)
		.join('  ');
}

/** As many keys as there is room for; the last one, which is the way out, is always among them. */
function fitted(keys: readonly KeyWord[], columns: number): readonly KeyWord[] {
	const size = ({key, title}: KeyWord) => key.length + title.length + 3;
	const out = keys.at(-1)!;
	let room = columns - size(out);
	return [
		...keys.slice(0, -1).filter(word => {
			room -= size(word);
			return room >= 0;
		}),
		out,
	];
}

/** Keys in bold, their words beside them. */
function keySpans(keys: readonly KeyWord[]): Span[] {
	return keys.flatMap(({key, title}, index): Span[] => [
		{text: `${index === 0 ? ' ' : '  '}${key}`, bold: true},
		{text: ` ${title}`, tone: 'quiet'},
	]);
}

const promptHints: Readonly<Record<Prompt['kind'], string>> = {
	filter: 'enter: keep, esc: clear',
	activity: 'enter: keep, esc: clear',
	search: 'regular expression; enter: search, then n and N',
	logs: 'in the logs of all runs; regular expression',
	palette: 'enter: run, ↑↓: choose',
};

/** What is typed at the bottom, with its cursor. */
function promptLine({field, kind}: Prompt): Line {
	const at = cursorOf(field);
	return {
		spans: [
			{text: field.label, bold: true, tone: 'accent'},
			{text: field.value.slice(0, at)},
			{text: field.value[at] ?? ' ', inverse: true},
			{text: field.value.slice(at + 1)},
			{text: `   ${promptHints[kind]}`, dim: true},
		],
	};
}

const cancelKey = {key: 'esc', title: 'cancel'};
/** The keys of a question: what enter does in this field, and the next field's name. */
function dialogKeys(dialog: Dialog): readonly KeyWord[] {
	const {fields, at, yes, verb = 'go on', keys = [], queue} = dialog;
	if (yes !== undefined) {
		return [{key: 'y', title: yes}, cancelKey];
	}

	const following = fields[(at + 1) % fields.length]!.label.toLowerCase();
	return [
		{key: 'enter', title: isAnswered(dialog) ? verb : following},
		...(fields.length > 1 ? [{key: 'tab', title: following}] : []),
		...(fields[at]!.multiline ? [{key: 'ctrl-j', title: 'new line'}] : []),
		...keys.filter(({key}) => !isTyped(fields[at]) || key.startsWith('ctrl-')),
		...(queue && queue.left.length > 0 ? [{key: 'ctrl-n', title: 'skip'}] : []),
		queue ? {...cancelKey, title: 'stop'} : cancelKey,
	];
}

const formKeys = [
	{key: 'ctrl-s', title: 'start'},
	{key: 'tab', title: 'next'},
	{key: 'ctrl-x', title: 'more fields'},
	{key: 'enter', title: 'next/done'},
	cancelKey,
];

/** The keys that the footer names, in their order; nothing while a line is typed in its place. */
function footerWords(state: State): readonly KeyWord[] {
	const {focus} = state;
	switch (focus.type) {
		case 'prompt': {
			return [];
		}

		case 'dialog': {
			return fitted(dialogKeys(focus.dialog), state.columns);
		}

		case 'form': {
			return fitted(formKeys, state.columns);
		}

		case 'screen': {
			return footerKeys(state);
		}
	}
}

/** The key whose words are at a column of the footer; undefined between them. */
export function footerKeyAt(state: State, column: number): string | undefined {
	let start = 1;
	for (const {key, title} of footerWords(state)) {
		const end = start + key.length + 1 + title.length;
		if (column >= start && column < end && key !== '') {
			return keyOf(key);
		}

		start = end + 2;
	}

	return undefined;
}

function keysLine(state: State): Line {
	const {focus} = state;
	return focus.type === 'prompt' ? promptLine(focus.prompt) : {spans: keySpans(footerWords(state))};
}

/** What just happened, what is going on, and the keys. */
export function footerLines(state: State): Line[] {
	const ofRuns = Object.entries(state.busy).map(([run, title]) => {
		const progress = state.progress[run];
		return `${title} ${run}…${progress ? ` ${progress.done}/${progress.total}` : ''}`;
	});
	const going = [...(state.fleetBusy === undefined ? [] : [`${state.fleetBusy}…`]), ...ofRuns].join('  ');
	const first: Line = state.notice
		? {
				text: noticeText(state.notice, state.columns, keyName(keysOf(bindingOf('activity'), state)[0] ?? '')),
				tone: state.notice.bad ? 'bad' : 'good',
			}
		: {text: going, tone: 'accent'};
	return [first, keysLine(state)];
}
