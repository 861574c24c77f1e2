import type {Effect, State} from '../../source/tui/state.ts';
import {update} from '../../source/tui/update.ts';
import {frameLines} from '../../source/tui/view.ts';
import {at} from './states.ts';

/* A person at the keys of a screen, and what they read. */

/** Keys one after the other, without a clock. */
export function press(from: State, ...keys: string[]): {state: State; effects: Effect[]} {
	return pressed(from, keys, () => undefined);
}

/** Keys with a second between them, as of someone who reads what is asked. */
export function pressSlowly(from: State, ...keys: string[]): {state: State; effects: Effect[]} {
	const begin = from.keyAt ?? Date.parse(at) + 120_000;
	return pressed(from, keys, index => begin + (index + 1) * 1000);
}

function pressed(
	from: State,
	keys: readonly string[],
	timeOf: (index: number) => number | undefined,
): {state: State; effects: Effect[]} {
	let current = from;
	const effects: Effect[] = [];
	for (const [index, key] of keys.entries()) {
		const step = update(current, {type: 'keys', keys: [key], at: timeOf(index)});
		current = step.state;
		effects.push(...step.effects);
	}

	return {state: current, effects};
}

/** The lines of a state's frame, without what is blank at their ends. */
export function textLines(from: State): string[] {
	return frameLines(from).map(line => (line.spans?.map(span => span.text).join('') ?? line.text ?? '').trimEnd());
}

/** The same as one text. */
export const text = (from: State): string => textLines(from).join('\n');
