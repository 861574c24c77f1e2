import {spendRows, type SpendKey, type SpendRow} from '../core/run/spend.ts';
import {readJournal} from '../host/journal.ts';
import {statusOf} from '../host/status.ts';
import type {Context} from './context.ts';
import {listRunIds} from './runs.ts';

/**
 * What the runs spent since a moment. Only journals that were added to since are read.
 * @param options.since milliseconds
 */
export function readSpend(
	{paths}: Pick<Context, 'paths'>,
	{by, since, project}: {readonly by: SpendKey; readonly since: number; readonly project?: string | undefined},
): SpendRow[] {
	const sources = listRunIds({paths}).flatMap(run => {
		const file = paths.run(run).journal;
		const status = statusOf(file);
		if (!status || status.mtimeMs < since) {
			return [];
		}

		const {entries} = readJournal(file);
		const [created] = entries;
		return created?.type === 'run.created' && (project === undefined || created.project.id === project)
			? [{entries}]
			: [];
	});
	return spendRows(sources, {by, since});
}
