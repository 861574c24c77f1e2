import {splitWords} from '../core/words.ts';
import {Refusal} from '../core/refusal.ts';
import type {Item} from '../core/audit.ts';
import {nameFrom} from '../core/names.ts';
import {neutraliseLine} from '../core/neutralise.ts';
import {formatBudget, formatUsage} from '../core/usage.ts';
import {findBinding, type Action} from './keymap.ts';
import {scopeRows} from './scope-rows.ts';
import {selectedRun, tabs, visibleRuns, type Dialog, type Effect, type Field, type Message, type State} from './state.ts';

type Step = {readonly state: State; readonly effects: readonly Effect[]};

const stay = (state: State): Step => ({state, effects: []});
const bad = (state: State, text: string): Step => stay({...state, notice: {text, bad: true}});

/** What comes next on the screen, and what is to be done. Pure: the same state and message give the same step. */
export function update(state: State, message: Message): Step {
	switch (message.type) {
		case 'resize': {
			return stay({...state, columns: message.columns, rows: message.rows});
		}

		case 'data': {
			return stay(withData(state, message));
		}

		case 'journal': {
			return stay(message.run === state.selected ? {...state, journal: message.entries} : state);
		}

		case 'output': {
			return stay(message.run === state.selected ? {...state, output: message.lines} : state);
		}

		case 'agents': {
			return stay({...state, agents: message.agents});
		}

		case 'vault': {
			return stay({...state, vault: message.vault});
		}

		case 'recent': {
			return stay({...state, recent: message.commands});
		}

		case 'diff': {
			return stay({...state, diff: {run: message.run, lines: message.lines}});
		}

		case 'done': {
			return done(state, message);
		}

		case 'key': {
			return key({...state, notice: undefined}, message.key);
		}
	}
}

function withData(state: State, {runs, changes = state.changes, projects, now}: {runs: State['runs']; changes?: State['changes']; projects: State['projects']; now: number}): State {
	const next = {...state, runs, changes, projects, now};
	const visible = visibleRuns(next);
	const selected = visible.some(run => run.id === state.selected) || (state.screen !== 'fleet' && runs.some(run => run.id === state.selected)) ? state.selected : visible[0]?.id;
	return {
		...next, selected, screen: state.screen === 'welcome' && (runs.length > 0 || projects.length > 0) ? 'fleet' : state.screen,
		...(selected === state.selected ? {} : {journal: [], output: []}),
	};
}

function done(state: State, message: Message & {type: 'done'}): Step {
	const {[message.run]: _, ...busy} = state.busy;
	let next: State = {...state, busy};
	if (message.label === 'audit') {
		try {
			const {items} = JSON.parse(message.stdout) as {items: Item[]};
			next = {...next, audits: {...next.audits, [message.run]: items}};
			const failed = items.filter(item => item.status !== 'PASS');
			return stay({...next, notice: {text: failed.length === 0 ? `${message.run}: 6 of 6 checks passed` : `${message.run}: ${failed.map(item => `${item.title} ${item.status}`).join(', ')}`, bad: failed.length > 0}});
		} catch {}
	}

	if (message.code === 2 && message.argv && /nobody to ask/.test(message.stderr)) {
		// A passphrase, or an answer: the same words again, with the terminal.
		return {state: next, effects: [{type: 'terminal', argv: message.argv, pause: true}]};
	}

	const words = (message.code === 0 ? message.stdout : message.stderr || message.stdout).split('\n').map(line => neutraliseLine(line).trim()).filter(line => line !== '');
	const text = message.code === 0 ? words.at(-1) ?? `${message.label}: done` : words.filter(line => line.startsWith('fleet:') || line.startsWith('hint:')).join('; ').replace('fleet: ', '') || words.at(-1) || `${message.label} failed`;
	next = {...next, notice: {text: message.label === 'new run' && message.code === 0 ? `${words[0] ?? 'started'}` : text, bad: message.code !== 0}};
	if (message.label === 'new run') {
		const id = /^([a-z0-9-]+) /.exec(words[0] ?? '')?.[1];
		return stay(message.code === 0 ? {...next, screen: 'fleet', selected: id ?? next.selected, output: [], journal: []} : next);
	}

	return message.label === 'remove secret' ? {state: next, effects: [{type: 'vault'}]} : stay(next);
}

