import {needOf} from '../core/attention.ts';
import {learn} from '../core/learn.ts';
import type {Run} from '../core/run.ts';
import {openDialog} from './dialogs.ts';
import {comparable, isLive, targets, type Action} from './keymap.ts';
import {comparedFiles} from './layout.ts';
import {listRows, nextNeed, selectedRow, visibleRuns} from './list.ts';
import {openForm} from './new-run.ts';
import {commentSubject, foldFile, isSplit, moveTo, moveToKind, removeComment, reviewRows, toggleViewed} from './review.ts';
import {scopeRows} from './scope-rows.ts';
import {firstRun, placeOf, selectedRun, shows, sorts, tabs, type LogMove, type LogState, type LogView, type State, type Tab} from './state.ts';
import {bad, begin, beginAll, good, stay, type Step} from './step.ts';
import {themeNames} from './theme.ts';

/* What each action does. Which key it has, and when it does nothing, is in the keymap. */

/** How far the current view can be scrolled, or how many rows can be selected. */
function extent(state: State): number {
	const run = selectedRun(state);
	switch (placeOf(state)) {
		case 'vault': {
			return Math.max(0, (state.vault?.secrets.length ?? 0) - 1);
		}

		case 'disk': {
			return Math.max(0, (state.disk?.length ?? 0) - 1);
		}

		case 'scopes': {
			return run ? scopeRows(run, state.now, state.vault?.secrets).filter(row => row.state !== 'never').length - 1 : 0;
		}

		case 'journal': {
			return Math.max(0, state.journal.length - 1);
		}

		default: {
			return 200;
		}
	}
}

/** The log that the current place shows. */
export function logKind(state: State): LogState['kind'] {
	const run = selectedRun(state);
	return state.screen === 'gates' ? (run && run.deployments.length > 0 ? 'deploy' : 'verify') : run?.interactive && run.stage === 'running' && !state.logView.raw ? 'screen' : 'output';
}

function moveLog(state: State, move: LogMove): Step {
	return {state, effects: [{type: 'log', kind: logKind(state), move}]};
}

function withLogView(state: State, view: Partial<LogView>): Step {
	return moveLog({...state, logView: {...state.logView, ...view}}, {to: 'same'});
}

/** Selects a run, and forgets what was read of the one before. */
export function select(state: State, run: string | undefined): State {
	return run === state.selected ? {...state, heading: undefined} : {...state, selected: run, heading: undefined, journal: [], log: undefined, scroll: 0, logView: {...state.logView, select: undefined}};
}

/** Selects a row of the list. */
export function selectRow(state: State, at: number): State {
	const rows = listRows(state);
	const row = rows[Math.max(0, Math.min(rows.length - 1, at))];
	return row?.kind === 'project' ? {...state, heading: row.project} : select(state, row?.run.id ?? state.selected);
}

/** Moves a selection of lines: by lines, as far as they are in view. */
function moveSelection(state: State, by: number): Step {
	const {select} = state.logView;
	const rows = state.log?.rows ?? [];
	const at = rows.findIndex(row => row.from === select!.at);
	const next = rows[Math.max(0, Math.min(rows.length - 1, (at === -1 ? rows.length - 1 : at) + by))];
	const moved: State = next ? {...state, logView: {...state.logView, select: {...select!, at: next.from}}} : state;
	return at + by < 0 || at + by >= rows.length ? moveLog(moved, {by}) : stay(moved);
}

/** @param by rows: `height` is a page */
export function move(state: State, by: number): Step {
	switch (placeOf(state)) {
		case 'fleet': {
			return stay(selectRow(state, selectedRow(state) + by));
		}

		case 'output': {
			return state.logView.select && Math.abs(by) === 1 ? moveSelection(state, by) : moveLog(state, {by});
		}

		case 'changes': {
			return stay(state.review ? moveTo(state, state.review, state.review.at + by) : state);
		}

		case 'compare': {
			return stay({...state, compareAt: Math.max(0, Math.min(comparedFiles(state).length - 1, state.compareAt + by))});
		}

		case 'journal': {
			// Read from its end: up goes back in time.
			return stay({...state, scroll: Math.max(0, Math.min(extent(state), state.scroll - by))});
		}

		default: {
			return stay({...state, scroll: Math.max(0, Math.min(extent(state), state.scroll + by))});
		}
	}
}

function moveToEnd(state: State, end: boolean): Step {
	const place = placeOf(state);
	if (place === 'output') {
		return moveLog({...state, logView: {...state.logView, select: undefined}}, {to: end ? 'end' : 'start'});
	}

	return place === 'changes' && state.review && end ? stay(moveTo(state, state.review, reviewRows(state.review, isSplit(state, state.review)).length - 1)) : move(state, end ? 1_000_000 : -1_000_000);
}

