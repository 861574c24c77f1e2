import {finished} from './finished.ts';
import {offerDialog, refreshDialog} from './forms/dialogs.ts';
import {refreshForm} from './forms/new-run.ts';
import {edited, pasted, typed} from './input.ts';
import {withWindows} from './layout.ts';
import {keepCursor} from './keep-place.ts';
import {listRows} from './list.ts';
import {keepNotice} from './kept-notices.ts';
import {mouse} from './mouse.ts';
import {readAgain} from './review/again.ts';
import {keepPlace, withDiff} from './review/cursor.ts';
import {withWhole} from './review/whole.ts';
import type {Message, State} from './state.ts';
import {bad, stay, type Step} from './step.ts';

/** What comes next on the screen, and what is to be done. Pure: the same state and message give the same step. */
export function update(state: State, message: Message): Step {
	const plain = next(state, message);
	return {...plain, state: withWindows(state, keepNotice(state, plain.state, message))};
}

/** Long, as it has one case for each message, and each is short. */
// oxlint-disable-next-line max-lines-per-function -- the reason is above
function next(state: State, message: Message): Step {
	switch (message.type) {
		case 'resize': {
			const resized = {...state, columns: message.columns, rows: message.rows};
			return {
				state: keepPlace(state, resized),
				effects: logInView(resized) ? [{type: 'log', kind: state.log?.kind ?? 'output', move: {to: 'same'}}] : [],
			};
		}

		case 'data': {
			return readAgain(state, withData(state, message));
		}

		case 'journal': {
			return stay(message.run === state.selected ? {...state, journal: message.entries} : state);
		}

		case 'log': {
			return stay(message.log.run === state.selected ? {...state, log: message.log} : state);
		}

		case 'not-found': {
			return bad(state, `no match for "${message.search}"`);
		}

		case 'agents': {
			return stay(refreshForm({...state, agents: message.agents}));
		}

		case 'vault': {
			const last = Math.max(0, message.vault.secrets.length - 1);
			const scroll = state.screen === 'vault' ? Math.min(state.scroll, last) : state.scroll;
			return stay(refreshDialog(refreshForm({...state, vault: message.vault, scroll})));
		}

		case 'profiles': {
			return stay(refreshForm({...state, profiles: message.profiles}));
		}

		case 'recent': {
			return stay(refreshForm({...state, recent: message.recent}));
		}

		case 'settings': {
			const next = {
				...state,
				settings: message.settings,
				theme: message.settings.theme === 'auto' ? state.theme : message.settings.theme,
			};
			return message.problem === undefined ? stay(next) : bad(next, message.problem);
		}

		case 'theme': {
			const {theme} = message;
			return stay({...state, ground: theme, theme: state.settings.theme === 'auto' ? theme : state.theme});
		}

		case 'focus': {
			return stay(state);
		}

		case 'offer': {
			const offers = {...state.offers, [message.project]: message.offer};
			return offerDialog(refreshForm({...state, offers}), state);
		}

		case 'deploy-plan': {
			const plans = {...state.plans, [`${message.run} ${message.target}`]: message.plan};
			return stay(refreshDialog({...state, plans}));
		}

		case 'disk': {
			return stay({
				...state,
				disk: message.disk,
				scroll: state.screen === 'disk' ? Math.min(state.scroll, Math.max(0, message.disk.length - 1)) : state.scroll,
			});
		}

		case 'diff': {
			if (message.run !== state.selected) {
				return stay(state);
			}

			// A change that could not be read is not an empty one.
			return message.problem === undefined
				? stay(refreshDialog({...withDiff(state, message), unread: undefined}))
				: bad(
						refreshDialog({...state, review: undefined, unread: {run: message.run, because: message.problem}}),
						message.problem,
					);
		}

		case 'activity': {
			const {lines, today} = message;
			return stay({...state, activity: {...state.activity, lines, today}});
		}

		case 'spend': {
			const {by, rows} = message;
			const {spend} = state.activity;
			return stay(spend?.by === by ? {...state, activity: {...state.activity, spend: {by, rows}}} : state);
		}

		case 'found': {
			const {words, lines, note} = message;
			// What is shown is what was asked for last.
			return stay(state.found?.words === words ? {...state, found: {words, lines, note, at: 0, top: 0}} : state);
		}

		case 'notice-over': {
			return stay(state.notice === message.notice ? {...state, notice: undefined} : state);
		}

		case 'whole': {
			return withWhole(state, message);
		}

		case 'compared': {
			return stay({...state, compared: {...state.compared, [message.run]: message.files}});
		}

		case 'grammar': {
			return stay({...state, grammars: state.grammars + 1});
		}

		case 'edited': {
			return edited(state, message.text);
		}

		case 'progress': {
			return stay({...state, progress: {...state.progress, [message.run]: message.progress}});
		}

		case 'said': {
			return stay({...state, notice: {text: message.text, bad: message.bad}});
		}

		case 'done': {
			return finished(state, message);
		}

		case 'keys': {
			return typed(state, message);
		}

		case 'paste': {
			return pasted({...state, notice: undefined}, message.text);
		}

		case 'mouse': {
			return state.settings.mouse ? mouse(state, message) : stay(state);
		}
	}
}

function logInView(state: State): boolean {
	return state.screen === 'fleet' || state.screen === 'gates' || (state.screen === 'run' && state.tab === 'output');
}

function withData(
	state: State,
	{
		runs,
		changes = state.changes,
		projects,
		now,
	}: {runs: State['runs']; changes?: State['changes']; projects: State['projects']; now: number},
): State {
	const ids = new Set(runs.map(run => run.id));
	const marked = state.list.marked.every(id => ids.has(id))
		? state.list.marked
		: state.list.marked.filter(id => ids.has(id));
	const next: State = {
		...state,
		runs,
		changes,
		projects,
		now,
		list: marked === state.list.marked ? state.list : {...state.list, marked},
	};
	const kept = keepCursor(state, next);
	return {
		...kept,
		heading: listRows(kept).some(row => row.kind === 'group' && row.id === state.heading) ? state.heading : undefined,
		screen: state.screen === 'welcome' && (runs.length > 0 || projects.length > 0) ? 'fleet' : state.screen,
	};
}
