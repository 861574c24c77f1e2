import type {Run} from '../core/run/run.ts';
import type {Action} from './keymap.ts';
import type {Effect, State, Then} from './state.ts';

/** What comes next, and what is to be done. */
export type Step = {readonly state: State; readonly effects: readonly Effect[]};

/** What an action does in a state. `run` is the selected one, and `id` its name, or ''. */
export type Handler = (context: {readonly state: State; readonly run: Run | undefined; readonly id: string}) => Step;
export type Handlers = Readonly<Partial<Record<Action, Handler>>>;

export const stay = (state: State): Step => ({state, effects: []});
export const bad = (state: State, text: string): Step => stay({...state, notice: {text, bad: true}});
export const good = (state: State, text: string): Step => stay({...state, notice: {text, bad: false}});

/**
 * UTF-16 units of a prompt that is an argument; of a longer one the system may
 * not take all, and of one that begins with a dash a verb would make options.
 */
const longestArgument = 40_000;

/** How a prompt is handed to a verb: as its last argument, or on stdin. */
export function spoken(prompt: string): {readonly argv: readonly string[]; readonly input?: string} {
	return prompt.length > longestArgument || prompt.startsWith('-')
		? {argv: ['--prompt-file', '-'], input: prompt}
		: {argv: [prompt]};
}

/** A verb for one run, as a process of its own; `run`: undefined for one that is about no run. */
export function runVerb(
	state: State,
	run: string | undefined,
	argv: readonly string[],
	title: string,
	then?: Then,
	input?: string,
): Step {
	return {
		state: run === undefined ? {...state, fleetBusy: title} : {...state, busy: {...state.busy, [run]: title}},
		effects: [
			{type: 'act', run, argv, title, ...(then === undefined ? {} : {then}), ...(input === undefined ? {} : {input})},
		],
	};
}

/** The same verb for several runs. */
export function runVerbForAll(
	state: State,
	runs: readonly Run[],
	argv: (run: Run) => readonly string[],
	title: string,
): Step {
	return runs.reduce<Step>(
		(step, run) => {
			const next = runVerb(step.state, run.id, argv(run), title);
			return {state: next.state, effects: [...step.effects, ...next.effects]};
		},
		stay({...state, list: {...state.list, marked: []}}),
	);
}
