import {formatChanges} from '../../core/run/changes.ts';
import type {DiffFile} from '../../core/review/diff.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {checksOf, timeWorked, type Run} from '../../core/run/run.ts';
import {formatDuration} from '../../core/text/time.ts';
import {formatUsage} from '../../core/run/usage.ts';
import type {Span} from '../../core/text/spans.ts';
import {fitMiddle, fitSpans, fitTail, widthOf} from '../paint/fit.ts';
import {comparable} from '../targets.ts';
import {comparedFiles, comparedRow, windowOf} from '../layout.ts';
import type {Line} from '../paint/line.ts';
import {rule} from '../paint/rule.ts';
import type {State} from '../state.ts';
import {glanceOf} from '../list.ts';
import {signs} from '../paint/signs.ts';

function facts(run: Run, state: State): ReadonlyArray<readonly [string, string]> {
	return [
		['agent', run.agent],
		['status', glanceOf(run, state).text],
		['changes', formatChanges(state.changes[run.id]) || '-'],
		['verify', run.verification?.because ?? '-'],
		['audit', auditText(run) || '-'],
		['used', formatUsage(run.usage) || '-'],
		['time', formatDuration(timeWorked(run, state.now))],
		['commits', run.captured ? String(run.captured.commits) : '-'],
		['blocked', String(run.denials.length)],
	];
}

/** The last audit in a word: how many of its items passed, `old` after a later change, empty for none. */
function auditText(run: Run): string {
	if (!run.audit) {
		return '';
	}

	const {passed, total} = checksOf(run);
	return run.audit.stale ? 'old' : `${passed}/${total}`;
}

/** What a run did to each file, by path; undefined where that was not read yet. */
type Changed = ReadonlyMap<string, DiffFile> | undefined;

/** How many lines a run added to a file and took away, and what became of the file. */
function noteSpans(own: Changed, path: string): Span[] {
	const file = own?.get(path);
	if (!own) {
		return [{text: notRead, tone: 'quiet'}];
	}

	if (!file) {
		return [{text: '·', tone: 'quiet'}];
	}

	const what = file.status === 'modified' ? '' : ` ${file.status}`;
	return file.binary
		? [{text: `binary${what}`, tone: 'quiet'}]
		: [
				{text: `+${file.added}`, tone: 'good'},
				{text: ` -${file.removed}`, tone: 'bad'},
				{text: what, tone: 'quiet'},
			];
}

/** The lines that a run took away from a file and put there. */
function changedLines(file: DiffFile | undefined): Span[] {
	return (file?.hunks ?? []).flatMap((hunk, index): Span[] => [
		...(index === 0 ? [] : [{text: '⋯', tone: 'quiet' as const}]),
		...hunk.lines
			.filter(line => line.kind !== ' ')
			.map((line): Span => ({text: `${line.kind}${line.text}`, tone: line.kind === '+' ? 'good' : 'bad'})),
	]);
}

/** Which runs are shown in which columns: as many as have room, the selected one among them. */
type Columns = {
	readonly left: number;
	readonly width: number;
	readonly from: number;
	readonly runs: readonly Run[];
};

/** Of a run whose changes are still being read. */
const notRead = 'not read yet';

/** Cells that a run's column takes at the least. */
const minColumnWidth = 22;

function columnsOf(state: State, files: readonly string[]): Columns {
	const runs = comparable(state);
	const left = Math.min(
		Math.max(10, ...files.map(file => widthOf(file) + 2)),
		Math.max(10, Math.floor(state.columns / 3)),
	);
	const fits = Math.max(1, Math.floor((state.columns - left) / minColumnWidth));
	const from = Math.max(0, Math.min(runs.length - fits, comparedRow(state) - Math.floor(fits / 2)));
	const shown = runs.slice(from, from + fits);
	return {left, from, runs: shown, width: Math.floor((state.columns - left) / Math.max(1, shown.length))};
}

/** A line of the table: its title, and a cell for each run with a line between, each exactly as wide as its column. */
function rowLine({left, width}: Columns, title: readonly Span[], cells: ReadonlyArray<readonly Span[]>): Line {
	return {spans: [...fitSpans(title, left), ...cells.flatMap(cell => [divider, ...fitSpans(cell, width - 1)])]};
}

const divider: Span = {text: '│', tone: 'quiet'};

