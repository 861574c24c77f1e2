import type {Project} from '../core/project.ts';
import type {Run} from '../core/run/run.ts';
import {defaultSettings} from '../core/settings.ts';
import type {Settings} from '../protocol/client.ts';
import {firstActivity} from './activity-state.ts';
import {firstRun} from './list.ts';
import type {State} from './state.ts';
import type {ThemeName} from './paint/theme.ts';

/** What the screen begins with. `columns` and `rows` of the terminal, `now` in milliseconds. */
export function initialState(options: {
	columns: number;
	rows: number;
	now: number;
	runs: readonly Run[];
	changes?: State['changes'];
	projects: readonly Project[];
	here: State['here'];
	settings?: Settings;
	theme?: ThemeName;
}): State {
	const state: State = {
		screen: options.runs.length === 0 && options.projects.length === 0 ? 'welcome' : 'fleet',
		from: 'fleet',
		parent: 'fleet',
		columns: options.columns,
		rows: options.rows,
		now: options.now,
		keyAt: undefined,
		deafUntil: undefined,
		settings: options.settings ?? defaultSettings,
		theme: options.theme ?? 'dark',
		ground: undefined,
		runs: options.runs,
		changes: options.changes ?? {},
		projects: options.projects,
		agents: [],
		vault: undefined,
		profiles: [],
		list: {
			filter: '',
			show: 'all',
			sort: 'attention',
			isReversed: false,
			group: 'attention',
			folded: ['need:done'],
			marked: [],
			discarded: false,
		},
		selected: undefined,
		listTop: 0,
		clicked: undefined,
		heading: undefined,
		tab: 'output',
		scroll: 0,
		journal: [],
		journalRaw: false,
		log: undefined,
		logShown: 'output',
		logView: {raw: false, steps: false, wrap: true, search: '', select: undefined},
		review: undefined,
		unread: undefined,
		audits: {},
		progress: {},
		disk: undefined,
		compared: {},
		compareAt: 0,
		focus: {type: 'screen'},
		asked: {},
		offers: {},
		busy: {},
		fleetBusy: undefined,
		isStarting: false,
		notice: undefined,
		plans: {},
		batches: {},
		undo: undefined,
		noticed: [],
		activity: firstActivity,
		activityFrom: 'fleet',
		found: undefined,
		foundFrom: 'fleet',
		here: options.here,
		recent: {commands: [], prompts: []},
		listRows: undefined,
		dragging: false,
		grammars: 0,
	};
	return {...state, selected: firstRun(state)};
}