function key(state: State, name: string): Step {
	if (state.dialog) {
		return dialogKey(state, state.dialog, name);
	}

	if (state.screen === 'new') {
		return formKey(state, name);
	}

	const binding = findBinding(state.screen, name);
	if (!binding) {
		return stay(state);
	}

	const refusal = binding.disabled?.(state);
	return refusal === undefined ? act(state, binding.action) : bad(state, `${binding.title}: ${refusal}`);
}

/** How far the current view can be scrolled, or how many rows can be selected. */
function extent(state: State): number {
	const run = selectedRun(state);
	if (state.screen === 'vault') {
		return Math.max(0, (state.vault?.secrets.length ?? 0) - 1);
	}

	if (!run || state.screen !== 'run') {
		return state.screen === 'audit' ? 200 : 0;
	}

	switch (state.tab) {
		case 'scopes': {
			return scopeRows(run, state.now, state.vault?.secrets).filter(row => row.state !== 'never').length - 1;
		}

		case 'changes': {
			return Math.max(0, (state.diff?.run === run.id ? state.diff.lines.length : 0) - 5);
		}

		case 'journal': {
			return Math.max(0, state.journal.length - 1);
		}

		case 'checklist':
		case 'network': {
			return 200;
		}

		case 'output': {
			return Math.max(0, state.output.length - 5);
		}
	}
}

function select(state: State, run: string | undefined): State {
	return run === state.selected ? state : {...state, selected: run, journal: [], output: [], scroll: 0};
}

function move(state: State, by: number): State {
	if (state.screen === 'fleet') {
		const runs = visibleRuns(state);
		const at = runs.findIndex(run => run.id === state.selected);
		return select(state, runs[Math.max(0, Math.min(runs.length - 1, at + by))]?.id);
	}

	// Output is read from its end: scrolling up goes back in time.
	const direction = state.screen === 'run' && (state.tab === 'output' || state.tab === 'journal') ? -by : by;
	return {...state, scroll: Math.max(0, Math.min(extent(state), state.scroll + direction))};
}

function openTab(state: State, tab: State['tab']): Step {
	const parent = state.screen === 'run' ? state.parent : state.screen === 'audit' ? 'audit' : 'fleet';
	const next: State = {...state, screen: 'run', parent, tab, scroll: 0};
	return {state: next, effects: tab === 'changes' && state.selected ? [{type: 'diff', run: state.selected}] : tab === 'scopes' ? [{type: 'vault'}] : []};
}

function begin(state: State, argv: readonly string[], label: string): Step {
	const run = state.selected!;
	return {state: {...state, busy: {...state.busy, [run]: label}}, effects: [{type: 'act', run, argv, label}]};
}

function ask(state: State, title: string, verb: Dialog['verb'], fields: readonly Field[]): Step {
	return stay({...state, dialog: {title, fields, at: 0, verb}});
}

const reasonField: Field = {label: 'Because', value: '', hint: 'a reason, for the journal'};

function askScope(state: State, scope: string | undefined): Step {
	const fields: Field[] = [...(scope === undefined ? [{label: 'Scope', value: '', hint: 'network:HOST[:PORT], files:PATH, secret:NAME or model:AGENT'}] : []), {...reasonField, hint: 'a reason is needed'}, {label: 'For', value: '30m', hint: 'such as 30m, 2h; empty: until the run ends'}];
	return ask(state, scope === undefined ? 'Grant a scope' : `Grant ${scope}`, {kind: 'allow', run: state.selected!, scope}, fields);
}

