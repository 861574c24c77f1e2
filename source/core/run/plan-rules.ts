import type {Actor} from '../actor.ts';
import {printable} from '../names.ts';
import {gateRefusal, Refusal} from '../refusal.ts';
import {decideActor, ended} from './rules.ts';
import type {Run} from './run.ts';
import {hasWorker, stageName} from './stages.ts';

/* What may be done to a plan of tasks, by whom and when. */

/** Whether the run has a plan at all, and its agent has ended. */
function refuseNone(run: Run): Refusal | undefined {
	if (!run.plan) {
		return new Refusal(`${run.id} was not asked for a plan`, 'fleet plan list');
	}

	return hasWorker(run.stage)
		? gateRefusal(`${run.id} is ${stageName(run.stage)}: its plan is read when it ends`, `fleet stop ${run.id}`)
		: ended(run);
}

function refuseAccepted(run: Run): Refusal | undefined {
	return run.plan?.accepted
		? gateRefusal(
				`the plan of ${run.id} is accepted, and its tasks are under way`,
				`fleet plan drop ${run.id} TASK, or fleet plan release ${run.id} TASK`,
			)
		: undefined;
}

/** May a person put other tasks in the place of those that were proposed? */
export function decidePlanEdit(run: Run, actor: Actor): Refusal | undefined {
	return decideActor(actor, 'to edit a plan') ?? refuseNone(run) ?? refuseAccepted(run);
}

/** May runs be started by it? */
export function decidePlanAccept(run: Run, actor: Actor): Refusal | undefined {
	const refusal = decideActor(actor, 'to accept a plan') ?? refuseNone(run) ?? refuseAccepted(run);
	if (refusal) {
		return refusal;
	}

	const {problem, tasks} = run.plan!;
	return problem !== undefined || tasks.length === 0
		? gateRefusal(problem ?? `${run.id} has proposed no plan`, `fleet plan edit ${run.id}, or fleet resume ${run.id}`)
		: undefined;
}

/** May a task be started without what it waits for, or dropped? Only one that waits. */
export function decideTask(run: Run, id: string, actor: Actor): Refusal | undefined {
	const refusal = decideActor(actor, 'a task') ?? refuseNone(run);
	if (refusal) {
		return refusal;
	}

	const {tasks, accepted, progress} = run.plan!;
	if (!tasks.some(task => task.id === id)) {
		return new Refusal(`the plan of ${run.id} has no task "${printable(id)}"`, `fleet plan show ${run.id}`);
	}

	if (!accepted) {
		return gateRefusal(`the plan of ${run.id} is not accepted yet`, `fleet plan edit ${run.id}`);
	}

	const {run: started, merged, dropped} = progress[id] ?? {};
	if (dropped) {
		return gateRefusal(`${id} was dropped`, `fleet plan show ${run.id}`);
	}

	return started !== undefined || merged
		? gateRefusal(`${id} has started, as ${started}`, `fleet show ${started}`)
		: undefined;
}
