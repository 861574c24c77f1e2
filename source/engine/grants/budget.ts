import {decideActor} from '../../core/run/decide.ts';
import {gateRefusal, type Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import {overBudget, type Budget} from '../../core/run/usage.ts';
import type {Journal} from '../../host/journal.ts';
import type {Context} from '../context.ts';
import {connect, withJournal} from '../runs.ts';

/** Why a run may not go on; undefined where its budget, if it has one, is not used up. */
export function budgetRefusal(run: Pick<Run, 'id' | 'usage' | 'budget'>): Refusal | undefined {
	const because = overBudget(run.usage, run.budget);
	return because === undefined
		? undefined
		: gateRefusal(because, `fleet budget ${run.id} MORE, or fleet budget ${run.id} none`);
}

/** Sets a budget in a journal that is held. */
export function setBudgetIn(
	journal: Journal,
	actor: Context['actor'],
	budget: Budget | undefined,
	because: string,
): void {
	const refusal = decideActor(actor, 'a budget');
	if (refusal) {
		throw refusal;
	}

	journal.append({type: 'budget.set', budget: budget ?? null, because}, actor);
}

/** Sets or takes away what a run may use of its model. A run that its budget stopped goes on with fleet continue. */
export async function setBudget(
	context: Context,
	run: Run,
	budget: Budget | undefined,
	because: string,
): Promise<void> {
	const connection = await connect(context, run.id);
	if (!connection) {
		await withJournal(context, run.id, async journal => setBudgetIn(journal, context.actor, budget, because));
		return;
	}

	try {
		await connection.request({
			method: 'budget',
			budget: budget ?? null,
			because,
			actor: context.actor as `person:${string}`,
		});
	} finally {
		connection.close();
	}
}
