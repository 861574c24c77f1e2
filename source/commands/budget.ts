import {compose} from '../compose.ts';
import {orThrow} from '../core/refusal.ts';
import {formatBudget, formatUsage, parseBudget} from '../core/run/usage.ts';
import {setBudget} from '../engine/grants/budget.ts';
import {findRun} from '../engine/runs.ts';
import {reasonOption, type Verb} from './verb.ts';

export const verb: Verb = {
	define(command) {
		reasonOption(command.argument('<run>').argument('[amount]', '5 or 2.50 (dollars), 200k or 2M (tokens), or none'));
	},
	async run(io, [name, amount], options) {
		const context = compose();
		const run = findRun(context, name!);
		if (amount === undefined) {
			const limit = run.budget ? `of ${formatBudget(run.budget)}` : 'with no budget';
			io.out(`${run.id} has used ${formatUsage(run.usage) || 'nothing'}, ${limit}\n`);
			return;
		}

		const budget = amount === 'none' ? undefined : orThrow(parseBudget(amount));
		await setBudget(context, run, budget, options['because']);
		const limit = budget ? `frozen at ${formatBudget(budget)}` : 'no budget';
		io.out(`${run.id}: ${limit}${run.stage === 'frozen' ? `; fleet thaw ${run.id}` : ''}\n`);
	},
};
