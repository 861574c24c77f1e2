import type {ReactNode} from 'react';
import {bindings, keyName} from '../keymap.ts';
import type {State} from '../state.ts';
import {theme} from '../theme.ts';
import {Lines, type Line} from './lines.tsx';

/** How many lines the footer takes. */
export const footerHeight = 2;

/** The keys of a screen in one line; those that do nothing now stand in brackets. */
export function footerText(state: State): string {
	const own = bindings.filter(binding => binding.footer && binding.screens.includes(state.screen));
	const write = (binding: (typeof own)[number]) => {
		const text = `${keyName(binding.keys[0]!)} ${binding.title}`;
		return binding.disabled?.(state) === undefined ? text : `(${text})`;
	};

	// The ways out must be in sight, whatever else there is room for.
	const ways = own.filter(binding => ['back', 'help', 'quit'].includes(binding.action));
	const parts = own.filter(binding => !ways.includes(binding)).map(binding => write(binding));
	const tail = ways.map(binding => write(binding)).join('  ');
	let line = '';
	for (const part of parts) {
		if (line.length + part.length + 2 + tail.length > state.columns) {
			break;
		}

		line += `${part}  `;
	}

	return line + tail;
}

/** What just happened, what is going on, and the keys. */
export function Footer({state}: {readonly state: State}): ReactNode {
	const going = Object.entries(state.busy).map(([run, label]) => `${label}${run === '' ? '' : ` ${run}`}…`).join('  ');
	const first: Line = state.notice ? {text: state.notice.text, colour: state.notice.bad ? theme.bad : theme.good} : {text: going, colour: theme.accent};
	const keys = state.dialog || state.screen === 'new' ? 'enter next/done  tab next field  ctrl-u clear  esc cancel' : footerText(state);
	return <Lines lines={[first, {text: keys, dim: true}]} width={state.columns} height={footerHeight} />;
}
