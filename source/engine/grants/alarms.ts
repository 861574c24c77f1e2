import {decideActor} from '../../core/run/decide.ts';
import {printable} from '../../core/names.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import type {Journal} from '../../host/journal.ts';
import type {Context} from '../context.ts';
import {connect, withJournal} from '../runs.ts';

/** A person has seen a run's alarms, in a journal that is held. They stay in the journal, and off the row. */
export function acknowledgeIn(journal: Journal, actor: Context['actor'], because: string): void {
	const refusal =
		decideActor(actor, 'an alarm') ??
		(journal.run.alarms.length === 0
			? new Refusal(`${journal.run.id} has no alarm`, `fleet show ${journal.run.id}`)
			: undefined);
	if (refusal) {
		throw refusal;
	}

	journal.append({type: 'alarm.acknowledged', because}, actor);
}

/** A person does not want to be offered a scope for a target again, in a journal that is held. It stays denied. */
export function dismissIn(journal: Journal, actor: Context['actor'], target: string, because: string): void {
	const refusal =
		decideActor(actor, 'a denial') ??
		(journal.run.denials.some(denial => denial.target === target)
			? undefined
			: new Refusal(`${journal.run.id} was not denied ${printable(target)}`, `fleet show ${journal.run.id}`));
	if (refusal) {
		throw refusal;
	}

	journal.append({type: 'denial.dismissed', target, because}, actor);
}

/** The same for a run that another process may own. */
export async function dismiss(context: Context, run: Run, target: string, because: string): Promise<void> {
	const connection = await connect(context, run.id);
	if (!connection) {
		await withJournal(context, run.id, async journal => dismissIn(journal, context.actor, target, because));
		return;
	}

	try {
		await connection.request({method: 'dismiss', target, because, actor: context.actor as `person:${string}`});
	} finally {
		connection.close();
	}
}

/** Acknowledges the alarms of a run that another process may own. */
export async function acknowledge(context: Context, run: Run, because: string): Promise<void> {
	const connection = await connect(context, run.id);
	if (!connection) {
		await withJournal(context, run.id, async journal => acknowledgeIn(journal, context.actor, because));
		return;
	}

	try {
		await connection.request({method: 'acknowledge', because, actor: context.actor as `person:${string}`});
	} finally {
		connection.close();
	}
}
