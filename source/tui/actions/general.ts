import {asks, openDialog} from '../forms/dialogs.ts';
import {secretSubject} from '../forms/dialogs/secrets.ts';
import {themeNames} from '../paint/theme.ts';
import {tabs, type State} from '../state.ts';
import {runVerb, stay, type Handler, type Step} from '../step.ts';
import {everywhere, everywhereAndHelp, following, inTerminal, openPrompt, type KeyTable} from './record.ts';

/* What belongs to no run: projects, the vault, the disk, settings, help. */

function withSettings(state: State, settings: Partial<State['settings']>, notice: string): Step {
	return {
		state: {...state, settings: {...state.settings, ...settings}, notice: {text: notice, bad: false}},
		effects: [{type: 'settings', settings}],
	};
}

function turnTheme(state: State): Step {
	const theme = following(themeNames, state.theme);
	return withSettings({...state, theme}, {theme}, `theme: ${theme}`);
}

function turnMouse(state: State): Step {
	const mouse = !state.settings.mouse;
	return withSettings(state, {mouse}, mouse ? 'mouse on' : 'mouse off: the terminal selects text');
}

function leaveHelp(state: State): Step {
	return stay({...state, screen: state.from, scroll: 0});
}

function turnHelp(state: State): Step {
	return state.screen === 'help' ? leaveHelp(state) : stay({...state, from: state.screen, screen: 'help', scroll: 0});
}

function quit(state: State): Step {
	return state.screen === 'help' ? leaveHelp(state) : {state, effects: [{type: 'quit'}]};
}

function cannotClean(state: State): string | undefined {
	const selected = state.disk?.[state.scroll];
	if (!selected) {
		return 'nothing is selected';
	}

	return selected.safe ? undefined : selected.note;
}

const needsRepository = (state: State) =>
	state.here.project === undefined ? 'this folder is not in a git repository' : undefined;
const needsSecret = (state: State) => ((state.vault?.secrets.length ?? 0) === 0 ? 'no secrets yet' : undefined);

const addProject: Handler = ({state}) =>
	runVerb(state, undefined, {argv: ['project', 'add', state.here.folder], title: 'add', then: 'added'});

export const generalKeys = {
	// `act` does the action of the row with the cursor in its place.
	choose: {keys: 'return', title: 'choose', places: ['welcome'], footer: 1, run: ({state}) => stay(state)},
	demo: {keys: '1', title: 'see the demo', places: ['welcome'], run: inTerminal(['demo'], true)},
	'add-here': {
		keys: '2',
		title: 'add this project',
		places: ['welcome'],
		disabled: needsRepository,
		run: addProject,
	},
	doctor: {keys: '3', title: 'check this machine', places: ['welcome'], run: inTerminal(['doctor', '--fix'], true)},
	add: {keys: 'P', title: 'add this project', places: ['fleet'], disabled: needsRepository, run: addProject},
	vault: {
		keys: 'V',
		title: 'vault',
		places: ['fleet', ...tabs],
		run: ({state}) => ({
			state: {...state, screen: 'vault', from: state.screen, scroll: 0},
			effects: [{type: 'vault'}],
		}),
	},
	'secret-add': {keys: 'n +', title: 'new secret', places: ['vault'], footer: 1, run: asks('secret-add')},
	'secret-check': {
		keys: 'c',
		title: 'check secrets',
		places: ['vault'],
		footer: 2,
		run: inTerminal(['secret', 'check'], true),
	},
	'secret-remove': {
		keys: 'D',
		title: 'remove secret',
		places: ['vault'],
		footer: 3,
		disabled: needsSecret,
		run: ({state}) => openDialog(state, 'secret-remove', secretSubject(state.vault!.secrets[state.scroll]!)),
	},
	disk: {
		keys: 'C',
		title: 'disk use and clean-up',
		places: ['fleet'],
		run: ({state}) => ({state: {...state, screen: 'disk', scroll: 0}, effects: [{type: 'disk'}]}),
	},
	clean: {keys: 'D', title: 'clean up', places: ['disk'], footer: 1, disabled: cannotClean, run: asks('clean')},
	theme: {
		keys: 'T',
		title: 'theme: dark, light, ansi, contrast, plain',
		places: everywhere,
		run: ({state}) => turnTheme(state),
	},
	mouse: {keys: 'M', title: 'mouse on or off', places: everywhere, run: ({state}) => turnMouse(state)},
	palette: {
		keys: ': ctrl-p',
		title: 'command palette',
		places: ['welcome', ...everywhere],
		run: openPrompt('palette'),
	},
	help: {
		keys: '?',
		title: 'help',
		places: ['welcome', ...everywhereAndHelp],
		footer: 21,
		run: ({state}) => turnHelp(state),
	},
	'quit-anywhere': {
		keys: 'ctrl-c',
		title: 'quit',
		places: everywhereAndHelp.filter(place => place !== 'fleet'),
		run: ({state}) => quit(state),
	},
	quit: {
		keys: 'q ctrl-c',
		title: 'quit',
		places: ['welcome', 'fleet'],
		footer: 22,
		run: ({state}) => quit(state),
	},
} as const satisfies KeyTable;
