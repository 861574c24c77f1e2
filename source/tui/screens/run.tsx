import {Box, Text} from 'ink';
import type {ReactNode} from 'react';
import {itemIds, itemTitles, type Status} from '../../core/audit.ts';
import {attentionOf} from '../../core/attention.ts';
import {learn, proposalLines} from '../../core/learn.ts';
import {neutraliseLine} from '../../core/neutralise.ts';
import {policyPath} from '../../core/names.ts';
import type {Run} from '../../core/run.ts';
import {describe} from '../../protocol/describe.ts';
import {Lines, type Line} from '../components/lines.tsx';
import {fit} from '../components/table.tsx';
import {scopeRows} from '../scope-rows.ts';
import {selectedRun, tabs, type State} from '../state.ts';
import {theme} from '../theme.ts';

/** The colour of a check's result. */
export function statusColour(status: Status | undefined): string | undefined {
	return status === 'PASS' ? theme.good : status === 'FAIL' ? theme.bad : status === 'ERROR' ? theme.warn : theme.quiet;
}

function scopeLines(run: Run, state: State): Line[] {
	const marks = {on: '[x]', fixed: '[x]', off: '[ ]', never: ' - ', new: ' + '};
	return scopeRows(run, state.now, state.vault?.secrets).map((row, index) => ({
		text: ` ${marks[row.state]} ${row.scope ?? 'grant another'}  ${row.note}`, inverse: index === state.scroll, dim: row.state === 'never',
		colour: row.state === 'on' ? theme.warn : row.state === 'off' ? theme.accent : undefined,
	}));
}

/** The six items, each with its attempts where they were made while this screen was open. */
export function checklistLines(run: Run, state: State, withProbes: boolean): Line[] {
	const details = state.audits[run.id];
	const lines: Line[] = [];
	for (const id of itemIds) {
		const item = details?.find(item => item.id === id);
		const status = item?.status ?? run.audit?.items.find(item => item.id === id)?.status;
		const stale = run.audit?.stale ? ', before the last change' : '';
		const evidence = item ? `${item.probes.filter(probe => probe.status === 'PASS').length} of ${item.probes.length} attempts blocked${stale}` : status ? `tried before${stale}` : 'not tried yet';
		lines.push({text: ` ${(status ?? '·').padEnd(5)} ${itemTitles[id].padEnd(22)} ${evidence}`, colour: statusColour(run.audit?.stale && status === 'PASS' ? undefined : status)});
		for (const probe of withProbes ? item?.probes ?? [] : item?.probes.filter(probe => probe.status !== 'PASS') ?? []) {
			lines.push({text: `   ${probe.status.padEnd(5)} ${probe.tried} → ${neutraliseLine(probe.seen)}; host: ${probe.host}`, dim: probe.status === 'PASS', colour: probe.status === 'PASS' ? undefined : statusColour(probe.status)});
		}
	}

	return lines;
}

function diffColour(line: string): string | undefined {
	return line.startsWith('+') ? theme.good : line.startsWith('-') ? theme.bad : line.startsWith('@@') ? theme.accent : undefined;
}

function tabLines(run: Run, state: State, height: number): Line[] {
	switch (state.tab) {
		case 'output': {
			const end = Math.max(0, state.output.length - state.scroll);
			return state.output.slice(Math.max(0, end - height), end).map(text => ({text}));
		}

		case 'changes': {
			const lines = state.diff?.run === run.id ? state.diff.lines : [' looking…'];
			return lines.slice(state.scroll, state.scroll + height).map(text => ({text, colour: diffColour(text), bold: text.startsWith('diff ')}));
		}

		case 'scopes': {
			return scopeLines(run, state);
		}

		case 'checklist': {
			return [...checklistLines(run, state, true).slice(state.scroll), {text: ''}, {text: ' a opens the gates, where c runs the checks', dim: true}];
		}

		case 'network': {
			const {asked, proposal} = learn(state.journal);
			const lines: Line[] = asked.length === 0 ? [{text: ' the network was asked for nothing', dim: true}] : asked.map(({target, allowed, denied, because}) => ({text: ` ${denied > 0 ? 'denied ' : 'allowed'} ${String(Math.max(denied, allowed)).padStart(5)}  ${neutraliseLine(target)}  ${neutraliseLine(because)}`, colour: denied > 0 ? theme.warn : undefined}));
			const policy = proposalLines(proposal);
			return [...lines, ...policy.length === 0 ? [] : [{text: ''}, {text: ` for every run of the project, in ${policyPath}:`, dim: true}, ...policy.map(text => ({text: `   ${text}`}))]].slice(state.scroll, state.scroll + height);
		}

		case 'journal': {
			const end = Math.max(0, state.journal.length - state.scroll);
			return state.journal.slice(Math.max(0, end - height), end).map(entry => ({text: ` ${entry.at.slice(11, 19)} ${entry.type.padEnd(15)} ${neutraliseLine(describe(entry))}`, colour: entry.type === 'egress.denied' || entry.type === 'gate.refused' ? theme.warn : undefined}));
		}
	}
}

/** One run: output, changes, scopes, checklist, journal. */
export function RunScreen({state, height}: {readonly state: State; readonly height: number}): ReactNode {
	const run = selectedRun(state);
	if (!run) {
		return <Lines lines={[{text: ' this run is gone; esc goes back'}]} width={state.columns} height={height} />;
	}

	const needs = attentionOf(run);
	const head = ` ${run.project.id} / ${run.id}  ${run.stage}: ${neutraliseLine(run.because)}${needs && !run.because.includes(needs) ? `  ! ${needs}` : ''}`;
	return (
		<Box flexDirection="column" height={height} overflow="hidden">
			<Text inverse bold wrap="truncate">{fit(head, state.columns)}</Text>
			<Text wrap="truncate">
				{tabs.map((tab, index) => <Text key={tab} bold={tab === state.tab} underline={tab === state.tab} dimColor={tab !== state.tab}>{` ${index + 1} ${tab} `}</Text>)}
			</Text>
			<Lines lines={tabLines(run, state, height - 2)} width={state.columns} height={height - 2} />
		</Box>
	);
}
