import UFuzzy from '@leeoniya/ufuzzy';
import {stageText} from '../core/run/attention.ts';
import {glanceAt, groups, type Glance, type Group} from '../core/run/glance.ts';
import {isOutdated, lastMerges, type Merges} from '../core/run/outdated.ts';
import type {Run} from '../core/run/run.ts';
import {hasWorker, isAtWork, stageName} from '../core/run/stages.ts';
import {quoteWord} from '../core/text/shell-words.ts';
import {parseFilter, type Filter} from './filter.ts';
import {byAttention, sorted} from './sort.ts';
import {hasVerifyCommand} from './verify-command.ts';
import type {ListState, State} from './state.ts';

/* Which rows the list has: a pure function of the runs and of filter, sort, grouping and folds. */

export type GroupRow = {
	readonly kind: 'group';
	/** By which it is folded: `need:done`. */
	readonly id: string;
	readonly title: string;
	readonly runs: number;
	/** What its runs are, where it is folded. */
	readonly summary: string;
	readonly folded: boolean;
};
export type RunRow = {readonly kind: 'run'; readonly run: Run; readonly glance: Glance};
export type ListRow = GroupRow | RunRow;

/** What the list is made of. */
type Source = Pick<State, 'runs' | 'list' | 'changes' | 'offers'>;

/** Made at its first use, since building it would delay the first frame, which never filters. */
let fuzzy: UFuzzy | undefined;

/** What is known besides a run itself. */
type Known = Pick<State, 'runs' | 'changes' | 'offers'>;

/** The last merges, by the runs that they are of. */
const mergesOf = new WeakMap<readonly Run[], Merges>();

/** Whether another run's merge moved the target of one that was verified before. */
export function isOutdatedIn(run: Run, {runs}: Pick<State, 'runs'>): boolean {
	let merges = mergesOf.get(runs);
	if (!merges) {
		merges = lastMerges(runs);
		mergesOf.set(runs, merges);
	}

	return isOutdated(run, merges);
}

/** How a run stands, as the list has it. */
export function glanceOf(run: Run, state: Known): Glance {
	return rowOf(run, state).glance;
}

/** What a run was asked for, in one line: its prompt, or its command. Not escaped. */
export function taskOf({task, prompt, argv}: Run): string {
	return (task ?? prompt ?? argv.map(word => quoteWord(word)).join(' ')).slice(0, 2000).replaceAll(/\s+/g, ' ').trim();
}

/** Whether a view has a run. */
export function isShown({run, glance}: RunRow, {show, discarded}: Pick<ListState, 'show' | 'discarded'>): boolean {
	// Of one that was merged the folder alone is gone.
	if (run.stage === 'discarded' && !run.merge && !discarded && show !== 'done') {
		return false;
	}

	switch (show) {
		case 'all': {
			return true;
		}

		case 'needs you':
		case 'done': {
			return glance.group === show;
		}

		case 'running': {
			return hasWorker(run.stage);
		}

		case 'review': {
			return glance.sign === 'changed' || glance.sign === 'passed' || run.stage === 'verify-failed';
		}
	}
}

/** Whether a run is what a filter asks for by `is:`, a stage, a sign or a group. */
function isSo({run, glance}: RunRow, word: string): boolean {
	return [run.stage, stageName(run.stage), glance.sign, glance.group].some(
		name => name.replaceAll(' ', '-') === word || name.replaceAll(' ', '-').startsWith(`${word}-`),
	);
}

function fits(row: RunRow, {is, project, agent}: Filter): boolean {
	const {run} = row;
	return (
		is.every(word => isSo(row, word)) &&
		(project === undefined || run.project.id.startsWith(project)) &&
		(agent === undefined || run.agent.startsWith(agent))
	);
}

/** The rows that a text finds, names first, then projects, tasks, and the rest. */
function ranked(rows: readonly RunRow[], text: string): readonly RunRow[] {
	const wanted = text.toLowerCase();
	const rankOf = ({run}: RunRow): number | undefined => {
		const [id, project, task] = [run.id, run.project.id, taskOf(run)].map(value => value.toLowerCase()) as [
			string,
			string,
			string,
		];
		const at = [id.startsWith(wanted), id.includes(wanted), project.includes(wanted), task.includes(wanted)].indexOf(
			true,
		);
		return at === -1 ? undefined : at;
	};

	// A filter of punctuation alone has no terms for the library, which then returns null.
	fuzzy ??= new UFuzzy({intraMode: 0, intraIns: 8});
	const texts = rows.map(
		({run, glance}) => `${run.id} ${run.project.id} ${run.agent} ${run.stage} ${stageText(run)} ${glance.text}`,
	);
	const loose = new Set(fuzzy.search(texts, text, 1)[0] ?? []);
	return rows
		.map((row, index) => ({row, rank: rankOf(row) ?? (loose.has(index) ? 4 : undefined)}))
		.filter(({rank}) => rank !== undefined)
		.sort((a, b) => a.rank! - b.rank!)
		.map(({row}) => row);
}

