import {gatesOf, type GateId} from '../core/run/gates.ts';
import type {Run} from '../core/run/run.ts';
import {liveStages, stageName} from '../core/run/stages.ts';
import {nextNeed} from './list.ts';
import {placeNames, placeOf, promptOf, selectedRun, tabs, type Place, type State} from './state.ts';

/*
 * What each key means and why it means nothing now: footer,
 * help, palette and docs/keys.md come from these records.
 */

// oxfmt-ignore
export const actions = [
	'up', 'down', 'page-up', 'page-down', 'top', 'bottom', 'open', 'back', 'quit', 'help', 'palette', 'next-need',
	'new', 'attach', 'grant', 'toggle', 'stop', 'panic', 'freeze-all', 'thaw', 'resume', 'rebase', 'discard',
	'restore',
	'filter', 'show', 'sort', 'fold', 'mark', 'mark-all', 'show-discarded', 'compare', 'next-run', 'previous-run',
	'next-tab', 'previous-tab', 'output', 'changes', 'scopes', 'checklist', 'journal', 'network',
	'search', 'next-match', 'previous-match', 'follow', 'raw', 'steps', 'wrap', 'select', 'copy', 'pager', 'editor',
	'next-file', 'previous-file', 'next-hunk', 'previous-hunk', 'viewed', 'fold-file', 'split', 'range', 'comment',
	'uncomment', 'send-comments',
	'gates', 'audit', 'verify', 'verify-output', 'waive', 'approve', 'reject', 'merge', 'deploy', 'rollback',
	'dismiss', 'learn',
	'demo', 'add', 'doctor', 'vault', 'secret-add', 'secret-check', 'secret-remove', 'budget', 'acknowledge', 'disk',
	'clean', 'theme', 'mouse', 'copy-branch',
] as const;
export type Action = (typeof actions)[number];

export type Binding = {
	readonly action: Action;
	readonly keys: readonly string[];
	readonly title: string;
	readonly places: readonly Place[];
	/** Shown in the footer, where there is room. */
	readonly footer: boolean;
	/** Why the key does nothing now; undefined where it does. */
	disabled?(state: State): string | undefined;
};

const logs: readonly Place[] = ['output'];
const ofRun: readonly Place[] = [...tabs, 'gates'];
const withRun: readonly Place[] = ['fleet', ...ofRun, 'compare'];
const everywhere: readonly Place[] = ['fleet', ...ofRun, 'vault', 'disk', 'compare'];

function needsRun(state: State): string | undefined {
	return selectedRun(state) ? undefined : 'no run is selected';
}

function busy(state: State): string | undefined {
	const run = selectedRun(state);
	return run && state.busy[run.id] ? `${state.busy[run.id]} in progress` : undefined;
}

/** The runs that an action is for: those that are marked in the list, else the one that is selected. */
export function targets(state: State): readonly Run[] {
	const marked = state.screen === 'fleet' ? state.runs.filter(run => state.list.marked.includes(run.id)) : [];
	if (marked.length > 0) {
		return marked;
	}

	const run = selectedRun(state);
	return run ? [run] : [];
}

/** Refuses where none of the runs that are meant can take it. */
function some(fits: (run: Run) => boolean, otherwise = (run: Run) => `${run.id} is ${stageName(run.stage)}`) {
	return (state: State): string | undefined => {
		const own = targets(state);
		if (own.length === 0) {
			return 'no run is selected';
		}

		if (own.some(run => fits(run))) {
			return undefined;
		}

		return own.length === 1 ? otherwise(own[0]!) : `not possible for any of the ${own.length} selected runs`;
	};
}

export const isLive = (run: Run) => run.stage === 'running' || run.stage === 'frozen' || run.stage === 'queued';
export const isDiscardable = (run: Run) => !liveStages.has(run.stage) && run.stage !== 'discarded';

function gate(id: GateId) {
	return (state: State): string | undefined => {
		const run = selectedRun(state);
		if (!run) {
			return 'no run is selected';
		}

		const found = gatesOf(run).find(gate => gate.id === id)!;
		const goingOn = busy(state);
		if (goingOn !== undefined) {
			return goingOn;
		}

		// What led to a merge is over: the next thing must not be crowded out by it.
		if (run.merge && ['verify', 'approve', 'merge'].includes(id)) {
			return 'merged already';
		}

		return found.state === 'blocked' ? found.because : undefined;
	};
}

