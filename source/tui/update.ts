import type {Item} from '../core/run/audit.ts';
import {neutraliseLine} from '../core/text/escape-controls.ts';
import {act} from './act.ts';
import {dialogKey, offerDialog, pasteIntoDialog, refreshDialog} from './forms/dialogs.ts';
import {edit, paste} from './forms/edit.ts';
import {bindings, findBinding, keyName, keysOf, paletteEntries, shortTitle} from './keymap.ts';
import {firstRun, listRows, visibleRuns} from './list.ts';
import {mouse} from './mouse.ts';
import {footerHeight, listWindow} from './layout.ts';
import {formKey, pasteIntoForm, refreshForm} from './forms/new-run.ts';
import {keepPlace, withDiff} from './review/rows.ts';
import {placeOf, type Dialog, type Message, type Prompt, type State} from './state.ts';
import {bad, stay, type Step} from './step.ts';

/** What comes next on the screen, and what is to be done. Pure: the same state and message give the same step. */
export function update(state: State, message: Message): Step {
	const step = next(state, message);
	const listTop =
		step.state.screen === 'fleet' && !step.state.dialog && !step.state.prompt
			? listWindow(step.state, step.state.rows - footerHeight).from
			: step.state.listTop;
	return listTop === step.state.listTop ? step : {...step, state: {...step.state, listTop}};
}

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
			return stay(withData(state, message));
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
			return stay(refreshForm({...state, vault: message.vault}));
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
			return stay({...state, theme: state.settings.theme === 'auto' ? message.theme : state.theme});
		}

		case 'offer': {
			return stay(offerDialog(refreshForm({...state, offers: {...state.offers, [message.project]: message.offer}})));
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
				? stay(refreshDialog({...withDiff(state, message.run, message.files, message.review), unread: undefined}))
				: bad(
						refreshDialog({...state, review: undefined, unread: {run: message.run, because: message.problem}}),
						message.problem,
					);
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
			return done(state, message);
		}

		case 'keys': {
			return keys(state, message);
		}

		case 'paste': {
			return pasted({...state, notice: undefined}, message.text);
		}

		case 'mouse': {
			return state.settings.mouse && !state.dialog && !state.prompt ? mouse(state, message) : stay(state);
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
	const selected =
		state.selected !== undefined &&
		ids.has(state.selected) &&
		(state.screen !== 'fleet' || visibleRuns(next).some(run => run.id === state.selected))
			? state.selected
			: firstRun(next);
	return {
		...next,
		selected,
		heading: listRows(next).some(row => row.kind === 'project' && row.project === state.heading)
			? state.heading
			: undefined,
		screen: state.screen === 'welcome' && (runs.length > 0 || projects.length > 0) ? 'fleet' : state.screen,
		...(selected === state.selected ? {} : {journal: [], log: undefined}),
	};
}

/**
 * The keys of the screen in place of what would be typed in a
 * shell about the same run: `fleet thaw RUN` is `u (thaw)`.
 */
function withKeys(state: State, text: string, run: string): string {
	// An option that is a key of its own.
	const plain = text.replaceAll(`fleet resume ${run} --rebase`, `fleet rebase ${run}`);
	return run === ''
		? text
		: plain.replaceAll(
				new RegExp(`\\bfleet ([a-z]+) ${run}(?=[ ,;)]|$)(?! -)`, 'g'),
				(command: string, verb: string) => {
					const binding =
						verb === 'show' || verb === 'clean'
							? undefined
							: bindings.find(({action}) => action === (verb === 'diff' ? 'changes' : verb));
					const key = binding && keyName(keysOf(binding, state)[0] ?? '');
					return binding === undefined || key === ''
						? command
						: `${binding.places.includes(placeOf(state)) || !binding.places.includes('gates') ? '' : 'a '}${key} (${verb})`;
				},
			);
}

/** The end of a verb, in words for the line below. */
function words(state: State, message: Message & {type: 'done'}): string {
	const frozen = message.argv?.[0] === 'freeze' && message.code === 0 ? (message.report?.runs?.length ?? 0) : 0;
	if (frozen > 0) {
		return frozen === 1 && message.run !== ''
			? `${message.run} is paused; u continue · x stop`
			: `${frozen} ${frozen === 1 ? 'run is' : 'runs are'} paused; u continue · * select all`;
	}

	return withKeys(state, plainWords(message), message.run);
}

