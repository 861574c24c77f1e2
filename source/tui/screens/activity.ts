import {sentence} from '../../core/run/event-words.ts';
import {costText, openText, spendText, totalSpend} from '../../core/run/spend.ts';
import {formatTokens} from '../../core/run/usage.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {localMinute} from '../../core/text/time.ts';
import type {Span} from '../../core/text/spans.ts';
import {activityAt, activityLines, activityRows, paneLines, type ActivityLine} from '../activity.ts';
import {activityViews, maxActivity, viewTitles} from '../activity-state.ts';
import {signOf} from '../activity-signs.ts';
import {activityHead, activityWindow} from '../layout.ts';
import {fit, widthOf} from '../paint/fit.ts';
import {block, type Line} from '../paint/line.ts';
import {rule} from '../paint/rule.ts';
import {tableLines} from '../paint/table.ts';
import {spokenText} from '../spoken/words.ts';
import type {State} from '../state.ts';

/* What happened over all runs, what this screen said, and what was spent. */

/** Who did it and what, with how often. */
function textSpans(line: ActivityLine): Span[] {
	const {by, text, count} = line;
	return [
		...(by === undefined ? [] : [{text: `${escapeLine(by)} `, bold: true}]),
		{text: escapeLine(text)},
		...(count > 1 ? [{text: ` ×${count}`, tone: 'quiet' as const}] : []),
	];
}

type Widths = {readonly run: number; readonly project: number};

function lineOf(line: ActivityLine, widths: Widths, isSelected: boolean): Line {
	const sign = signOf(line);
	return {
		back: isSelected ? 'selected' : undefined,
		spans: [
			{text: isSelected ? '▌' : ' ', tone: 'accent'},
			{text: `${localMinute(line.at)} `, tone: 'quiet'},
			{text: `${sign.glyph} `, tone: sign.tone},
			...(widths.run === 0 ? [] : [{text: `${fit(line.run, widths.run)} `, bold: true}]),
			...(widths.project === 0 ? [] : [{text: `${fit(line.project, widths.project)} `, tone: 'quiet' as const}]),
			...textSpans(line),
		],
		spoken: [
			localMinute(line.at),
			line.run,
			line.project,
			spokenText(escapeLine(sentence(line))),
			line.count > 1 ? `${line.count} times` : '',
		]
			.filter(part => part !== '')
			.join(', '),
	};
}

const measured = new WeakMap<readonly ActivityLine[], Widths>();

/** Widths by all lines, not by those in view: nothing moves sideways while they are scrolled. */
function widthsOf(lines: readonly ActivityLine[], columns: number): Widths {
	const widest = (of: (line: ActivityLine) => string, most: number) =>
		Math.min(
			most,
			lines.reduce((wide, line) => Math.max(wide, of(line).length), 0),
		);
	const widths = measured.get(lines) ?? {run: widest(({run}) => run, 22), project: widest(({project}) => project, 14)};
	measured.set(lines, widths);
	return columns < 100 ? {...widths, project: 0} : widths;
}

/** The title, and the kinds with their keys. */
/** @param below lines that are below those in view */
function headLines(state: State, below: number): Line[] {
	const {activity, columns} = state;
	const today = activity.today && spendText(activity.today);
	const left: Span[] = [
		{text: ' activity', bold: true},
		{
			text: activity.spend
				? '  spend of the last 30 days'
				: `  ${countText(state)}${below === 0 ? '' : `, ↓ ${below} more`}`,
			tone: 'quiet',
		},
	];
	const right = today ? `spent today: ${today} ` : '';
	const used = left.reduce((sum, span) => sum + widthOf(span.text), 0);
	return [
		{spans: [...left, {text: right.length + used < columns ? right.padStart(columns - used) : '', tone: 'quiet'}]},
		{
			spans: activityViews.map((view, index): Span => {
				const text = ` ${index + 1} ${viewTitles[view]} `;
				return view === activity.view && !activity.spend ? {text, inverse: true} : {text, tone: 'quiet'};
			}),
		},
	];
}

