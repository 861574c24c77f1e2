import {randomBytes} from 'node:crypto';
import {lfs} from '../../core/git/filters.ts';
import {branchName} from '../../core/git/refs.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import {duePlans, isLost, isUnderWay, standings} from '../../core/tasks/order.ts';
import {isPlanDone, type Task} from '../../core/tasks/plan.ts';
import type {Journal} from '../../host/journal.ts';
import type {Context} from '../context.ts';
import {areTrusted, findFilters} from '../project/filters.ts';
import {findIncluded, isTrusted} from '../project/include.ts';
import {findProject} from '../project/projects.ts';
import {startRun} from '../run/create.ts';
import {resumeRun} from '../run/resume.ts';
import {forgetUnderWay} from './under-way.ts';
import {listRunIds, listRuns, readRun, withJournal} from '../runs.ts';

/*
 * Accepted plans, carried on. No process of fleet's stays behind for it: whoever merges a run, takes one away or opens
 * fleet does it. The journal of the plan's run is held meanwhile, so that no task is started twice.
 */

/** What one look at a plan changed. */
export type Advance = {
	readonly plan: string;
	readonly started: ReadonlyArray<{readonly task: string; readonly run: string}>;
	readonly held: ReadonlyArray<{readonly task: string; readonly because: string; readonly hint?: string | undefined}>;
};

/** A name for a task's run: the task's own where no run has it. */
function nameFor(context: Context, {id}: Task): string {
	return listRunIds(context).includes(id) ? `${id}-${randomBytes(2).toString('hex')}` : id;
}

/** Starts a task's run from its target as it is today. Nothing that a person did not say yes to before is copied in. */
async function startTask(context: Context, planRun: Run, task: Task): Promise<Run> {
	const {agent: main, argv, models, withoutProfile} = planRun.plan!.accepted!;
	const agent = task.agent ?? main;
	const base = branchName(planRun.target);
	const project = await findProject(context, planRun.project.id, planRun.project.root);
	const included = await findIncluded(project, base);
	const filters = await findFilters(project, base);
	return startRun(context, {
		project,
		agent,
		argv: agent === main ? argv : [],
		prompt: `${task.title}\n\n${task.task}`,
		name: nameFor(context, task),
		base,
		allow: models.includes(agent) ? [`model:${agent}`] : [],
		because: "the agent's own model",
		include: included && isTrusted(context, project, included) ? included.files : undefined,
		filters: areTrusted(context, project, filters) ? filters : filters.filter(({name}) => name === lfs),
		profile: withoutProfile ? false : undefined,
		of: {plan: planRun.id, task: task.id},
	});
}

/** Writes down that a task does not start by itself, unless that is known. */
function noteHeld(journal: Journal, task: string, because: string | null): void {
	if ((journal.run.plan!.progress[task]?.held ?? null) !== because) {
		journal.append({type: 'task.held', task, because}, 'fleet');
	}
}

/** Starts a task. @returns why it could not be; then that is written down */
async function begin(context: Context, journal: Journal, task: Task): Promise<Run | Refusal> {
	try {
		const run = await startTask(context, journal.run, task);
		journal.append({type: 'task.started', task: task.id, run: run.id}, 'fleet');
		return run;
	} catch (error) {
		const refusal =
			error instanceof Refusal ? error : new Refusal((error as Error).message.split('\n')[0]!, 'fleet plan next');
		noteHeld(journal, task.id, refusal.because);
		return refusal;
	}
}

/** One look, by whoever holds the journal of the plan's run. */
async function advanceHeld(context: Context, journal: Journal): Promise<Advance> {
	const started: Array<Advance['started'][number]> = [];
	const held: Array<Advance['held'][number]> = [];
	for (const {task, state, run, because} of isUnderWay(journal.run) ? standings(journal.run, listRuns(context)) : []) {
		const known = journal.run.plan!.progress[task.id] ?? {};
		if (state === 'merged' && !known.merged) {
			journal.append({type: 'task.merged', task: task.id}, 'fleet');
		} else if (state === 'held') {
			held.push({task: task.id, because});
			noteHeld(journal, task.id, because);
		} else if (state === 'waits') {
			noteHeld(journal, task.id, null);
		} else if (state === 'started') {
			// The process that started it ended before it could write that down.
			if (known.run !== run) {
				journal.append({type: 'task.started', task: task.id, run: run!}, 'fleet');
			}

			await resumeLost(context, run!);
		} else if (state === 'ready') {
			const begun = await begin(context, journal, task);
			if (begun instanceof Refusal) {
				held.push({task: task.id, because: begun.because, hint: begun.hint});
			} else {
				started.push({task: task.id, run: begun.id});
			}
		}
	}

	return {plan: journal.run.id, started, held};
}

/** A run that was queued when the machine went down has nobody who starts it: it is queued again. */
async function resumeLost(context: Context, id: string): Promise<void> {
	const run = readRun(context.paths.run(id));
	if (run && isLost(run)) {
		try {
			await resumeRun(context, id, {});
		} catch {
			// Its own row says why.
		}
	}
}

/**
 * Carries one accepted plan on: starts what waits for nothing any more, and writes down what will not start by itself.
 * @throws Refusal where another process has the journal of its run
 */
export function advance(context: Context, planRun: string): Promise<Advance> {
	return withJournal(context, planRun, journal => advanceHeld(context, journal));
}

/** Carries every plan on for which something is to be done. One that another process has is left to it. */
export async function advanceAll(context: Context): Promise<readonly Advance[]> {
	const found: Advance[] = [];
	for (const {id} of duePlans(listRuns(context))) {
		try {
			found.push(await advance(context, id));
		} catch (error) {
			if (!(error instanceof Refusal)) {
				throw error;
			}
		}
	}

	if (!listRuns(context).some(run => isUnderWay(run) && !isPlanDone(run.plan!))) {
		forgetUnderWay(context);
	}

	return found;
}
