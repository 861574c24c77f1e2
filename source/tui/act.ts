import {bindingOf, type Action} from './keymap.ts';
import {selectedRun, type State} from './state.ts';
import type {Step} from './step.ts';

/** What an action does to a state, whatever key or command asked for it. */
export function act(state: State, action: Action): Step {
	const run = selectedRun(state);
	return bindingOf(action).run({state, run, id: run?.id ?? ''});
}
