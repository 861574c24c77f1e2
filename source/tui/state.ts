import type {Changes} from '../core/run/changes.ts';
import type {Item} from '../core/run/audit.ts';
import type {Entry} from '../core/run/event.ts';
import type {DiffFile} from '../core/review/diff.ts';
import type {Review} from '../core/review/comments.ts';
import type {Project} from '../core/project.ts';
import type {Run} from '../core/run/run.ts';
import type {Span} from '../core/text/spans.ts';
import type {FoundEffect, FoundMessage, FoundState} from './found-state.ts';
import type {ActivityEffect, ActivityMessage, ActivityState, Notice, Noticed} from './activity-state.ts';
import type {
	AgentView,
	DeployPlanView,
	DiskView,
	ProfileView,
	ProjectView,
	SecretView,
	Settings,
	StoreView,
} from '../protocol/client.ts';
import type {Batch, Ended, InTerminal, Undo} from './batch.ts';
import type {ReviewEffect, ReviewMessage, ReviewState} from './review/state.ts';
import type {Dialog, Field, FormState} from './dialog.ts';
import type {Matches} from './log/matches.ts';
import type {LogMove} from './log/move.ts';
import type {Ground, ThemeName} from './paint/theme.ts';
import type {VerbReport} from '../protocol/report.ts';

export type {ReviewState} from './review/state.ts';

export type ScreenId =
	| 'welcome'
	| 'fleet'
	| 'run'
	| 'gates'
	| 'new'
	| 'vault'
	| 'disk'
	| 'plan'
	| 'compare'
	| 'activity'
	| 'found'
	| 'help';
export const tabs = ['output', 'changes', 'scopes', 'checklist', 'journal', 'network'] as const;
export type Tab = (typeof tabs)[number];

/** Where a person is, as far as keys go: a screen, or a tab of a run's. */
export type Place = Exclude<ScreenId, 'run'> | Tab;

/** The saved views of the list, in the order of their keys. */
export const shows = ['all', 'needs you', 'running', 'review', 'done'] as const;
export type Show = (typeof shows)[number];
export const sorts = ['attention', 'newest', 'last change', 'name', 'age', 'cost', 'changes'] as const;
export type Sort = (typeof sorts)[number];
export const groupings = ['attention', 'project', 'agent'] as const;
export type Grouping = (typeof groupings)[number];

/** Which runs are listed, and how. */
export type ListState = {
	readonly filter: string;
	readonly show: Show;
	readonly sort: Sort;
	/** Whether the order is the other way round. */
	readonly isReversed: boolean;
	readonly group: Grouping;
	/** Ids of groups, such as `need:done`. */
	readonly folded: readonly string[];
	readonly marked: readonly string[];
	readonly discarded: boolean;
};

/** A line of a log as it is shown. */
export type LogRow = {readonly from: number; readonly to: number; readonly spans: readonly Span[]};

/** The part of a log that is in view. Only the store reads; this is what it read. */
export type LogState = {
	readonly run: string;
	readonly kind: 'output' | 'verify' | 'deploy' | 'screen';
	readonly rows: readonly LogRow[];
	/** Whether the end is in view, and followed. */
	readonly following: boolean;
	/** The first byte there is, the first in view, and the end. */
	readonly range: {readonly from: number; readonly at: number; readonly to: number};
	/** How many lines match the search; undefined where there is none, or they were not counted. */
	readonly matches?: Matches | undefined;
};

/** How a log is looked at; the same for all. */
export type LogView = {
	readonly raw: boolean;
	readonly steps: boolean;
	readonly wrap: boolean;
	readonly search: string;
	/** A selection by positions: where it was begun, and where it ends now. */
	readonly select: {readonly anchor: number; readonly at: number} | undefined;
};

/** A line at the bottom that is being typed, and what it is for. */
export type Prompt = {
	readonly kind: 'filter' | 'search' | 'palette' | 'activity' | 'logs';
	readonly field: Field;
	readonly at: number;
};

export type ScreenFocus = {readonly type: 'screen'};
type FormFocus = {readonly type: 'form'; readonly form: FormState};

/**
 * What keys and pasted text go to. `behind`: what they go to once the dialog is closed; the form of a new run
 * stays on the screen below a dialog.
 */
export type Focus =
	| ScreenFocus
	| FormFocus
	| {readonly type: 'prompt'; readonly prompt: Prompt}
	| {readonly type: 'dialog'; readonly dialog: Dialog; readonly behind: ScreenFocus | FormFocus};

/** A gate's work while it goes on. */
export type Progress = {readonly done: number; readonly total: number; readonly text: string};