function act(state: State, action: Action): Step {
	const run = selectedRun(state);
	const id = run?.id ?? '';
	switch (action) {
		case 'up': {
			return stay(move(state, -1));
		}

		case 'down': {
			return stay(move(state, 1));
		}

		case 'top': {
			return stay(move(state, -100_000));
		}

		case 'bottom': {
			return stay(move(state, 100_000));
		}

		case 'open': {
			return openTab(state, 'output');
		}

		case 'back': {
			return stay({...state, screen: state.screen === 'help' || state.screen === 'vault' ? state.from : state.screen === 'run' ? state.parent : 'fleet', scroll: 0});
		}

		case 'quit': {
			return state.screen === 'help' ? stay({...state, screen: state.from}) : {state, effects: [{type: 'quit'}]};
		}

		case 'help': {
			return stay({...state, from: state.screen, screen: 'help'});
		}

		case 'new': {
			const project = run?.project.id ?? state.projects.find(project => project.id === state.here.project)?.id ?? state.projects[0]?.id ?? '';
			// What was done last is what is most likely done again.
			const form = newForm(state, {Project: project, Agent: state.runs[0]?.agent ?? 'command'});
			return {state: {...state, screen: 'new', form, formAt: 2}, effects: [{type: 'vault'}]};
		}

		case 'attach': {
			return {state, effects: [{type: 'terminal', argv: ['attach', id], pause: false}]};
		}

		case 'grant': {
			return askScope(state, `network:${run!.denials[0]!.target}`);
		}

		case 'toggle': {
			const row = scopeRows(run!, state.now, state.vault?.secrets)[state.scroll];
			if (!row || row.state === 'fixed' || row.state === 'never') {
				return bad(state, `${row?.scope ?? 'this'} ${row?.state === 'fixed' ? 'is always on; stopping the run ends it' : 'cannot be granted'}`);
			}

			return row.state === 'on' ? begin(state, ['revoke', id, row.scope!], 'revoke') : askScope(state, row.scope);
		}

		case 'gates': {
			return stay({...state, screen: 'audit', scroll: 0});
		}

		case 'audit': {
			return begin(state, ['audit', id, '--json'], 'audit');
		}

		case 'verify': {
			return begin(state, ['verify', id], 'verify');
		}

		case 'verify-output': {
			return {state, effects: [{type: 'terminal', argv: ['logs', id, '--verify'], pause: true}]};
		}

		case 'review': {
			return openTab(state, 'changes');
		}

		case 'approve': {
			return ask(state, `Approve ${run!.verification!.head.slice(0, 10)} onto ${run!.verification!.base.slice(0, 10)} of ${run!.target.replace('refs/heads/', '')}`, {kind: 'act', argv: ['approve', id], label: 'approve', run: id, reason: true}, [{...reasonField, hint: 'optional; enter approves, esc does not'}]);
		}

		case 'reject': {
			return ask(state, `Reject ${id}`, {kind: 'act', argv: ['reject', id], label: 'reject', run: id, reason: true}, [{...reasonField, hint: 'what is to change'}]);
		}

		case 'merge': {
			return begin(state, ['merge', id], 'merge');
		}

		case 'deploy': {
			return ask(state, `Deploy ${run!.merge!.commit.slice(0, 10)}`, {kind: 'act', argv: ['deploy', id], label: 'deploy', run: id, reason: false}, [{label: 'Target', value: '', hint: 'a target of the project\'s policy'}]);
		}

		case 'stop': {
			return begin(state, ['stop', id], 'stop');
		}

		case 'panic': {
			return selectedRun(state)?.stage === 'frozen' ? begin(state, ['stop', id, '--because', 'stopped while frozen'], 'stop') : begin(state, ['freeze', id], 'freeze');
		}

		case 'thaw': {
			return begin(state, ['thaw', id], 'thaw');
		}

		case 'resume': {
			if (run!.agent === 'command') {
				return begin(state, ['resume', id], 'resume');
			}

			return ask(state, `Resume ${id}, in the same conversation`, {kind: 'act', argv: ['resume', id], label: 'resume', run: id, reason: false}, [{label: 'Tell it', value: '', hint: 'optional: what it is to do next, or what is to be mended'}]);
		}

		case 'discard': {
			return ask(state, `Discard ${id}? Its work is kept`, {kind: 'act', argv: ['discard', id], label: 'discard', run: id, reason: true}, [{...reasonField, hint: 'optional; enter discards, esc does not'}]);
		}

		case 'restore': {
			return begin(state, ['restore', id], 'restore');
		}

		case 'show-discarded': {
			const shown: State = {...state, showDiscarded: !state.showDiscarded};
			const visible = visibleRuns(shown);
			return stay(visible.some(run => run.id === state.selected) ? shown : select(shown, visible[0]?.id));
		}

		case 'next-tab':
		case 'previous-tab': {
			return openTab(state, tabs[(tabs.indexOf(state.tab) + (action === 'next-tab' ? 1 : tabs.length - 1)) % tabs.length]!);
		}

		case 'tab-1':
		case 'tab-2':
		case 'tab-3':
		case 'tab-4':
		case 'tab-5':
		case 'tab-6': {
			return openTab(state, tabs[Number(action.slice(4)) - 1]!);
		}

		case 'demo': {
			return {state, effects: [{type: 'terminal', argv: ['demo'], pause: true}]};
		}

		case 'add': {
			return {state: {...state, busy: {...state.busy, '': 'add'}}, effects: [{type: 'act', run: '', argv: ['project', 'add', state.here.folder], label: 'add'}]};
		}

		case 'vault': {
			return {state: {...state, screen: 'vault', from: state.screen, scroll: 0}, effects: [{type: 'vault'}]};
		}

		case 'secret-add': {
			return ask(state, 'New secret', {kind: 'secret'}, [
				{label: 'Name', value: '', hint: 'such as stripe; anthropic, openai, gemini and github-copilot know their hosts'}, {label: 'Owner', value: 'user', hint: 'user: for every project; project: for the one you are in'},
				{label: 'Host', value: '', hint: 'where it may go; empty: as the project proposes, or as is known'}, {label: 'Variable', value: '', hint: 'optional: the variable that holds its pointer inside'},
			]);
		}

		case 'secret-check': {
			return {state, effects: [{type: 'terminal', argv: ['secret', 'check'], pause: true}]};
		}

		case 'secret-remove': {
			const secret = state.vault!.secrets[state.scroll]!;
			return ask(state, `Remove ${secret.reference}, and its value?`, {kind: 'act', argv: ['secret', 'remove', secret.reference, ...(secret.project === null ? [] : ['--in', secret.project])], label: 'remove secret', run: '', reason: false}, [{label: 'Sure', value: '', hint: 'type yes'}]);
		}

		case 'budget': {
			return ask(state, `Budget of ${id}: it is frozen when it has used this much`, {kind: 'act', argv: ['budget', id], label: 'budget', run: id, reason: false}, [{label: 'Amount', value: run!.budget ? formatBudget(run!.budget) : '', hint: `5 or 2.50 (dollars), 200k or 2M (tokens), none; used so far: ${formatUsage(run!.usage) || 'nothing'}`}]);
		}

		case 'acknowledge': {
			return begin(state, ['acknowledge', id], 'acknowledge');
		}

		case 'doctor': {
			return {state, effects: [{type: 'terminal', argv: ['doctor', '--fix'], pause: true}]};
		}
	}
}