function notARepository(state: State): string | undefined {
	return state.here.project === undefined ? 'this folder is not in a git repository' : undefined;
}

function needsOutput(state: State): string | undefined {
	return state.log && state.log.range.to > 0 ? undefined : 'no output yet';
}

function needsSearch(state: State): string | undefined {
	return state.logView.search === '' ? 'no search yet (/)' : undefined;
}

function needsFiles(state: State): string | undefined {
	const {review, selected, unread} = state;
	if (review && review.run === selected) {
		return review.files.length === 0 ? 'no changes' : undefined;
	}

	return unread && unread.run === selected ? 'not readable' : 'loading…';
}

function needsDrafts(state: State): string | undefined {
	const run = selectedRun(state);
	const drafts = state.review?.review.comments.filter(comment => !comment.sent).length ?? 0;
	if (drafts === 0) {
		return 'no draft comments';
	}

	if (run && liveStages.has(run.stage)) {
		return `the run is ${stageName(run.stage)}: send after it ends`;
	}

	if (run?.merge) {
		return 'merged already';
	}

	return run?.stage === 'discarded' ? 'discarded' : undefined;
}

/** What a person who would resume a run may want in its place. */
function resumeHint({stage}: Run): string {
	switch (stage) {
		case 'running': {
			return ' (t terminal)';
		}

		case 'frozen': {
			return ' (u continue)';
		}

		case 'discarded': {
			return ' (U restore)';
		}

		default: {
			return '';
		}
	}
}

/** Refuses where there is no run, or something is going on with it, and then for the run's own reasons. */
function refusing(because: (run: Run) => string | undefined) {
	return (state: State): string | undefined => needsRun(state) ?? busy(state) ?? because(selectedRun(state)!);
}

const cannotReject = refusing(run => {
	if (run.merge) {
		return 'merged already';
	}

	return liveStages.has(run.stage) ? `the run is ${stageName(run.stage)}` : undefined;
});

const cannotResume = refusing(run => {
	if (run.merge) {
		return 'merged already';
	}

	return liveStages.has(run.stage) || run.stage === 'discarded'
		? `${run.id} is ${stageName(run.stage)}${resumeHint(run)}`
		: undefined;
});

function cannotClean(state: State): string | undefined {
	const selected = state.disk?.[state.scroll];
	if (!selected) {
		return 'nothing is selected';
	}

	return selected.safe ? undefined : selected.note;
}

