import {dialogOf, withDialog, withoutOverlay} from '../focus.ts';
import {isAnswered, isTyped, type Dialog, type DialogKind} from '../dialog.ts';
import {selectedRun, type State} from '../state.ts';
import {hasVerifyCommand} from '../verify-command.ts';
import {select} from '../navigation.ts';
import type {Run} from '../../core/run/run.ts';
import {bad, good, stay, type Handler, type Step} from '../step.ts';
import {commentDialogs} from './dialogs/comments.ts';
import {decisionDialogs} from './dialogs/decisions.ts';
import {deployDialogs} from './dialogs/deploys.ts';
import {askAgain, type DialogDefinition, type Question} from './dialogs/dialog.ts';
import {handoverDialogs} from './dialogs/handover.ts';
import {publishDialogs} from './dialogs/publish.ts';
import {reply} from './dialogs/reply.ts';
import {planDialogs} from './dialogs/plans.ts';
import {runDialogs} from './dialogs/runs.ts';
import {scopeDialogs} from './dialogs/scopes.ts';
import {allow} from './dialogs/grant.ts';
import {secretDialogs} from './dialogs/secrets.ts';
import {viewedDialogs} from './dialogs/viewed.ts';
import {dialogRoom} from '../layout.ts';
import {turned} from './dialog-view.ts';
import {paste, replaceAt, valuesOf} from './edit.ts';
import {reduceForm} from './reducer.ts';

/* What is asked before something is done: how a dialog opens, takes keys, and is answered. */

const dialogs: Readonly<Record<DialogKind, DialogDefinition>> = {
	...decisionDialogs,
	...deployDialogs,
	...scopeDialogs,
	allow,
	reply,
	...handoverDialogs,
	...publishDialogs,
	...runDialogs,
	...secretDialogs,
	...commentDialogs,
	...viewedDialogs,
	...planDialogs,
};

/** Asks. @param subject the scope or secret that it is about */
export function openDialog(state: State, kind: DialogKind, subject?: string): Step {
	const {open, load} = dialogs[kind];
	const question = open(state, subject);
	return question
		? {
				// What an earlier question read may not be so any more.
				state: withDialog({...state, plans: {}}, {...question, kind, subject, at: 0, opened: state.keyAt}),
				effects: load?.(state) ?? [],
			}
		: stay(state);
}

/** Asks about several runs, one question after the other; about the selected one where there is no list of them. */
export function openQueue(state: State, kind: DialogKind, runs: readonly Run[] | undefined): Step {
	return runs === undefined || runs.length < 2
		? openDialog(runs?.[0] ? select(state, runs[0].id) : state, kind)
		: openNext({...state, list: {...state.list, marked: []}}, kind, {left: runs.map(run => run.id), size: runs.length});
}

/** The next question of a queue. */
function openNext(state: State, kind: DialogKind, {left, size}: NonNullable<Dialog['queue']>): Step {
	const [id, ...others] = left;
	if (id === undefined || !state.runs.some(run => run.id === id)) {
		return id === undefined ? stay(state) : openNext(state, kind, {left: others, size});
	}

	const step = openDialog(select(state, id), kind);
	const dialog = dialogOf(step.state);
	return dialog
		? {...step, state: withDialog(step.state, {...dialog, queue: {left: others, size}})}
		: openNext(state, kind, {left: others, size});
}

/** How many of a queue were answered, for who stops it. */
function stopQueue(state: State, {queue}: Dialog): Step {
	return queue && queue.left.length > 0
		? good(state, `stopped: ${queue.left.length + 1} of ${queue.size} not decided`)
		: stay(state);
}

/** Questions whose fields follow from what a project's policy says. */
const fromPolicy: readonly DialogKind[] = ['approve', 'deploy', 'rollback', 'init'];

/** Whether the policy has a verify command meanwhile, and the person has written no other. */
function hasCommandNow(state: State, {offers}: State, {fields}: Dialog): boolean {
	const run = selectedRun(state);
	const suggested = (run && offers[run.project.id]?.suggestedVerify) ?? '';
	return run !== undefined && hasVerifyCommand(run, state) === true && fields[0]?.value === suggested;
}

