import type {Glance} from '../../core/run/glance.ts';
import {dollarsText} from '../../core/run/spend.ts';
import {formatTokens} from '../../core/run/usage.ts';
import {highlight, type Span} from '../../core/text/spans.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import {formatDuration} from '../../core/text/time.ts';
import {parseFilter} from '../filter.ts';
import {bindingOf, keyName, keysOf, type Action} from '../keymap.ts';
import {fleetLayout, listInView, listWindow} from '../layout.ts';
import {
	allGlances,
	countShown,
	listRows,
	selectedRow,
	taskOf,
	type GroupRow,
	type ListRow,
	type RunRow,
} from '../list.ts';
import {nextSteps} from '../next-step.ts';
import {fit, widthOf} from '../paint/fit.ts';
import {beside, block, ends, type Line} from '../paint/line.ts';
import {signs} from '../paint/signs.ts';
import type {State} from '../state.ts';
import {rule} from '../paint/rule.ts';
import {viewTexts} from '../views.ts';
import {activityPane} from './activity.ts';
import {previewLines} from './preview.ts';

/* Runs across projects, by what they need of a person, and the selected one beside or below them. */

/** Widths of a row's columns, in cells; 0 for one that is not there. */
type Columns = {
	readonly name: number;
	readonly project: number;
	readonly task: number;
	readonly text: number;
	readonly age: number;
	readonly step: number;
	/** Whether all of them are as wide as the list; not in a terminal that is too narrow. */
	readonly isExact: boolean;
};

const limits = {name: 22, project: 12, text: 34, step: 12, age: 4};

let kept: {rows: readonly ListRow[]; width: number; runs: State['runs']; columns: Columns} | undefined;

/** Widths by all rows, not by those in view: nothing moves sideways while the list is scrolled. The last are kept. */
function columnsOf(rows: readonly ListRow[], width: number, state: State): Columns {
	if (kept?.rows !== rows || kept.width !== width || kept.runs !== state.runs) {
		kept = {rows, width, runs: state.runs, columns: measure(rows, width, state)};
	}

	return kept.columns;
}

function measure(rows: readonly ListRow[], width: number, state: State): Columns {
	const runs = rows.filter((row): row is RunRow => row.kind === 'run');
	const widest = (of: (row: RunRow) => string, most: number) =>
		Math.min(
			most,
			runs.reduce((all, row) => Math.max(all, of(row).length), 4),
		);
	const name = widest(({run}) => run.id, width < 60 ? 12 : limits.name);
	const projects = new Set(state.runs.map(run => run.project.id)).size;
	const project =
		width >= 84 && projects > 1 && state.list.group !== 'project'
			? widest(({run}) => run.project.id, limits.project)
			: 0;
	const step = width >= 50 ? limits.step : 2;
	const left = width - 3 - name - 1 - (project === 0 ? 0 : project + 1) - limits.age - 1 - step - 1;
	const text = Math.max(
		8,
		Math.min(
			widest(({glance}) => glance.text, limits.text),
			Math.floor(left * 0.6),
		),
	);
	const task = Math.max(0, left - text - 1);
	return {name, project, text, task, age: limits.age, step, isExact: text + (task === 0 ? 0 : task + 1) === left};
}

/** The key for what a person does next, and its word. */
function stepSpans(glance: Glance, state: State, width: number): Span[] {
	if (glance.next === undefined) {
		return [{text: ' '.repeat(width)}];
	}

	const {action, word} = nextSteps[glance.next];
	const key = keyName(keysOf(bindingOf(action), state)[0] ?? '');
	return [
		{text: `${key} `, bold: true, tone: 'accent'},
		{text: fit(word, Math.max(0, width - key.length - 1)), tone: 'quiet'},
	];
}

/** A text with what the filter found in it marked. */
function found(text: string, wanted: string, style: Omit<Span, 'text'>): Span[] {
	const at = wanted === '' ? -1 : text.toLowerCase().indexOf(wanted.toLowerCase());
	const spans = [{...style, text}];
	return at === -1 ? spans : highlight(spans, {from: at, to: at + wanted.length}, {bold: true, underline: true});
}

