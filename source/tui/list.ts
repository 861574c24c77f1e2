import UFuzzy from '@leeoniya/ufuzzy';
import {needOf, stageText} from '../core/run/attention.ts';
import type {Run} from '../core/run/run.ts';
import {hasWorker, isAtWork} from '../core/run/stages.ts';
import type {ListState, Show, State} from './state.ts';

/* Which rows the list has: a pure function of the runs and of filter, sort and folds. */

export type ListRow =
	| {
			readonly kind: 'project';
			readonly project: string;
			readonly runs: number;
			readonly counts: string;
			readonly folded: boolean;
	  }
	| {readonly kind: 'run'; readonly run: Run};

/** Made at its first use, since building it would delay the first frame, which never filters. */
let fuzzy: UFuzzy | undefined;

function isShown(run: Run, show: Show): boolean {
	switch (show) {
		case 'all': {
			return true;
		}

		case 'needs you': {
			return needOf(run) !== undefined;
		}

		case 'running': {
			return hasWorker(run.stage);
		}

		case 'review': {
			return ['stopped', 'captured', 'verified', 'approved', 'verify-failed', 'inconclusive'].includes(run.stage);
		}

		case 'done': {
			return [
				'merged',
				'deployed',
				'discarded',
				'rejected',
				'failed',
				'crashed',
				'deploy-failed',
				'deploy-unknown',
			].includes(run.stage);
		}
	}
}

/** The text that a filter is matched against. */
function haystack(run: Run): string {
	const task = (run.prompt ?? run.argv.join(' ')).slice(0, 200);
	return `${run.project.id} ${run.id} ${run.agent} ${run.stage} ${stageText(run)} ${task}`;
}

function byLastChange(a: Run, b: Run): number {
	if (a.updatedAt < b.updatedAt) {
		return 1;
	}

	return a.updatedAt > b.updatedAt ? -1 : 0;
}

function sorted(runs: readonly Run[], sort: ListState['sort']): readonly Run[] {
	const rank = (run: Run) => ({alarm: 0, waiting: 1, denied: 2, trouble: 3, gate: 4})[needOf(run)?.kind ?? 'gate'] ?? 5;
	switch (sort) {
		case 'newest': {
			return runs;
		}

		case 'needs you': {
			return [...runs]
				.map(run => ({run, rank: needOf(run) ? rank(run) : 9}))
				.sort((a, b) => a.rank - b.rank)
				.map(({run}) => run);
		}

		case 'last change': {
			return [...runs].sort(byLastChange);
		}

		case 'name': {
			return [...runs].sort((a, b) => (a.id < b.id ? -1 : 1));
		}
	}
}

/** The runs that the list shows, in its order, without regard to what is folded. */
export function visibleRuns({runs, list}: Pick<State, 'runs' | 'list'>): readonly Run[] {
	let shown = runs.filter(
		run => (list.discarded || run.stage !== 'discarded' || list.show === 'done') && isShown(run, list.show),
	);
	if (list.filter.trim() !== '') {
		const texts = shown.map(run => haystack(run));
		// A filter of punctuation alone has no terms for the library, which then returns null: plain search.
		fuzzy ??= new UFuzzy({intraMode: 0, intraIns: 8});
		const found = fuzzy.search(texts, list.filter, 1)[0];
		shown = found
			? [...found].sort((a, b) => a - b).map(index => shown[index]!)
			: shown.filter((_, index) => texts[index]!.toLowerCase().includes(list.filter.trim().toLowerCase()));
	}

	return sorted(shown, list.sort);
}

let last: {runs: State['runs']; list: ListState; rows: readonly ListRow[]} | undefined;

/** The rows of the list, with headings where there is more than one project. The last result is kept: a frame asks often. */
export function listRows({runs, list}: Pick<State, 'runs' | 'list'>): readonly ListRow[] {
	if (last?.runs !== runs || last.list !== list) {
		last = {runs, list, rows: makeRows(visibleRuns({runs, list}), list)};
	}

	return last.rows;
}

/** The first run that the list shows. */
export function firstRun(state: Pick<State, 'runs' | 'list'>): string | undefined {
	return listRows(state).find(row => row.kind === 'run')?.run.id;
}

function makeRows(runs: readonly Run[], list: ListState): ListRow[] {
	const groups = new Map<string, Run[]>();
	for (const run of runs) {
		const group = groups.get(run.project.id);
		if (group) {
			group.push(run);
		} else {
			groups.set(run.project.id, [run]);
		}
	}

	if (groups.size < 2 && list.folded.length === 0) {
		return runs.map(run => ({kind: 'run', run}));
	}

	return [...groups].flatMap(([project, own]): ListRow[] => {
		const folded = list.folded.includes(project);
		const heading: ListRow = {kind: 'project', project, runs: own.length, counts: countsText(own), folded};
		return folded ? [heading] : [heading, ...own.map((run): ListRow => ({kind: 'run', run}))];
	});
}

/**
 * How many of the runs are in which state, in words: the same
 * for the title of the list and for the heading of a project.
 */
export function countsText(runs: readonly Run[]): string {
	const count = (fits: (run: Run) => boolean) => runs.filter(run => fits(run)).length;
	const needs = count(run => needOf(run) !== undefined);
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

/** The row that is selected; 0 where it is not there. */
export function selectedRow(state: State): number {
	return Math.max(
		0,
		listRows(state).findIndex(row =>
			state.heading === undefined
				? row.kind === 'run' && row.run.id === state.selected
				: row.kind === 'project' && row.project === state.heading,
		),
	);
}

/**
 * The next run that needs a person, after a run in the list's
 * order and then from its beginning; the most urgent kind first.
 */
export function nextNeed(state: State): Run | undefined {
	const runs = sorted(
		state.runs.filter(run => needOf(run) && run.stage !== 'discarded'),
		'needs you',
	);
	const at = runs.findIndex(run => run.id === state.selected);
	return runs[(at + 1) % Math.max(1, runs.length)];
}