export function openTab(state: State, tab: Tab): Step {
	const parent = state.screen === 'run' ? state.parent : state.screen === 'gates' || state.screen === 'compare' ? state.screen : 'fleet';
	const next: State = {...state, screen: 'run', parent, tab, scroll: 0, heading: undefined};
	return {state: next, effects: tab === 'changes' && state.selected ? [{type: 'diff', run: state.selected}] : tab === 'scopes' ? [{type: 'vault'}] : tab === 'output' ? [{type: 'log', kind: logKind(next), move: {to: 'end'}}] : []};
}

function openGates(state: State): Step {
	const run = selectedRun(state)!;
	return {state: {...state, screen: 'gates', parent: 'fleet', scroll: 0}, effects: [{type: 'log', kind: logKind({...state, screen: 'gates'}), move: {to: 'end'}}, {type: 'offer', project: run.project.id}, ...run.merge ? [{type: 'vault'} as const] : []]};
}

const pageOf = (state: State) => Math.max(1, state.screen === 'fleet' ? Math.floor(state.rows / 2) - 3 : state.rows - 6);

const next = <T>(items: readonly T[], item: T): T => items[(items.indexOf(item) + 1) % items.length]!;

function withList(state: State, list: Partial<State['list']>, words?: string): Step {
	const changed: State = {...state, list: {...state.list, ...list}, heading: undefined};
	const kept = visibleRuns(changed).some(run => run.id === state.selected);
	const shown = kept ? changed : select(changed, firstRun(changed));
	return words === undefined ? stay(shown) : good(shown, words);
}

function fold(state: State): Step {
	const project = state.heading ?? selectedRun(state)?.project.id;
	if (project === undefined) {
		return stay(state);
	}

	const folded = state.list.folded.includes(project);
	const list = {...state.list, folded: folded ? state.list.folded.filter(id => id !== project) : [...state.list.folded, project]};
	return stay({...state, list, heading: folded && state.heading === undefined ? undefined : project});
}

function mark(state: State): Step {
	const run = selectedRun(state)!;
	const marked = state.list.marked.includes(run.id) ? state.list.marked.filter(id => id !== run.id) : [...state.list.marked, run.id];
	return stay(selectRow({...state, list: {...state.list, marked}}, selectedRow(state) + 1));
}

function toggleScope(state: State, run: Run): Step {
	const row = scopeRows(run, state.now, state.vault?.secrets)[state.scroll];
	if (!row || row.state === 'fixed' || row.state === 'never') {
		return bad(state, `${row?.scope ?? 'this'} ${row?.state === 'fixed' ? 'is always on; stopping the run ends it' : 'cannot be granted'}`);
	}

	return row.state === 'on' ? begin(state, run.id, ['revoke', run.id, row.scope!], 'revoke') : openDialog(state, 'allow', row.scope);
}

/** The denial that an offer is about: the selected row's on the scopes tab, else the newest. */
function denialOf(state: State, run: Run): string | undefined {
	const row = placeOf(state) === 'scopes' ? scopeRows(run, state.now, state.vault?.secrets)[state.scroll]?.scope?.replace(/^network:/, '') : undefined;
	return run.denials.find(denial => denial.target === row)?.target ?? run.denials[0]?.target;
}

