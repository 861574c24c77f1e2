import {compose} from '../compose.ts';
import {Refusal} from '../core/refusal.ts';
import type {Agent} from '../core/seams.ts';
import {costText, openText, spendKeys, spendText, totalSpend, type SpendKey} from '../core/run/spend.ts';
import {formatTokens} from '../core/run/usage.ts';
import {columnLines} from '../core/text/columns.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import {readSpend} from '../engine/spend.ts';
import {parseSince, projectId} from './activity.ts';
import {define, json, text} from './verb.ts';

/** Where prices are from, and how old they are. @param now milliseconds */
function priceLines(agents: readonly Pick<Agent, 'model'>[], now: number): string[] {
	const lists = agents.flatMap(({model}) => model?.priced ?? []);
	return [...new Map(lists.map(list => [list.source, list])).values()].map(({asOf, source}) => {
		const months = Math.floor((now - Date.parse(`${asOf}-01T00:00:00Z`)) / (30.4 * 86_400_000));
		const age = months < 2 ? '' : `, ${months} months old: settings.yaml can have newer ones (prices)`;
		return `  prices of ${asOf} from ${source}${age}`;
	});
}

export const verb = define({
	summary: 'what runs spent on their models, by day, project or agent',
	arguments: {},
	options: {
		by: text('KEY', 'a row for each day, project or agent; by default day', spendKeys),
		since: text('TIME', 'how far back, such as 7d; by default 30d'),
		project: text('NAME', 'of the runs of one project'),
		json,
	},
	brief: ['by', 'since', 'json'],
	async run(io, _positional, options) {
		const by = (options.by ?? 'day') as SpendKey;
		if (!spendKeys.includes(by)) {
			throw new Refusal(`spend is not told by "${by.slice(0, 20)}"`, `--by with one of: ${spendKeys.join(', ')}`);
		}

		const since = parseSince(options.since, '30d');
		const context = compose();
		const project = await projectId(context, options.project, io.folder);
		const rows = readSpend(context, {by, since, project});
		const total = totalSpend(rows);
		if (options.json) {
			io.json({
				since: new Date(since).toISOString(),
				by,
				// A cost that nobody reported is null: 0 would say that there was none.
				rows: rows.map(({key, ...row}) => ({
					key,
					...row,
					dollars: row.requests === 0 || (row.dollars === 0 && row.unpriced > 0) ? null : row.dollars,
				})),
			});
			return;
		}

		if (rows.length === 0) {
			io.out('no runs in this time\n');
			return;
		}

		io.out(
			columnLines([
				[by.toUpperCase(), 'COST', 'TOKENS', 'REPLIES', 'RUNS', 'NOT KNOWN'],
				...rows.map(row => [
					escapeLine(row.key),
					costText(row),
					row.requests === 0 ? '-' : formatTokens(row.tokens),
					row.requests === 0 ? '-' : String(row.requests),
					String(row.runs + row.silent),
					openText(row),
				]),
			]),
		);
		io.out(`total: ${spendText(total) || 'nothing was reported'}\n`);
		if (total.requests > 0) {
			io.out('costs are estimates by list prices, from what the model said in its replies\n');
			for (const line of priceLines(context.agents, Date.now())) {
				io.out(`${line}\n`);
			}
		}
	},
});