export const bindings: readonly Binding[] = [
	{action: 'up', keys: ['up', 'k'], title: 'up', places: [...everywhere, 'help'], footer: false},
	{action: 'down', keys: ['down', 'j'], title: 'down', places: [...everywhere, 'help'], footer: false},
	{action: 'page-up', keys: ['pageup', 'ctrl-b'], title: 'page up', places: [...everywhere, 'help'], footer: false},
	{
		action: 'page-down',
		keys: ['pagedown', 'ctrl-f'],
		title: 'page down',
		places: [...everywhere, 'help'],
		footer: false,
	},
	{action: 'top', keys: ['home'], title: 'top', places: [...everywhere, 'help'], footer: false},
	{
		action: 'bottom',
		keys: ['end', 'G'],
		title: 'end (follow)',
		places: [...everywhere, 'help'],
		footer: false,
	},
	{
		action: 'open',
		keys: ['return'],
		title: 'open',
		places: ['fleet', 'compare'],
		footer: true,
		disabled: state => (state.heading === undefined ? needsRun(state) : undefined),
	},
	{action: 'search', keys: ['/'], title: 'search', places: logs, footer: true, disabled: needsOutput},
	{action: 'next-match', keys: ['n'], title: 'next match', places: logs, footer: false, disabled: needsSearch},
	{action: 'previous-match', keys: ['N'], title: 'previous match', places: logs, footer: false, disabled: needsSearch},
	{action: 'next-run', keys: ['right', 'l', 'tab'], title: 'next run', places: ['compare'], footer: true},
	{action: 'previous-run', keys: ['left', 'h', 'shift-tab'], title: 'previous run', places: ['compare'], footer: false},
	{action: 'next-tab', keys: ['tab', 'right', 'l'], title: 'next tab', places: tabs, footer: true},
	{action: 'previous-tab', keys: ['shift-tab', 'left', 'h'], title: 'previous tab', places: tabs, footer: false},
	{action: 'toggle', keys: ['space'], title: 'on/off', places: ['scopes'], footer: true, disabled: needsRun},
	{action: 'viewed', keys: ['space'], title: 'viewed', places: ['changes'], footer: true, disabled: needsFiles},
	{action: 'comment', keys: ['c'], title: 'comment', places: ['changes'], footer: true, disabled: needsFiles},
	{
		action: 'send-comments',
		keys: ['S'],
		title: 'send comments',
		places: ['changes'],
		footer: true,
		disabled: needsDrafts,
	},
	{action: 'next-file', keys: [']'], title: 'next file', places: ['changes'], footer: true, disabled: needsFiles},
	{
		action: 'previous-file',
		keys: ['['],
		title: 'previous file',
		places: ['changes'],
		footer: false,
		disabled: needsFiles,
	},
	{action: 'next-hunk', keys: ['}'], title: 'next hunk', places: ['changes'], footer: false, disabled: needsFiles},
	{
		action: 'previous-hunk',
		keys: ['{'],
		title: 'previous hunk',
		places: ['changes'],
		footer: false,
		disabled: needsFiles,
	},
	{
		action: 'fold-file',
		keys: ['return', 'z'],
		title: 'fold file',
		places: ['changes'],
		footer: false,
		disabled: needsFiles,
	},
	{
		action: 'range',
		keys: ['v'],
		title: 'select lines',
		places: ['changes'],
		footer: false,
		disabled: needsFiles,
	},
	{
		action: 'uncomment',
		keys: ['x'],
		title: 'delete comment',
		places: ['changes'],
		footer: false,
		disabled: state => ((state.review?.review.comments.length ?? 0) === 0 ? 'no comments' : undefined),
	},
	{action: 'split', keys: ['|'], title: 'side by side or unified', places: ['changes'], footer: false},
	{
		action: 'attach',
		keys: ['t'],
		title: 'terminal',
		places: ['fleet', ...tabs],
		footer: true,
		disabled: state =>
			needsRun(state) ??
			(selectedRun(state)!.stage === 'running' ? undefined : `the run is ${stageName(selectedRun(state)!.stage)}`),
	},
	{
		action: 'new',
		keys: ['n'],
		title: 'new',
		places: ['fleet', 'scopes', 'checklist', 'journal', 'network'],
		footer: true,
		disabled: state => (state.projects.length === 0 ? 'no projects yet (+)' : undefined),
	},
	{
		action: 'grant',
		keys: ['g'],
		title: 'grant',
		places: ['fleet', 'output', 'scopes', 'network'],
		footer: true,
		disabled: state =>
			needsRun(state) ?? (selectedRun(state)!.denials.length === 0 ? 'nothing was blocked' : undefined),
	},
	{
		action: 'gates',
		keys: ['a'],
		title: 'pipeline',
		places: ['fleet', ...tabs, 'compare'],
		footer: true,
		disabled: needsRun,
	},
	{action: 'audit', keys: ['c'], title: 'audit', places: ['gates'], footer: true, disabled: gate('audit')},
	{action: 'verify', keys: ['v'], title: 'verify', places: ['gates'], footer: true, disabled: gate('verify')},
	{action: 'changes', keys: ['d', '2'], title: 'changes', places: withRun, footer: true, disabled: needsRun},
	{action: 'approve', keys: ['y'], title: 'approve', places: ['gates'], footer: true, disabled: gate('approve')},
	{action: 'merge', keys: ['m'], title: 'merge', places: ['gates'], footer: true, disabled: gate('merge')},
	{action: 'deploy', keys: ['p'], title: 'deploy', places: ['gates'], footer: true, disabled: gate('deploy')},
	{
		action: 'rollback',
		keys: ['B'],
		title: 'roll back',
		places: ['gates'],
		footer: false,
		disabled: state =>
			needsRun(state) ??
			busy(state) ??
			(lastGood(state) ? undefined : 'no earlier deploy of this project to that target'),
	},
	{
		action: 'reject',
		keys: ['X'],
		title: 'reject',
		places: ['gates', 'changes'],
		footer: true,
		disabled: cannotReject,
	},
	{
		action: 'verify-output',
		keys: ['w'],
		title: 'verify or deploy log',
		places: ['gates'],
		footer: false,
		disabled: state =>
			needsRun(state) ??
			(selectedRun(state)!.verification ||
			selectedRun(state)!.deployments.length > 0 ||
			selectedRun(state)!.stage === 'verifying'
				? undefined
				: 'not verified yet'),
	},
	{
		action: 'waive',
		keys: ['W'],
		title: 'not a secret (dismiss finding)',
		places: ['gates'],
		footer: false,
		disabled: state =>
			needsRun(state) ??
			busy(state) ??
			(selectedRun(state)!.suspects.some(({fingerprint}) => !selectedRun(state)!.waived.includes(fingerprint))
				? undefined
				: 'no findings'),
	},
	{action: 'filter', keys: ['/'], title: 'filter', places: ['fleet'], footer: true},
	{
		action: 'next-need',
		keys: ['.'],
		title: 'next waiting',
		places: [...everywhere, 'help'],
		footer: true,
		disabled: state => (nextNeed(state) ? undefined : 'no run needs you'),
	},
	{
		action: 'stop',
		keys: ['x'],
		title: 'stop',
		places: ['fleet', 'output', 'scopes', 'checklist', 'journal', 'network', 'gates'],
		footer: true,
		disabled: some(isLive),
	},
	{action: 'show', keys: ['f'], title: 'show all, needs you, running, review, done', places: ['fleet'], footer: false},
	{action: 'sort', keys: ['o'], title: 'sort', places: ['fleet'], footer: false},
	{
		action: 'fold',
		keys: ['z'],
		title: 'fold project',
		places: ['fleet'],
		footer: false,
		disabled: state => (state.runs.length === 0 ? 'no runs yet' : undefined),
	},
	{
		action: 'mark',
		keys: ['space'],
		title: 'select, for stop, discard, grant, compare',
		places: ['fleet'],
		footer: false,
		disabled: needsRun,
	},
	{action: 'mark-all', keys: ['*'], title: 'select all or none', places: ['fleet'], footer: false},
	{
		action: 'compare',
		keys: ['='],
		title: 'compare selected runs, or variants',
		places: ['fleet'],
		footer: false,
		disabled: state => (comparable(state).length < 2 ? 'select two runs or more (space)' : undefined),
	},
	{action: 'follow', keys: ['F'], title: 'follow output', places: logs, footer: false},
	{action: 'steps', keys: ['z'], title: 'steps only', places: logs, footer: false},
	{action: 'raw', keys: ['e'], title: 'raw or readable', places: logs, footer: false},
	{action: 'wrap', keys: ['w'], title: 'wrap long lines', places: [...logs, 'changes'], footer: false},
	{action: 'select', keys: ['v'], title: 'select lines', places: logs, footer: false, disabled: needsOutput},
	{
		action: 'copy',
		keys: ['y'],
		title: 'copy selection',
		places: logs,
		footer: false,
		disabled: state => (state.logView.select ? undefined : 'nothing is selected (v)'),
	},
	{action: 'pager', keys: ['o'], title: 'open in $PAGER', places: logs, footer: false, disabled: needsOutput},
	{action: 'editor', keys: ['E'], title: 'open in $EDITOR', places: logs, footer: false, disabled: needsOutput},
	{
		action: 'panic',
		keys: ['!'],
		title: 'pause; a paused run: stop',
		places: withRun,
		footer: false,
		disabled: some(run => run.stage === 'running' || run.stage === 'frozen'),
	},
	{
		action: 'freeze-all',
		keys: ['ctrl-x'],
		title: 'pause all runs',
		places: everywhere,
		footer: false,
		disabled: state => (state.runs.some(run => run.stage === 'running') ? undefined : 'no run is running'),
	},
	{
		action: 'thaw',
		keys: ['u'],
		title: 'continue',
		places: withRun,
		footer: false,
		disabled: some(
			run => run.stage === 'frozen',
			() => 'not paused',
		),
	},
	{
		action: 'resume',
		keys: ['r'],
		title: 'resume',
		places: withRun,
		footer: false,
		disabled: cannotResume,
	},
	{
		action: 'rebase',
		keys: ['R'],
		title: 'rebase onto the target branch',
		places: withRun,
		footer: false,
		disabled: cannotResume,
	},
	{
		action: 'discard',
		keys: ['D'],
		title: 'discard',
		places: withRun,
		footer: false,
		disabled: state => busy(state) ?? some(isDiscardable)(state),
	},
	{
		action: 'restore',
		keys: ['U'],
		title: 'restore',
		places: ['fleet'],
		footer: false,
		disabled: some(
			run => run.stage === 'discarded',
			() => 'it is not discarded',
		),
	},
	{action: 'show-discarded', keys: ['H'], title: 'show or hide discarded runs', places: ['fleet'], footer: false},
	{action: 'output', keys: ['1'], title: 'output', places: tabs, footer: false},
	{action: 'scopes', keys: ['3', 's'], title: 'scopes', places: ['fleet', ...tabs], footer: false, disabled: needsRun},
	{action: 'checklist', keys: ['4'], title: 'audit', places: tabs, footer: false},
	{action: 'journal', keys: ['5'], title: 'journal', places: tabs, footer: false},
	{action: 'network', keys: ['6', 'L'], title: 'network requests', places: tabs, footer: false},
	{
		action: 'dismiss',
		keys: ['N'],
		title: 'ignore this host',
		places: ['scopes', 'network'],
		footer: false,
		disabled: state =>
			needsRun(state) ?? (selectedRun(state)!.denials.length === 0 ? 'nothing was blocked' : undefined),
	},
	{
		action: 'learn',
		keys: ['P'],
		title: 'add to project policy',
		places: ['scopes', 'network'],
		footer: false,
		disabled: needsRun,
	},
	{action: 'vault', keys: ['V'], title: 'vault', places: ['fleet', ...tabs], footer: false},
	{action: 'disk', keys: ['C'], title: 'disk use and clean-up', places: ['fleet'], footer: false},
	{action: 'budget', keys: ['b'], title: 'budget', places: withRun, footer: false, disabled: needsRun},
	{
		action: 'acknowledge',
		keys: ['A'],
		title: 'acknowledge alarms',
		places: withRun,
		footer: false,
		disabled: some(
			run => run.alarms.length > 0,
			() => 'no alarms',
		),
	},
	{action: 'secret-add', keys: ['n', '+'], title: 'new secret', places: ['vault'], footer: true},
	{action: 'secret-check', keys: ['c'], title: 'check secrets', places: ['vault'], footer: true},
	{
		action: 'secret-remove',
		keys: ['D'],
		title: 'remove secret',
		places: ['vault'],
		footer: true,
		disabled: state => ((state.vault?.secrets.length ?? 0) === 0 ? 'no secrets yet' : undefined),
	},
	{
		action: 'clean',
		keys: ['D'],
		title: 'clean up',
		places: ['disk'],
		footer: true,
		disabled: cannotClean,
	},
	{action: 'demo', keys: ['1'], title: 'see the demo', places: ['welcome'], footer: false},
	{action: 'add', keys: ['2'], title: 'add this project', places: ['welcome'], footer: false, disabled: notARepository},
	{action: 'add', keys: ['+'], title: 'add this project', places: ['fleet'], footer: false, disabled: notARepository},
	{action: 'doctor', keys: ['3'], title: 'check this machine', places: ['welcome'], footer: false},
	{
		action: 'copy-branch',
		keys: ['Y'],
		title: 'copy branch',
		places: withRun,
		footer: false,
		disabled: needsRun,
	},
	{action: 'theme', keys: ['T'], title: 'theme: dark, light, contrast, plain', places: everywhere, footer: false},
	{action: 'mouse', keys: ['M'], title: 'mouse on or off', places: everywhere, footer: false},
	{
		action: 'back',
		keys: ['escape', 'backspace'],
		title: 'back',
		places: [...ofRun, 'vault', 'disk', 'compare', 'help'],
		footer: true,
	},
	{
		action: 'palette',
		keys: [':', 'ctrl-p'],
		title: 'command palette',
		places: ['welcome', ...everywhere],
		footer: false,
	},
	{action: 'help', keys: ['?'], title: 'help', places: ['welcome', ...everywhere, 'help'], footer: true},
	{action: 'quit', keys: ['q', 'ctrl-c'], title: 'quit', places: ['welcome', ...everywhere, 'help'], footer: true},
];

