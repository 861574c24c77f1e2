import {withLogView} from '../navigation.ts';
import {keepPlace} from '../review/rows.ts';
import {placeOf, withPrompt} from '../state.ts';
import {stay, type Handler, type Handlers} from '../step.ts';

/* How a log is looked at. */

const turnMatch =
	(backward: boolean): Handler =>
	({state}) => ({state, effects: [{type: 'search', backward}]});

const openIn =
	(program: 'pager' | 'editor'): Handler =>
	({state, id}) => ({state, effects: [{type: 'terminal', argv: ['logs', id, `--${program}`], pause: false}]});

export const outputActions = {
	search: ({state}) =>
		stay(withPrompt(state, {kind: 'search', field: {id: 'prompt', label: '/', value: '', hint: ''}, at: 0})),
	'next-match': turnMatch(false),
	'previous-match': turnMatch(true),
	raw: ({state}) => withLogView(state, {raw: !state.logView.raw}),
	steps: ({state}) => withLogView(state, {steps: !state.logView.steps}),
	wrap({state}) {
		const {review} = state;
		return placeOf(state) !== 'changes'
			? withLogView(state, {wrap: !state.logView.wrap})
			: stay(review ? keepPlace(state, {...state, review: {...review, wrap: !review.wrap}}) : state);
	},
	select({state}) {
		// What was looked for is what is meant, where it is in view.
		const row =
			state.log?.rows.find(row => state.logView.search !== '' && row.spans.some(span => span.back === 'match')) ??
			state.log?.rows.at(-1);
		return stay(
			row
				? {
						...state,
						logView: {...state.logView, select: state.logView.select ? undefined : {anchor: row.from, at: row.from}},
					}
				: state,
		);
	},
	copy({state}) {
		const {anchor, at} = state.logView.select!;
		return {
			state: {...state, logView: {...state.logView, select: undefined}},
			effects: [{type: 'copy', from: Math.min(anchor, at), to: Math.max(anchor, at)}],
		};
	},
	pager: openIn('pager'),
	editor: openIn('editor'),
} satisfies Handlers;
