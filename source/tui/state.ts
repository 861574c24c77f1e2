import type {Changes} from '../core/changes.ts';
import type {Item} from '../core/audit.ts';
import type {Entry} from '../core/event.ts';
import type {Project} from '../core/project.ts';
import type {Run} from '../core/run.ts';
import type {AgentView, SecretView, StoreView} from '../protocol/client.ts';

export type ScreenId = 'welcome' | 'fleet' | 'run' | 'audit' | 'new' | 'vault' | 'help';
export const tabs = ['output', 'changes', 'scopes', 'checklist', 'journal', 'network'] as const;
export type Tab = (typeof tabs)[number];

/** A line that is being typed. */
export type Field = {readonly label: string; readonly value: string; readonly hint: string};

/** What is asked before something is done. `verb` says what with the answers. */
export type Dialog = {
	readonly title: string;
	readonly fields: readonly Field[];
	readonly at: number;
	readonly verb: {readonly kind: 'secret'} | {readonly kind: 'allow'; readonly run: string; readonly scope: string | undefined} | {readonly kind: 'act'; readonly argv: readonly string[]; readonly label: string; readonly run: string; readonly reason: boolean};
};

/** Everything the screen shows, and nothing else. */
export type State = {
	readonly screen: ScreenId;
	/** Where help goes back to. */
	readonly from: ScreenId;
	/** Where a run's screen goes back to: its gates, if its changes were opened from there. */
	readonly parent: 'fleet' | 'audit';
	readonly columns: number;
	readonly rows: number;
	readonly now: number;
	readonly runs: readonly Run[];
	/** What they changed, as far as it was counted, by run. */
	readonly changes: Readonly<Record<string, Changes>>;
	readonly projects: readonly Project[];
	readonly agents: readonly AgentView[];
	/** What is in the vault, as far as names go; undefined until it was asked for. */
	readonly vault: {readonly secrets: readonly SecretView[]; readonly stores: readonly StoreView[]} | undefined;
	readonly showDiscarded: boolean;
	readonly selected: string | undefined;
	readonly tab: Tab;
	/** Lines that the current tab is scrolled by, or the selected row of a list. */
	readonly scroll: number;
	/** The journal of the selected run, while it is looked at. */
	readonly journal: readonly Entry[];
	readonly output: readonly string[];
	readonly diff: {readonly run: string; readonly lines: readonly string[]} | undefined;
	/** The probes of audits made while this screen was open, by run. The journal holds only their result. */
	readonly audits: Readonly<Record<string, readonly Item[]>>;
	readonly dialog: Dialog | undefined;
	readonly form: readonly Field[];
	readonly formAt: number;
	/** What is going on, by run. */
	readonly busy: Readonly<Record<string, string>>;
	readonly notice: {readonly text: string; readonly bad: boolean} | undefined;
	readonly here: {readonly folder: string; readonly project: string | undefined};
	readonly recent: readonly string[];
};

/** What happens to the screen: a key, or news from outside. */
export type Message =
	| {readonly type: 'key'; readonly key: string}
	| {readonly type: 'resize'; readonly columns: number; readonly rows: number}
	| {readonly type: 'data'; readonly runs: readonly Run[]; readonly changes?: State['changes']; readonly projects: readonly Project[]; readonly now: number}
	| {readonly type: 'journal'; readonly run: string; readonly entries: readonly Entry[]}
	| {readonly type: 'output'; readonly run: string; readonly lines: readonly string[]}
	| {readonly type: 'agents'; readonly agents: readonly AgentView[]}
	| {readonly type: 'vault'; readonly vault: NonNullable<State['vault']>}
	| {readonly type: 'recent'; readonly commands: readonly string[]}
	| {readonly type: 'diff'; readonly run: string; readonly lines: readonly string[]}
	| {readonly type: 'done'; readonly run: string; readonly label: string; readonly argv?: readonly string[]; readonly code: number; readonly stdout: string; readonly stderr: string};

/** What the screen wants done. Only `perform` does it. */
export type Effect =
	| {readonly type: 'act'; readonly run: string; readonly argv: readonly string[]; readonly label: string}
	/** A verb that needs the terminal for itself. */
	| {readonly type: 'terminal'; readonly argv: readonly string[]; readonly pause: boolean}
	| {readonly type: 'diff'; readonly run: string}
	| {readonly type: 'vault'}
	| {readonly type: 'quit'};

export function initialState(options: {columns: number; rows: number; now: number; runs: readonly Run[]; changes?: State['changes']; projects: readonly Project[]; here: State['here']}): State {
	return {
		screen: options.runs.length === 0 && options.projects.length === 0 ? 'welcome' : 'fleet', from: 'fleet', parent: 'fleet', columns: options.columns, rows: options.rows, now: options.now, runs: options.runs, changes: options.changes ?? {}, projects: options.projects, agents: [], vault: undefined,
		showDiscarded: false, selected: options.runs.find(run => run.stage !== 'discarded')?.id, tab: 'output', scroll: 0, journal: [], output: [], diff: undefined, audits: {}, dialog: undefined, form: [], formAt: 0, busy: {}, notice: undefined,
		here: options.here, recent: [],
	};
}

/** The runs that the list shows: what needs a person or is at work stays in its place, newest first. */
export function visibleRuns(state: State): readonly Run[] {
	return state.showDiscarded ? state.runs : state.runs.filter(run => run.stage !== 'discarded');
}

export function selectedRun(state: State): Run | undefined {
	return state.runs.find(run => run.id === state.selected);
}