/** The runs that `=` compares. */
export function comparable(state: State): readonly Run[] {
	const marked = state.runs.filter(run => state.list.marked.includes(run.id));
	if (marked.length > 0) {
		return marked;
	}

	const run = selectedRun(state);
	return run?.batch === undefined ? [] : state.runs.filter(other => other.batch === run.batch);
}

/** The run that was deployed to the same target before this one, and went well. */
export function lastGood(state: State): {readonly run: Run; readonly target: string} | undefined {
	const run = selectedRun(state);
	const last = run?.deployments.at(-1);
	const earlier =
		last &&
		state.runs
			.flatMap(other =>
				other.project.id === run!.project.id && other.id !== run!.id
					? other.deployments
							.filter(one => one.target === last.target && one.outcome === 'succeeded' && one.at < last.at)
							.map(one => ({run: other, at: one.at}))
					: [],
			)
			.sort((a, b) => (a.at < b.at ? 1 : -1))[0];
	return earlier && {run: earlier.run, target: last.target};
}

/** What an action is called before a reason: a title's first words. */
export function shortTitle({title}: Pick<Binding, 'title'>): string {
	return title.split(/[:;,]/, 1)[0]!;
}

/** The keys of a binding: a person's own come in place of the built-in ones. */
export function keysOf(binding: Binding, state: Pick<State, 'settings'>): readonly string[] {
	return state.settings.keys[binding.action] ?? binding.keys;
}

