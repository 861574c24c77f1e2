import type {Run} from '../../../core/run/run.ts';
import {withDialog} from '../../focus.ts';
import {taskOf} from '../../list.ts';
import type {Dialog, DialogLine, Field} from '../../dialog.ts';
import type {Tone} from '../../../core/text/spans.ts';
import {escapeLine} from '../../../core/text/escape-controls.ts';
import type {Effect, State} from '../../state.ts';
import {bad, type Step} from '../../step.ts';

/* What the dialogs have in common. */

/** What the fields of a dialog hold, by the field's id, without blanks around; undefined for a field it has not. */
export type Values = Readonly<Record<string, string | undefined>>;

/** A question, without what the caller of `open` adds. */
export type Question = Omit<Dialog, 'kind' | 'at' | 'subject' | 'opened' | 'queue'>;

/** One dialog: what it asks, and what follows from the answer. */
export type DialogDefinition = {
	/**
	 * The question; undefined where there is nothing to ask about.
	 * @param subject the scope or secret that it is about
	 */
	open(state: State, subject: string | undefined): Question | undefined;
	/** Called with everything filled in; `state` has no dialog any more. A step with a dialog keeps it open. */
	submit(state: State, dialog: Dialog, values: Values): Step;
	/** Why the field with the cursor, other than a confirming word's, cannot be left as it is; undefined where it can. */
	leave?(state: State, dialog: Dialog, values: Values): string | undefined;
	/** What keys do where nothing is typed. */
	readonly keys?: Readonly<Record<string, (state: State, dialog: Dialog) => Step>>;
	/** The dialog after a key, where what it says or fills in follows from what was chosen. */
	changed?(state: State, dialog: Dialog, before: Dialog): Dialog;
	/** What has to be read when the dialog opens, since its lines depend on it. */
	load?(state: State): readonly Effect[];
};

/** How many lines of a quoted text, and how many names of runs, a dialog shows. */
export const maxQuotedLines = 6;
const maxNames = 6;

/** Characters of a task that a question shows. */
const maxTaskLength = 240;

export const plural = (count: number, one: string) => `${count} ${one}${count === 1 ? '' : 's'}`;

/** A fact under its label; others' words have been escaped. */
export const fact = (label: string, text: string, tone?: Tone): DialogLine => ({label, spans: [{text, tone}]});

/** What is to be looked at first, below the last label. */
export const flag = (text: string): DialogLine => fact('', `! ${text}`, 'warn');

/** What a run was asked to do. */
export const taskLine = (run: Run): DialogLine => ({
	label: 'Task',
	spans: [{text: escapeLine(taskOf(run)).slice(0, maxTaskLength), bold: true}],
});

/** How much a run changes, as far as it was counted. */
export function changesLine({id, captured}: Run, state: State): DialogLine {
	const changes = state.changes[id];
	if (!changes && !captured) {
		return fact('Changes', 'not counted yet');
	}

	const files = changes?.files ?? captured?.files ?? 0;
	if (files === 0 && (captured?.commits ?? 0) === 0) {
		return fact('Changes', 'none');
	}

	const commits = captured ? `, ${plural(captured.commits, 'commit')}` : '';
	return {
		label: 'Changes',
		spans: [
			{text: plural(files, 'file')},
			...(changes
				? [
						{text: ` +${changes.added}`, tone: 'good' as const},
						{text: ` -${changes.removed}`, tone: 'bad' as const},
					]
				: []),
			{text: commits},
		],
	};
}

export const reasonField = (hint: string): Field => ({id: 'reason', label: 'Reason', value: '', hint});

/** The field for a word that must be typed. @param action what typing it does, such as `to approve` */
export const confirmField = (word: string, action: string): Field => ({
	id: 'confirm',
	label: 'Confirm',
	value: '',
	hint: `type ${word} ${action}; a paste does not count`,
	confirm: word,
});

export const reasonArguments = (reason: string | undefined): readonly string[] => (reason ? ['--because', reason] : []);

/** The dialog stays open, with the cursor in the field that needs another answer. */
export function askAgain(state: State, dialog: Dialog, {field, because}: {field: string; because: string}): Step {
	const at = dialog.fields.findIndex(({id}) => id === field);
	return bad(withDialog(state, {...dialog, at: Math.max(0, at)}), because);
}

export function describeRuns(runs: readonly Run[]): string {
	return runs.length === 1 ? runs[0]!.id : `${runs.length} runs`;
}

/** The names of the first runs, and how many more there are. */
export function listNames(names: readonly string[]): string[] {
	return [...names.slice(0, maxNames), ...(names.length > maxNames ? [`and ${names.length - maxNames} more`] : [])];
}

/** Which runs a question is about: the one with its task and its changes, or the names of several. */
export function runLines(state: State, runs: readonly Run[]): DialogLine[] {
	const [one] = runs;
	return one && runs.length === 1
		? [taskLine(one), changesLine(one, state)]
		: [fact('Runs', listNames(runs.map(run => run.id)).join(', '))];
}

/** Those of the runs that a dialog was opened for which are still there. */
export function runsOf(state: State, dialog: Dialog): Run[] {
	return dialog.runs.flatMap(id => state.runs.find(run => run.id === id) ?? []);
}

/** What another attempt, or a discard, makes void: a verification that passed, and an approval. */
export function voidedLines(runs: readonly Run[]): DialogLine[] {
	const parts = [
		...(runs.some(run => run.verification?.passed) ? ['verification'] : []),
		...(runs.some(run => run.approval) ? ['approval'] : []),
	];
	return parts.length === 0 ? [] : [fact('Void', parts.join(' and '), 'warn')];
}
