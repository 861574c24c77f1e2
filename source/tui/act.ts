import {bindingOf, shortTitle, type Action} from './keymap.ts';
import {glanceOf} from './list.ts';
import {nextSteps} from './next-step.ts';
import {selectedRun, type State} from './state.ts';
import {bad, type Step} from './step.ts';

/** The ways to begin, in the order of the first screen. */
export const welcomeActions = ['demo', 'add-here', 'doctor'] as const satisfies readonly Action[];

/** The action of what a person does next about the selected run, or how they begin; undefined for nothing to do. */
export function nextAction(state: State): Action | undefined {
	if (state.screen === 'welcome') {
		return welcomeActions[state.scroll];
	}

	const run = selectedRun(state);
	const next = run && glanceOf(run, state).next;
	return next === undefined ? undefined : nextSteps[next].action;
}

/** What an action does to a state where it can be done now, or why it cannot be done now. */
export function actIfEnabled(state: State, action: Action): Step {
	const binding = bindingOf(action);
	const refusal = binding.disabled?.(state);
	return refusal === undefined ? act(state, action) : bad(state, `${shortTitle(binding)}: ${refusal}`);
}

/** What an action does to a state, whatever key or command asked for it. */
export function act(state: State, action: Action): Step {
	const run = selectedRun(state);
	const binding = bindingOf((action === 'next-step' || action === 'choose' ? nextAction(state) : undefined) ?? action);
	const refusal = binding.action === action ? undefined : binding.disabled?.(state);
	return refusal === undefined
		? binding.run({state, run, id: run?.id ?? ''})
		: bad(state, `${shortTitle(binding)}: ${refusal}`);
}
