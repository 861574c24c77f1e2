import {allRows, isShown} from './list.ts';
import {shows, type Show, type State} from './state.ts';
import {widthOf} from './paint/fit.ts';

/* The saved views of the list as they stand in a line of their own, for the drawing and for the mouse. */

type Source = Pick<State, 'runs' | 'changes' | 'offers' | 'list'>;
type Counts = Readonly<Record<Show, number>>;

let last: (Omit<Source, 'list'> & {readonly discarded: boolean; readonly counts: Counts}) | undefined;

/** How many runs each view has, whatever is typed as a filter. The last result is kept: each frame asks. */
export function viewCounts(source: Source): Counts {
	const {runs, changes, offers, list} = source;
	const {discarded} = list;
	if (last?.runs !== runs || last.changes !== changes || last.offers !== offers || last.discarded !== discarded) {
		const counts = Object.fromEntries(shows.map(show => [show, 0])) as Record<Show, number>;
		const views = shows.map(show => ({show, discarded}));
		for (const row of allRows(source)) {
			for (const view of views) {
				if (isShown(row, view)) {
					counts[view.show]++;
				}
			}
		}

		last = {runs, changes, offers, discarded, counts};
	}

	return last.counts;
}

/** The views' names with their keys, each with its number of runs where there is room for all of that. */
export function viewTexts(
	source: Source & Pick<State, 'columns'>,
): ReadonlyArray<{readonly show: Show; readonly text: string}> {
	const counts = viewCounts(source);
	const texts = (hasCounts: boolean) =>
		shows.map((show, index) => ({
			show,
			text: ` ${index + 1} ${show}${hasCounts ? ` ${counts[show]}` : ''} `,
		}));
	const whole = texts(true);
	return whole.reduce((sum, {text}) => sum + widthOf(text), 0) <= source.columns ? whole : texts(false);
}