/** Typing in a line: everything that is one character is text. */
function typed(field: Field, name: string): Field {
	if (name === 'backspace') {
		return {...field, value: [...field.value].slice(0, -1).join('')};
	}

	if (name === 'ctrl-u') {
		return {...field, value: ''};
	}

	const text = name === 'space' ? ' ' : [...name].length === 1 ? name : '';
	return {...field, value: field.value + text};
}

function replaceAt<T>(items: readonly T[], at: number, item: T): T[] {
	return items.map((other, index) => index === at ? item : other);
}

function dialogKey(state: State, dialog: Dialog, name: string): Step {
	if (name === 'escape' || name === 'ctrl-c') {
		return stay({...state, dialog: undefined});
	}

	if (name === 'tab' || name === 'down' || name === 'up') {
		return stay({...state, dialog: {...dialog, at: (dialog.at + (name === 'up' ? dialog.fields.length - 1 : 1)) % dialog.fields.length}});
	}

	if (name !== 'return') {
		return stay({...state, dialog: {...dialog, fields: replaceAt(dialog.fields, dialog.at, typed(dialog.fields[dialog.at]!, name))}});
	}

	if (dialog.at < dialog.fields.length - 1) {
		return stay({...state, dialog: {...dialog, at: dialog.at + 1}});
	}

	const value = (label: string) => dialog.fields.find(field => field.label === label)?.value.trim() ?? '';
	const {verb} = dialog;
	if (verb.kind === 'secret') {
		if (value('Name') === '') {
			return bad({...state, dialog: {...dialog, at: 0}}, 'a name is needed');
		}

		// The value is typed in the terminal, unseen: no screen holds it.
		const owner = value('Owner') === 'project' ? '--project' : '--user';
		return {state: {...state, dialog: undefined}, effects: [{type: 'terminal', argv: ['secret', 'add', value('Name'), owner, ...(value('Host') === '' ? [] : ['--host', value('Host')]), ...(value('Variable') === '' ? [] : ['--env', value('Variable')])], pause: true}]};
	}

	const closed: State = {...state, dialog: undefined, ...(verb.run === '' ? {} : {selected: verb.run})};
	if (verb.kind === 'allow') {
		const scope = verb.scope ?? value('Scope');
		if (scope === '' || value('Because') === '') {
			return bad({...state, dialog: {...dialog, at: scope === '' ? 0 : dialog.fields.findIndex(field => field.label === 'Because')}}, scope === '' ? 'a scope is needed' : 'a grant needs a reason');
		}

		return begin(closed, ['allow', verb.run, scope, '--because', value('Because'), ...(value('For') === '' ? [] : ['--for', value('For')])], 'allow');
	}

	if (verb.label === 'remove secret' && !/^y(?:es)?$/i.test(value('Sure'))) {
		return bad(closed, 'nothing was removed');
	}

	if (verb.label === 'resume') {
		return begin(closed, [...verb.argv, ...(value('Tell it') === '' ? [] : [value('Tell it')])], 'resume');
	}

	if (verb.label === 'budget') {
		return value('Amount') === '' ? bad(state, 'name an amount, or none') : begin(closed, [...verb.argv, value('Amount').replace(/ tokens$/, '')], 'budget');
	}

	if (verb.label === 'deploy') {
		return value('Target') === '' ? bad(state, 'name a target') : {state: closed, effects: [{type: 'terminal', argv: ['deploy', verb.run, value('Target')], pause: true}]};
	}

	return begin(closed, [...verb.argv, ...(verb.reason && value('Because') !== '' ? ['--because', value('Because')] : [])], verb.label);
}

