import {Refusal} from '../../core/refusal.ts';
import {parsePlan, planFile, planLimits} from '../../core/tasks/plan-file.ts';
import type {Task} from '../../core/tasks/plan.ts';
import type {Git} from '../../host/git.ts';
import type {Journal} from '../../host/journal.ts';
import type {Context} from '../context.ts';
import {capture} from '../handover/capture.ts';
import {openRun} from '../project/projects.ts';

/** Agents that a task may name: those with a program of their own. What `command` runs, a person types. */
export function planAgents({agents}: Pick<Context, 'agents'>): readonly string[] {
	return agents.filter(({program}) => program !== undefined).map(({id}) => id);
}

/** Tasks by their text, for agents that there are. @returns why not */
export function readTasks(context: Pick<Context, 'agents'>, text: string): readonly Task[] | Refusal {
	const tasks = parsePlan(text);
	if (tasks instanceof Refusal) {
		return tasks;
	}

	const known = planAgents(context);
	const wrong = tasks.find(({agent}) => agent !== undefined && !known.includes(agent));
	return wrong
		? new Refusal(`${planFile}: ${wrong.id}: there is no agent "${wrong.agent}"`, `agents: ${known.join(', ')}`)
		: tasks;
}

/**
 * The text of the plan file of a commit. Its object is looked at before anything of it is read: a link is not followed,
 * and nothing large is taken into memory.
 */
export async function planTextOf(git: Git, head: string): Promise<string | Refusal> {
	const refuse = (because: string) =>
		new Refusal(
			because,
			'tell its agent to write the file: fleet resume RUN "…"; or write the plan: fleet plan edit RUN',
		);
	const entry = (await git.raw('ls-tree', '-z', head, '--', planFile)).split('\0')[0] ?? '';
	const [, mode, type, object] = /^(\d+) (\w+) ([0-9a-f]+)\t/.exec(entry) ?? [];
	if (object === undefined) {
		return refuse(`there is no ${planFile} in its work`);
	}

	if (type !== 'blob' || (mode !== '100644' && mode !== '100755')) {
		return refuse(`${planFile} is no plain file`);
	}

	if (Number((await git.raw('cat-file', '-s', object)).trim()) > planLimits.bytes) {
		return refuse(`${planFile} is longer than ${planLimits.bytes / 1024} KiB`);
	}

	return git.raw('cat-file', 'blob', object);
}

/** Takes a snapshot of what a plan's run made, reads the plan in it, and writes down what came of it. */
export async function readProposed(context: Context, journal: Journal): Promise<void> {
	const {head} = await capture(context, journal);
	if (journal.run.plan?.head === head) {
		return;
	}

	const {git} = await openRun(context, journal.run);
	const text = await planTextOf(git, head);
	const tasks = text instanceof Refusal ? text : readTasks(context, text);
	journal.append(
		tasks instanceof Refusal
			? {type: 'plan.refused', head, because: tasks.because}
			: {type: 'plan.proposed', head, tasks: [...tasks]},
		'fleet',
	);
}
