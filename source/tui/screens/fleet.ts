import {hasFailed, needOf, statusOf} from '../../core/run/attention.ts';
import {formatChanges} from '../../core/run/changes.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {checksOf, type Run} from '../../core/run/run.ts';
import {isInForce} from '../../core/scope.ts';
import {scopeKinds} from '../../scopes/registry.ts';
import type {Tone} from '../../core/text/spans.ts';
import {formatDuration} from '../../core/text/time.ts';
import {formatUsage} from '../../core/run/usage.ts';
import {fleetLayout, listWindow} from '../layout.ts';
import {block, type Line} from '../paint/line.ts';
import {countsText, listRows, selectedRow, visibleRuns, type ListRow} from '../list.ts';
import {tableLines} from '../paint/table.ts';
import type {State} from '../state.ts';
import {stageTone} from '../paint/theme.ts';

/** The scopes in force besides those that every run has, with the time that is left of the one that ends first. */
function scopesAtAGlance(run: Run, now: number): string {
	const grants = run.grants.filter(grant => isInForce(grant, now));
	const counts = scopeKinds
		.map(({id, mark}) => [mark, grants.filter(grant => grant.scope.startsWith(`${id}:`)).length] as const)
		.filter(([, count]) => count > 0);
	const ends = grants.flatMap(grant => (grant.until === undefined ? [] : [Date.parse(grant.until)]));
	const left = ends.length === 0 ? '' : ` · ${formatDuration(Math.min(...ends) - now)}`;
	return counts.length === 0
		? ''
		: `${counts.map(([word, count]) => (count === 1 ? word : `${word} ${count}`)).join(', ')}${left}`;
}

/** The tone of a run's row: what a person is needed for counts more than its stage. */
export function runTone(run: Run): Tone | undefined {
	const kind = needOf(run)?.kind;
	if (kind === 'alarm' || hasFailed(run) || (kind === 'trouble' && run.stage === 'queued')) {
		return 'bad';
	}

	return kind === 'denied' || (kind === 'waiting' && run.stage === 'running') ? 'warn' : stageTone(run.stage);
}

/** The last audit in a word: how many of its items passed, `old` after a later change, empty for none. */
export function auditText(run: Run): string {
	const {passed, total} = checksOf(run);
	if (!run.audit) {
		return '';
	}

	return run.audit.stale ? 'old' : `${passed}/${total}`;
}

/** The sign before a run's row. */
function markOf(run: Run, state: State): string {
	if (state.list.marked.includes(run.id)) {
		return '*';
	}

	return needOf(run) ? '!' : ' ';
}

function toRow(row: ListRow, state: State): Record<string, string> {
	if (row.kind === 'project') {
		return {
			' ': row.folded ? '▸' : '▾',
			project: '',
			run: row.project,
			agent: '',
			stage: row.counts,
			scopes: '',
			changes: '',
			used: '',
			audit: '',
			age: '',
		};
	}

	const {run} = row;
	return {
		' ': markOf(run, state),
		project: run.project.id,
		run: run.id,
		agent: run.agent,
		stage: escapeLine(statusOf(run, state.now)),
		scopes: scopesAtAGlance(run, state.now),
		changes: formatChanges(state.changes[run.id]),
		used: formatUsage(run.usage),
		audit: auditText(run),
		age: formatDuration(state.now - Date.parse(run.createdAt)),
	};
}

/** The columns that a width has room for; where there are several projects, they are headings. */
function columnsFor(width: number, rows: readonly ListRow[]): string[] {
	const grouped = rows.some(row => row.kind === 'project');
	const used = rows.some(row => row.kind === 'run' && row.run.usage.requests > 0);
	return [
		' ',
		...(grouped ? [] : ['project']),
		'run',
		...(width >= 90 ? ['agent'] : []),
		'stage',
		'scopes',
		...(width >= 100 ? ['changes'] : []),
		...(width >= 100 && used ? ['used'] : []),
		...(width >= 76 ? ['audit'] : []),
		'age',
	];
}

function titleOf(state: State): string {
	const runs = visibleRuns(state);
	const {list} = state;
	const how = [
		list.show === 'all' ? '' : `show: ${list.show}`,
		list.filter === '' ? '' : `filter: ${list.filter}`,
		list.sort === 'newest' ? '' : `by ${list.sort}`,
		list.marked.length === 0 ? '' : `${list.marked.length} selected`,
		list.discarded ? 'discarded shown' : '',
	].filter(part => part !== '');
	return ` fleet  ${countsText(runs)}${how.length > 0 ? `  (${how.join(', ')})` : ''}`;
}

function emptyText(state: State): string {
	if (state.projects.length === 0) {
		return ' no projects yet: + adds this one';
	}

	return state.runs.length === 0 ? ' no runs yet: n starts one' : ' no runs match (esc clears the filter)';
}

/** How the selected run's agent ended. */
function exitText({exit}: Run): string {
	if (!exit) {
		return '';
	}

	if (exit.code !== null) {
		return `, exit ${exit.code}`;
	}

	return exit.signal === null ? ', stopped' : `, killed by ${exit.signal}`;
}

/** Runs across projects, and the selected run's live output below. */
export function fleetLines(state: State, height: number): Line[] {
	const rows = listRows(state);
	const at = selectedRow(state);
	const {table, output} = fleetLayout(state, height);
	const {from, to} = listWindow(state, height);
	const shown = rows.slice(from, to);
	const run = state.runs.find(run => run.id === state.selected);
	const below = run ? `   ${run.id} on ${run.branch}${exitText(run)}` : '';
	const [header = '', ...texts] = tableLines(
		shown.map(row => toRow(row, state)),
		{columns: columnsFor(state.columns, rows), width: state.columns, flexible: 'stage'},
	);
	const list =
		rows.length === 0
			? [{text: emptyText(state), dim: true}]
			: [
					{text: header, dim: true},
					...texts.map((text, index): Line => {
						const own = shown[index]!;
						return {
							text,
							inverse: from + index === at,
							bold: own.kind === 'project',
							tone: own.kind === 'run' ? runTone(own.run) : undefined,
						};
					}),
				];
	return [
		{text: titleOf(state), title: true},
		...block(list, table),
		// Underlined, not drawn: plain ASCII is measured several times faster, and this line is in every first frame.
		{text: below, dim: true, underline: true},
		...(state.log?.run === run?.id
			? (state.log?.rows.slice(-output).map((row): Line => ({spans: row.spans})) ?? [])
			: []),
	];
}
