import {Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import {hasWorker, stageName} from '../../core/run/stages.ts';
import {isUnderWay, standings, type TaskStanding} from '../../core/tasks/order.ts';
import {isPlanDone, planText} from '../../core/tasks/plan.ts';
import {escapeControls, escapeLine} from '../../core/text/escape-controls.ts';
import type {Context} from '../../engine/context.ts';
import {findRun, listRuns, withJournal} from '../../engine/runs.ts';
import {readProposed} from '../../engine/tasks/read-plan.ts';
import {asTyped} from '../../terminal/as-typed.ts';
import type {PlanAction} from './options.ts';

/** A run with a plan. One whose agent has ended and whose work was not read yet is read now. */
export async function findPlan(context: Context, typed: string | undefined): Promise<Run> {
	if (typed === undefined) {
		throw new Refusal('say whose plan', 'fleet plan list');
	}

	const run = findRun(context, typed);
	if (!run.plan) {
		throw new Refusal(`${run.id} was not asked for a plan`, 'fleet plan list');
	}

	if (run.plan.head === undefined && !run.plan.edited && ['stopped', 'captured', 'crashed'].includes(run.stage)) {
		await withJournal(context, run.id, journal => readProposed(context, journal));
	}

	return findRun(context, run.id);
}

type PlanState = 'asked' | 'proposed' | 'refused' | 'accepted' | 'done' | 'discarded';

function stateOf(run: Run): PlanState {
	const plan = run.plan!;
	if (run.stage === 'discarded' || run.stage === 'rejected') {
		return 'discarded';
	}

	if (plan.accepted) {
		return isPlanDone(plan) ? 'done' : 'accepted';
	}

	if (plan.problem !== undefined) {
		return 'refused';
	}

	return plan.tasks.length > 0 ? 'proposed' : 'asked';
}

/** An element of `fleet plan list --json`, and what the other actions print. */
export function planDocument(context: Context, run: Run, runs: readonly Run[] = listRuns(context)) {
	const {problem, edited, revision, accepted, head} = run.plan!;
	return {
		run: run.id,
		project: run.project.id,
		target: run.target,
		state: stateOf(run),
		problem: problem ?? null,
		head: head ?? null,
		edited,
		revision,
		accepted: accepted ? {by: accepted.by, at: accepted.at, agent: accepted.agent, models: accepted.models} : null,
		tasks: standings(run, runs).map(({task, state, run: of, because}) => ({
			...task,
			agent: task.agent ?? null,
			state,
			run: of ?? null,
			because,
		})),
	};
}

/** How a task stands, in words. */
export function standingText({state, run, because}: TaskStanding): string {
	switch (state) {
		case 'started': {
			return `${run}: ${because}`;
		}

		case 'ready': {
			return because === '' ? 'ready' : `not started: ${because}`;
		}

		case 'proposed': {
			return because;
		}

		case 'merged':
		case 'dropped': {
			return state;
		}

		default: {
			return because;
		}
	}
}

/** What a person may do about it next. */
function nextLines(run: Run, found: readonly TaskStanding[]): string {
	const {id} = run;
	if (hasWorker(run.stage)) {
		return `  its agent is ${stageName(run.stage)}: fleet logs ${id} --follow\n`;
	}

	if (!run.plan!.accepted) {
		return run.plan!.problem === undefined
			? `  fleet plan edit ${id}   fleet plan accept ${id}   fleet plan discard ${id}\n`
			: `  fleet plan edit ${id}   fleet resume ${id} "write the plan"   fleet plan discard ${id}\n`;
	}

	const held = found.find(({state}) => state === 'held');
	return held
		? `  fleet plan release ${id} ${held.task.id} starts it without that   fleet plan drop ${id} ${held.task.id}\n`
		: '';
}

/** A plan as it is read before it is accepted: every word of it, none of which can steer the terminal. */
export function planLines(run: Run, runs: readonly Run[]): string {
	const found = standings(run, runs);
	const {accepted} = run.plan!;
	const tasks = found.map(one => {
		const {id, title, task, agent} = one.task;
		const stands = standingText(one);
		const who = agent === undefined ? '' : `   agent ${agent}`;
		const words = accepted
			? ''
			: escapeControls(task)
					.split('\n')
					.map(line => `      ${line}`.trimEnd() + '\n')
					.join('');
		return `  ${id}${who}${stands === '' ? '' : `   ${escapeLine(stands)}`}\n    ${escapeLine(title)}\n${words}`;
	});
	const [first = ''] = (run.task ?? '').split('\n\n');
	return (
		`${run.id}  ${escapeLine(planText(run.plan!))}\n  ${escapeLine(first)}\n` +
		`${tasks.join('')}${asTyped(nextLines(run, found))}`
	);
}

export const show: PlanAction = async (context, io, {run: typed, options}) => {
	const run = await findPlan(context, typed);
	const runs = listRuns(context);
	if (options.json) {
		io.json(planDocument(context, run, runs));
	} else {
		io.out(planLines(run, runs));
	}
};

export const list: PlanAction = async (context, io, {options}) => {
	const runs = listRuns(context);
	const plans = runs.filter(({plan}) => plan !== undefined);
	if (options.json) {
		io.json(plans.map(run => planDocument(context, run, runs)));
		return;
	}

	const lines = plans.map(run => {
		const waits = isUnderWay(run)
			? standings(run, runs).filter(({state}) => state === 'waits' || state === 'held' || state === 'ready')
			: [];
		const rows = waits.map(one => `  ${one.task.id.padEnd(22)} ${escapeLine(standingText(one))}\n`).join('');
		const text = hasWorker(run.stage) ? stageName(run.stage) : planText(run.plan!);
		return `${run.id.padEnd(24)} ${run.stage === 'discarded' ? 'discarded' : escapeLine(text)}\n${rows}`;
	});
	io.out(lines.join('') || asTyped('no plan yet: fleet plan --agent NAME "what to do"\n'));
};