/** The question with what a policy says that has been read meanwhile, unless something was typed already. */
export function offerDialog(state: State, before: State): Step {
	const dialog = dialogOf(state);
	if (dialog?.kind === 'init' && hasCommandNow(state, before, dialog)) {
		return good(withoutOverlay(state), 'there is a verify command now: v verifies');
	}

	if (
		!dialog ||
		!fromPolicy.includes(dialog.kind) ||
		dialog.fields.some(field => isTyped(field) && field.value !== '')
	) {
		return stay(state);
	}

	const {open, load} = dialogs[dialog.kind];
	const question = open(state, dialog.subject);
	return question && isOther(dialog, question)
		? {state: withDialog(state, {...dialog, ...question, at: 0}), effects: load?.(state) ?? []}
		: stay(state);
}

/** Whether a question asks for something else now. A target that was chosen stays chosen. */
function isOther({kind, fields}: Dialog, question: Question): boolean {
	if (kind === 'init') {
		return question.fields[0]?.value !== fields[0]?.value;
	}

	return kind === 'deploy'
		? fields[0]?.options === undefined
		: fields.length !== question.fields.length ||
				question.fields.some(({confirm}, index) => confirm !== fields[index]?.confirm);
}

/** The dialog with the lines that follow from what has been read meanwhile. What was typed stays. */
export function refreshDialog(state: State): State {
	const dialog = dialogOf(state);
	const {open, load, changed} = dialog ? dialogs[dialog.kind] : {};
	const question = dialog && load ? open?.(state, dialog.subject) : undefined;
	if (!dialog || !question) {
		return state;
	}

	const next = {...dialog, lines: question.lines, details: question.details};
	return withDialog(state, changed?.(state, next, dialog) ?? next);
}

/** An action that asks first. */
export const asks =
	(kind: DialogKind): Handler =>
	({state}) =>
		openDialog(state, kind);

/** Shows the details of a question, and hides them. */
const detailsKey = 'ctrl-t';

/** Leaves a run of a queue undecided, and goes on to the next. */
const skipKey = 'ctrl-n';

/** A key sooner than this after a question appeared was not pressed by someone who had read it. */
const readingMs = 300;

function isEarly({keyAt}: State, {opened}: Dialog): boolean {
	return opened !== undefined && keyAt !== undefined && keyAt - opened < readingMs;
}

/** A key for a question that one key answers. Any key that is no answer means no. */
function answer(state: State, dialog: Dialog, key: string): Step {
	const closed = withoutOverlay(state);
	if (key === 'escape' || key === 'ctrl-c') {
		return stay(closed);
	}

	if (isEarly(state, dialog)) {
		return bad(state, 'that key came before the question could be read; y or enter answers it now');
	}

	return key === 'y' || key === 'Y' || key === 'return'
		? dialogs[dialog.kind].submit(closed, dialog, {})
		: bad(closed, 'cancelled');
}

/** The dialog with a numbered choice made by its number; undefined where the key is no such number. */
function chooseByNumber(dialog: Dialog, key: string): Dialog | undefined {
	const at = dialog.fields.findIndex(field => field.numbered);
	const field = dialog.fields[at];
	const value = /^[1-9]$/.test(key) ? field?.choices?.[Number(key) - 1] : undefined;
	return value === undefined ? undefined : {...dialog, fields: replaceAt(dialog.fields, at, {...field!, value})};
}

/** A key that is a command, and no text: those of the question itself, and the numbers of choices. */
function commandKey(state: State, dialog: Dialog, key: string): Step | undefined {
	if (key === detailsKey && dialog.details) {
		return stay(withDialog(state, {...dialog, isDetailed: !dialog.isDetailed}));
	}

	if (key === skipKey && dialog.queue && dialog.queue.left.length > 0) {
		return openNext(withoutOverlay(state), dialog.kind, dialog.queue);
	}

	if (isTyped(dialog.fields[dialog.at])) {
		return undefined;
	}

	const chosen = chooseByNumber(dialog, key);
	return chosen ? stay(withDialog(state, chosen)) : dialogs[dialog.kind].keys?.[key]?.(state, dialog);
}

