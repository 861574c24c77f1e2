import {addUsage, overBudget, UsageReader, type ReplyUsage} from '../../core/run/usage.ts';
import type {Exchange} from '../../host/broker-hooks.ts';
import {daySpent} from './day-budget.ts';
import {freeze} from './halt.ts';
import {note, type Supervision} from './supervision.ts';

/* What the agent's model costs, as its replies say. */

/** How often usage is written down while it grows, milliseconds. */
const usagePauseMs = 3000;

/** How often the day's spend is added up, milliseconds. */
const dayPauseMs = 15_000;

/** Reads what a model's replies say that they cost, and knows while it is asked. */
export function followModel(supervision: Supervision, scopes: readonly string[]): Exchange {
	const {secrets, model} = supervision;
	const isModel = scopes.some(scope => secrets.get(scope)?.binding.class === 'model');
	let reader: UsageReader | undefined;
	let socket = false;
	model.unanswered++;
	return {
		reply: contentType => {
			if (!isModel || !/json|event-stream|websocket/.test(contentType)) {
				return undefined;
			}

			if (contentType === 'websocket') {
				// It stays open between the turns.
				socket = true;
				model.unanswered--;
			}

			const own = new UsageReader(reply => count(supervision, reply));
			reader = own;
			return piece => own.push(piece);
		},
		end: () => {
			model.unanswered -= socket ? 0 : 1;
			reader?.end();
		},
	};
}

function count(supervision: Supervision, reply: ReplyUsage): void {
	const {context, model, journal} = supervision;
	model.usage = addUsage(model.usage, reply, [
		...model.ownPrices,
		...context.agents.flatMap(({model}) => model?.prices ?? []),
	]);
	model.timer ??= setTimeout(() => writeUsage(supervision), usagePauseMs);
	const over = overBudget(model.usage, journal.run.budget) ?? overDay(supervision);
	if (over !== undefined && journal.run.stage === 'running') {
		writeUsage(supervision);
		freeze(supervision, over, 'fleet');
	}
}

/** Whether all runs together spent what a person allowed for the day; looked at now and then, since it reads them all. */
function overDay(supervision: Supervision): string | undefined {
	const {context, model, journal} = supervision;
	if (Date.now() < model.nextDayLook || (model.budgets.day ?? model.budgets.projectDay) === undefined) {
		return undefined;
	}

	writeUsage(supervision);
	const began = Date.now();
	const over = daySpent(context, journal.run.project.id, model.budgets);
	model.nextDayLook = Date.now() + Math.max(dayPauseMs, 50 * (Date.now() - began));
	return over;
}

/** Writes down what was used, where it grew. */
export function writeUsage(supervision: Supervision): void {
	const {model, journal} = supervision;
	clearTimeout(model.timer);
	model.timer = undefined;
	if (model.usage.requests !== journal.run.usage.requests) {
		note(supervision, {type: 'usage.counted', usage: model.usage}, false);
	}
}
