import {readFileSync, rmSync} from 'node:fs';
import path from 'node:path';
import {Refusal} from '../../core/refusal.ts';
import {decidePlanEdit} from '../../core/run/plan-rules.ts';
import type {Run} from '../../core/run/run.ts';
import {formatPlan} from '../../core/tasks/plan-file.ts';
import {escapeControls} from '../../core/text/escape-controls.ts';
import type {Context} from '../../engine/context.ts';
import {discard as discardRun} from '../../engine/handover/discard.ts';
import {openRun} from '../../engine/project/projects.ts';
import {record} from '../../engine/record.ts';
import {findRun, listRuns, withJournal} from '../../engine/runs.ts';
import {planTextOf, readTasks} from '../../engine/tasks/read-plan.ts';
import {replaceFile} from '../../host/write.ts';
import {runFiles} from '../../host/run-files.ts';
import {editText} from '../../terminal/editor.ts';
import {readPrompt} from '../../terminal/prompt.ts';
import type {Io} from '../../terminal/program.ts';
import {carryOn} from './carry-on.ts';
import type {PlanAction, PlanRequest} from './options.ts';
import {findPlan, planDocument, planLines} from './show.ts';

function say(
	context: Context,
	io: Io,
	{id, options, text}: {id: string; options: PlanRequest['options']; text: string},
) {
	if (options.json) {
		io.json(planDocument(context, findRun(context, id)));
	} else {
		io.out(text);
	}
}

/** What a person wrote last and could not be read, before all; else the plan; else what the agent wrote in its place. */
async function textToEdit(context: Context, run: Run, draft: string): Promise<string> {
	try {
		return readFileSync(draft, 'utf8');
	} catch {
		// There is none.
	}

	const {tasks, head} = run.plan!;
	if (tasks.length > 0 || head === undefined) {
		return tasks.length > 0 ? formatPlan(tasks) : 'tasks:\n  - id: first\n    title: …\n    task: …\n';
	}

	const {git} = await openRun(context, run);
	const text = await planTextOf(git, head);
	return text instanceof Refusal
		? `# ${text.because}\ntasks:\n  - id: first\n    title: …\n    task: …\n`
		: escapeControls(text);
}

export const edit: PlanAction = async (context, io, {run: typed, options}) => {
	const run = await findPlan(context, typed);
	const refusal = decidePlanEdit(run, context.actor);
	if (refusal) {
		throw refusal;
	}

	const draft = path.join(context.paths.run(run.id).folder, runFiles.planDraft.name);
	if (options.file === undefined && !io.interactive) {
		throw new Refusal('there is no terminal for an editor', `fleet plan edit ${run.id} --file FILE`);
	}

	const before = options.file === undefined ? await textToEdit(context, run, draft) : '';
	const text = options.file === undefined ? await editText(before) : readPrompt(undefined, options.file)!;
	if (text === before) {
		say(context, io, {id: run.id, options, text: 'nothing was changed\n'});
		return;
	}

	const tasks = readTasks(context, text);
	if (tasks instanceof Refusal) {
		if (options.file !== undefined) {
			throw tasks;
		}

		replaceFile(draft, text);
		throw new Refusal(`${tasks.because}; what you wrote is kept`, `fleet plan edit ${run.id} opens it again`);
	}

	await withJournal(context, run.id, async journal => {
		record(journal, {type: 'plan-edit', tasks}, {actor: context.actor});
	});
	rmSync(draft, {force: true});
	say(context, io, {id: run.id, options, text: planLines(findRun(context, run.id), listRuns(context))});
};

/** Something done to one task of an accepted plan. */
function changeTask(type: 'task-release' | 'task-drop', words: string): PlanAction {
	return async (context, io, {run: typed, task, options}) => {
		const run = await findPlan(context, typed);
		if (task === undefined) {
			throw new Refusal('say which task', `fleet plan show ${run.id}`);
		}

		await withJournal(context, run.id, async journal => {
			record(journal, {type, task, because: options.because}, {actor: context.actor});
		});
		await carryOn(context, io, run.id);
		say(context, io, {id: run.id, options, text: `${task} ${words}\n`});
	};
}

export const release = changeTask('task-release', 'does not wait any longer');
export const drop = changeTask(
	'task-drop',
	'is dropped; what comes after it waits until it is released or dropped, too',
);

/** Runs that were started stay; nothing more is. */
export const discard: PlanAction = async (context, io, {run: typed, options}) => {
	const run = await findPlan(context, typed);
	await withJournal(context, run.id, journal => discardRun(context, journal, options.because));
	const text = `discarded the plan of ${run.id}; no more of it starts\n  to undo: fleet restore ${run.id}\n`;
	say(context, io, {id: run.id, options, text});
};

/** Starts what became free, of one plan or of all. */
export const next: PlanAction = async (context, io, {run: typed, options}) => {
	const run = typed === undefined ? undefined : await findPlan(context, typed);
	await carryOn(context, io, run?.id);
	if (run && options.json) {
		io.json(planDocument(context, findRun(context, run.id)));
	}
};
