import {listActions} from './actions/list.ts';
import {outputActions} from './actions/output.ts';
import {placeActions} from './actions/navigation.ts';
import {reviewActions} from './actions/review.ts';
import {runActions} from './actions/run.ts';
import type {Action} from './keymap.ts';
import {selectedRun, type State} from './state.ts';
import type {Handler, Step} from './step.ts';

const handlers: Readonly<Record<Action, Handler>> = {
	...placeActions,
	...listActions,
	...outputActions,
	...reviewActions,
	...runActions,
};

/** What an action does. Which key it has, and when it does nothing, is in the keymap. */
export function act(state: State, action: Action): Step {
	const run = selectedRun(state);
	return handlers[action]({state, run, id: run?.id ?? ''});
}
