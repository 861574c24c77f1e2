import {Box, Text} from 'ink';
import type {ReactNode} from 'react';
import {gatesOf} from '../../core/decide.ts';
import {neutraliseLine} from '../../core/neutralise.ts';
import {Lines, type Line} from '../components/lines.tsx';
import {fit} from '../components/table.tsx';
import {bindings, keyName, type Action} from '../keymap.ts';
import {selectedRun, type State} from '../state.ts';
import {theme} from '../theme.ts';
import {checklistLines} from './run.tsx';

const marks = {done: '✔', ready: '→', blocked: '·', failed: '✘', busy: '…'};
const colours = {done: theme.good, ready: theme.accent, blocked: theme.quiet, failed: theme.bad, busy: theme.accent};

/** The guided sequence: the six items, then verify, review, approve, merge, deploy, each with its state, its reason and its key. */
export function AuditScreen({state, height}: {readonly state: State; readonly height: number}): ReactNode {
	const run = selectedRun(state);
	if (!run) {
		return <Lines lines={[{text: ' this run is gone; esc goes back'}]} width={state.columns} height={height} />;
	}

	const lines: Line[] = [{text: ' What was tried from inside this run\'s own sandbox', bold: true}, ...checklistLines(run, state, false), {text: ''}, {text: ' The way to a deploy', bold: true}];
	for (const gate of gatesOf(run)) {
		const key = keyName(bindings.find(binding => binding.action === gate.id as Action)?.keys[0] ?? '');
		const busy = state.busy[run.id] === gate.id;
		const more = gate.id === 'verify' && gate.state === 'failed' ? ' (w shows what it wrote)' : '';
		lines.push({text: ` ${busy ? marks.busy : marks[gate.state]} ${key} ${gate.title.padEnd(8)} ${neutraliseLine(busy ? 'going on' : gate.because || (gate.state === 'ready' ? 'can be done now' : ''))}${more}`, colour: busy ? theme.accent : colours[gate.state]});
	}

	for (const note of run.captured?.notes ?? []) {
		lines.push({text: `   note: ${neutraliseLine(note)}`, colour: theme.warn});
	}

	return (
		<Box flexDirection="column" height={height} overflow="hidden">
			<Text inverse bold wrap="truncate">{fit(` ${run.project.id} / ${run.id}  ${run.stage}: ${neutraliseLine(run.because)}`, state.columns)}</Text>
			<Lines lines={lines.slice(Math.min(state.scroll, Math.max(0, lines.length - (height - 1))))} width={state.columns} height={height - 1} />
		</Box>
	);
}