/** Everything the screen shows, and nothing else. */
export type State = {
	readonly screen: ScreenId;
	/** Where help and the like go back to. */
	readonly from: ScreenId;
	/** Where a run's screen goes back to. */
	readonly parent: 'fleet' | 'gates' | 'compare' | 'activity' | 'found';
	readonly columns: number;
	readonly rows: number;
	readonly now: number;
	/** When the last key was pressed, milliseconds; undefined where that is not known. */
	readonly keyAt: number | undefined;
	/** Until when keys are dropped: they were typed for what was on the screen before; undefined for none. */
	readonly deafUntil: number | undefined;
	readonly settings: Settings;
	readonly theme: ThemeName;
	/** What the terminal said of its background; undefined until it did. */
	readonly ground: Ground | undefined;
	readonly runs: readonly Run[];
	/** What they changed, as far as it was counted, by run. */
	readonly changes: Readonly<Record<string, Changes>>;
	readonly projects: readonly Project[];
	readonly agents: readonly AgentView[];
	/** What is in the vault, as far as names go; undefined until it was asked for. */
	readonly vault: {readonly secrets: readonly SecretView[]; readonly stores: readonly StoreView[]} | undefined;
	/** What the person keeps for agents, and whether it goes into runs; empty until it was asked for. */
	readonly profiles: readonly ProfileView[];
	readonly list: ListState;
	readonly selected: string | undefined;
	/** The first row of the list that is in view, as of the last time. */
	readonly listTop: number;
	/** The row that was clicked last, by its id in its list, and when, milliseconds. */
	readonly clicked: {readonly row: string; readonly at: number} | undefined;
	/** The group whose heading is selected, in place of a run. */
	readonly heading: string | undefined;
	readonly tab: Tab;
	/** Lines that the current view is scrolled by, or the selected row of a list. */
	readonly scroll: number;
	/** The journal of the selected run, while it is looked at. */
	readonly journal: readonly Entry[];
	/** Whether it is shown by the names of its events, and not in words. */
	readonly journalRaw: boolean;
	readonly log: LogState | undefined;
	readonly logView: LogView;
	/** Which of a run's logs its output tab shows. */
	readonly logShown: 'output' | 'verify' | 'deploy';
	readonly review: ReviewState | undefined;
	/** Why a run's change could not be read; undefined where it could. */
	readonly unread: {readonly run: string; readonly because: string} | undefined;
	/** The probes of audits made while this screen was open, by run. The journal holds only their result. */
	readonly audits: Readonly<Record<string, readonly Item[]>>;
	readonly progress: Readonly<Record<string, Progress>>;
	readonly disk: readonly DiskView[] | undefined;
	/** What the compared runs changed, by run, and the file whose changes are shown. */
	readonly compared: Readonly<Record<string, readonly DiffFile[]>>;
	readonly compareAt: number;
	/** A form is there if, and only if, the screen is that of a new run. */
	readonly focus: Focus;
	/**
	 * Questions whose verb goes on, by its run and title: the answer,
	 * and the comments that go with it, come back where it fails.
	 */
	readonly asked: Readonly<
		Record<
			string,
			{
				readonly title: string;
				readonly dialog: Dialog;
				readonly drafts: readonly string[];
				readonly review: Review | undefined;
			}
		>
	>;
	/** What a project offers for a new run: branches, prompts, policy. By project. */
	readonly offers: Readonly<Record<string, ProjectView>>;
	/** The verbs that go on, in words: by run, and the one that is about no run. */
	readonly busy: Readonly<Record<string, string>>;
	readonly fleetBusy: string | undefined;
	/** Whether what the form of a new run holds is being started. */
	readonly isStarting: boolean;
	/** What was typed for a new run that was left with esc. */
	readonly draft?: readonly Field[] | undefined;
	/** What a deploy would bring, by run and target with a blank between; undefined where it could not be read. */
	readonly plans: Readonly<Record<string, DeployPlanView | undefined>>;
	/** How far batches have ended, by their ids. */
	readonly batches: Readonly<Record<string, readonly Ended[]>>;
	/** What one key takes back. */
	readonly undo: Undo | undefined;
	/** Why the last thing that was done is not taken back by a key; undefined where it is. */
	readonly lasting?: string | undefined;
	readonly notice: Notice | undefined;
	/** All that the screen said, newest first. */
	readonly noticed: readonly Noticed[];
	/** What happened over all runs. */
	readonly activity: ActivityState;
	/** Where esc goes from the activity. */
	readonly activityFrom: ScreenId;
	/** What was found in all logs; undefined before the first search. */
	readonly found: FoundState | undefined;
	/** Where esc goes from there. */
	readonly foundFrom: ScreenId;
	readonly here: {readonly folder: string; readonly project: string | undefined};
	readonly recent: {readonly commands: readonly string[]; readonly prompts: readonly string[]};
	/** Rows that the list takes of the screen, where the line between was dragged. */
	readonly listRows: number | undefined;
	/** Whether the mouse holds that line. */
	readonly dragging: boolean;
	/** Grammars that have been loaded, so that a change of them is drawn. */
	readonly grammars: number;
};

/** What comes after a verb that worked. */
export type Then = 'audit' | 'added' | 'started' | 'vault' | 'disk' | 'sent' | 'offer';

