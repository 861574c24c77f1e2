import {batchText, noticeOf, ranOf, type Finished} from './notices.ts';
import {dialogOf, promptOf, withDialog, withoutForm} from './focus.ts';
import type {State} from './state.ts';
import {stay, type Step} from './step.ts';
import {undoOf} from './undo.ts';

/* What comes after a verb that has ended. */

/** A record without the entry of a run. */
function without<Value>(record: Readonly<Record<string, Value>>, run: string | undefined): Record<string, Value> {
	const {[run ?? '']: _, ...others} = record;
	return others;
}

export function finished(state: State, message: Finished): Step {
	const {run} = message;
	const asked = run === undefined ? undefined : state.asked[run];
	const isAsked = asked?.title === message.title;
	const free: State = {
		...state,
		...(run === undefined ? {fleetBusy: undefined} : {busy: without(state.busy, run)}),
		isStarting: state.isStarting && message.then !== 'started',
		progress: without(state.progress, run),
		asked: isAsked ? without(state.asked, run) : state.asked,
	};
	const {argv, input} = message;
	const undo = undoOf(state, ranOf(message));
	if (argv && message.report?.refusal?.code === 'needs-person') {
		// The verb has a question: run it again attached to the terminal.
		return {
			state: withBatch(free, message, 'is asked in the terminal'),
			effects: [{type: 'terminal', argv, ...(input === undefined ? {} : {input}), pause: true}],
		};
	}

	const text = noticeOf(state, message, undo);
	const next: State = {...free, undo: undo ?? free.undo, notice: {text, bad: message.code !== 0}};
	const step = isAsked && message.code !== 0 ? backToAnswer(next, run!, asked) : goOn(next, message);
	return {...step, state: withBatch(step.state, message, step.state.notice?.text ?? text)};
}

/** With the end of one verb of several: once all have ended, one notice says how, and one key takes all of it back. */
function withBatch(state: State, message: Finished, text: string): State {
	const {batch, title} = message;
	if (!batch) {
		return state;
	}

	const end = {run: message.run ?? '', isGood: message.code === 0, text, ran: ranOf(message)};
	const ends = [...(state.batches[batch.id] ?? []), end];
	if (ends.length < batch.size) {
		return {
			...state,
			batches: {...state.batches, [batch.id]: ends},
			notice: {
				text: `${title}: ${ends.length} of ${batch.size} ended`,
				bad: ends.some(({isGood}) => !isGood),
				isPassing: true,
			},
		};
	}

	const undo = undoOf(
		state,
		ends.flatMap(({ran}) => ran),
	);
	return {
		...state,
		undo: undo ?? state.undo,
		batches: without(state.batches, batch.id),
		notice: {text: batchText(state, title, {ends, undo}), bad: ends.some(({isGood}) => !isGood)},
	};
}

/** What the verb was begun for. */
function goOn(state: State, message: Finished): Step {
	const isGood = message.code === 0;
	switch (message.then) {
		case 'audit': {
			return stay(withAudit(state, message));
		}

		case 'started': {
			// Who has gone elsewhere meanwhile stays there.
			return stay(isGood && state.screen === 'new' ? withStarted(state, message.report?.runs?.[0]) : state);
		}

		case 'vault':
		case 'disk': {
			return {state, effects: [{type: message.then}]};
		}

		case 'offer': {
			const project = state.runs.find(run => run.id === message.run)?.project.id;
			// What was known of the project is not so any more.
			return {
				state: isGood ? {...state, offers: without(state.offers, project)} : state,
				effects: project === undefined ? [] : [{type: 'offer', project}],
			};
		}

		case 'sent': {
			return stay(isGood ? {...withoutForm(state, 'run'), tab: 'output', scroll: 0} : state);
		}

		default: {
			const {run} = message;
			const isShown = state.screen === 'run' && state.tab === 'changes' && run === state.selected;
			return {state, effects: isShown && run !== undefined ? [{type: 'diff', run}] : []};
		}
	}
}

/** The list, with the run that was started selected. */
function withStarted(state: State, id: string | undefined): State {
	return {
		...withoutForm(state, 'fleet'),
		selected: id ?? state.selected,
		heading: undefined,
		log: undefined,
		journal: [],
	};
}

/** A verb that failed took nothing: what was written for it is there again, and its comments are drafts. */
function backToAnswer(state: State, run: string, {dialog, drafts, review}: State['asked'][string]): Step {
	const again = dialogOf(state) || promptOf(state) ? state : withDialog(state, dialog);
	const own = again.review?.run === run ? again.review.review : review;
	if (drafts.length === 0 || !own) {
		return stay(again);
	}

	const next = {
		...own,
		comments: own.comments.map(comment => (drafts.includes(comment.id) ? {...comment, sent: false} : comment)),
	};
	return {
		state: again.review?.run === run ? {...again, review: {...again.review, review: next}} : again,
		effects: [{type: 'save-review', run, review: next}],
	};
}

/** What an audit found; without a report it did not come to its end, and the notice says why. */
function withAudit(state: State, {run, report, batch}: Finished): State {
	const items = report?.audit;
	if (items === undefined || run === undefined) {
		return state;
	}

	const failed = items.filter(item => item.status !== 'PASS');
	// The notice of several names the run itself.
	const whose = batch ? '' : `${run}: `;
	return {
		...state,
		audits: {...state.audits, [run]: items},
		notice: {
			text:
				failed.length === 0
					? `${whose}audit passed, ${items.length} of ${items.length}`
					: `${whose}${failed.map(item => `${item.title} ${item.status}`).join(', ')}`,
			bad: failed.length > 0,
		},
	};
}