function formKey(state: State, name: string): Step {
	if (name === 'escape' || name === 'ctrl-c') {
		return stay({...state, screen: 'fleet'});
	}

	if (name === 'tab' || name === 'down') {
		return stay({...state, formAt: (state.formAt + 1) % state.form.length});
	}

	if (name === 'up') {
		return stay({...state, formAt: (state.formAt + state.form.length - 1) % state.form.length});
	}

	const field = state.form[state.formAt]!;
	const choices = choicesOf(state, field.label);
	if (choices.length > 0 && (name === 'left' || name === 'right' || name === 'space')) {
		const value = choices[(choices.indexOf(field.value) + (name === 'left' ? choices.length - 1 : 1)) % choices.length]!;
		const form = newForm(state, {...valuesOf(state.form), [field.label]: value});
		return stay({...state, form});
	}

	if (choices.length > 0 && name !== 'return') {
		return stay(state);
	}

	if (name !== 'return') {
		return stay({...state, form: replaceAt(state.form, state.formAt, typed(state.form[state.formAt]!, name))});
	}

	if (state.formAt < state.form.length - 1) {
		return stay({...state, formAt: state.formAt + 1});
	}

	return startRun(state, valuesOf(state.form));
}

/** What can be chosen in a field of the form; empty for one that is typed. */
function choicesOf(state: State, label: string): readonly string[] {
	return label === 'Project' ? state.projects.map(project => project.id) : label === 'Agent' ? (state.agents.length === 0 ? ['command'] : state.agents.map(agent => agent.id)) : label === 'Model' ? ['no', 'this run', 'always here'] : [];
}