function plainWords(message: Message & {type: 'done'}): string {
	const lines = (message.code === 0 ? message.stdout : message.stderr || message.stdout)
		.split('\n')
		.map(line => neutraliseLine(line).trim())
		.filter(line => line !== '');
	if (message.code === 0) {
		// What comes after the first line of these is for who reads them in a shell.
		return (
			(message.then === 'started' || message.then === 'added' ? lines[0] : lines.at(-1)) ?? `${message.title}: done`
		);
	}

	const refusal = message.report?.refusal;
	if (refusal) {
		return neutraliseLine(`${refusal.because}; hint: ${refusal.hint}`);
	}

	// What comes before on stdout are words of the project's commands.
	return (
		(message.stderr === '' ? lines.slice(-2) : lines)
			.filter(line => /^(?:fleet|hint|not verified|inconclusive):/.test(line))
			.join('; ')
			.replace('fleet: ', '') ||
		lines.at(-1) ||
		`${message.title} failed`
	);
}

function done(state: State, message: Message & {type: 'done'}): Step {
	const {[message.run]: _, ...busy} = state.busy;
	const {[message.run]: __, ...progress} = state.progress;
	const {[message.run]: kept, ...others} = state.asked;
	const asked = kept?.title === message.title ? kept : undefined;
	const free: State = {...state, busy, progress, asked: asked ? others : state.asked};
	if (message.argv && message.report?.refusal?.code === 'needs-person') {
		// The verb has a question: run it again attached to the terminal.
		return {
			state: free,
			effects: [
				{
					type: 'terminal',
					argv: message.argv,
					...(message.input === undefined ? {} : {input: message.input}),
					pause: true,
				},
			],
		};
	}

	const next: State = {...free, notice: {text: words(state, message), bad: message.code !== 0}};
	if (asked && message.code !== 0) {
		return backToAnswer(next, message.run, asked);
	}

	switch (message.then) {
		case 'audit': {
			return audited(next, message);
		}

		case 'started': {
			const id = message.report?.runs?.[0];
			// Who has gone elsewhere meanwhile stays there.
			return stay(
				message.code === 0 && state.screen === 'new'
					? {...next, screen: 'fleet', selected: id ?? next.selected, heading: undefined, log: undefined, journal: []}
					: next,
			);
		}

		case 'vault':
		case 'disk': {
			return {state: next, effects: [{type: message.then}]};
		}

		case 'offer': {
			const run = state.runs.find(run => run.id === message.run);
			// What was known of it is not so any more.
			const {[run?.project.id ?? '']: _, ...offers} = state.offers;
			return {
				state: message.code === 0 ? {...next, offers} : next,
				effects: run ? [{type: 'offer', project: run.project.id}] : [],
			};
		}

		case 'sent': {
			return stay(message.code === 0 ? {...next, screen: 'run', tab: 'output', scroll: 0} : next);
		}

		default: {
			return {
				state: next,
				effects:
					next.screen === 'run' && next.tab === 'changes' && message.run === next.selected
						? [{type: 'diff', run: message.run}]
						: [],
			};
		}
	}
}

