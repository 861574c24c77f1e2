import {batchText, noticeOf, ranOf, type Finished} from './notices.ts';
import {dialogOf, promptOf, withDialog, withoutForm} from './focus.ts';
import type {InTerminal} from './batch.ts';
import type {Effect, State} from './state.ts';
import {stay, type Step} from './step.ts';
import {undoOf, withUndo} from './undo.ts';

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
		isStarting: state.isStarting && (message.then !== 'started' || !isLast(state, message)),
		progress: without(state.progress, run),
		asked: isAsked ? without(state.asked, run) : state.asked,
	};
	const {argv, input} = message;
	const undo = undoOf(state, ranOf(message));
	if (argv && message.report?.refusal?.code === 'needs-person') {
		// The verb has a question: run it again attached to the terminal.
		const asks = {argv, ...(input === undefined ? {} : {input})};
		return {
			state: withBatch(free, message, {text: 'is asked in the terminal', asks}),
			effects: inTerminal(state, message, asks),
		};
	}

	const text = noticeOf(state, message, undo);
	const next: State = {...free, ...withUndo(free, undo, ranOf(message)), notice: {text, bad: message.code !== 0}};
	const step = isAsked && message.code !== 0 ? backToAnswer(next, run!, asked) : goOn(next, message);
	return {
		state: withBatch(step.state, message, {text: step.state.notice?.text ?? text}),
		effects: [...step.effects, ...inTerminal(state, message)],
	};
}

/** Whether a verb is alone, or the last one of those that were begun with it. */
function isLast({batches}: State, {batch}: Finished): boolean {
	return !batch || (batches[batch.id]?.length ?? 0) + 1 >= batch.size;
}

/**
 * What has a question is run again in the terminal: of several that were begun at once when the last of them has ended,
 * since the screen is left for it, and what it was told meanwhile would be lost.
 */
function inTerminal(state: State, message: Finished, asks?: InTerminal): readonly Effect[] {
	if (!isLast(state, message)) {
		return [];
	}

	const earlier = (state.batches[message.batch?.id ?? ''] ?? []).flatMap(end => end.asks ?? []);
	const [first, ...more] = [...earlier, ...(asks ? [asks] : [])];
	return first ? [{type: 'terminal', ...first, pause: true, ...(more.length === 0 ? {} : {more})}] : [];
}

/** With the end of one verb of several: once all have ended, one notice says how, and one key takes all of it back. */
function withBatch(state: State, message: Finished, {text, asks}: {text: string; asks?: InTerminal}): State {
	const {batch, title} = message;
	if (!batch) {
		return state;
	}

	const end = {run: message.run ?? '', isGood: message.code === 0, text, ran: ranOf(message), asks};
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

	const told = ends.filter(({asks: question}) => question === undefined);
	const undo = undoOf(
		state,
		ends.flatMap(({ran}) => ran),
	);
	return {
		...state,
		undo: undo ?? state.undo,
		batches: without(state.batches, batch.id),
		notice:
			told.length === 0
				? {text: `${title}: ${ends.length} runs asked in the terminal`, bad: false}
				: {text: batchText(state, title, {ends: told, undo}), bad: told.some(({isGood}) => !isGood)},
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
			if (!isGood) {
				return stay(state);
			}

			// Who has gone elsewhere meanwhile stays there.
			return stay({
				...(state.screen === 'new' ? withStarted(state, message.report?.runs?.[0]) : state),
				draft: undefined,
			});
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
