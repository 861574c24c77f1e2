import {moveToEnd, withLogView} from '../navigation.ts';
import {keepPlace} from '../review/cursor.ts';
import {placeOf, type State} from '../state.ts';
import {stay, type Handler, type Step} from '../step.ts';
import {openPrompt, type KeyTable} from './record.ts';

/* How a log is looked at. */

const turnMatch =
	(backward: boolean): Handler =>
	({state}) => ({state, effects: [{type: 'search', backward}]});

const openIn =
	(program: 'pager' | 'editor', full = false): Handler =>
	({state, id}) => {
		const {logShown} = state;
		const own = full ? ['--full'] : [];
		const which = logShown === 'output' ? own : [`--${logShown}`];
		return {state, effects: [{type: 'terminal', argv: ['logs', id, ...which, `--${program}`], pause: false}]};
	};

function wrap(state: State): Step {
	const {review} = state;
	return placeOf(state) !== 'changes'
		? withLogView(state, {wrap: !state.logView.wrap})
		: stay(review ? keepPlace(state, {...state, review: {...review, wrap: !review.wrap}}) : state);
}

/** Begins or ends a selection of lines: at the match in view, else at the last line. */
function select(state: State): Step {
	const rows = state.log?.rows ?? [];
	const match = rows.find(row => state.logView.search !== '' && row.spans.some(span => span.back === 'match'));
	const row = match ?? rows.at(-1);
	return stay(
		row
			? {
					...state,
					logView: {...state.logView, select: state.logView.select ? undefined : {anchor: row.from, at: row.from}},
				}
			: state,
	);
}

function copy(state: State): Step {
	const {anchor, at} = state.logView.select!;
	return {
		state: {...state, logView: {...state.logView, select: undefined}},
		effects: [{type: 'copy', from: Math.min(anchor, at), to: Math.max(anchor, at)}],
	};
}

const needsOutput = (state: State) => (state.log && state.log.range.to > 0 ? undefined : 'no output yet');
const needsSearch = (state: State) => (state.logView.search === '' ? 'no search yet (/)' : undefined);
const needsSelection = (state: State) => (state.logView.select ? undefined : 'nothing is selected (v)');

const logs = ['output'] as const;

export const outputKeys = {
	search: {keys: '/', title: 'search', places: logs, footer: 1, disabled: needsOutput, run: openPrompt('search')},
	'next-match': {keys: 'n', title: 'next match', places: logs, disabled: needsSearch, run: turnMatch(false)},
	'previous-match': {keys: 'N', title: 'previous match', places: logs, disabled: needsSearch, run: turnMatch(true)},
	follow: {keys: 'F', title: 'follow output', places: logs, run: ({state}) => moveToEnd(state, true)},
	steps: {
		keys: 'z',
		title: 'steps only',
		places: logs,
		run: ({state}) => withLogView(state, {steps: !state.logView.steps}),
	},
	raw: {
		keys: 'e',
		title: 'raw or readable',
		places: [...logs, 'journal'],
		run: ({state}) =>
			placeOf(state) === 'journal'
				? stay({...state, journalRaw: !state.journalRaw})
				: withLogView(state, {raw: !state.logView.raw}),
	},
	wrap: {keys: 'w', title: 'wrap long lines', places: [...logs, 'changes'], run: ({state}) => wrap(state)},
	select: {keys: 'v', title: 'select lines', places: logs, disabled: needsOutput, run: ({state}) => select(state)},
	copy: {keys: 'y', title: 'copy selection', places: logs, disabled: needsSelection, run: ({state}) => copy(state)},
	pager: {keys: 'o', title: 'open in $PAGER', places: logs, disabled: needsOutput, run: openIn('pager')},
	full: {
		keys: 'O',
		title: "tools' whole output, in $PAGER",
		places: logs,
		disabled: state => (state.logShown === 'output' ? needsOutput(state) : 'this is not the output of the agent'),
		run: openIn('pager', true),
	},
	editor: {keys: 'E', title: 'open in $EDITOR', places: logs, disabled: needsOutput, run: openIn('editor')},
} as const satisfies KeyTable;
