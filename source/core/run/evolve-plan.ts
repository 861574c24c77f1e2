import type {Changes} from './evolve-text.ts';
import {emptyPlan, planText, type Plan, type Progress} from '../tasks/plan.ts';
import type {Run} from './run.ts';

/** What becomes of a plan, and what its run says then. */
function withPlan({plan = emptyPlan, because}: Run, change: Partial<Plan>): Partial<Run> {
	const next = {...plan, ...change};
	return {plan: next, because, phrase: planText(next)};
}

/** Another plan in the place of the one before. */
const another = (run: Run, change: Partial<Plan>) =>
	withPlan(run, {...change, revision: (run.plan?.revision ?? 0) + 1});

function withTask(run: Run, id: string, change: Progress): Partial<Run> {
	const {progress} = run.plan ?? emptyPlan;
	return withPlan(run, {progress: {...progress, [id]: {...progress[id], ...change}}});
}

/** What an event of a plan of tasks changes. */
export const planChanges = {
	// Another attempt may propose another one; what was accepted stays as it is.
	'plan.proposed': (run, {head, tasks}) =>
		run.plan?.accepted ? {} : another(run, {problem: undefined, head, tasks, edited: false}),
	'plan.refused': (run, {head, because}) =>
		run.plan?.accepted ? {} : another(run, {problem: because, head, tasks: [], edited: false}),
	'plan.edited': (run, {tasks}) => another(run, {problem: undefined, tasks, edited: true}),
	'plan.accepted': (run, {agent, argv, models, withoutProfile, actor, at}) =>
		withPlan(run, {accepted: {agent, argv, models, withoutProfile, by: actor, at}}),
	'task.started': (run, {task, run: id}) => withTask(run, task, {run: id, held: undefined}),
	'task.merged': (run, {task}) => withTask(run, task, {merged: true, held: undefined}),
	'task.released': (run, {task}) => withTask(run, task, {released: true, held: undefined}),
	'task.dropped': (run, {task}) => withTask(run, task, {dropped: true, held: undefined}),
	'task.held': (run, {task, because}) => withTask(run, task, {held: because ?? undefined}),
} satisfies Partial<Changes>;
