import type {Run} from '../../core/run/run.ts';
import {stageName} from '../../core/run/stages.ts';
import {withPrompt} from '../focus.ts';
import {selectedRun, tabs, type Place, type Prompt, type State} from '../state.ts';
import {stay, type Handler} from '../step.ts';
import {targets} from '../targets.ts';

/*
 * A key is one record: which keys, what it is called, where it works, why not now, and what it does. The footer, the
 * help, the palette and docs/keys.md are made from the records; the names of a table's records are the actions, which
 * settings.yaml knows them by.
 */

export type KeyRecord = {
	/** Names of keys, with blanks between. */
	readonly keys: string;
	readonly title: string;
	readonly places: readonly Place[];
	/** Its rank in the footer, where the lowest come first; undefined for a key that is not there. */
	readonly footer?: number;
	/** Why the key does nothing now; undefined where it does. */
	disabled?(state: State): string | undefined;
	readonly run: Handler;
};
export type KeyTable = Readonly<Record<string, KeyRecord>>;

export const ofRun: readonly Place[] = [...tabs, 'gates'];
export const withRun: readonly Place[] = ['fleet', ...ofRun, 'compare'];
export const everywhere: readonly Place[] = [
	'fleet',
	...ofRun,
	'vault',
	'disk',
	'plan',
	'compare',
	'activity',
	'found',
];
export const everywhereAndHelp: readonly Place[] = [...everywhere, 'help'];

export function needsRun(state: State): string | undefined {
	return selectedRun(state) ? undefined : 'no run is selected';
}

/** A verb of the selected run that has not ended yet. */
export function needsIdle(state: State): string | undefined {
	const run = selectedRun(state);
	return run && state.busy[run.id] ? `${state.busy[run.id]} in progress` : undefined;
}

/** Refuses where there is no run, or a verb of it has not ended, and then for the run's own reasons. */
export function refusing(because: (run: Run, state: State) => string | undefined) {
	return (state: State): string | undefined =>
		needsRun(state) ?? needsIdle(state) ?? because(selectedRun(state)!, state);
}

/** Refuses where none of the target runs can take it. */
export function needsTarget(
	fits: (run: Run) => boolean,
	otherwise = (run: Run) => `${run.id} is ${stageName(run.stage)}`,
) {
	return (state: State): string | undefined => {
		const own = targets(state);
		if (own.length === 0) {
			return 'no run is selected';
		}

		if (own.some(run => fits(run))) {
			return undefined;
		}

		return own.length === 1 ? otherwise(own[0]!) : `not possible for any of the ${own.length} selected runs`;
	};
}

/** `fleet <argv>` with the terminal for itself. @param pause whether a person reads its end before the screen returns */
export const inTerminal =
	(argv: readonly string[], pause: boolean): Handler =>
	({state}) => ({state, effects: [{type: 'terminal', argv, pause}]});

const labels: Readonly<Record<Prompt['kind'], string>> = {
	filter: '/',
	search: '/',
	activity: '/',
	logs: '\\',
	palette: ':',
};

/** The line at the bottom, for something that is typed. */
export const openPrompt =
	(kind: Prompt['kind'], value: (state: State) => string = () => ''): Handler =>
	({state}) => {
		const field = {id: 'prompt', label: labels[kind], value: value(state), hint: ''};
		return stay(withPrompt(state, {kind, field, at: 0}));
	};

/** The item after one, and the first after the last. */
export const following = <T>(items: readonly T[], item: T): T => items[(items.indexOf(item) + 1) % items.length]!;
