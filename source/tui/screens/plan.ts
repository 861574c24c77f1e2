import {standings, type TaskStanding} from '../../core/tasks/order.ts';
import {planText} from '../../core/tasks/plan.ts';
import {escapeControls, escapeLine} from '../../core/text/escape-controls.ts';
import type {Span, Tone} from '../../core/text/spans.ts';
import {fit, wrapWords} from '../paint/fit.ts';
import {inView} from '../paint/in-view.ts';
import {row, type Line} from '../paint/line.ts';
import {rule} from '../paint/rule.ts';
import {selectedRun, type State} from '../state.ts';

/** The tasks of the selected run's plan, as they stand. */
export function planRows(state: State): readonly TaskStanding[] {
	const run = selectedRun(state);
	return run ? standings(run, state.runs) : [];
}

/** The one under the cursor. */
export function planRow(state: State): TaskStanding | undefined {
	const rows = planRows(state);
	return rows[Math.min(state.scroll, rows.length - 1)];
}

const tones: Partial<Record<TaskStanding['state'], Tone>> = {held: 'warn', merged: 'good', dropped: 'quiet'};

/** How a task stands, in words; others' words are escaped. */
function wordsOf({state, run, because}: TaskStanding): string {
	switch (state) {
		case 'started': {
			return `${run}: ${because}`;
		}

		case 'ready': {
			return because === '' ? 'ready' : `not started: ${escapeLine(because)}`;
		}

		case 'merged':
		case 'dropped': {
			return state;
		}

		default: {
			return escapeLine(because) || 'first';
		}
	}
}

/** A task is told in whole where it is not accepted yet: nothing of it is to be read past. */
function taskLines({task}: TaskStanding, width: number): Line[] {
	const who: Span[] = task.agent === undefined ? [] : [{text: `  agent ${task.agent}`, tone: 'quiet'}];
	return [
		{spans: [{text: ` ${escapeLine(task.title)}`, bold: true}, ...who]},
		...escapeControls(task.task)
			.split('\n')
			.flatMap((text): Line[] =>
				wrapWords([{text}], Math.max(10, width - 2)).map(spans => ({spans: [{text: ' '}, ...spans]})),
			),
	];
}

/** Rows of the screen that the list of tasks takes at most, as a share. */
const listShare = 0.5;

/** The tasks of a plan with what they wait for, and the words of the one under the cursor. */
export function planLines(state: State, height: number): Line[] {
	const run = selectedRun(state);
	const plan = run?.plan;
	if (!run || !plan) {
		return [
			{text: ' Plan', title: true},
			{text: ' no plan', dim: true},
		];
	}

	const found = planRows(state);
	const head: Line[] = [{text: ` Plan of ${run.id}  ${escapeLine(planText(plan))}`, title: true}];
	if (found.length === 0) {
		return [...head, {text: plan.problem === undefined ? ' its agent has not proposed one yet' : '', dim: true}];
	}

	const at = Math.min(state.scroll, found.length - 1);
	const widest = Math.max(...found.map(({task}) => task.id.length));
	const stands = Math.min(Math.floor(state.columns * 0.4), Math.max(...found.map(one => wordsOf(one).length)));
	const rows = found.map((one, index) => {
		const rest = Math.max(0, state.columns - widest - stands - 6);
		return row(
			[
				{text: `${fit(one.task.id, widest)}  `, bold: true},
				{text: `${fit(escapeLine(one.task.title), rest)}  `},
				{text: fit(wordsOf(one), stands), tone: tones[one.state] ?? 'quiet'},
			],
			index === at,
		);
	});
	const listed = inView(rows, at, Math.max(1, Math.min(rows.length, Math.floor((height - 2) * listShare))));
	const words = taskLines(found[at]!, state.columns);
	const room = Math.max(0, height - head.length - listed.length - 1);
	const left = words.length - room;
	const shown =
		left > 0
			? [
					...words.slice(0, Math.max(0, room - 1)),
					{text: ` … ${left + 1} more lines: e shows all`, tone: 'warn' as const},
				]
			: words;
	return [...head, ...listed, rule([{text: found[at]!.task.id, bold: true}], '', state.columns), ...shown];
}