function countText(state: State): string {
	const {activity} = state;
	const {length} = activityLines(state);
	const isAll = activity.view !== 'notices' && (activity.lines?.length ?? 0) >= maxActivity;
	const count = `${length} ${length === 1 ? 'line' : 'lines'}${isAll ? ` of the last ${maxActivity}` : ''}`;
	return activity.filter === '' ? `${count}, newest first` : `${count}, filter: ${activity.filter}`;
}

function emptyText({activity}: State): string {
	if (activity.view !== 'notices' && activity.lines === undefined) {
		return ' loading…';
	}

	return activity.filter === '' ? ' nothing yet' : ' no line matches (esc clears the filter)';
}

/** Lines that are below those in view. */
function countBelow(state: State, height: number): number {
	const rows = activityRows(activityLines(state), state.now).slice(activityWindow(state, height).to);
	return rows.filter(({kind}) => kind === 'line').length;
}

/** Lines with their days, the selected one in view. @param height of the screen without footer and dialog */
function listLines(state: State, height: number): Line[] {
	const lines = activityLines(state);
	if (lines.length === 0) {
		return [{text: emptyText(state), tone: 'quiet'}];
	}

	const rows = activityRows(lines, state.now);
	const selected = lines[activityAt(state)];
	const {from, to} = activityWindow(state, height);
	const widths = widthsOf(lines, state.columns);
	return rows
		.slice(from, to)
		.map(row =>
			row.kind === 'day'
				? rule([{text: row.name, bold: true}], '', state.columns)
				: lineOf(row.line, widths, row.line === selected),
		);
}

/** What was spent, as a table. What nobody reported is not 0. */
function spendLines(state: State): Line[] {
	const {by, rows} = state.activity.spend!;
	if (!rows) {
		return [{text: ' loading…', tone: 'quiet'}];
	}

	if (rows.length === 0) {
		return [{text: ' no runs in the last 30 days', tone: 'quiet'}];
	}

	const total = totalSpend(rows);
	const table = tableLines(
		rows.map(row => ({
			[by]: ` ${escapeLine(row.key)}`,
			cost: costText(row),
			tokens: row.requests === 0 ? '-' : formatTokens(row.tokens),
			runs: String(row.runs + row.silent),
			'not known': openText(row),
		})),
		{columns: [by, 'cost', 'tokens', 'runs', 'not known'], width: state.columns - 1, flexible: 'not known'},
	);
	return [
		...table.map((text, index): Line => ({
			text: index === 0 ? ` ${text}` : text,
			tone: index === 0 ? 'quiet' : undefined,
		})),
		{},
		{text: ` total: ${spendText(total) || 'nothing was reported'}`},
		...(total.requests === 0
			? []
			: [
					{
						text: ' costs are estimates by list prices, from what the model said in its replies',
						tone: 'quiet' as const,
					},
				]),
	];
}

/** What happened over all runs. */
export function activityScreen(state: State, height: number): Line[] {
	const {spend} = state.activity;
	return [
		...headLines(state, spend ? 0 : countBelow(state, height)),
		...block(spend ? spendLines(state) : listLines(state, height), Math.max(0, height - activityHead)),
	];
}

/** What happened lately, below the list: a heading and as many lines as there is room for. */
export function activityPane(state: State, {height, width}: {readonly height: number; readonly width: number}): Line[] {
	const all = paneLines(state);
	const lines = all.slice(0, Math.max(0, height - 1));
	const below = all.length - lines.length;
	const oldest = lines.at(-1);
	const isHour = oldest !== undefined && state.now - Date.parse(oldest.at) <= 60 * 60_000;
	const widths = {run: widthsOf(lines, width).run, project: 0};
	return block(
		[
			rule(
				[{text: 'Activity', bold: true}],
				`${below === 0 ? '' : `↓ ${below} more, `}& ${isHour ? 'last hour' : 'last day'}`,
				width,
			),
			...lines.map(line => lineOf(line, widths, false)),
		],
		height,
	);
}
