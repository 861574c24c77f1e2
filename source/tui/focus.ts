import type {Dialog, FormState} from './dialog.ts';
import type {Prompt, ScreenFocus, ScreenId, State} from './state.ts';

/* What has the keyboard: how it is read, and how it changes. */

export function dialogOf({focus}: Pick<State, 'focus'>): Dialog | undefined {
	return focus.type === 'dialog' ? focus.dialog : undefined;
}

export function promptOf({focus}: Pick<State, 'focus'>): Prompt | undefined {
	return focus.type === 'prompt' ? focus.prompt : undefined;
}

/** The form of a new run, also where a dialog is open over it. */
export function formOf({focus}: Pick<State, 'focus'>): FormState | undefined {
	const shown = focus.type === 'dialog' ? focus.behind : focus;
	return shown.type === 'form' ? shown.form : undefined;
}

/** With a dialog: another in place of one that is open, which keeps what is behind it. */
export function withDialog(state: State, dialog: Dialog): State {
	const {focus} = state;
	if (focus.type === 'dialog') {
		return {...state, focus: {...focus, dialog}};
	}

	return {...state, focus: {type: 'dialog', dialog, behind: focus.type === 'prompt' ? {type: 'screen'} : focus}};
}

export function withPrompt(state: State, prompt: Prompt): State {
	return {...state, focus: {type: 'prompt', prompt}};
}

/** Without the dialog or the prompt: keys go to what was behind it. */
export function withoutOverlay(state: State): State {
	const {focus} = state;
	switch (focus.type) {
		case 'dialog': {
			return {...state, focus: focus.behind};
		}

		case 'prompt': {
			return {...state, focus: {type: 'screen'}};
		}

		default: {
			return state;
		}
	}
}

/** Another screen in place of the form of a new run. A dialog over it stays. */
export function withoutForm(state: State, screen: Exclude<ScreenId, 'new'>): State {
	const {focus} = state;
	const behind: ScreenFocus = {type: 'screen'};
	return {...state, screen, focus: focus.type === 'dialog' ? {...focus, behind} : behind};
}
