import type {Effect, State} from '../state.ts';

/* An empty change that is read again: it was one when it was read, and the agent went on since. */

/** Without the change that is shown, where it has no files: until it is read again nobody knows whether it has some. */
export function withoutEmpty(state: State): State {
	const {review} = state;
	return review?.files.length === 0 && review.run === state.selected ? {...state, review: undefined} : state;
}

/** What has to be known of the selected run's change for it to be read again. */
function standing({runs, changes, selected = ''}: State): string {
	const {files, added, removed} = changes[selected] ?? {};
	return `${runs.find(run => run.id === selected)?.stage} ${files} ${added} ${removed}`;
}

/** Reads an empty change again where its run has changed files, or how it stands, since. */
export function readAgain(before: State, after: State): {state: State; effects: readonly Effect[]} {
	const isShown = after.screen === 'run' && after.tab === 'changes' && after.selected !== undefined;
	const state =
		isShown && before.selected === after.selected && standing(before) !== standing(after) ? withoutEmpty(after) : after;
	return state === after ? {state, effects: []} : {state, effects: [{type: 'diff', run: after.selected!}]};
}
