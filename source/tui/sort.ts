import {groups, type Glance, type Sign} from '../core/run/glance.ts';
import type {Run} from '../core/run/run.ts';
import type {ListState, Sort, State} from './state.ts';

/* In which order runs stand: by what they need, or by one of their columns. */

/** What a row has that it is sorted by. */
type Sortable = {readonly run: Run; readonly glance: Glance};

/** Most urgent first. */
const signs: readonly Sign[] = [
	'alarm',
	'question',
	'blocked',
	'failed',
	'unclear',
	'passed',
	'changed',
	'running',
	'paused',
	'queued',
	'done',
	'dropped',
];

const before = (a: string, b: string) => (a < b ? -1 : Number(a > b));

/** What needs a person most comes first. */
export function byAttention(a: Sortable, b: Sortable): number {
	return (
		groups.indexOf(a.glance.group) - groups.indexOf(b.glance.group) ||
		signs.indexOf(a.glance.sign) - signs.indexOf(b.glance.sign) ||
		// Who waits longest comes first; of what is over, the newest.
		(a.glance.group === 'done' ? before(b.glance.since, a.glance.since) : before(a.glance.since, b.glance.since))
	);
}

/** What of two runs comes first by one of their columns. */
function orderOf(sort: Sort, changes: State['changes']): ((a: Sortable, b: Sortable) => number) | undefined {
	switch (sort) {
		case 'attention': {
			return byAttention;
		}

		// As they come.
		case 'newest': {
			return undefined;
		}

		case 'last change': {
			return (a, b) => before(b.run.updatedAt, a.run.updatedAt);
		}

		case 'name': {
			return (a, b) => before(a.run.id, b.run.id);
		}

		// As the column of a row has it: for how long it has stood as it does.
		case 'age': {
			return (a, b) => before(a.glance.since, b.glance.since);
		}

		case 'cost': {
			const dollars = ({run}: Sortable) => run.usage.dollars ?? 0;
			// Where a price is not known, what was used is.
			const tokens = ({run}: Sortable) => run.usage.input + run.usage.cached + run.usage.output;
			return (a, b) => dollars(b) - dollars(a) || tokens(b) - tokens(a);
		}

		case 'changes': {
			const lines = ({run}: Sortable) => (changes[run.id]?.added ?? 0) + (changes[run.id]?.removed ?? 0);
			const files = ({run}: Sortable) => changes[run.id]?.files ?? 0;
			return (a, b) => lines(b) - lines(a) || files(b) - files(a);
		}
	}
}

/** The rows in the order of the list; runs that are the same by it stay as they come. */
export function sorted<Row extends Sortable>(
	rows: readonly Row[],
	{sort, isReversed}: Pick<ListState, 'sort' | 'isReversed'>,
	changes: State['changes'],
): readonly Row[] {
	const order = orderOf(sort, changes);
	const own = order ? [...rows].sort(order) : rows;
	return isReversed ? [...own].reverse() : own;
}