/** What happens to the screen: a key, or news from outside. */
export type Message =
	/** The keys of one event. They may be several: they come fast. */
	| {
			readonly type: 'keys';
			readonly keys: readonly string[];
			/** When, milliseconds; undefined where it does not matter. */ readonly at?: number | undefined;
	  }
	| {readonly type: 'paste'; readonly text: string}
	| {
			readonly type: 'mouse';
			readonly kind: 'press' | 'drag' | 'up' | 'down';
			readonly column: number;
			readonly row: number;
			/** When, milliseconds. */ readonly at?: number | undefined;
	  }
	| {readonly type: 'resize'; readonly columns: number; readonly rows: number}
	| {
			readonly type: 'data';
			readonly runs: readonly Run[];
			readonly changes?: State['changes'];
			readonly projects: readonly Project[];
			readonly now: number;
	  }
	| {readonly type: 'journal'; readonly run: string; readonly entries: readonly Entry[]}
	| {readonly type: 'log'; readonly log: LogState}
	| {readonly type: 'not-found'; readonly search: string}
	| {readonly type: 'agents'; readonly agents: readonly AgentView[]}
	| {readonly type: 'vault'; readonly vault: NonNullable<State['vault']>}
	| {readonly type: 'profiles'; readonly profiles: readonly ProfileView[]}
	| {readonly type: 'recent'; readonly recent: State['recent']}
	| {readonly type: 'settings'; readonly settings: Settings; readonly problem?: string | undefined}
	| {readonly type: 'theme'; readonly theme: Ground}
	| {readonly type: 'focus'; readonly isFocused: boolean}
	| {readonly type: 'offer'; readonly project: string; readonly offer: ProjectView}
	| {
			readonly type: 'deploy-plan';
			readonly run: string;
			readonly target: string;
			/** Undefined where it could not be read. */ readonly plan: DeployPlanView | undefined;
	  }
	| {readonly type: 'disk'; readonly disk: readonly DiskView[]}
	| ReviewMessage
	| {readonly type: 'compared'; readonly run: string; readonly files: readonly DiffFile[]}
	| ActivityMessage
	| FoundMessage
	| {readonly type: 'grammar'}
	| {readonly type: 'edited'; readonly text: string}
	| {readonly type: 'progress'; readonly run: string; readonly progress: Progress}
	| {readonly type: 'said'; readonly text: string; readonly bad: boolean}
	| {
			readonly type: 'done';
			/** The run that the verb was about; undefined for one that is about no run. */
			readonly run: string | undefined;
			readonly title: string;
			readonly then?: Then | undefined;
			readonly argv?: readonly string[];
			readonly input?: string | undefined;
			readonly code: number;
			readonly stdout: string;
			readonly stderr: string;
			readonly report?: VerbReport | undefined;
			/** The verbs that succeeded, of several about the same run. */
			readonly ran?: ReadonlyArray<readonly string[]> | undefined;
			readonly batch?: Batch | undefined;
	  };

/** What the screen wants done. Only `perform` and the store do it. */
export type Effect =
	/** `fleet <argv>`, as a process of its own. `input`: what it reads from stdin. */
	| {
			readonly type: 'act';
			/** The run that it is about; undefined for one that is about no run. */
			readonly run: string | undefined;
			readonly argv: readonly string[];
			readonly input?: string | undefined;
			readonly title: string;
			readonly then?: Then | undefined;
			/** Further verbs about the same run, each once the one before it has succeeded. */
			readonly more?: ReadonlyArray<readonly string[]> | undefined;
			readonly batch?: Batch | undefined;
	  }
	/** A verb that needs the terminal for itself. */
	| {
			readonly type: 'terminal';
			readonly argv: readonly string[];
			readonly input?: string | undefined;
			readonly pause: boolean;
			/** Further ones, each after the one before it, however that ended. */
			readonly more?: readonly InTerminal[] | undefined;
	  }
	| ReviewEffect
	/** What a run changed, beside others. */
	| {readonly type: 'compare'; readonly run: string}
	| {readonly type: 'log'; readonly kind: LogState['kind']; readonly move: LogMove}
	| {readonly type: 'search'; readonly backward: boolean}
	| {readonly type: 'copy'; readonly from: number; readonly to: number}
	| {readonly type: 'copy-text'; readonly text: string}
	| {readonly type: 'edit'; readonly text: string}
	| {readonly type: 'offer'; readonly project: string}
	| {readonly type: 'deploy-plan'; readonly run: string; readonly target: string}
	| {readonly type: 'settings'; readonly settings: Partial<Settings>}
	| {readonly type: 'disk'}
	| ActivityEffect
	| FoundEffect
	| {readonly type: 'vault'}
	| {readonly type: 'profiles'}
	| {readonly type: 'quit'};

/** Runs by their id: a frame asks dozens of times, and a key asks of the state before it, too. */
const runsById = new WeakMap<readonly Run[], ReadonlyMap<string, Run>>();

export function selectedRun({heading, screen, runs, selected}: State): Run | undefined {
	if (selected === undefined || (heading !== undefined && screen === 'fleet')) {
		return undefined;
	}

	let byId = runsById.get(runs);
	if (!byId) {
		byId = new Map(runs.map(run => [run.id, run]));
		runsById.set(runs, byId);
	}

	return byId.get(selected);
}

export function placeOf(state: Pick<State, 'screen' | 'tab'>): Place {
	return state.screen === 'run' ? state.tab : state.screen;
}
