import {attentionOf} from '../../core/run/attention.ts';
import {asks, openDialog} from '../forms/dialogs.ts';
import {secretSubject} from '../forms/dialogs/secrets.ts';
import {nextNeed, visibleRuns} from '../list.ts';
import {move, moveToEnd, openGates, openTab, select} from '../navigation.ts';
import {openForm} from '../forms/new-run.ts';
import {tabs, withPrompt, type State, type Tab} from '../state.ts';
import {runVerb, stay, type Handler, type Handlers} from '../step.ts';
import {themeNames} from '../paint/theme.ts';
import {fold, following} from './list.ts';

/* Where a person is: screens, tabs, help, and what belongs to no run. */

const pageOf = (state: State) =>
	Math.max(1, state.screen === 'fleet' ? Math.floor(state.rows / 2) - 3 : state.rows - 6);

const toEnd: Handler = ({state}) => moveToEnd(state, true);

const turnTab =
	(by: number): Handler =>
	({state}) =>
		openTab(state, tabs[(tabs.indexOf(state.tab) + by + tabs.length) % tabs.length]!);

const showTab =
	(tab: Tab): Handler =>
	({state}) =>
		openTab(state, tab);

/** Where esc goes. */
function screenBefore(state: State): State['screen'] {
	if (state.screen === 'help' || state.screen === 'vault') {
		return state.from;
	}

	return state.screen === 'run' ? state.parent : 'fleet';
}

export const placeActions = {
	up: ({state}) => move(state, -1),
	down: ({state}) => move(state, 1),
	'page-up': ({state}) => move(state, -pageOf(state)),
	'page-down': ({state}) => move(state, pageOf(state)),
	top: ({state}) => moveToEnd(state, false),
	bottom: toEnd,
	follow: toEnd,
	open: ({state}) => (state.heading === undefined ? openTab(state, 'output') : fold(state)),
	back: ({state}) => stay({...state, screen: screenBefore(state), scroll: 0}),
	quit: ({state}) =>
		state.screen === 'help' ? stay({...state, screen: state.from, scroll: 0}) : {state, effects: [{type: 'quit'}]},
	help: ({state}) =>
		stay(
			state.screen === 'help'
				? {...state, screen: state.from, scroll: 0}
				: {...state, from: state.screen, screen: 'help', scroll: 0},
		),
	palette: ({state}) =>
		stay(withPrompt(state, {kind: 'palette', field: {id: 'prompt', label: ':', value: '', hint: ''}, at: 0})),
	'next-need'({state}) {
		const wanted = nextNeed(state)!;
		const shown = select(
			{
				...state,
				list: visibleRuns(state).some(other => other.id === wanted.id)
					? state.list
					: {...state.list, filter: '', show: 'all'},
			},
			wanted.id,
		);
		const unfolded: State = {
			...shown,
			list: {...shown.list, folded: shown.list.folded.filter(project => project !== wanted.project.id)},
		};
		const words: State = {...unfolded, notice: {text: `${wanted.id}: ${attentionOf(wanted)!}`, bad: false}};
		if (state.screen === 'run') {
			return {...openTab(words, state.tab), state: {...openTab(words, state.tab).state, parent: state.parent}};
		}

		return state.screen === 'gates' ? openGates(words) : stay({...words, screen: 'fleet'});
	},
	new({state, run}) {
		const project =
			state.heading ??
			run?.project.id ??
			state.projects.find(project => project.id === state.here.project)?.id ??
			state.projects[0]?.id ??
			'';
		// What was done last is what is most likely done again.
		return openForm(state, project, state.runs[0]?.agent ?? 'command');
	},
	gates: ({state}) => openGates(state),
	'secret-add': asks('secret-add'),
	'secret-remove'({state}) {
		const secret = state.vault!.secrets[state.scroll]!;
		return openDialog(state, 'secret-remove', secretSubject(secret));
	},
	'secret-check': ({state}) => ({state, effects: [{type: 'terminal', argv: ['secret', 'check'], pause: true}]}),
	'next-tab': turnTab(1),
	'previous-tab': turnTab(-1),
	output: showTab('output'),
	changes: showTab('changes'),
	scopes: showTab('scopes'),
	checklist: showTab('checklist'),
	journal: showTab('journal'),
	network: showTab('network'),
	demo: ({state}) => ({state, effects: [{type: 'terminal', argv: ['demo'], pause: true}]}),
	add: ({state}) => runVerb(state, undefined, ['project', 'add', state.here.folder], 'add', 'added'),
	vault: ({state}) => ({state: {...state, screen: 'vault', from: state.screen, scroll: 0}, effects: [{type: 'vault'}]}),
	disk: ({state}) => ({state: {...state, screen: 'disk', scroll: 0}, effects: [{type: 'disk'}]}),
	theme({state}) {
		const theme = following(themeNames, state.theme);
		return {
			state: {...state, theme, settings: {...state.settings, theme}, notice: {text: `theme: ${theme}`, bad: false}},
			effects: [{type: 'settings', settings: {theme}}],
		};
	},
	mouse({state}) {
		const mouse = !state.settings.mouse;
		return {
			state: {
				...state,
				settings: {...state.settings, mouse},
				notice: {text: mouse ? 'mouse on' : 'mouse off: the terminal selects text', bad: false},
			},
			effects: [{type: 'settings', settings: {mouse}}],
		};
	},
	doctor: ({state}) => ({state, effects: [{type: 'terminal', argv: ['doctor', '--fix'], pause: true}]}),
} satisfies Handlers;
