import {activityKeys} from './actions/activity.ts';
import {generalKeys} from './actions/general.ts';
import {listKeys} from './actions/list.ts';
import {moveKeys} from './actions/move.ts';
import {outputKeys} from './actions/output.ts';
import {pipelineKeys} from './actions/pipeline.ts';
import {everywhere, type KeyRecord, type KeyTable} from './actions/record.ts';
import {reviewKeys} from './actions/review.ts';
import {planKeys} from './actions/plan.ts';
import {runKeys} from './actions/run.ts';
import {searchKeys} from './actions/search.ts';
import {scopeKeys} from './actions/scopes.ts';
import {placeNames} from './place-names.ts';
import {placeOf, tabs, type Place, type State} from './state.ts';

/* The keys of all places. Footer, help, palette and docs/keys.md come from here, in this order. */

const records = {
	...moveKeys,
	...listKeys,
	...activityKeys,
	...searchKeys,
	...outputKeys,
	...reviewKeys,
	...scopeKeys,
	...pipelineKeys,
	...planKeys,
	...runKeys,
	...generalKeys,
} satisfies KeyTable;

export type Action = keyof typeof records;
export const actions = Object.keys(records) as readonly Action[];

export type Binding = Omit<KeyRecord, 'keys'> & {readonly action: Action; readonly keys: readonly string[]};

export const bindings: readonly Binding[] = actions.map(action => {
	const record: KeyRecord = records[action];
	return {...record, action, keys: record.keys.split(' ')};
});

/** The groups of the help, in its order: what is looked for comes first. */
const helpGroups: ReadonlyArray<{readonly title: string; readonly table: KeyTable}> = [
	{title: 'This run', table: runKeys},
	{title: 'Decide', table: {...pipelineKeys, ...planKeys, ...scopeKeys}},
	{title: 'Review', table: reviewKeys},
	{title: 'Output', table: outputKeys},
	{title: 'List', table: listKeys},
	{title: 'Activity', table: {...activityKeys, ...searchKeys}},
	{title: 'Move', table: moveKeys},
	{title: 'Everywhere', table: generalKeys},
];

/** The bindings of a place as the help shows them: grouped, and of each group those of this place first. */
export function helpOf(place: Place): ReadonlyArray<{readonly title: string; readonly bindings: readonly Binding[]}> {
	const own = bindingsOf(place);
	return helpGroups
		.map(({title, table}) => ({title, bindings: own.filter(({action}) => action in table)}))
		.filter(group => group.bindings.length > 0);
}

/** The binding of an action. */
export function bindingOf(action: Action): Binding {
	return bindings.find(binding => binding.action === action)!;
}

/** The bindings of a place, those that it shares with the fewest others first: they are what is looked for there. */
export function bindingsOf(place: Place): Binding[] {
	return bindings.filter(binding => binding.places.includes(place)).sort((a, b) => a.places.length - b.places.length);
}

/** What an action is called before a reason: a title's first words. */
export function shortTitle({title}: Pick<Binding, 'title'>): string {
	return title.split(/[:;,]/, 1)[0]!;
}

/** The keys of a binding: a person's own come in place of the built-in ones. */
export function keysOf(binding: Pick<Binding, 'action' | 'keys'>, state: Pick<State, 'settings'>): readonly string[] {
	return state.settings.keys[binding.action] ?? binding.keys;
}

/** What a key means in a place, if anything. */
export function findBinding(state: Pick<State, 'screen' | 'tab' | 'settings'>, key: string): Binding | undefined {
	const place = placeOf(state);
	return bindings.find(binding => binding.places.includes(place) && keysOf(binding, state).includes(key));
}

/**
 * What is wrong with a person's own keys, in words: an action that is not known, or two that share a key in one place.
 */
export function keyProblems(keys: State['settings']['keys']): string[] {
	const known = new Set<string>(actions);
	const problems = Object.keys(keys)
		.filter(action => !known.has(action))
		.map(action => `keys: there is no action "${action}"`);
	const state = {settings: {keys} as State['settings']};
	const seen = new Map<string, Binding>();
	for (const binding of bindings) {
		for (const place of binding.places) {
			for (const key of keysOf(binding, state)) {
				const other = seen.get(`${place} ${key}`);
				if (other) {
					problems.push(`keys: "${key}" is both ${other.action} and ${binding.action} in ${placeNames[place]}`);
				}

				seen.set(`${place} ${key}`, binding);
			}
		}
	}

	return [...new Set(problems)];
}

const names: Record<string, string> = {
	return: 'enter',
	up: '↑',
	down: '↓',
	left: '←',
	right: '→',
	escape: 'esc',
	pageup: 'pgup',
	pagedown: 'pgdn',
};

/** A key as people write it. */
export function keyName(key: string): string {
	return names[key] ?? key;
}

/** The key that people write so. */
export function keyOf(name: string): string {
	return Object.keys(names).find(key => names[key] === name) ?? name;
}

/** All keys of a binding as people write them. */
export function keyNames(binding: Pick<Binding, 'action' | 'keys'>, state: Pick<State, 'settings'>): string {
	return keysOf(binding, state)
		.map(key => keyName(key))
		.join(' ');
}

/** The table of docs/keys.md, in Markdown. */
export function keyTable(): string {
	const lines = bindings.map(binding => {
		const keys = binding.keys.map(key => `\`${keyName(key) === '|' ? '\\|' : keyName(key)}\``).join(' ');
		return `| ${keys} | ${binding.title} | ${placesText(binding.places)} |`;
	});
	return ['| Key | What it does | Where |', '| --- | --- | --- |', ...lines].join('\n');
}

function placesText(places: readonly Place[]): string {
	if (everywhere.every(place => places.includes(place))) {
		return `everywhere${places.includes('welcome') ? '' : ' but the first screen'}`;
	}

	const isTab = (place: Place) => (tabs as readonly string[]).includes(place);
	return tabs.every(tab => places.includes(tab))
		? [...places.filter(place => !isTab(place)).map(place => placeNames[place]), 'run tabs'].join(', ')
		: places.map(place => placeNames[place]).join(', ');
}