/** The runs by name, the selected one marked, and below what each came to. */
function factLines(state: State, columns: Columns): Line[] {
	const names = columns.runs.map((run): Span[] => {
		const {glyph, tone} = signs[glanceOf(run, state).sign];
		const isSelected = run.id === state.selected;
		const back = isSelected ? ('selected' as const) : undefined;
		return fitSpans(
			[
				{text: isSelected ? '▌' : ' ', tone: 'accent', back},
				{text: `${glyph} `, tone, back},
				{text: run.id, bold: true, back},
			],
			columns.width - 1,
			{back},
		);
	});
	const all = columns.runs.map(run => facts(run, state));
	return [
		{
			...rowLine(columns, [], names),
			spoken: columns.runs.map(run => `run ${run.id}${run.id === state.selected ? ', selected' : ''}`).join(', '),
		},
		...(all[0] ?? []).map(([title], index) =>
			rowLine(
				columns,
				[{text: ` ${title}`, tone: 'quiet'}],
				all.map((own, at) => {
					const text = escapeLine(own[index]![1]);
					const status = title === 'status' ? signs[glanceOf(columns.runs[at]!, state).sign].tone : undefined;
					return [{text: ` ${text}`, tone: text === '-' ? 'quiet' : status}];
				}),
			),
		),
	];
}

/** A file, and what became of it in each run. */
function fileLine(
	columns: Columns,
	changes: readonly Changed[],
	{path, isSelected}: {readonly path: string; readonly isSelected: boolean},
): Line {
	const title: Span[] = [
		{text: isSelected ? '▌' : ' ', tone: 'accent'},
		{text: fitMiddle(escapeLine(path), Math.max(8, columns.left - 2)), bold: isSelected},
	];
	const line = rowLine(
		columns,
		title,
		changes.map(own => [{text: ' '}, ...noteSpans(own, path)]),
	);
	return {...line, back: isSelected ? 'selected' : undefined};
}

/** What each run did to one file, side by side; a change that an earlier column has already is not repeated. */
function sideLines(columns: Columns, changes: readonly Changed[], file: string): Line[] {
	const sides = changes.map((own, at): Span[] => {
		const twin = changes
			.slice(0, at)
			.findIndex(other => own?.get(file) && other?.get(file)?.digest === own.get(file)!.digest);
		return twin === -1 ? changedLines(own?.get(file)) : [{text: `same as ${columns.runs[twin]!.id}`, tone: 'quiet'}];
	});
	return Array.from({length: Math.max(...sides.map(side => side.length))}, (_, index) =>
		rowLine(
			columns,
			[],
			sides.map(side => {
				const span = side[index];
				// Code that is cut says how much is hidden.
				return span ? fitTail([{...span, text: ` ${span.text}`}], columns.width - 1) : [];
			}),
		),
	);
}

/**
 * Several runs of one prompt side by side: what each came to and
 * cost, the files that each changed, and one file's changes.
 */
export function compareLines(state: State, height: number): Line[] {
	const runs = comparable(state);
	const files = comparedFiles(state);
	const columns = columnsOf(state, files);
	const prompt = runs[0]?.prompt === undefined ? '' : `: ${escapeLine(runs[0].task ?? runs[0].prompt)}`;
	const head: Line[] = [
		{
			spans: [{text: ' compare', bold: true}, {text: `  ${runs.length} runs`, tone: 'quiet'}, {text: prompt}],
		},
		...factLines(state, columns),
	];
	if (files.length === 0) {
		const isLoading = runs.some(run => state.compared[run.id] === undefined);
		return [
			...head,
			rule([{text: 'Files', bold: true}], '', state.columns),
			{text: isLoading ? ' loading…' : ' no changes', tone: 'quiet'},
		];
	}

	const changes = columns.runs.map((run): Changed => {
		const own = state.compared[run.id];
		return own && new Map(own.map(file => [file.path, file]));
	});
	const unread = runs.filter(run => state.compared[run.id] === undefined).length;
	const room = height - head.length - 2;
	const {from, to} = windowOf(files.length, state.compareAt, Math.max(1, Math.min(files.length, Math.floor(room / 3))));
	const file = files[state.compareAt]!;
	const marks = `${from > 0 ? '↑' : ''}${to < files.length ? '↓' : ''}`;
	const name = fitMiddle(escapeLine(file), Math.max(8, state.columns - 4));
	return [
		...head,
		rule(
			[{text: 'Files', bold: true}, ...(unread === 0 ? [] : [{text: `: ${unread} of ${runs.length} runs ${notRead}`}])],
			`${files.length}${marks}`,
			state.columns,
		),
		...files
			.slice(from, to)
			.map((path, index) => fileLine(columns, changes, {path, isSelected: from + index === state.compareAt})),
		rule([{text: name, bold: true}], '', state.columns),
		...sideLines(columns, changes, file),
	].slice(0, height);
}
