import type {Run} from '../run/run.ts';
import {stageName} from '../run/stages.ts';
import type {Plan, Progress, Task} from './plan.ts';

/*
 * Which task of an accepted plan is to start, and what the others wait for. Pure.
 */

/** How every reason begins that is another task's, as against a start that failed. */
const waiting = 'waits for ';

/** `waits`: for other tasks; `held`: a person is needed; `ready`: it is its turn. */
export type TaskState = 'proposed' | 'waits' | 'held' | 'ready' | 'started' | 'merged' | 'dropped';

export type TaskStanding = {
	readonly task: Task;
	readonly state: TaskState;
	/** Its run, where it has one. */
	readonly run: string | undefined;
	/** What it waits for or how its run stands, in words; empty where the state says all. */
	readonly because: string;
};

/** What is known of a task besides what it waits for. */
type Own = {
	readonly task: Task;
	readonly known: Progress;
	/** Its run: the one that the plan knows, or one that says itself that it is. */
	readonly run: string | undefined;
	readonly found: Run | undefined;
	readonly state: 'waits' | 'started' | 'merged' | 'dropped';
};

function ownOf(task: Task, {id: planRun, plan}: Run, runs: readonly Run[]): Own {
	const known = plan!.progress[task.id] ?? {};
	const run = known.run ?? runs.find(({of}) => of?.plan === planRun && of.task === task.id)?.id;
	const found = run === undefined ? undefined : runs.find(({id}) => id === run);
	const of = {task, known, run, found};
	if (known.merged || found?.merge) {
		return {...of, state: 'merged'};
	}

	if (known.dropped) {
		return {...of, state: 'dropped'};
	}

	return {...of, state: run === undefined ? 'waits' : 'started'};
}

/** Why what comes after a task will not come by itself; undefined where it may. */
function overBecause({task, run, found, state}: Own): string | undefined {
	if (state === 'dropped') {
		return `${waiting}${task.id}, which was dropped`;
	}

	if (state !== 'started') {
		return undefined;
	}

	const isOver = found === undefined || found.stage === 'discarded' || found.stage === 'rejected';
	return isOver ? `${waiting}${run}, which is ${found ? stageName(found.stage) : 'gone'}` : undefined;
}

/** A task that has no run yet. @param before those that it comes after */
function waitingOf({task, known}: Own, before: readonly Own[], {accepted}: Plan): TaskStanding {
	const of = {task, run: undefined};
	const open = known.released ? [] : before.filter(({state}) => state !== 'merged');
	if (!accepted) {
		return {...of, state: 'proposed', because: task.after.length === 0 ? '' : `after ${task.after.join(', ')}`};
	}

	const over = open.map(one => overBecause(one)).find(text => text !== undefined);
	if (over !== undefined) {
		return {...of, state: 'held', because: over};
	}

	if (open.length > 0) {
		return {...of, state: 'waits', because: `${waiting}${open.map(one => one.run ?? one.task.id).join(', ')}`};
	}

	return {...of, state: 'ready', because: known.held?.startsWith(waiting) ? '' : (known.held ?? '')};
}

/**
 * How each task of a run's plan stands, in the plan's order.
 * @param runs all that there are
 */
export function standings(planRun: Run, runs: readonly Run[]): readonly TaskStanding[] {
	const {plan} = planRun;
	if (!plan) {
		return [];
	}

	const all = new Map(plan.tasks.map(task => [task.id, ownOf(task, planRun, runs)]));
	return plan.tasks.map((task): TaskStanding => {
		const own = all.get(task.id)!;
		const {state, run, found} = own;
		if (state === 'waits') {
			return waitingOf(
				own,
				task.after.flatMap(id => all.get(id) ?? []),
				plan,
			);
		}

		const because = found ? stageName(found.stage) : 'its run is gone';
		return {task, state, run, because: state === 'started' ? because : ''};
	});
}

/** Whether a plan is still to be carried on: accepted, and its run not taken away. */
export function isUnderWay({plan, stage}: Run): boolean {
	return plan?.accepted !== undefined && stage !== 'discarded' && stage !== 'rejected';
}

/** Whether a run was made and never began: its supervisor ended while it was queued, as with the machine. */
export function isLost({stage, attempt}: Run): boolean {
	return stage === 'crashed' && attempt === 0;
}

/** Whether something about a task is to be done or written down. */
function isDue({task, state, run, because}: TaskStanding, {plan}: Run, runs: readonly Run[]): boolean {
	const known = plan!.progress[task.id] ?? {};
	switch (state) {
		// A start that failed is tried again when something happens, and not at every look.
		case 'ready': {
			return known.held === undefined || known.held.startsWith(waiting);
		}

		case 'merged': {
			return !known.merged;
		}

		case 'started': {
			return known.run !== run || runs.some(other => other.id === run && isLost(other));
		}

		case 'held': {
			return known.held !== because;
		}

		case 'waits': {
			return known.held !== undefined;
		}

		default: {
			return false;
		}
	}
}

/** Runs with a plan for which something is to be done now. */
export function duePlans(runs: readonly Run[]): readonly Run[] {
	return runs.filter(run => isUnderWay(run) && standings(run, runs).some(one => isDue(one, run, runs)));
}
