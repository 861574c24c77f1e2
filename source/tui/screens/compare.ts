import {statusOf} from '../../core/run/attention.ts';
import {formatChanges} from '../../core/run/changes.ts';
import type {DiffFile} from '../../core/review/diff.ts';
import {neutraliseLine} from '../../core/text/escape-controls.ts';
import {timeWorked, type Run} from '../../core/run/run.ts';
import {formatDuration} from '../../core/text/time.ts';
import {formatUsage} from '../../core/run/usage.ts';
import {fit, fitTail, widthOf} from '../paint/fit.ts';
import {comparable} from '../targets.ts';
import {comparedFiles, windowOf} from '../layout.ts';
import type {Line} from '../paint/line.ts';
import type {State} from '../state.ts';
import {auditText, runTone} from './fleet.ts';

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

/**
 * Several runs of one prompt side by side: what each came to and
 * cost, the files that each changed, and one file's changes.
 */
export function compareLines(state: State, height: number): Line[] {
	const runs = comparable(state);
	const files = comparedFiles(state);
	const left = Math.min(
		Math.max(10, ...files.map(file => widthOf(file) + 2)),
		Math.max(10, Math.floor(state.columns / 3)),
	);
	const fits = Math.max(1, Math.floor((state.columns - left) / 22));
	const from = Math.max(0, Math.min(runs.length - fits, state.scroll - Math.floor(fits / 2)));
	const shown = runs.slice(from, from + fits);
	const width = Math.floor((state.columns - left) / Math.max(1, shown.length));
	const row = (
		title: string,
		cells: readonly Line[],
		look: Omit<Line, 'text' | 'spans'> = {},
		isCode = false,
	): Line => ({
		spans: [
			{text: fit(` ${title}`, left), dim: true, ...look},
			...cells.flatMap(({text = '', ...style}) =>
				isCode ? fitTail([{...style, text: ` ${text}`}], width, style) : [{...style, text: fit(` ${text}`, width)}],
			),
		],
	});
	const columns = shown.map(run => facts(run, state));
	const lines: Line[] = [
		{
			text: ` Compare ${runs.length} runs${runs[0]?.prompt === undefined ? '' : `: ${neutraliseLine(runs[0].prompt)}`}`,
			title: true,
		},
	];
	for (const [index, [title]] of (columns[0] ?? []).entries()) {
		lines.push(
			row(
				title,
				columns.map((column, at) => ({
					text: neutraliseLine(column[index]![1]),
					inverse: from + at === state.scroll,
					tone: title === 'status' ? runTone(shown[at]!) : undefined,
					bold: title === 'run',
				})),
			),
		);
	}

	if (files.length === 0) {
		return [
			...lines,
			{text: ''},
			{
				text: shown.some(run => state.compared[run.id] === undefined) ? ' loading…' : ' no changes',
				dim: true,
			},
		];
	}

	const changes = shown.map(run => new Map(state.compared[run.id]?.map(file => [file.path, file])));
	const room = height - lines.length - 2;
	const listed = windowOf(files.length, state.compareAt, Math.max(1, Math.min(files.length, Math.floor(room / 3))));
	const file = files[state.compareAt]!;
	lines.push({text: ` ${files.length} ${files.length === 1 ? 'file' : 'files'}`, dim: true, underline: true});
	for (const [index, path] of files.slice(listed.from, listed.to).entries()) {
		lines.push(
			row(
				neutraliseLine(path),
				changes.map(own => ({text: changeOf(own.get(path)).note, dim: !own.has(path)})),
				{dim: false, inverse: listed.from + index === state.compareAt},
			),
		);
	}

	lines.push({text: ` changes in ${neutraliseLine(file)}`, dim: true, underline: true});
	const sides = changes.map((own, at) => {
		// What two did alike need not be read twice.
		const twin = changes
			.slice(0, at)
			.findIndex(other => own.get(file) && other.get(file)?.digest === own.get(file)!.digest);
		return twin === -1 ? changeOf(own.get(file)).lines : [{text: `same as ${shown[twin]!.id}`, dim: true}];
	});
	for (let index = 0; index < Math.max(...sides.map(side => side.length)) && lines.length < height; index++) {
		lines.push(
			row(
				'',
				sides.map(side => side[index] ?? {text: ''}),
				{},
				true,
			),
		);
	}

	return lines;
}