function valuesOf(form: readonly Field[]): Record<string, string> {
	return Object.fromEntries(form.map(field => [field.label, field.value]));
}

/** The form of a new run: what is asked depends on the agent. */
function newForm(state: State, values: Record<string, string>): Field[] {
	const agent = state.agents.find(agent => agent.id === values['Agent']);
	const field = (label: string, hint: string, value = ''): Field => ({label, value: values[label] ?? value, hint});
	const {model} = agent ?? {};
	const secret = model && state.vault?.secrets.find(secret => secret.reference.endsWith(`/${model.secret}`) && (secret.project === null || secret.project === values['Project']));
	const opens = model && `opens ${(secret?.hosts ?? model.hosts).join(' ')}${secret ? ` with ${secret.reference}` : state.vault ? `; no secret "${model.secret}" yet (V)` : ''}`;
	return [
		field('Project', `one of: ${state.projects.map(project => project.id).join(', ')}`),
		field('Agent', `←/→ ${agent === undefined ? 'any program' : `${agent.title}${agent.installed ? '' : ': its program is not installed here'}`}`, 'command'),
		...(model ? [field('Prompt', 'what it is to do; empty: you talk to it yourself (t)')] : [field('Command', 'any program; {prompt} stands for the prompt', state.recent[0] ?? ''), field('Prompt', 'optional; also in FLEET_PROMPT')]),
		field('Name', 'optional; names the branch fleet/NAME'),
		...(model ? [field('Model', `←/→ ${opens}`, 'no'), field('Budget', 'optional: frozen at 5 (dollars) or 200k (tokens)')] : []),
	];
}

function startRun(state: State, values: Record<string, string>): Step {
	const value = (label: string) => (values[label] ?? '').trim();
	const model = state.agents.find(agent => agent.id === value('Agent'))?.model;
	const argv = model ? [] : splitWords(value('Command'));
	if (argv instanceof Refusal || (!model && argv.length === 0)) {
		return bad({...state, formAt: state.form.findIndex(field => field.label === 'Command')}, argv instanceof Refusal ? argv.because : 'a command is needed');
	}

	const scope = {no: '--no-model', 'this run': '--model', 'always here': '--remember-model'}[value('Model')];
	const options = [
		'--project', value('Project'), ...(value('Name') === '' ? [] : ['--name', nameFrom(value('Name'), 'run')]),
		...(model ? ['--agent', value('Agent'), scope ?? '--no-model', ...(value('Prompt') === '' ? ['--interactive'] : []), ...(value('Budget') === '' ? [] : ['--budget', value('Budget')])] : []),
	];
	const prompt = value('Prompt');
	return {state: {...state, busy: {...state.busy, '': 'new run'}}, effects: [{type: 'act', run: '', argv: ['run', ...options, ...(prompt === '' ? [] : [prompt]), ...(model ? [] : ['--', ...argv])], label: 'new run'}]};
}
