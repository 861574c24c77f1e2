import * as v from 'valibot';
import {isName} from '../names.ts';
import {Refusal} from '../refusal.ts';
import {anyControl, anyTextControl} from '../text/controls.ts';
import {holdsHidden} from '../text/hidden.ts';
import {parseClosed} from '../text/yaml.ts';
import type {Task} from './plan.ts';

/*
 * The file in which an agent proposes tasks. An agent wrote it: its schema is closed, so that it cannot ask for a scope,
 * a secret, a budget, a profile or another project, and no text in it can hide from the person who reads it.
 */

/** Where a run leaves it, from the top of its worktree. It is read from there, and merged nowhere. */
export const planFile = '.fleet-plan.yaml';

/** `bytes`: of the whole file; the others in UTF-16 units. */
export const planLimits = {bytes: 64 * 1024, tasks: 30, id: 40, title: 100, task: 4000, after: 10} as const;

const hint =
	'a plan holds tasks alone, each with id, title, task, agent and after; scopes, secrets, budgets and profiles are given by a person';

const visible = v.check<string, string>(text => !holdsHidden(text), 'it holds characters that nobody sees');

const line = (longest: number) =>
	v.pipe(
		v.string('a text'),
		v.check(text => text.trim() !== '', 'not empty'),
		v.maxLength(longest, `at most ${longest} characters`),
		v.check(text => !anyControl.test(text), 'one line, without control characters'),
		visible,
	);

const id = v.pipe(
	v.string('a name'),
	v.maxLength(planLimits.id, `at most ${planLimits.id} characters`),
	v.check(isName, 'lower-case letters, digits and dashes, not starting or ending with a dash'),
);

const task = v.strictObject({
	id,
	title: line(planLimits.title),
	task: v.pipe(
		v.string('a text'),
		v.check(text => text.trim() !== '', 'not empty'),
		v.maxLength(planLimits.task, `at most ${planLimits.task} characters`),
		v.check(text => !anyTextControl.test(text), 'it holds control characters'),
		visible,
		v.trim(),
	),
	agent: v.optional(id),
	after: v.optional(
		v.pipe(v.array(id, 'a list of ids'), v.maxLength(planLimits.after, `at most ${planLimits.after} ids`)),
		[],
	),
});

/** A way from a task back to itself; undefined where there is none. */
function circleOf(tasks: readonly Task[]): readonly string[] | undefined {
	const after = new Map(tasks.map(task => [task.id, task.after]));
	const done = new Set<string>();
	const visit = (id: string, way: readonly string[]): readonly string[] | undefined => {
		if (way.includes(id)) {
			return [...way.slice(way.indexOf(id)), id];
		}

		if (done.has(id)) {
			return undefined;
		}

		for (const next of after.get(id) ?? []) {
			const found = visit(next, [...way, id]);
			if (found) {
				return found;
			}
		}

		done.add(id);
		return undefined;
	};

	for (const {id} of tasks) {
		const found = visit(id, []);
		if (found) {
			return found;
		}
	}

	return undefined;
}

/** What is wrong between tasks: the index of the one that shows it, which of its keys, and why. */
function problemOf(
	tasks: readonly Task[],
): {readonly index: number; readonly key: 'id' | 'after'; readonly because: string} | undefined {
	const ids = tasks.map(task => task.id);
	for (const [index, {id, after}] of tasks.entries()) {
		if (ids.indexOf(id) !== index) {
			return {index, key: 'id', because: `"${id}" is the id of two tasks`};
		}

		if (new Set(after).size !== after.length) {
			return {index, key: 'after', because: 'an id stands here twice'};
		}

		const unknown = after.find(other => !ids.includes(other));
		if (unknown !== undefined) {
			return {index, key: 'after', because: `no task has the id "${unknown}"`};
		}
	}

	const circle = circleOf(tasks);
	return (
		circle && {index: ids.indexOf(circle[0]!), key: 'after', because: `it waits for itself: ${circle.join(' > ')}`}
	);
}

const schema = v.strictObject({
	tasks: v.pipe(
		v.array(task, 'a list of tasks'),
		v.minLength(1, 'at least one task'),
		v.maxLength(planLimits.tasks, `at most ${planLimits.tasks} tasks`),
		v.rawCheck(({dataset, addIssue}) => {
			const found = dataset.typed ? problemOf(dataset.value) : undefined;
			if (found && dataset.typed) {
				const {index, key, because} = found;
				const input = dataset.value;
				addIssue({
					message: because,
					path: [
						{type: 'array', origin: 'value', input, key: index, value: input[index]},
						{type: 'object', origin: 'value', input: {...input[index]!}, key, value: input[index]![key]},
					],
				});
			}
		}),
	),
});

/**
 * Reads a plan file. @returns a refusal with the file's line for anything that it may not hold
 */
export function parsePlan(text: string): readonly Task[] | Refusal {
	if (new TextEncoder().encode(text).length > planLimits.bytes) {
		return new Refusal(`${planFile} is longer than ${planLimits.bytes / 1024} KiB`, hint);
	}

	try {
		const read = parseClosed(text, schema, {path: planFile, hint});
		return read instanceof Refusal ? read : read.tasks;
	} catch {
		// The parser goes one level deeper for each bracket, and its stack ends.
		return new Refusal(`${planFile} cannot be read: it is nested too deep`, hint);
	}
}

/** What an agent is asked that is to propose a plan. @param agents that a task may name */
export function planPrompt(sentence: string, agents: readonly string[]): string {
	return [
		`Plan: ${sentence}`,
		'Propose a plan for this, and do nothing of it yet. Look at the project first. Change nothing of it. Divide the work into tasks that one agent each can finish alone, ' +
			'in a worktree of its own, so that the result of each can be verified and merged by itself. ' +
			'Tasks that do not need each other run at the same time: let them touch different files.',
		`Write the plan to the file ${planFile} at the top of the repository, and write nothing else. It is YAML of this form:`,
		[
			'tasks:',
			'  - id: parser',
			'    title: Read the new format',
			'    task: |',
			'      What the agent is asked to do, complete: it knows nothing of the other tasks.',
			'  - id: command',
			'    title: A command for it',
			'    task: …',
			'    after: [parser]',
		].join('\n'),
		`\`after\` lists the tasks that have to be merged before it starts. ${
			agents.length === 0 ? '' : `\`agent\` may name one of: ${agents.join(', ')}. `
		}No other keys are read: a plan with others is refused. At most ${planLimits.tasks} tasks, titles of ` +
			`${planLimits.title} and tasks of ${planLimits.task} characters. A person reads and changes the plan before anything of it is done.`,
	].join('\n\n');
}

/** A plan as a file that can be edited and read back. */
export function formatPlan(tasks: readonly Task[]): string {
	const block = (text: string) =>
		`|-\n${text
			.split('\n')
			.map(row => (row === '' ? '' : `      ${row}`))
			.join('\n')}`;
	const rows = tasks.map(({id, title, task, agent, after}) =>
		[
			`  - id: ${JSON.stringify(id)}`,
			`    title: ${JSON.stringify(title)}`,
			`    task: ${block(task)}`,
			...(agent === undefined ? [] : [`    agent: ${JSON.stringify(agent)}`]),
			...(after.length === 0 ? [] : [`    after: [${after.map(one => JSON.stringify(one)).join(', ')}]`]),
			'',
		].join('\n'),
	);
	return `tasks:\n${rows.join('')}`;
}