export function act(state: State, action: Action): Step {
	const run = selectedRun(state);
	const id = run?.id ?? '';
	switch (action) {
		case 'up': {
			return move(state, -1);
		}

		case 'down': {
			return move(state, 1);
		}

		case 'page-up': {
			return move(state, -pageOf(state));
		}

		case 'page-down': {
			return move(state, pageOf(state));
		}

		case 'top': {
			return moveToEnd(state, false);
		}

		case 'bottom':
		case 'follow': {
			return moveToEnd(state, true);
		}

		case 'open': {
			return state.heading === undefined ? openTab(state, 'output') : fold(state);
		}

		case 'back': {
			return stay({...state, screen: state.screen === 'help' || state.screen === 'vault' ? state.from : state.screen === 'run' ? state.parent : 'fleet', scroll: 0});
		}

		case 'quit': {
			return state.screen === 'help' ? stay({...state, screen: state.from, scroll: 0}) : {state, effects: [{type: 'quit'}]};
		}

		case 'help': {
			return stay({...state, from: state.screen, screen: 'help', scroll: 0});
		}

		case 'palette': {
			return stay({...state, prompt: {kind: 'palette', field: {label: ':', value: '', hint: ''}, at: 0}});
		}

		case 'next-need': {
			const wanted = nextNeed(state)!;
			const shown = select({...state, list: visibleRuns(state).some(other => other.id === wanted.id) ? state.list : {...state.list, filter: '', show: 'all'}}, wanted.id);
			const unfolded: State = {...shown, list: {...shown.list, folded: shown.list.folded.filter(project => project !== wanted.project.id)}};
			const words: State = {...unfolded, notice: {text: `${wanted.id}: ${needOf(wanted)!.because}`, bad: false}};
			return state.screen === 'run' ? {...openTab(words, state.tab), state: {...openTab(words, state.tab).state, parent: state.parent}} : state.screen === 'gates' ? openGates(words) : stay({...words, screen: 'fleet'});
		}

		case 'new': {
			const project = state.heading ?? run?.project.id ?? state.projects.find(project => project.id === state.here.project)?.id ?? state.projects[0]?.id ?? '';
			// What was done last is what is most likely done again.
			return openForm(state, project, state.runs[0]?.agent ?? 'command');
		}

		case 'filter': {
			return stay({...state, prompt: {kind: 'filter', field: {label: '/', value: state.list.filter, hint: ''}, at: 0}});
		}

		case 'show': {
			const show = next(shows, state.list.show);
			return withList(state, {show}, `shown: ${show}`);
		}

		case 'sort': {
			const sort = next(sorts, state.list.sort);
			return withList(state, {sort}, `sorted by: ${sort}`);
		}

		case 'fold': {
			return fold(state);
		}

		case 'mark': {
			return mark(state);
		}

		case 'mark-all': {
			return withList(state, {marked: state.list.marked.length > 0 ? [] : visibleRuns(state).map(run => run.id)});
		}

		case 'show-discarded': {
			return withList(state, {discarded: !state.list.discarded});
		}

		case 'compare': {
			const runs = comparable(state);
			const at = Math.max(0, runs.findIndex(other => other.id === id));
			const next: State = {...state, screen: 'compare', heading: undefined, selected: runs[at]!.id, scroll: at, compared: {}, compareAt: 0, ...(runs[at]!.id === id ? {} : {journal: [], log: undefined})};
			return {state: next, effects: runs.map(run => ({type: 'compare', run: run.id}))};
		}

		case 'next-run':
		case 'previous-run': {
			const runs = comparable(state);
			const at = Math.max(0, Math.min(runs.length - 1, state.scroll + (action === 'next-run' ? 1 : -1)));
			return stay({...state, selected: runs[at]?.id ?? state.selected, scroll: at, journal: [], log: undefined});
		}

		case 'attach': {
			return {state, effects: [{type: 'terminal', argv: ['attach', id], pause: false}]};
		}

		case 'grant': {
			return openDialog(state, 'allow', `network:${denialOf(state, run!)!}`);
		}

		case 'dismiss': {
			const target = denialOf(state, run!)!;
			return begin(state, id, ['dismiss', id, target], 'dismiss');
		}

		case 'learn': {
			return learn(state.journal).proposal.length === 0 ? bad(state, 'it asked for nothing that a policy could list') : openDialog(state, action);
		}

		case 'toggle': {
			return toggleScope(state, run!);
		}

		case 'gates': {
			return openGates(state);
		}

		case 'audit': {
			return begin(state, id, ['audit', id, '--json', '--progress'], 'audit', 'audit');
		}

		case 'verify': {
			const step = begin(state, id, ['verify', id], 'verify');
			return {state: step.state, effects: [...step.effects, {type: 'log', kind: 'verify', move: {to: 'end'}}]};
		}

		case 'verify-output': {
			return {state, effects: [{type: 'terminal', argv: ['logs', id, logKind(state) === 'deploy' ? '--deploy' : '--verify', '--pager'], pause: false}]};
		}

		case 'stop': {
			const runs = targets(state).filter(run => isLive(run));
			return runs.length > 1 ? openDialog(state, 'stop') : beginAll(state, runs, run => ['stop', run.id], 'stop');
		}

		case 'panic': {
			return beginAll(state, targets(state).filter(run => run.stage === 'running' || run.stage === 'frozen'), run => run.stage === 'frozen' ? ['stop', run.id, '--because', 'stopped while frozen'] : ['freeze', run.id], 'freeze');
		}

		case 'freeze-all': {
			return begin(state, '', ['freeze', '--all'], 'freeze all');
		}

		case 'thaw': {
			return beginAll(state, targets(state).filter(run => run.stage === 'frozen'), run => ['thaw', run.id], 'thaw');
		}

		case 'resume': {
			return run!.agent === 'command' ? begin(state, id, ['resume', id], 'resume') : openDialog(state, 'resume');
		}

		case 'restore': {
			return beginAll(state, targets(state).filter(run => run.stage === 'discarded'), run => ['restore', run.id], 'restore');
		}

		case 'merge': {
			return begin(state, id, ['merge', id], 'merge');
		}

		case 'acknowledge': {
			return beginAll(state, targets(state).filter(run => run.alarms.length > 0), run => ['acknowledge', run.id], 'acknowledge');
		}

		case 'approve':
		case 'reject':
		case 'deploy':
		case 'rollback':
		case 'discard':
		case 'budget':
		case 'waive':
		case 'secret-add':
		case 'send-comments':
		case 'clean': {
			return openDialog(state, action);
		}

		case 'secret-remove': {
			const secret = state.vault!.secrets[state.scroll]!;
			return openDialog(state, action, `${secret.project ?? ''} ${secret.reference}`);
		}

		case 'secret-check': {
			return {state, effects: [{type: 'terminal', argv: ['secret', 'check'], pause: true}]};
		}

		case 'next-tab':
		case 'previous-tab': {
			return openTab(state, tabs[(tabs.indexOf(state.tab) + (action === 'next-tab' ? 1 : tabs.length - 1)) % tabs.length]!);
		}

		case 'output':
		case 'changes':
		case 'scopes':
		case 'checklist':
		case 'journal':
		case 'network': {
			return openTab(state, action);
		}

		case 'search': {
			return stay({...state, prompt: {kind: 'search', field: {label: '/', value: '', hint: ''}, at: 0}});
		}

		case 'next-match':
		case 'previous-match': {
			return {state, effects: [{type: 'search', backward: action === 'previous-match'}]};
		}

		case 'raw': {
			return withLogView(state, {raw: !state.logView.raw});
		}

		case 'steps': {
			return withLogView(state, {steps: !state.logView.steps});
		}

		case 'wrap': {
			return withLogView(state, {wrap: !state.logView.wrap});
		}

		case 'select': {
			const row = state.log?.rows.at(-1);
			return stay(row ? {...state, logView: {...state.logView, select: state.logView.select ? undefined : {anchor: row.from, at: row.from}}} : state);
		}

		case 'copy': {
			const {anchor, at} = state.logView.select!;
			return {state: {...state, logView: {...state.logView, select: undefined}}, effects: [{type: 'copy', from: Math.min(anchor, at), to: Math.max(anchor, at)}]};
		}

		case 'copy-branch': {
			return {state, effects: [{type: 'copy-text', text: run!.branch}]};
		}

		case 'pager':
		case 'editor': {
			return {state, effects: [{type: 'terminal', argv: ['logs', id, `--${action}`], pause: false}]};
		}

		case 'next-file': {
			return moveToKind(state, ['file'], 1);
		}

		case 'previous-file': {
			return moveToKind(state, ['file'], -1);
		}

		case 'next-hunk': {
			return moveToKind(state, ['hunk'], 1);
		}

		case 'previous-hunk': {
			return moveToKind(state, ['hunk'], -1);
		}

		case 'viewed': {
			return toggleViewed(state);
		}

		case 'fold-file': {
			return foldFile(state);
		}

		case 'split': {
			const review = state.review;
			return review ? stay(moveTo(state, {...review, split: isSplit(state, review) ? 'unified' : 'side by side'}, review.at)) : stay(state);
		}

		case 'range': {
			return stay({...state, review: {...state.review!, anchor: state.review!.anchor === undefined ? state.review!.at : undefined}});
		}

		case 'comment': {
			const subject = commentSubject(state);
			return subject === undefined ? bad(state, 'comment: the cursor is not on a line of a file') : openDialog(state, 'comment', subject);
		}

		case 'uncomment': {
			return removeComment(state);
		}

		case 'demo': {
			return {state, effects: [{type: 'terminal', argv: ['demo'], pause: true}]};
		}

		case 'add': {
			return begin(state, '', ['project', 'add', state.here.folder], 'add', 'added');
		}

		case 'vault': {
			return {state: {...state, screen: 'vault', from: state.screen, scroll: 0}, effects: [{type: 'vault'}]};
		}

		case 'disk': {
			return {state: {...state, screen: 'disk', scroll: 0}, effects: [{type: 'disk'}]};
		}

		case 'theme': {
			const theme = next(themeNames, state.theme);
			return {state: {...state, theme, settings: {...state.settings, theme}, notice: {text: `theme: ${theme}`, bad: false}}, effects: [{type: 'settings', settings: {theme}}]};
		}

		case 'mouse': {
			const mouse = !state.settings.mouse;
			return {state: {...state, settings: {...state.settings, mouse}, notice: {text: mouse ? 'the mouse is on' : 'the mouse is off; the terminal selects text again', bad: false}}, effects: [{type: 'settings', settings: {mouse}}]};
		}

		case 'doctor': {
			return {state, effects: [{type: 'terminal', argv: ['doctor', '--fix'], pause: true}]};
		}
	}
}