function runLine(row: RunRow, columns: Columns, {state, isSelected}: {state: State; isSelected: boolean}): Line {
	const {run, glance} = row;
	const {glyph, tone} = signs[glance.sign];
	const isMarked = state.list.marked.includes(run.id);
	const wanted = parseFilter(state.list.filter).text;
	const age = formatDuration(state.now - Date.parse(glance.since));
	const text = escapeLine(glance.text);
	const isCalm = glance.sign === 'running' || glance.sign === 'changed';
	const busy = state.busy[run.id];
	return {
		exact: columns.isExact,
		back: isSelected ? 'selected' : undefined,
		spans: [
			{text: isSelected ? '▌' : ' ', tone: 'accent'},
			isMarked ? {text: '* ', tone: 'accent', bold: true} : {text: `${glyph} `, tone},
			...found(fit(run.id, columns.name), wanted, {bold: true}),
			{text: ' '},
			...(columns.project === 0
				? []
				: [...found(fit(run.project.id, columns.project), wanted, {tone: 'quiet'}), {text: ' '}]),
			...(columns.task === 0 ? [] : [...found(fit(escapeLine(taskOf(run)), columns.task), wanted, {}), {text: ' '}]),
			{text: fit(busy === undefined ? text : `${busy}…`, columns.text), tone: isCalm ? undefined : tone},
			{text: ` ${age.padStart(columns.age).slice(0, columns.age)} `, tone: 'quiet'},
			...stepSpans(glance, state, columns.step),
		],
	};
}

function groupLine(row: GroupRow, width: number, isSelected: boolean): Line {
	const title: Span[] = [
		...(row.folded ? [{text: '▸ '}] : []),
		{text: row.title, bold: true},
		...(row.folded && row.summary !== '' ? [{text: `  ${row.summary}`, tone: 'quiet' as const}] : []),
	];
	return {
		...rule(title, String(row.runs), width),
		back: isSelected ? 'selected' : undefined,
	};
}

/** What `is:` is asked for most: groups, and how runs stand. */
const isWords = [
	'needs-you',
	'active',
	'ready',
	'done',
	'failed',
	'blocked',
	'question',
	'running',
	'paused',
	'passed',
];

function emptyText(state: State): string {
	if (state.projects.length === 0) {
		return ' no projects yet: P adds this one';
	}

	if (state.runs.length === 0) {
		return ' no runs yet: n starts one';
	}

	const words = parseFilter(state.list.filter).is.length > 0 ? `; is: takes ${isWords.join(', ')}` : '';
	return ` no runs match (esc clears the filter)${words}`;
}

/** What a person does first, each with its key, until there is a run. */
function firstSteps(state: State): Line[] {
	if (state.projects.length === 0 || state.runs.length > 0) {
		return [];
	}

	const step = (action: Action, text: string): Line => ({
		spans: [
			{text: `   ${keyName(keysOf(bindingOf(action), state)[0] ?? '').padEnd(3)}`, bold: true, tone: 'accent'},
			{text, tone: 'quiet'},
		],
	});
	return [
		{},
		step('new', 'say what an agent is to do: it works on a branch of its own, inside a sandbox'),
		step('vault', "keep an agent's key: runs get a pointer to it, never the key"),
		step('palette', 'every command, run and project by its name'),
		step('help', 'the keys of where you are'),
	];
}

function listLines(state: State, height: number): Line[] {
	const rows = listRows(state);
	const {list} = fleetLayout(state, height);
	if (rows.length === 0) {
		return block([{text: emptyText(state), tone: 'quiet'}, ...firstSteps(state)], list.height);
	}

	const columns = columnsOf(rows, list.width, state);
	const selected = selectedRow(state);
	const lines = listInView(state, height).map((at): Line => {
		const row = at === undefined ? undefined : rows[at];
		if (!row) {
			return {};
		}

		const isSelected = at === selected;
		return row.kind === 'group' ? groupLine(row, list.width, isSelected) : runLine(row, columns, {state, isSelected});
	});
	return block(lines, list.height);
}

const widthOfAll = (spans: readonly Span[]) => spans.reduce((sum, {text}) => sum + widthOf(text), 0);

