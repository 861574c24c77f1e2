import {moveLog, openTab, select} from '../navigation.ts';
import type {State} from '../state.ts';
import type {Step} from '../step.ts';
import {everywhere, openPrompt, type KeyTable} from './record.ts';

/* Words in the logs of all runs, and the way to where they are. */

/** Lines of a log that are shown above the one that was found. */
const linesAbove = 3;

/** Opens the log of the selected line at its place. Esc comes back here, and from here goes to the list. */
function open(state: State): Step {
	const {words, lines, at} = state.found!;
	const {run, log, position} = lines![at]!;
	const next = openTab(select({...state, foundFrom: 'fleet'}, run), 'output');
	const there: State = {
		...next.state,
		logShown: log,
		logView: {
			...next.state.logView,
			search: words,
			steps: false,
			// What was written is looked at, and not the screen that it draws.
			raw: next.state.logView.raw || state.runs.some(own => own.id === run && own.interactive),
		},
	};
	return {
		state: there,
		effects: [...moveLog(there, {position}).effects, ...moveLog(there, {by: -linesAbove}).effects],
	};
}

function needsFound({found, runs}: State): string | undefined {
	const line = found?.lines?.[found.at];
	if (!line) {
		return found?.lines ? 'no line is selected' : 'searching…';
	}

	return runs.some(({id}) => id === line.run) ? undefined : `${line.run} is not there any more`;
}

export const searchKeys = {
	'search-logs': {
		keys: '\\',
		title: 'search the logs of all runs',
		places: everywhere,
		run: openPrompt('logs'),
	},
	'found-open': {
		keys: 'return',
		title: 'open the log there',
		places: ['found'],
		footer: 1,
		disabled: needsFound,
		run: ({state}) => open(state),
	},
	'found-again': {
		keys: '/',
		title: 'other words',
		places: ['found'],
		footer: 2,
		run: openPrompt('logs', ({found}) => found?.words ?? ''),
	},
} as const satisfies KeyTable;
