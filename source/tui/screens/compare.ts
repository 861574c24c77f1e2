import {statusOf} from '../../core/run/attention.ts';
import {formatChanges} from '../../core/run/changes.ts';
import type {DiffFile} from '../../core/review/diff.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {checksOf, timeWorked, type Run} from '../../core/run/run.ts';
import {formatDuration} from '../../core/text/time.ts';
import {formatUsage} from '../../core/run/usage.ts';
import {fit, fitTail, widthOf} from '../paint/fit.ts';
import {comparable} from '../targets.ts';
import {comparedFiles, comparedRow, windowOf} from '../layout.ts';
import type {Line} from '../paint/line.ts';
import type {State} from '../state.ts';
import {glanceOf} from '../list.ts';
import {signs} from '../paint/signs.ts';

function facts(run: Run, state: State): ReadonlyArray<readonly [string, string]> {
	return [
		['run', run.id],
		['agent', run.agent],
		['status', statusOf(run, state.now)],
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

/** What a run did to a file, in one word, and the lines that it took away and put there. */
function changeOf(file: DiffFile | undefined): {
	readonly note: string;
	readonly lines: ReadonlyArray<Line & {readonly text: string}>;
} {
	if (!file) {
		return {note: '·', lines: []};
	}

	const lines = file.hunks.flatMap((hunk, index) => [
		...(index === 0 ? [] : [{text: '⋯', dim: true}]),
		...hunk.lines
			.filter(line => line.kind !== ' ')
			.map(line => ({
				text: `${line.kind}${line.text}`,
				tone: line.kind === '+' ? ('good' as const) : ('bad' as const),
			})),
	]);
	return {
		note: file.binary
			? 'binary'
			: `+${file.added} -${file.removed}${file.status === 'modified' ? '' : ` ${file.status}`}`,
		lines,
	};
}

/** Which runs are shown in which columns: as many as have room, the selected one among them. */
type Columns = {
	readonly left: number;
	readonly width: number;
	readonly from: number;
	readonly runs: readonly Run[];
};

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

type Row = {
	readonly title: string;
	readonly cells: readonly Line[];
	readonly look?: Omit<Line, 'text' | 'spans'>;
	/** Code that is cut says how much is hidden. */
	readonly isCode?: boolean;
};

function rowLine({left, width}: Columns, {title, cells, look = {}, isCode = false}: Row): Line {
	return {
		spans: [
			{text: fit(` ${title}`, left), dim: true, ...look},
			...cells.flatMap(({text = '', ...style}) =>
				isCode ? fitTail([{...style, text: ` ${text}`}], width, style) : [{...style, text: fit(` ${text}`, width)}],
			),
		],
	};
}

function factLines(state: State, columns: Columns): Line[] {
	const all = columns.runs.map(run => facts(run, state));
	return (all[0] ?? []).map(([title], index) =>
		rowLine(columns, {
			title,
			cells: all.map((own, at) => ({
				text: escapeLine(own[index]![1]),
				inverse: columns.runs[at]!.id === state.selected,
				tone: title === 'status' ? signs[glanceOf(columns.runs[at]!, state).sign].tone : undefined,
				bold: title === 'run',
			})),
		}),
	);
}

/** What each run did to one file, side by side; a change that an earlier column has already is not repeated. */
function sideLines(columns: Columns, changes: ReadonlyArray<ReadonlyMap<string, DiffFile>>, file: string): Line[] {
	const sides = changes.map((own, at) => {
		const twin = changes
			.slice(0, at)
			.findIndex(other => own.get(file) && other.get(file)?.digest === own.get(file)!.digest);
		return twin === -1 ? changeOf(own.get(file)).lines : [{text: `same as ${columns.runs[twin]!.id}`, dim: true}];
	});
	return Array.from({length: Math.max(...sides.map(side => side.length))}, (_, index) =>
		rowLine(columns, {title: '', cells: sides.map(side => side[index] ?? {text: ''}), isCode: true}),
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
	const lines = [{text: ` Compare ${runs.length} runs${prompt}`, title: true}, ...factLines(state, columns)];
	if (files.length === 0) {
		const isLoading = columns.runs.some(run => state.compared[run.id] === undefined);
		return [...lines, {text: ''}, {text: isLoading ? ' loading…' : ' no changes', dim: true}];
	}

	const changes = columns.runs.map(run => new Map(state.compared[run.id]?.map(file => [file.path, file])));
	const room = height - lines.length - 2;
	const listed = windowOf(files.length, state.compareAt, Math.max(1, Math.min(files.length, Math.floor(room / 3))));
	const file = files[state.compareAt]!;
	return [
		...lines,
		{text: ` ${files.length} ${files.length === 1 ? 'file' : 'files'}`, dim: true, underline: true},
		...files.slice(listed.from, listed.to).map((path, index) =>
			rowLine(columns, {
				title: escapeLine(path),
				cells: changes.map(own => ({text: changeOf(own.get(path)).note, dim: !own.has(path)})),
				look: {dim: false, inverse: listed.from + index === state.compareAt},
			}),
		),
		{text: ` changes in ${escapeLine(file)}`, dim: true, underline: true},
		...sideLines(columns, changes, file),
	].slice(0, height);
}