/** Enter: it answers, or goes on to what is to be filled in next. */
function enter(state: State, dialog: Dialog): Step | undefined {
	// Who has to type a word, or has typed something, has read what it is for.
	const isUntouched =
		dialog.isReady === true || dialog.fields.every(({value, confirm}) => value === '' && confirm === undefined);
	if (isUntouched && isEarly(state, dialog)) {
		return bad(state, 'that key came before the question could be read; enter answers it now');
	}

	if (isAnswered(dialog)) {
		return submit(state, dialog);
	}

	return refuseToLeave(state, dialog);
}

/** Why the cursor stays where it is; undefined where it may go on. */
function refuseToLeave(state: State, dialog: Dialog): Step | undefined {
	const isLast = dialog.fields[dialog.at]?.confirm !== undefined;
	const problem = isLast ? undefined : dialogs[dialog.kind].leave?.(state, dialog, valuesOf(dialog.fields));
	return problem === undefined ? undefined : bad(state, problem);
}

/** A key while a dialog is open. */
export function dialogKey(state: State, dialog: Dialog, key: string): Step {
	if (key === 'pagedown' || key === 'pageup') {
		const size = {columns: state.columns, room: dialogRoom(state)};
		return stay(withDialog(state, turned(dialog, key === 'pagedown' ? 1 : -1, size)));
	}

	if (dialog.yes !== undefined) {
		return answer(state, dialog, key);
	}

	const done =
		commandKey(state, dialog, key) ??
		(key === 'return' ? enter(state, dialog) : undefined) ??
		(key === 'tab' ? refuseToLeave(state, dialog) : undefined);
	if (done) {
		return done;
	}

	const result = reduceForm(dialog, key);
	switch (result.type) {
		case 'cancelled': {
			return stopQueue(withoutOverlay(state), dialog);
		}

		case 'submitted': {
			return submit(state, dialog);
		}

		case 'edit': {
			return {state, effects: [{type: 'edit', text: result.text}]};
		}

		case 'changed': {
			const next = {...dialog, ...result.form};
			return stay(withDialog(state, dialogs[dialog.kind].changed?.(state, next, dialog) ?? next));
		}
	}
}

/** A text shorter than this is not worth keeping until its verb has taken it. In UTF-16 units. */
const minKeptLength = 200;

/** What comes after an answer: the next question of a queue. */
function goOn(step: Step, {kind, queue}: Dialog): Step {
	if (!queue || dialogOf(step.state)) {
		return step;
	}

	const next = openNext(step.state, kind, queue);
	return {state: next.state, effects: [...step.effects, ...next.effects]};
}

function submit(state: State, dialog: Dialog): Step {
	const unconfirmed = dialog.fields.find(
		({confirm, value}) => confirm && value.trim().toLowerCase() !== confirm.toLowerCase(),
	);
	if (unconfirmed) {
		return askAgain(state, dialog, {
			field: unconfirmed.id,
			because: `type ${unconfirmed.confirm}; pasting does not count`,
		});
	}

	const answered = dialogs[dialog.kind].submit(withoutOverlay(state), dialog, valuesOf(dialog.fields));
	const step = goOn(answered, dialog);
	const sendsComments = dialog.kind === 'send-comments';
	const isLong = dialog.fields.some(field => field.value.length > (field.multiline ? 0 : minKeptLength));
	const verb = step.effects.find(effect => effect.type === 'act');
	if (verb?.run === undefined || !(isLong || sendsComments)) {
		return step;
	}

	// What was written at length is kept until its verb has taken it.
	const drafts = sendsComments
		? (state.review?.review.comments ?? []).filter(comment => !comment.sent).map(comment => comment.id)
		: [];
	const kept = {title: verb.title, dialog, drafts, review: step.state.review?.review};
	return {...step, state: {...step.state, asked: {...step.state.asked, [verb.run]: kept}}};
}

/** Text that was pasted into a dialog. */
export function pasteIntoDialog(state: State, dialog: Dialog, text: string): Step {
	if (dialog.yes !== undefined) {
		return bad(state, 'pasted text is not an answer');
	}

	const fields = replaceAt(dialog.fields, dialog.at, paste(dialog.fields[dialog.at]!, text));
	return stay(withDialog(state, {...dialog, fields}));
}
