import {cursorOf} from '../forms/edit.ts';
import {bindingsOf, keyName, keysOf} from '../keymap.ts';
import {placeOf, type Prompt, type State} from '../state.ts';
import type {Line} from '../paint/line.ts';

/** The keys of a place in one line; those that do nothing now stand in brackets. */
export function footerText(state: State): string {
	const place = placeOf(state);
	const own = bindingsOf(place)
		.filter(binding => binding.footer !== undefined)
		.sort((a, b) => a.footer! - b.footer!);
	const write = (binding: (typeof own)[number]) => {
		const text = `${keyName(keysOf(binding, state)[0] ?? '')} ${binding.title}`;
		return binding.disabled?.(state) === undefined ? text : `(${text})`;
	};

	// The ways out must be in sight, whatever else there is room for.
	const ways = own.filter(binding => ['back', 'help', 'quit'].includes(binding.action));
	const others = own.filter(binding => !ways.includes(binding));
	// What can be done now comes first where there is not room for all.
	const parts = [
		...others.filter(binding => binding.disabled?.(state) === undefined),
		...others.filter(binding => binding.disabled?.(state) !== undefined),
	].map(binding => write(binding));
	const tail = ways.map(binding => write(binding)).join('  ');
	let line = '';
	for (const part of parts) {
		if (line.length + part.length + 2 + tail.length <= state.columns) {
			line += `${part}  `;
		}
	}

	return line + tail;
}

const promptHints: Readonly<Record<Prompt['kind'], string>> = {
	filter: 'enter: keep, esc: clear',
	search: 'regular expression; enter: search, then n and N',
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

function keysLine(state: State): Line {
	const {focus} = state;
	switch (focus.type) {
		case 'prompt': {
			return promptLine(focus.prompt);
		}

		case 'dialog': {
			const {yes} = focus.dialog;
			const fields = 'enter next/done  tab next field  ctrl-u clear  esc cancel';
			return {text: yes === undefined ? fields : `y ${yes}  esc cancel`, dim: true};
		}

		case 'form': {
			return {text: 'ctrl-s start  tab next  ctrl-x more fields  enter next/done  esc cancel', dim: true};
		}

		case 'screen': {
			return {text: footerText(state), dim: true};
		}
	}
}

/** What just happened, what is going on, and the keys. */
export function footerLines(state: State): Line[] {
	const ofRuns = Object.entries(state.busy).map(([run, title]) => {
		const progress = state.progress[run];
		return `${title} ${run}…${progress ? ` ${progress.done}/${progress.total}` : ''}`;
	});
	const going = [...(state.fleetBusy === undefined ? [] : [`${state.fleetBusy}…`]), ...ofRuns].join('  ');
	const first: Line = state.notice
		? {text: state.notice.text, tone: state.notice.bad ? 'bad' : 'good'}
		: {text: going, tone: 'accent'};
	return [first, keysLine(state)];
}