/** What a key means in a place, if anything. */
export function findBinding(state: Pick<State, 'screen' | 'tab' | 'settings'>, key: string): Binding | undefined {
	const place = placeOf(state);
	return bindings.find(binding => binding.places.includes(place) && keysOf(binding, state).includes(key));
}

/**
 * What is wrong with a person's own keys, in words: an action that is not known, or two that share a key in one place.
 */
export function keyProblems(keys: State['settings']['keys']): string[] {
	const known = new Set<string>(actions);
	const problems = Object.keys(keys)
		.filter(action => !known.has(action))
		.map(action => `keys: there is no action "${action}"`);
	const state = {settings: {keys} as State['settings']};
	const seen = new Map<string, Binding>();
	for (const binding of bindings) {
		for (const place of binding.places) {
			for (const key of keysOf(binding, state)) {
				const other = seen.get(`${place} ${key}`);
				if (other && other.action !== binding.action) {
					problems.push(`keys: "${key}" is both ${other.action} and ${binding.action} in ${place}`);
				}

				seen.set(`${place} ${key}`, binding);
			}
		}
	}

	return [...new Set(problems)];
}

const names: Record<string, string> = {
	return: 'enter',
	up: '↑',
	down: '↓',
	left: '←',
	right: '→',
	escape: 'esc',
	pageup: 'pgup',
	pagedown: 'pgdn',
	'shift-tab': 'shift-tab',
};

