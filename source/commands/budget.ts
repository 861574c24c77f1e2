import {compose} from '../compose.ts';
import {orThrow} from '../core/refusal.ts';
import {formatBudget, formatUsage, parseBudget} from '../core/run/usage.ts';
import {send} from '../engine/owner.ts';
import {findRun} from '../engine/runs.ts';
import {sayRun} from './documents.ts';
import {define, json, optional, reason, required} from './verb.ts';

export const verb = define({
	summary: 'what a run has used of its model, and at how much it is paused',
	arguments: {
		run: required('RUN'),
		amount: optional('[AMOUNT | none]', '5 or 2.50 (dollars), 200k or 2M (tokens), or none'),
	},
	options: {because: reason(), json},
	async run(io, {run: name, amount}, options) {
		const context = compose();
		const run = findRun(context, name);
		if (amount === undefined) {
			const limit = run.budget ? `of ${formatBudget(run.budget)}` : 'with no budget';
			const text = `${run.id} has used ${formatUsage(run.usage) || 'nothing'}, ${limit}\n`;
			sayRun(io, context, {run: run.id, json: options.json, text});
			return;
		}

		const budget = amount === 'none' ? undefined : orThrow(parseBudget(amount));
		await send(context, run, {type: 'budget', budget: budget ?? null, because: options.because});
		const limit = budget ? `paused at ${formatBudget(budget)}` : 'no budget';
		const text = `${run.id}: ${limit}${run.stage === 'frozen' ? `; fleet continue ${run.id}` : ''}\n`;
		sayRun(io, context, {run: run.id, json: options.json, text});
	},
});
