import {Box, Text} from 'ink';
import type {ReactNode} from 'react';
import {attentionOf} from '../../core/attention.ts';
import {formatChanges} from '../../core/changes.ts';
import {neutraliseLine} from '../../core/neutralise.ts';
import {checksOf, type Run} from '../../core/run.ts';
import {isInForce} from '../../core/scope.ts';
import {formatDuration} from '../../core/time.ts';
import {formatUsage} from '../../core/usage.ts';
import {Lines} from '../components/lines.tsx';
import {Table, fit} from '../components/table.tsx';
import {selectedRun, visibleRuns, type State} from '../state.ts';
import {stageColour, theme} from '../theme.ts';

function scopesAtAGlance(run: Run, now: number): string {
	const grants = run.grants.filter(grant => isInForce(grant, now));
	const letters: Record<string, string> = {network: 'net', files: 'files', model: 'model', secret: 'secret', deploy: 'deploy'};
	const counts = Object.entries(letters).map(([kind, word]) => [word, grants.filter(grant => grant.scope.startsWith(`${kind}:`)).length] as const).filter(([, count]) => count > 0);
	return counts.length === 0 ? 'r b' : `r b ${counts.map(([word, count]) => count === 1 ? word : `${word}×${count}`).join(' ')}`;
}

function toRow(run: Run, state: State): Record<string, string> {
	const checks = checksOf(run);
	const needs = attentionOf(run);
	const stage = `${run.stage}: ${neutraliseLine(run.because)}`;
	return {
		' ': needs ? '!' : ' ', project: run.project.id, run: run.id, agent: run.agent, stage: needs?.startsWith('ALARM') ? `${needs} (A takes it off)` : run.stage === 'running' && needs?.startsWith('needs you') ? `${run.stage}: ${neutraliseLine(needs)}` : needs?.startsWith('denied') ? `${run.stage}: ${needs} (g grants it)` : run.stage === 'frozen' ? `${stage} (u thaws, ! ends it)` : stage,
		scopes: scopesAtAGlance(run, state.now), changes: formatChanges(state.changes[run.id]), used: formatUsage(run.usage), checks: run.audit ? `${checks.passed}/${checks.total}${run.audit.stale ? '?' : ''}` : `-/${checks.total}`, age: formatDuration(state.now - Date.parse(run.createdAt)),
	};
}

/** The part of a list that is in view, so that only what is drawn is mounted. */
export function windowOf(count: number, selected: number, height: number): {from: number; to: number} {
	const from = Math.max(0, Math.min(count - height, selected - Math.floor(height / 2)));
	return {from, to: Math.min(count, from + height)};
}

/** Runs across projects, and the selected run's live output below. */
export function FleetScreen({state, height}: {readonly state: State; readonly height: number}): ReactNode {
	const runs = visibleRuns(state);
	const at = Math.max(0, runs.findIndex(run => run.id === state.selected));
	const tableHeight = Math.max(4, Math.min(runs.length + 1, Math.floor(height / 2)));
	const {from, to} = windowOf(runs.length, at, tableHeight - 1);
	const shown = runs.slice(from, to);
	const run = selectedRun(state);
	const outputHeight = height - tableHeight - 2;
	const working = runs.filter(run => run.stage === 'running').length;
	const waiting = runs.filter(run => attentionOf(run)).length;
	const title = ` fleet  ${runs.length} ${runs.length === 1 ? 'run' : 'runs'}, ${working} at work${waiting > 0 ? `, ${waiting} need you` : ''}${state.showDiscarded ? ', discarded shown' : ''}`;
	return (
		<Box flexDirection="column" height={height} overflow="hidden">
			<Text inverse bold>{fit(title, state.columns)}</Text>
			<Box flexDirection="column" height={tableHeight} overflow="hidden">
				{runs.length === 0 ? <Text dimColor>{state.projects.length === 0 ? ' no project yet: + adds the one you are in' : ' no runs yet: n starts one'}</Text> : (
					<Table
						data={shown.map(run => toRow(run, state))} columns={[' ', 'project', 'run', 'agent', 'stage', 'scopes', ...(state.columns >= 100 ? ['changes'] : []), ...(state.columns >= 100 && shown.some(run => run.usage.requests > 0) ? ['used'] : []), 'checks', 'age']} width={state.columns} flexible="stage"
						header={({children}) => <Text dimColor wrap="truncate">{children}</Text>}
						cell={({children, row = 0}) => <Text wrap="truncate" inverse={from + row === at} color={shown[row]!.alarms.length > 0 ? theme.bad : attentionOf(shown[row]!)?.startsWith('denied') || shown[row]!.status?.state === 'waiting' ? theme.warn : stageColour(shown[row]!.stage)}>{children}</Text>}
					/>
				)}
			</Box>
			{/* Underlined, not drawn: plain ASCII is measured several times faster, and this line is in every first frame. */}
			<Text dimColor underline wrap="truncate">{fit(run ? `   ${run.id} on ${run.branch}${run.exit ? `, exit ${run.exit.code ?? run.exit.signal ?? 'stopped'}` : ''}` : '', state.columns)}</Text>
			<Lines lines={state.output.slice(-Math.max(0, outputHeight)).map(text => ({text}))} width={state.columns} height={Math.max(0, outputHeight)} />
		</Box>
	);
}
