import {gatesOf, type GateId} from '../core/decide.ts';
import {liveStages} from '../core/run.ts';
import {selectedRun, type ScreenId, type State} from './state.ts';

/* What each key means and why it means nothing now: footer, help and the readme's table come from these records. */

export type Action =
	| 'up' | 'down' | 'top' | 'bottom' | 'open' | 'back' | 'quit' | 'help' | 'new' | 'attach' | 'grant' | 'toggle' | 'stop' | 'panic' | 'thaw' | 'resume' | 'discard' | 'restore' | 'show-discarded'
	| 'next-tab' | 'previous-tab' | 'tab-1' | 'tab-2' | 'tab-3' | 'tab-4' | 'tab-5' | 'tab-6' | 'gates' | 'audit' | 'verify' | 'verify-output' | 'review' | 'approve' | 'reject' | 'merge' | 'deploy' | 'demo' | 'add' | 'doctor' | 'vault' | 'secret-add' | 'secret-check' | 'secret-remove' | 'budget' | 'acknowledge';

export type Binding = {
	readonly action: Action;
	readonly keys: readonly string[];
	readonly title: string;
	readonly screens: readonly ScreenId[];
	/** Shown in the footer, where there is room. */
	readonly footer: boolean;
	/** Why the key does nothing now; undefined where it does. */
	disabled?(state: State): string | undefined;
};

const lists: ScreenId[] = ['fleet', 'run', 'audit', 'vault'];
const runs: ScreenId[] = ['fleet', 'run', 'audit'];

function needsRun(state: State): string | undefined {
	return selectedRun(state) ? undefined : 'no run is selected';
}

function busy(state: State): string | undefined {
	const run = selectedRun(state);
	return run && state.busy[run.id] ? `${state.busy[run.id]} is going on` : undefined;
}

function isLive(state: State): boolean {
	return ['running', 'frozen'].includes(selectedRun(state)?.stage ?? '');
}

function gate(id: GateId) {
	return (state: State): string | undefined => {
		const run = selectedRun(state);
		if (!run) {
			return 'no run is selected';
		}

		const found = gatesOf(run).find(gate => gate.id === id)!;
		return busy(state) ?? (found.state === 'blocked' ? found.because : undefined);
	};
}

function notARepository(state: State): string | undefined {
	return state.here.project === undefined ? 'this folder is not in a git repository' : undefined;
}