/** A verb that failed took nothing: what was written for it is there again, and its comments are drafts. */
function backToAnswer(state: State, run: string, {dialog, drafts, review}: State['asked'][string]): Step {
	const again: State = state.dialog || state.prompt ? state : {...state, dialog};
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

function audited(state: State, message: Message & {type: 'done'}): Step {
	try {
		const {items} = JSON.parse(
			message.stdout.split('\n').findLast(line => line.startsWith('{"run"')) ?? message.stdout,
		) as {items: Item[]};
		const failed = items.filter(item => item.status !== 'PASS');
		return stay({
			...state,
			audits: {...state.audits, [message.run]: items},
			notice: {
				text:
					failed.length === 0
						? `${message.run}: audit passed, ${items.length} of ${items.length}`
						: `${message.run}: ${failed.map(item => `${item.title} ${item.status}`).join(', ')}`,
				bad: failed.length > 0,
			},
		});
	} catch {
		return stay(state);
	}
}

/** How long after the last key that was typed for another screen keys count again, milliseconds. */
const settling = 500;

/**
 * The keys of one event, one after the other. What was typed before a question
 * was on the screen is no answer to it: the rest of the event is dropped.
 */
function keys(state: State, {keys: names, at}: Message & {type: 'keys'}): Step {
	const timed: State = {...state, notice: undefined, keyAt: at, now: Math.max(state.now, at ?? 0)};
	if (at !== undefined && state.deafUntil !== undefined && state.screen !== 'new') {
		if (at < state.deafUntil) {
			return bad({...timed, deafUntil: at + settling}, 'keys typed before the screen changed were dropped');
		}

		return keys({...state, deafUntil: undefined}, {type: 'keys', keys: names, at});
	}

	let step = stay(timed);
	for (const name of names) {
		const before = step.state;
		const next = key(before, name);
		step = {state: next.state, effects: [...step.effects, ...next.effects]};
		if (next.state.dialog !== undefined && before.dialog === undefined) {
			break;
		}
	}

	return step;
}

function key(state: State, name: string): Step {
	if (state.dialog) {
		return dialogKey(state, state.dialog, name);
	}

	if (state.prompt) {
		return promptKey(state, state.prompt, name);
	}

	if (state.screen === 'new') {
		return formKey(state, name);
	}

	if (
		name === 'escape' &&
		state.screen === 'fleet' &&
		(state.list.filter !== '' || state.list.marked.length > 0 || state.list.show !== 'all')
	) {
		return stay({...state, list: {...state.list, filter: '', marked: [], show: 'all'}});
	}

	if (
		name === 'escape' &&
		state.screen === 'run' &&
		state.tab === 'output' &&
		(state.logView.select || state.logView.search !== '')
	) {
		return {
			state: {
				...state,
				logView: {...state.logView, select: undefined, search: state.logView.select ? state.logView.search : ''},
			},
			effects: [{type: 'log', kind: 'output', move: {to: 'same'}}],
		};
	}

	if (name === 'escape' && state.review?.anchor !== undefined && state.screen === 'run' && state.tab === 'changes') {
		return stay({...state, review: {...state.review, anchor: undefined}});
	}

	const binding = findBinding(state, name);
	if (!binding) {
		return stay(state);
	}

	const refusal = binding.disabled?.(state);
	return refusal === undefined ? act(state, binding.action) : bad(state, `${shortTitle(binding)}: ${refusal}`);
}

/** A key in the line at the bottom: a filter that is seen at once, a search, the palette. */
function promptKey(state: State, prompt: Prompt, name: string): Step {
	const entries = prompt.kind === 'palette' ? paletteEntries(state) : [];
	switch (name) {
		case 'escape':
		case 'ctrl-c': {
			return stay({
				...state,
				prompt: undefined,
				...(prompt.kind === 'filter' ? {list: {...state.list, filter: ''}} : {}),
			});
		}

		case 'up':
		case 'down': {
			const by = name === 'up' ? -1 : 1;
			return stay({...state, prompt: {...prompt, at: Math.max(0, Math.min(entries.length - 1, prompt.at + by))}});
		}

		case 'return': {
			const closed: State = {...state, prompt: undefined};
			if (prompt.kind === 'search') {
				const search = prompt.field.value;
				return {
					state: {...closed, logView: {...state.logView, search}},
					effects:
						search === '' ? [{type: 'log', kind: 'output', move: {to: 'same'}}] : [{type: 'search', backward: true}],
				};
			}

			const entry = entries[prompt.at];
			if (prompt.kind === 'palette' && entry) {
				return entry.disabled === undefined
					? act(closed, entry.action)
					: bad(closed, `${shortTitle(entry)}: ${entry.disabled}`);
			}

			return stay(closed);
		}

		default: {
			return withPrompt(state, {...prompt, at: 0, field: edit(prompt.field, name)});
		}
	}
}

function withPrompt(state: State, prompt: Prompt): Step {
	if (prompt.kind !== 'filter') {
		return stay({...state, prompt});
	}

	const filtered: State = {...state, prompt, heading: undefined, list: {...state.list, filter: prompt.field.value}};
	const kept = visibleRuns(filtered).some(run => run.id === state.selected);
	return stay(kept ? filtered : {...filtered, selected: firstRun(filtered), journal: [], log: undefined});
}

/** Text that was pasted: it is typed where something is typed, and is never taken for keys. */
function pasted(state: State, text: string): Step {
	if (state.dialog) {
		return pasteIntoDialog(state, state.dialog, text);
	}

	if (state.prompt) {
		return withPrompt(state, {...state.prompt, field: paste(state.prompt.field, text)});
	}

	return state.screen === 'new' ? pasteIntoForm(state, text) : bad(state, 'pasted text is not taken as keys');
}

/** What came back from an editor. */
function edited(state: State, text: string): Step {
	const value = text.replace(/\n$/, '');
	if (state.dialog) {
		const dialog: Dialog = {
			...state.dialog,
			fields: state.dialog.fields.map((field, index) =>
				index === state.dialog!.at && field.multiline ? {...field, value, cursor: undefined} : field,
			),
		};
		return stay({...state, dialog});
	}

	return stay({
		...state,
		form: state.form.map(field => (field.id === 'prompt' ? {...field, value, cursor: undefined} : field)),
	});
}
