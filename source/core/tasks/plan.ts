import type {Actor} from '../actor.ts';

/** One task of a plan. Its words are an agent's until a person accepts them. */
export type Task = {
	/** Unique in the plan, in the grammar of names. */
	readonly id: string;
	/** One line. */
	readonly title: string;
	/** What the run is asked to do. */
	readonly task: string;
	/** An agent by its id; undefined for the one that the plan is accepted with. */
	readonly agent?: string | undefined;
	/** The tasks that have to be merged before it starts. */
	readonly after: readonly string[];
};

/** With what the runs of a plan are started. */
export type Terms = {
	/** The agent of the tasks that name none. */
	readonly agent: string;
	/** The command line of the agent `command`, or more arguments of another. */
	readonly argv: readonly string[];
	/** Agents that are given their model's scope. Nothing else is granted from the start. */
	readonly models: readonly string[];
	/** Whether they are without the person's profile of the agent. */
	readonly withoutProfile?: boolean | undefined;
};

/** How far one task has come. */
export type Progress = {
	/** Its run; undefined while there is none. */
	readonly run?: string | undefined;
	readonly merged?: boolean | undefined;
	/** Started without what it waited for, by a person's word. */
	readonly released?: boolean | undefined;
	/** Not to be done, by a person's word. */
	readonly dropped?: boolean | undefined;
	/** Why it does not start by itself, where a person is needed. */
	readonly held?: string | undefined;
};

/** The plan of a run that was asked for one. */
export type Plan = {
	/** Why there is none that can be accepted; undefined where there is one, or its agent has not ended. */
	readonly problem: string | undefined;
	/** The commit that it was read from. */
	readonly head: string | undefined;
	readonly tasks: readonly Task[];
	/** Whether a person changed it since. */
	readonly edited: boolean;
	/** How often it was proposed, refused or edited: what a person says yes to is one of these. */
	readonly revision: number;
	readonly accepted: (Terms & {readonly by: Actor; readonly at: string}) | undefined;
	/** By the ids of tasks. */
	readonly progress: Readonly<Record<string, Progress>>;
};

export const emptyPlan: Plan = {
	problem: undefined,
	head: undefined,
	tasks: [],
	edited: false,
	revision: 0,
	accepted: undefined,
	progress: {},
};

const plural = (count: number, one: string) => `${count} ${count === 1 ? one : `${one}s`}`;

/** How a plan stands, from its run's journal alone, in a few words. Others' words are in it, not escaped. */
export function planText({problem, tasks, accepted, progress}: Plan): string {
	if (problem !== undefined) {
		return `no plan: ${problem}`;
	}

	if (!accepted) {
		return `plan of ${plural(tasks.length, 'task')}`;
	}

	const all = tasks.map(({id}) => progress[id] ?? {});
	const dropped = all.filter(one => one.dropped).length;
	const merged = all.filter(one => one.merged).length;
	const waiting = all.filter(one => one.run === undefined && !one.merged && !one.dropped).length;
	return [
		`plan: ${merged} of ${plural(tasks.length - dropped, 'task')} merged`,
		...(waiting === 0 ? [] : [`${waiting} waiting`]),
	].join(', ');
}

/** The first task that does not start by itself, and why; undefined where a person is not needed. */
export function heldTask({
	tasks,
	accepted,
	progress,
}: Plan): {readonly id: string; readonly because: string} | undefined {
	const held = accepted && tasks.find(({id}) => progress[id]?.held !== undefined);
	return held && {id: held.id, because: progress[held.id]!.held!};
}

/** Whether nothing of it is left to be merged. */
export function isPlanDone({tasks, accepted, progress}: Plan): boolean {
	return accepted !== undefined && tasks.every(({id}) => progress[id]?.merged || progress[id]?.dropped);
}