export const bindings: readonly Binding[] = [
	{action: 'up', keys: ['up', 'k'], title: 'up', screens: lists, footer: false},
	{action: 'down', keys: ['down', 'j'], title: 'down', screens: lists, footer: false},
	{action: 'top', keys: ['home'], title: 'to the beginning', screens: lists, footer: false},
	{action: 'bottom', keys: ['end', 'G'], title: 'to the end', screens: lists, footer: false},
	{action: 'open', keys: ['return'], title: 'open', screens: ['fleet'], footer: true, disabled: needsRun},
	{action: 'next-tab', keys: ['tab', 'right', 'l'], title: 'next tab', screens: ['run'], footer: true},
	{action: 'toggle', keys: ['space'], title: 'on/off', screens: ['run'], footer: true, disabled: state => state.tab === 'scopes' ? needsRun(state) : 'scopes are toggled on the scopes tab (3)'},
	{action: 'attach', keys: ['t'], title: 'terminal', screens: ['fleet', 'run'], footer: true, disabled: state => needsRun(state) ?? (selectedRun(state)!.stage === 'running' ? undefined : `the run is ${selectedRun(state)!.stage}`)},
	{action: 'new', keys: ['n'], title: 'new', screens: ['fleet', 'run'], footer: true, disabled: state => state.projects.length === 0 ? 'no project is added yet (+)' : undefined},
	{action: 'grant', keys: ['g'], title: 'grant', screens: ['fleet', 'run'], footer: true, disabled: state => needsRun(state) ?? (selectedRun(state)!.denials.length === 0 ? 'nothing was denied' : undefined)},
	{action: 'gates', keys: ['a'], title: 'gates', screens: ['fleet', 'run'], footer: true, disabled: needsRun},
	{action: 'audit', keys: ['c'], title: 'checks', screens: ['audit'], footer: true, disabled: gate('audit')},
	{action: 'verify', keys: ['v'], title: 'verify', screens: ['audit'], footer: true, disabled: gate('verify')},
	{action: 'verify-output', keys: ['w'], title: 'what verify wrote', screens: ['audit'], footer: false, disabled: state => needsRun(state) ?? (selectedRun(state)!.verification ? undefined : 'it was not verified')},
	{action: 'review', keys: ['d'], title: 'changes', screens: ['fleet', 'run', 'audit'], footer: true, disabled: needsRun},
	{action: 'approve', keys: ['y'], title: 'approve', screens: ['audit'], footer: true, disabled: gate('approve')},
	{action: 'merge', keys: ['m'], title: 'merge', screens: ['audit'], footer: true, disabled: gate('merge')},
	{action: 'deploy', keys: ['p'], title: 'deploy', screens: ['audit'], footer: true, disabled: gate('deploy')},
	{action: 'reject', keys: ['X'], title: 'reject', screens: ['audit'], footer: true, disabled: state => needsRun(state) ?? busy(state) ?? (selectedRun(state)!.merge ? 'it is merged' : liveStages.has(selectedRun(state)!.stage) ? `the run is ${selectedRun(state)!.stage}` : undefined)},
	{action: 'stop', keys: ['x'], title: 'stop', screens: runs, footer: true, disabled: state => needsRun(state) ?? (isLive(state) ? undefined : `the run is ${selectedRun(state)!.stage}`)},
	{action: 'panic', keys: ['!'], title: 'freeze; again: stop', screens: runs, footer: false, disabled: state => needsRun(state) ?? (isLive(state) ? undefined : `the run is ${selectedRun(state)!.stage}`)},
	{action: 'thaw', keys: ['u'], title: 'thaw', screens: runs, footer: false, disabled: state => needsRun(state) ?? (selectedRun(state)!.stage === 'frozen' ? undefined : 'it is not frozen')},
	{action: 'resume', keys: ['r'], title: 'resume', screens: runs, footer: false, disabled: state => needsRun(state) ?? busy(state) ?? (selectedRun(state)!.merge ? 'it is merged' : liveStages.has(selectedRun(state)!.stage) || selectedRun(state)!.stage === 'discarded' ? `the run is ${selectedRun(state)!.stage}` : undefined)},
	{action: 'discard', keys: ['D'], title: 'discard', screens: runs, footer: false, disabled: state => needsRun(state) ?? busy(state) ?? (liveStages.has(selectedRun(state)!.stage) || selectedRun(state)!.stage === 'discarded' ? `the run is ${selectedRun(state)!.stage}` : undefined)},
	{action: 'restore', keys: ['U'], title: 'restore', screens: ['fleet'], footer: false, disabled: state => needsRun(state) ?? (selectedRun(state)!.stage === 'discarded' ? undefined : 'it is not discarded')},
	{action: 'show-discarded', keys: ['H'], title: 'show or hide discarded runs', screens: ['fleet'], footer: false},
	{action: 'previous-tab', keys: ['left', 'h'], title: 'previous tab', screens: ['run'], footer: false},
	{action: 'tab-1', keys: ['1'], title: 'output', screens: ['run'], footer: false},
	{action: 'tab-2', keys: ['2'], title: 'changes', screens: ['run'], footer: false},
	{action: 'tab-3', keys: ['3', 's'], title: 'scopes', screens: ['fleet', 'run'], footer: false, disabled: needsRun},
	{action: 'tab-4', keys: ['4'], title: 'checklist', screens: ['run'], footer: false},
	{action: 'tab-5', keys: ['5'], title: 'journal', screens: ['run'], footer: false},
	{action: 'tab-6', keys: ['6', 'L'], title: 'what the network was asked for', screens: ['run'], footer: false},
	{action: 'vault', keys: ['V'], title: 'vault', screens: ['fleet', 'run'], footer: false},
	{action: 'budget', keys: ['b'], title: 'budget', screens: ['fleet', 'run'], footer: false, disabled: needsRun},
	{action: 'acknowledge', keys: ['A'], title: 'acknowledge alarms', screens: runs, footer: false, disabled: state => needsRun(state) ?? (selectedRun(state)!.alarms.length === 0 ? 'there is no alarm' : undefined)},
	{action: 'secret-add', keys: ['n', '+'], title: 'new secret', screens: ['vault'], footer: true},
	{action: 'secret-check', keys: ['c'], title: 'check all', screens: ['vault'], footer: true},
	{action: 'secret-remove', keys: ['D'], title: 'remove', screens: ['vault'], footer: true, disabled: state => (state.vault?.secrets.length ?? 0) === 0 ? 'there is no secret' : undefined},
	{action: 'demo', keys: ['1'], title: 'see the demo', screens: ['welcome'], footer: false},
	{action: 'add', keys: ['2'], title: 'add this project', screens: ['welcome'], footer: false, disabled: notARepository},
	{action: 'add', keys: ['+'], title: 'add this project', screens: ['fleet'], footer: false, disabled: notARepository},
	{action: 'doctor', keys: ['3'], title: 'examine this machine', screens: ['welcome'], footer: false},
	{action: 'back', keys: ['escape', 'backspace'], title: 'back', screens: ['run', 'audit', 'vault', 'help'], footer: true},
	{action: 'help', keys: ['?'], title: 'help', screens: ['welcome', 'fleet', 'run', 'audit', 'vault'], footer: true},
	{action: 'quit', keys: ['q', 'ctrl-c'], title: 'quit', screens: ['welcome', 'fleet', 'run', 'audit', 'vault', 'help'], footer: true},
];

/** What a key means on a screen, if anything. */
export function findBinding(screen: ScreenId, key: string): Binding | undefined {
	return bindings.find(binding => binding.screens.includes(screen) && binding.keys.includes(key));
}

const names: Record<string, string> = {return: 'enter', up: '↑', down: '↓', left: '←', right: '→', escape: 'esc'};

/** A key as people write it. */
export function keyName(key: string): string {
	return names[key] ?? key;
}

/** The readme's key table, in Markdown. */
export function keyTable(): string {
	const lines = bindings.filter(binding => binding.screens.length > 0).map(binding => `| ${binding.keys.map(key => `\`${keyName(key)}\``).join(' ')} | ${binding.title} | ${binding.screens.join(', ')} |`);
	return ['| Key | What it does | Where |', '| --- | --- | --- |', ...lines].join('\n');
}
