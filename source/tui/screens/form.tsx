import type {ReactNode} from 'react';
import {Lines, type Line} from '../components/lines.tsx';
import type {Field, State} from '../state.ts';
import {theme} from '../theme.ts';

/** The lines of a form; what is typed is shown with a block for the cursor, its end always in view. */
export function fieldLines(fields: readonly Field[], at: number, width: number): Line[] {
	return fields.flatMap((field, index) => {
		const room = Math.max(4, width - 14);
		const value = field.value.length > room ? `…${field.value.slice(-room + 1)}` : field.value;
		return [
			{text: ` ${index === at ? '▸' : ' '} ${field.label.padEnd(8)} ${value}${index === at ? '█' : ''}`, bold: index === at, colour: index === at ? theme.accent : undefined},
			{text: `            ${field.hint}`, dim: true},
		];
	});
}

/** New run. */
export function NewScreen({state, height}: {readonly state: State; readonly height: number}): ReactNode {
	const lines: Line[] = [{text: ' New run', inverse: true, bold: true}, {text: ''}, ...fieldLines(state.form, state.formAt, state.columns), {text: ''}, {text: ' It gets its own worktree, branch and sandbox; no network but what is named.', dim: true}];
	return <Lines lines={lines} width={state.columns} height={height} />;
}

/** A question over the screen. */
export function dialogLines(state: State): Line[] {
	const {dialog} = state;
	return dialog ? [{text: ` ${dialog.title}`, inverse: true, bold: true}, ...fieldLines(dialog.fields, dialog.at, state.columns)] : [];
}