/** What was spent today; nothing while that is not known, or where nothing was. */
function todayText({activity: {today}}: State): string {
	if (today === undefined || today.requests === 0) {
		return '';
	}

	const {tokens, dollars, unpriced} = today;
	const cost = dollars === 0 && unpriced > 0 ? `${formatTokens(tokens)} tokens` : dollarsText(dollars);
	return `, ${cost}${dollars > 0 && unpriced > 0 ? ' and more' : ''} today`;
}

/** With fewer columns, how many runs need what is all that there is room for. */
const narrowColumns = 60;

/**
 * What is there, how it is shown, and at the right how many need what.
 * @param below rows of the list that are below those in view
 */
function titleLine(state: State, below: number): Line {
	const {list} = state;
	const shown = countShown(state);
	const glances = allGlances(state);
	const hidden = state.runs.length - glances.length;
	const isNarrowed = list.filter !== '' || list.show !== 'all';
	const count = (fits: (glance: Glance) => boolean) => glances.filter(glance => fits(glance)).length;
	const needs = count(({group}) => group === 'needs you');
	const how = [
		isNarrowed ? `${shown} of ${state.runs.length}` : '',
		below === 0 || state.columns < narrowColumns ? '' : `↓ ${below} more`,
		list.filter === '' ? '' : `filter: ${list.filter}`,
		list.sort === 'attention' && !list.isReversed ? '' : `by ${list.sort}${list.isReversed ? ', reversed' : ''}`,
		list.marked.length === 0 ? '' : `${list.marked.length} selected`,
		list.discarded ? 'discarded shown' : '',
		hidden === 0 || list.discarded || isNarrowed ? '' : `${hidden} discarded hidden`,
	].filter(part => part !== '');
	const runs = `${state.runs.length} ${state.runs.length === 1 ? 'run' : 'runs'}`;
	const tallies: ReadonlyArray<readonly [keyof typeof signs, number, string]> = [
		['question', needs, needs === 1 ? 'needs you' : 'need you'],
		...(['running', 'paused', 'queued'] as const).map(
			name => [name, count(({sign}) => sign === name), name as string] as const,
		),
	];
	const left = (today: string): Span[] => [
		{text: ' fleet', bold: true},
		{text: `  ${runs}${how.length === 0 ? '' : ` (${how.join(', ')})`}${today}`, tone: 'quiet'},
	];
	const right = (hasWords: boolean): Span[] => [
		...tallies
			.filter(([, number]) => number > 0)
			.flatMap(([sign, number, word]): Span[] => [
				{text: `  ${signs[sign].glyph} `, tone: signs[sign].tone},
				{text: hasWords ? `${number} ${word}` : String(number)},
			]),
		{text: ' '},
	];
	// What was spent gives way first, then the words.
	const today = todayText(state);
	const fits = (spent: string) => widthOfAll(left(spent)) + widthOfAll(right(true)) < state.columns;
	return ends(left(fits(today) ? today : ''), right(fits('')), state.columns);
}

/** The saved views with their keys, and how the list is grouped. */
function viewsLine(state: State): Line {
	const group = keyName(keysOf(bindingOf('group'), state)[0] ?? '');
	return ends(
		viewTexts(state).map(({show, text}): Span =>
			show === state.list.show ? {text, inverse: true} : {text, tone: 'quiet'},
		),
		[{text: `group: ${state.list.group} (${group}) `, tone: 'quiet'}],
		state.columns,
	);
}

/** Runs across projects, and the selected one beside or below them. */
export function fleetLines(state: State, height: number): Line[] {
	const layout = fleetLayout(state, height);
	const {columns} = state;
	const below = listRows(state).length - listWindow(state, height).to;
	const head = [titleLine(state, below), ...(layout.top > 1 ? [viewsLine(state)] : [])];
	const list = [
		...listLines(state, height),
		...(layout.activity === 0 ? [] : activityPane(state, {height: layout.activity, width: layout.list.width})),
	];
	const preview = previewLines(state, layout);
	return [
		...head,
		...(layout.preview.isBeside
			? list.map((line, index) => beside(line, preview[index] ?? {}, {width: layout.list.width, total: columns}))
			: [...list, ...preview]),
	];
}
