import {act, nextAction} from './act.ts';
import {sortBy} from './actions/list.ts';
import {promptOf} from './focus.ts';
import {bindings, bindingsOf, keyNames, shortTitle, type Action, type Binding} from './keymap.ts';
import {glanceOf, taskOf} from './list.ts';
import {openGates, openTab, select} from './navigation.ts';
import {placeNames} from './place-names.ts';
import {placeOf, sorts, tabs, type Place, type State, type Tab} from './state.ts';
import {bad, stay, type Step} from './step.ts';

/* Everything by its name, from everywhere: commands, and where else they are done; runs; projects. */

/** A line of the palette. */
export type PaletteEntry = {
	readonly id: string;
	readonly title: string;
	/** Where it is done, or how it stands: shown behind the title, which gives way to it. Not escaped. */
	readonly hint: string;
	readonly keys: string;
	/** Why it cannot be chosen now; undefined where it can. */
	readonly disabled: string | undefined;
	/** What choosing it does, with the palette closed. */
	go(state: State): Step;
};

/** Moving is done by key, and a palette in the palette leads nowhere. */
const notInPalette = new Set<Action>(['up', 'down', 'page-up', 'page-down', 'top', 'bottom', 'palette', 'back']);

/** Runs and projects that are offered at once. */
const maxFound = 30;

/** The actions that open the places that no run is needed for. */
const openers: Partial<Record<Place, Action>> = {vault: 'vault', disk: 'disk', activity: 'activity'};

/** The state in another place, and what has to be read there; undefined for a place that cannot be gone to by itself. */
function placed(state: State, place: Place): Step | undefined {
	const opener = openers[place];
	if (place === 'fleet') {
		return stay({...state, screen: 'fleet', scroll: 0});
	}

	if (opener) {
		return act({...state, screen: 'fleet'}, opener);
	}

	const run = state.runs.find(({id}) => id === state.selected);
	if (!run) {
		return undefined;
	}

	const chosen = {...state, heading: undefined};
	if (place === 'plan') {
		return run.plan ? stay({...chosen, screen: 'plan', scroll: 0}) : undefined;
	}

	if (place === 'gates') {
		return openGates(chosen);
	}

	return (tabs as readonly string[]).includes(place) ? openTab(chosen, place as Tab) : undefined;
}

function commandHere(binding: Binding, state: State): PaletteEntry {
	const disabled = binding.disabled?.(state);
	return {
		id: binding.action,
		title: binding.title,
		hint: '',
		keys: keyNames(binding, state),
		disabled,
		go: from => (disabled === undefined ? act(from, binding.action) : bad(from, `${shortTitle(binding)}: ${disabled}`)),
	};
}

/** A command of another place: it is gone to first. */
function commandThere(binding: Binding, state: State): PaletteEntry[] {
	for (const place of binding.places) {
		const there = placed(state, place);
		if (!there) {
			continue;
		}

		const disabled = binding.disabled?.(there.state);
		return [
			{
				id: binding.action,
				title: binding.title,
				hint: placeNames[place],
				keys: keyNames(binding, state),
				disabled,
				go(from) {
					const step = placed(from, place) ?? stay(from);
					const refusal = binding.disabled?.(step.state);
					const done =
						refusal === undefined
							? act(step.state, binding.action)
							: bad(step.state, `${shortTitle(binding)}: ${refusal}`);
					return {state: done.state, effects: [...step.effects, ...done.effects]};
				},
			},
		];
	}

	return [];
}

const runEntries = (state: State): PaletteEntry[] =>
	state.runs.map(run => ({
		id: `run ${run.id}`,
		title: `${run.id}  ${taskOf(run)}`,
		hint: `${run.project.id}, ${glanceOf(run, state).text}`,
		keys: 'run',
		disabled: undefined,
		go: from => openTab(select(from, run.id), 'output'),
	}));

const projectEntries = (state: State): PaletteEntry[] =>
	state.projects.map(project => ({
		id: `project ${project.id}`,
		title: `project ${project.id}`,
		hint: '',
		keys: '',
		disabled: undefined,
		go: from => stay({...from, screen: 'fleet', list: {...from.list, filter: `project:${project.id}`, show: 'all'}}),
	}));

const sortEntries = (state: State): PaletteEntry[] =>
	sorts.map(sort => ({
		id: `sort ${sort}`,
		title: `sort by ${sort}`,
		hint: state.list.sort === sort ? 'as it is' : '',
		keys: '',
		disabled: undefined,
		go: from => sortBy({...from, screen: 'fleet', scroll: 0}, sort),
	}));

/** What the words in the palette find; without words the commands of the place. What can be chosen comes first. */
export function paletteEntries(state: State): PaletteEntry[] {
	const words =
		promptOf(state)
			?.field.value.toLowerCase()
			.split(/\s+/)
			.filter(word => word !== '') ?? [];
	const wanted = words.join(' ');
	const isFound = ({title, id, hint = ''}: {title: string; id: string; hint?: string}) => {
		const text = `${title} ${id} ${hint}`.toLowerCase();
		return words.every(word => text.includes(word));
	};

	const here = bindingsOf(placeOf(state)).filter(({action}) => !notInPalette.has(action));
	const commands = here.map(binding => commandHere(binding, state)).filter(entry => isFound(entry));
	if (words.length === 0) {
		return ranked(commands, wanted, nextAction(state));
	}

	const known = new Set<Action>(here.map(({action}) => action));
	const elsewhere = bindings
		.filter(({action, title}) => !known.has(action) && !notInPalette.has(action) && isFound({title, id: action}))
		.flatMap(binding => commandThere(binding, state));
	const found = [...sortEntries(state), ...runEntries(state), ...projectEntries(state)]
		.filter(entry => isFound(entry))
		.slice(0, maxFound);
	return ranked([...commands, ...elsewhere, ...found], wanted);
}

/** What stands behind an entry's title: where it is done or how it stands, and why it cannot be chosen now. Not escaped. */
export function hintOf({hint, disabled}: PaletteEntry): string {
	return [hint, disabled ?? ''].filter(part => part !== '').join(': ');
}

/** What is done next, then what can be chosen, and of that first what begins with the words. */
function ranked(entries: readonly PaletteEntry[], wanted: string, next?: Action): PaletteEntry[] {
	const rank = ({id, disabled, title}: PaletteEntry) =>
		(id === next ? -4 : 0) + (disabled === undefined ? 0 : 2) + Number(!title.toLowerCase().startsWith(wanted));
	return [...entries].sort((a, b) => rank(a) - rank(b));
}