/** A key as people write it. */
export function keyName(key: string): string {
	return names[key] ?? key;
}

/** The actions that the palette offers are the bindings'; this is what one is called there. */
export type PaletteEntry = {
	readonly action: Action;
	readonly title: string;
	readonly keys: string;
	readonly disabled: string | undefined;
};

/** Every command of the place, and those that are the same everywhere, by name. */
export function paletteEntries(state: State): PaletteEntry[] {
	const place = placeOf(state);
	const words =
		promptOf(state)
			?.field.value.toLowerCase()
			.split(/\s+/)
			.filter(word => word !== '') ?? [];
	return bindings
		.filter(binding => binding.places.includes(place) && !['up', 'down', 'palette'].includes(binding.action))
		.map(binding => ({
			action: binding.action,
			title: binding.title,
			keys: keysOf(binding, state)
				.map(key => keyName(key))
				.join(' '),
			disabled: binding.disabled?.(state),
		}))
		.filter(entry => words.every(word => `${entry.title} ${entry.action}`.toLowerCase().includes(word)))
		.sort((a, b) => Number(a.disabled !== undefined) - Number(b.disabled !== undefined));
}

/** The table of docs/keys.md, in Markdown. */
export function keyTable(): string {
	const lines = bindings
		.filter(binding => binding.places.length > 0)
		.map(binding => {
			const keys = binding.keys.map(key => `\`${keyName(key) === '|' ? '\\|' : keyName(key)}\``).join(' ');
			return `| ${keys} | ${binding.title} | ${placesText(binding.places)} |`;
		});
	return ['| Key | What it does | Where |', '| --- | --- | --- |', ...lines].join('\n');
}

function placesText(places: readonly Place[]): string {
	if (everywhere.every(place => places.includes(place))) {
		return `everywhere${places.includes('welcome') ? '' : ' but the first screen'}`;
	}

	return tabs.every(tab => places.includes(tab))
		? [
				...places.filter(place => !(tabs as readonly string[]).includes(place)).map(place => placeNames[place]),
				'run tabs',
			].join(', ')
		: places.map(place => placeNames[place]).join(', ');
}
