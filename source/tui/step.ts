import type {Run} from '../core/run/run.ts';
import type {Batch} from './batch.ts';
import type {Effect, State, Then} from './state.ts';

/** What comes next, and what is to be done. */
export type Step = {readonly state: State; readonly effects: readonly Effect[]};

/** What an action does in a state. `run` is the selected one, and `id` its name, or ''. */
export type Handler = (context: {readonly state: State; readonly run: Run | undefined; readonly id: string}) => Step;

export const stay = (state: State): Step => ({state, effects: []});
export const bad = (state: State, text: string): Step => stay({...state, notice: {text, bad: true}});
export const good = (state: State, text: string): Step => stay({...state, notice: {text, bad: false}});

/** UTF-16 units, each at most 3 bytes of UTF-8: Linux takes 128 KiB in one argument. */
const maxArgumentLength = 40_000;

/** How a prompt is handed to a verb: as its last argument; on stdin where it is too long or looks like an option. */
export function spoken(prompt: string): {readonly argv: readonly string[]; readonly input?: string} {
	return prompt.length > maxArgumentLength || prompt.startsWith('-')
		? {argv: ['--prompt-file', '-'], input: prompt}
		: {argv: [prompt]};
}

/** A verb to be run. `title` says what is going on; `input` is what it reads from stdin. */
type Verb = {
	readonly argv: readonly string[];
	readonly title: string;
	readonly then?: Then;
	readonly input?: string | undefined;
	/** Further verbs, once it has succeeded. */
	readonly more?: ReadonlyArray<readonly string[]>;
	/** Those that are begun at once, and end in one notice. */
	readonly batch?: Batch | undefined;
};

/** A verb for one run, as a process of its own; `run`: undefined for one that is about no run. */
export function runVerb(
	state: State,
	run: string | undefined,
	{argv, title, then, input, more = [], batch}: Verb,
): Step {
	return {
		state: run === undefined ? {...state, fleetBusy: title} : {...state, busy: {...state.busy, [run]: title}},
		effects: [
			{
				type: 'act',
				run,
				argv,
				title,
				...(then === undefined ? {} : {then}),
				...(input === undefined ? {} : {input}),
				...(more.length === 0 ? {} : {more}),
				...(batch === undefined ? {} : {batch}),
			},
		],
	};
}

/** Verbs for several runs: of one run one after the other, as long as they succeed. */
export function runVerbsForAll(
	state: State,
	runs: readonly Run[],
	{
		argvs,
		title,
		then,
		isSerial,
	}: {
		argvs(run: Run): ReadonlyArray<readonly string[]>;
		readonly title: string;
		readonly then?: Then;
		readonly isSerial?: boolean;
	},
): Step {
	const orders = runs.flatMap(run => {
		const [argv, ...more] = argvs(run);
		return argv === undefined ? [] : [{run: run.id, argv, more}];
	});
	const batch =
		orders.length > 1
			? {id: `${title} ${orders.map(({run}) => run).join(' ')}`, size: orders.length, ...(isSerial ? {isSerial} : {})}
			: undefined;
	return orders.reduce<Step>(
		(step, {run, argv, more}) => {
			const next = runVerb(step.state, run, {argv, more, title, batch, ...(then === undefined ? {} : {then})});
			return {state: next.state, effects: [...step.effects, ...next.effects]};
		},
		stay({...state, list: {...state.list, marked: []}}),
	);
}

/** The same verb for several runs. */
export const runVerbForAll = (
	state: State,
	runs: readonly Run[],
	{argv, title}: {argv(run: Run): readonly string[]; readonly title: string},
): Step => runVerbsForAll(state, runs, {argvs: run => [argv(run)], title});