/** A row for each run, whatever is shown of them: made anew only for a run that changed. */
const made = new WeakMap<
	Run,
	RunRow & {readonly changes: unknown; readonly offer: unknown; readonly outdated: boolean}
>();

function rowOf(run: Run, state: Known): RunRow {
	const {changes, offers} = state;
	const outdated = isOutdatedIn(run, state);
	const known = made.get(run);
	const [own, offer] = [changes[run.id], offers[run.project.id]];
	if (known && known.changes === own && known.offer === offer && known.outdated === outdated) {
		return known;
	}

	const deploy = offer?.deploy;
	const glance = glanceAt(run, {
		changes: own,
		isOutdated: outdated,
		hasVerify: hasVerifyCommand(run, state),
		hasPublish: offer?.publish ?? false,
		hasDeploy: deploy !== undefined && Object.keys(deploy).length > 0,
	});
	const row = {kind: 'run' as const, run, glance, changes: own, offer, outdated};
	made.set(run, row);
	return row;
}

let all: (Known & {readonly rows: readonly RunRow[]}) | undefined;

/** A row for each run, in the order of the runs. The last result is kept: the list, its title and its views ask. */
export function allRows({runs, changes, offers}: Known): readonly RunRow[] {
	if (all?.runs !== runs || all.changes !== changes || all.offers !== offers) {
		const known = {runs, changes, offers};
		all = {...known, rows: runs.map(run => rowOf(run, known))};
	}

	return all.rows;
}

/** The rows of runs that the list shows, in its order, without regard to what is folded. */
function makeShown(source: Source): readonly RunRow[] {
	const {list} = source;
	const filter = parseFilter(list.filter);
	const rows = allRows(source).filter(row => isShown(row, list) && fits(row, filter));
	return filter.text === '' ? sorted(rows, list, source.changes) : ranked(rows, filter.text);
}

/** The runs that the list shows, in its order, without regard to what is folded. */
export function visibleRuns(source: Source): readonly Run[] {
	return lastOf(source).shown.map(({run}) => run);
}

type Last = Source & {readonly shown: readonly RunRow[]; readonly rows: readonly ListRow[]};

let last: Last | undefined;

/** The last result is kept: a frame asks often. */
function lastOf({runs, list, changes, offers}: Source): Last {
	if (last?.runs !== runs || last.list !== list || last.changes !== changes || last.offers !== offers) {
		const source = {runs, list, changes, offers};
		const shown = makeShown(source);
		last = {...source, shown, rows: withHeadings(shown, list)};
	}

	return last;
}

/** The rows of the list, with a heading for each group. */
export function listRows(source: Source): readonly ListRow[] {
	return lastOf(source).rows;
}

/** How many runs the list shows, folded ones included. */
export function countShown(source: Source): number {
	return lastOf(source).shown.length;
}

let glances: (Omit<Source, 'list'> & {readonly all: readonly Glance[]}) | undefined;

/** How every run stands that was not discarded. The last result is kept: each frame counts them. */
export function allGlances({runs, changes, offers}: Omit<Source, 'list'>): readonly Glance[] {
	if (glances?.runs !== runs || glances.changes !== changes || glances.offers !== offers) {
		const rows = allRows({runs, changes, offers}).filter(({run}) => run.stage !== 'discarded');
		glances = {runs, changes, offers, all: rows.map(({glance}) => glance)};
	}

	return glances.all;
}

/** Whether any run waits for a person: what `nextNeed` would find, without its order. */
export function isNeeded(state: State): boolean {
	return allGlances(state).some(({group}) => group === 'needs you');
}

/** The first run that the list shows. */
export function firstRun(source: Source): string | undefined {
	return listRows(source).find(row => row.kind === 'run')?.run.id;
}

