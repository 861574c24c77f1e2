import {statusOf} from '../../core/attention.ts';
import {formatChanges} from '../../core/changes.ts';
import {neutraliseLine} from '../../core/neutralise.ts';
import {checksOf, type Run} from '../../core/run.ts';
import {formatDuration} from '../../core/time.ts';
import {formatUsage} from '../../core/usage.ts';
import {fit} from '../fit.ts';
import type {Line} from '../line.ts';
import {comparable} from '../keymap.ts';
import type {State} from '../state.ts';
import {runTone} from './fleet.ts';

function facts(run: Run, state: State): ReadonlyArray<readonly [string, string]> {
	const checks = checksOf(run);
	return [
		['run', run.id], ['agent', run.agent], ['status', statusOf(run, state.now)], ['changes', formatChanges(state.changes[run.id]) || '-'], ['verify', run.verification?.because ?? '-'], ['checks', run.audit ? `${checks.passed}/${checks.total}` : '-'],
		['used', formatUsage(run.usage) || '-'], ['took', formatDuration(Date.parse(run.updatedAt) - Date.parse(run.createdAt))], ['commits', run.captured ? String(run.captured.commits) : '-'], ['denied', String(run.denials.length)],
	];
}

/** Several runs of one prompt side by side: what each came to, and what it cost. */
export function compareLines(state: State): Line[] {
	const runs = comparable(state);
	const fits = Math.max(1, Math.floor((state.columns - 10) / 24));
	const from = Math.max(0, Math.min(runs.length - fits, state.scroll - Math.floor(fits / 2)));
	const shown = runs.slice(from, from + fits);
	const width = Math.floor((state.columns - 10) / Math.max(1, shown.length));
	const rows = shown.map(run => facts(run, state));
	const lines: Line[] = [{text: ` Compare ${runs.length} runs${runs[0]?.prompt === undefined ? '' : `: ${neutraliseLine(runs[0].prompt)}`}`, title: true}];
	for (const [index, [title]] of (rows[0] ?? []).entries()) {
		lines.push({spans: [{text: ` ${title.padEnd(9)}`, dim: true}, ...rows.map((row, at) => ({text: fit(` ${neutraliseLine(row[index]![1])}`, width), inverse: from + at === state.scroll, tone: title === 'status' ? runTone(shown[at]!) : undefined, bold: title === 'run'}))]});
	}

	lines.push({text: ''}, {text: ' ↑↓ choose, enter its output, d its changes, a its gates, D discards it', dim: true});
	return lines;
}
