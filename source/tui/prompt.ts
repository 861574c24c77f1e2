import {edit, paste} from './forms/edit.ts';
import {paletteEntries} from './palette.ts';
import {firstRun, visibleRuns} from './list.ts';
import {withoutOverlay, withPrompt} from './focus.ts';
import {startSearch} from './review/search.ts';
import {placeOf, type Prompt, type State} from './state.ts';
import {stay, type Step} from './step.ts';

/* The line at the bottom that is typed: a filter that is seen at once, a search, the palette. */

/** What enter does: the filter is on already, a search begins, the palette's entry is done. */
function accept(state: State, prompt: Prompt): Step {
	const closed = withoutOverlay(state);
	switch (prompt.kind) {
		case 'activity':
		case 'filter': {
			return stay(closed);
		}

		case 'search': {
			const search = prompt.field.value;
			if (placeOf(state) === 'changes') {
				return startSearch(closed, search);
			}

			return {
				state: {...closed, logView: {...state.logView, search}},
				effects:
					search === '' ? [{type: 'log', kind: 'output', move: {to: 'same'}}] : [{type: 'search', backward: true}],
			};
		}

		case 'logs': {
			return searchLogs(closed, prompt.field.value);
		}

		case 'palette': {
			return paletteEntries(state)[prompt.at]?.go(closed) ?? stay(closed);
		}
	}
}

/** Looks for words in the logs of all runs. */
function searchLogs(state: State, words: string): Step {
	if (words.trim() === '') {
		return stay(state);
	}

	const isFromHere = state.screen === 'run' && state.parent === 'found';
	const foundFrom = state.screen === 'found' ? state.foundFrom : state.screen;
	return {
		state: {
			...state,
			screen: 'found',
			foundFrom: isFromHere ? 'fleet' : foundFrom,
			heading: undefined,
			found: {words, lines: undefined, note: '', at: 0, top: 0},
		},
		effects: [{type: 'search-logs', words}],
	};
}

/** Without what a filter left out. */
function cleared(state: State, {kind}: Prompt): State {
	switch (kind) {
		case 'filter': {
			return {...state, list: {...state.list, filter: ''}};
		}

		case 'activity': {
			return withFilter(state, '');
		}

		default: {
			return state;
		}
	}
}

/** With other words for the activity. */
function withFilter(state: State, filter: string): State {
	return {...state, activity: {...state.activity, filter, at: undefined}};
}

/** With what is typed in the prompt; a filter is applied as it is typed. */
function withTyped(state: State, prompt: Prompt): Step {
	const typed = withPrompt(state, prompt);
	if (prompt.kind === 'activity') {
		return stay(withFilter(typed, prompt.field.value));
	}

	if (prompt.kind !== 'filter') {
		return stay(typed);
	}

	const filtered: State = {...typed, heading: undefined, list: {...state.list, filter: prompt.field.value}};
	const isKept = visibleRuns(filtered).some(run => run.id === state.selected);
	return stay(isKept ? filtered : {...filtered, selected: firstRun(filtered), journal: [], log: undefined});
}

export function promptKey(state: State, prompt: Prompt, key: string): Step {
	switch (key) {
		case 'escape':
		case 'ctrl-c': {
			const closed = withoutOverlay(state);
			return stay(cleared(closed, prompt));
		}

		case 'up':
		case 'down': {
			const last = prompt.kind === 'palette' ? paletteEntries(state).length - 1 : -1;
			const at = Math.max(0, Math.min(last, prompt.at + (key === 'up' ? -1 : 1)));
			return stay(withPrompt(state, {...prompt, at}));
		}

		case 'return': {
			return accept(state, prompt);
		}

		default: {
			return withTyped(state, {...prompt, at: 0, field: edit(prompt.field, key)});
		}
	}
}

export function pasteIntoPrompt(state: State, prompt: Prompt, text: string): Step {
	return withTyped(state, {...prompt, field: paste(prompt.field, text)});
}