const groupTitles: Readonly<Record<Group, string>> = {
	'needs you': 'Needs you',
	active: 'Active',
	ready: 'Ready to ship',
	done: 'Done',
};

/** The group that a run is in, by its id and its title. */
export function groupOf({run, glance}: RunRow, {group}: Pick<ListState, 'group'>): {id: string; title: string} {
	switch (group) {
		case 'attention': {
			return {id: `need:${glance.group}`, title: groupTitles[glance.group]};
		}

		case 'project': {
			return {id: `project:${run.project.id}`, title: run.project.id};
		}

		case 'agent': {
			return {id: `agent:${run.agent}`, title: run.agent};
		}
	}
}

function withHeadings(rows: readonly RunRow[], list: ListState): ListRow[] {
	// What a filter found is one list, the best first.
	if (parseFilter(list.filter).text !== '') {
		return [...rows];
	}

	const found = new Map<string, {title: string; own: RunRow[]}>();
	for (const row of rows) {
		const {id, title} = groupOf(row, list);
		const known = found.get(id);
		if (known) {
			known.own.push(row);
		} else {
			found.set(id, {title, own: [row]});
		}
	}

	const order = (id: string) => groups.findIndex(group => id === `need:${group}`);
	return [...found]
		.sort(([a], [b]) => order(a) - order(b))
		.flatMap(([id, {title, own}]): ListRow[] => {
			// Where nothing else is there, what is done is what there is to see.
			const folded = list.folded.includes(id) && list.show === 'all' && found.size > 1;
			const heading: ListRow = {kind: 'group', id, title, runs: own.length, summary: summaryOf(own, list), folded};
			return folded ? [heading] : [heading, ...own];
		});
}

/** What the runs of a group are, most first: `merged 2 · rejected 1`; of a project, how many need a person and run. */
function summaryOf(rows: readonly RunRow[], {group}: ListState): string {
	if (group !== 'attention') {
		return countsText(rows.map(({run}) => run));
	}

	const counts = new Map<string, number>();
	for (const {run} of rows) {
		// What is merged is that also without its folder.
		const name = stageName(run.stage === 'discarded' && run.merge ? 'merged' : run.stage);
		counts.set(name, (counts.get(name) ?? 0) + 1);
	}

	return [...counts]
		.sort(([, a], [, b]) => b - a)
		.map(([name, count]) => `${name} ${count}`)
		.join(' · ');
}

/**
 * How many of the runs are in which state, in words: the same
 * for the title of the list and for the heading of a project.
 */
export function countsText(runs: readonly Run[]): string {
	const count = (fits: (run: Run) => boolean) => runs.filter(run => fits(run)).length;
	const needs = count(run => glanceAt(run).group === 'needs you');
	const parts = [
		[count(run => isAtWork(run.stage)), 'running'],
		[count(run => run.stage === 'frozen'), 'paused'],
		[count(run => run.stage === 'queued'), 'queued'],
		[needs, needs === 1 ? 'needs you' : 'need you'],
	] as const;
	return [
		`${runs.length} ${runs.length === 1 ? 'run' : 'runs'}`,
		...parts.filter(([number]) => number > 0).map(([number, words]) => `${number} ${words}`),
	].join(', ');
}

/** The row that is selected: of a run that is folded away, its group's; 0 where it is not there. */
export function selectedRow(state: State): number {
	const rows = listRows(state);
	if (state.heading !== undefined) {
		return Math.max(
			0,
			rows.findIndex(row => row.kind === 'group' && row.id === state.heading),
		);
	}

	const at = rows.findIndex(row => row.kind === 'run' && row.run.id === state.selected);
	const run = at === -1 ? state.runs.find(({id}) => id === state.selected) : undefined;
	if (!run) {
		return Math.max(0, at);
	}

	const group = groupOf({kind: 'run', run, glance: glanceOf(run, state)}, state.list).id;
	return Math.max(
		0,
		rows.findIndex(row => row.kind === 'group' && row.id === group),
	);
}

/** The next run that needs a person, after the selected one and then from the beginning; the most urgent first. */
export function nextNeed(state: State): Run | undefined {
	const runs = allRows(state)
		.filter(({glance}) => glance.group === 'needs you')
		.sort(byAttention)
		.map(({run}) => run);
	const at = runs.findIndex(run => run.id === state.selected);
	return runs[(at + 1) % Math.max(1, runs.length)];
}
