import {gateRefusal} from '../../core/refusal.ts';
import {dollarsText, totalSpend} from '../../core/run/spend.ts';
import type {Settings} from '../../core/settings.ts';
import type {Context} from '../context.ts';
import {readSettings} from '../project/settings.ts';
import {readSpend} from '../spend.ts';

/*
 * What a person's settings allow to be spent in a day, by all runs and by those of a project. A day is the local one.
 * Tokens without a known price are not counted: `fleet spend` says how many there are.
 */

/** @returns what is used up, in words; undefined where nothing is. @throws nothing */
export function daySpent(
	context: Context,
	project: string,
	{day, projectDay}: Settings['budgets'],
): string | undefined {
	const since = new Date().setHours(0, 0, 0, 0);
	const spent = (of: string | undefined) => totalSpend(readSpend(context, {by: 'day', since, project: of})).dollars;
	const over = (what: string, limit: number | undefined, of: string | undefined) =>
		limit !== undefined && spent(of) >= limit
			? `the day's budget of ${what}, ${dollarsText(limit).slice(1)}, is used up`
			: undefined;
	return over('all runs', day, undefined) ?? over(project, projectDay, project);
}

/** @throws Refusal where nothing more is to be spent today */
export async function refuseOverDay(context: Context, project: string): Promise<void> {
	const {budgets} = await readSettings(context.paths);
	const because = daySpent(context, project, budgets);
	if (because !== undefined) {
		throw gateRefusal(because, 'raise it under budgets in settings.yaml; fleet spend says what it went to');
	}
}
