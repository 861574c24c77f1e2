import type {ReactNode} from 'react';
import {fieldLines} from '../components/fields.tsx';
import {Lines, type Line} from '../components/lines.tsx';
import type {State} from '../state.ts';

/** New run. What is typed stays in view. */
export function NewScreen({state, height}: {readonly state: State; readonly height: number}): ReactNode {
	const fields = fieldLines(state.form, state.formAt, state.columns);
	const active = fields.findIndex(line => line.spans?.[0]?.text.startsWith(' ▸'));
	const room = Math.max(1, height - 3);
	const from = Math.max(0, Math.min(fields.length - room, active - 2));
	const lines: Line[] = [{text: ' New run', inverse: true, bold: true}, ...fields.slice(from, from + room), {text: ''}, {text: ' It gets its own worktree, branch and sandbox; no network but what is named.', dim: true}];
	return <Lines lines={lines} width={state.columns} height={height} />;
}
