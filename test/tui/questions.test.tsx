import assert from 'node:assert/strict';
import {test} from 'node:test';
import {parseDiff} from '../../source/core/review/diff.ts';
import type {FleetClient} from '../../source/protocol/client.ts';
import type {VerbReport} from '../../source/protocol/report.ts';
import type {Run} from '../../source/core/run/run.ts';
import {keysOf} from '../../source/tui/app.tsx';
import {bindings} from '../../source/tui/keymap.ts';
import {dialogOf, formOf} from '../../source/tui/focus.ts';
import type {Effect, State} from '../../source/tui/state.ts';
import {Store} from '../../source/tui/store.ts';
import {update} from '../../source/tui/update.ts';
import {announce} from '../../source/tui/spoken/announce.ts';
import {frameLines} from '../../source/tui/view.ts';
import {at, diff, exited, run, screens, started, state, verified} from './states.ts';

/* No key destroys at once, no answer is given before the question could be read, and what is said afterwards is so. */

const begin = Date.parse(at) + 120_000;

/** Keys with the time between them, milliseconds. */
function press(
	from: State,
	...keys: Array<string | readonly [wait: number, key: string]>
): {state: State; effects: Effect[]} {
	let now = from.keyAt ?? begin;
	let current = from;
	const effects: Effect[] = [];
	for (const item of keys) {
		const [wait, key] = typeof item === 'string' ? ([1500, item] as const) : item;
		now += wait;
		const step = update(current, {type: 'keys', keys: [key], at: now});
		current = step.state;
		effects.push(...step.effects);
	}

	return {
		state: current,
		effects: effects.filter(
			effect => effect.type === 'act' || effect.type === 'terminal' || effect.type === 'save-review',
		),
	};
}

const verbs = (effects: readonly Effect[]) =>
	effects.map(effect => ('argv' in effect ? effect.argv.join(' ') : effect.type));
const text = (from: State) =>
	frameLines(from)
		.map(line => line.spans?.map(span => span.text).join('') ?? line.text ?? '')
		.join('\n');
const running = state([run('one', started)]);
const freeze = (from: State): State =>
	update(from, {
		type: 'data',
		runs: from.runs.map(own => ({
			...own,
			stage: 'frozen' as const,
			since: new Date(from.keyAt ?? begin).toISOString(),
		})),
		projects: from.projects,
		now: from.keyAt ?? begin,
	}).state;
/** The end of a verb about the run that is called one. */
const done = (from: State, title: string, argv: string[], stdout = '', code = 0, report: VerbReport = {}): State =>
	update(from, {
		type: 'done',
		run: 'one',
		title,
		argv,
		code,
		stdout,
		stderr: 'words that are for a shell\n',
		report: argv[0] === 'pause' ? {runs: argv.slice(1)} : report,
	}).state;

test("what ends an agent, its verification or a person's words asks first, and only yes is yes", () => {
	const plain = (of: Run) => state([{...of, task: undefined}]);
	const finished = plain(run('one', started, exited));
	const ready = plain(run('one', started, exited, ...verified));
	const prompted = press(state([run('one', started, exited)]), 'r').state;
	assert.match(text(prompted), /Run one again, with a new prompt[\s\S]*\{prompt\} or FLEET_PROMPT/);
	for (const [from, key, argv, says] of [
		[running, 'x', 'stop one', /Stop one\?[\s\S]*it has run for/],
		[state([run('one', {type: 'run.queued', because: 'waits'})]), 'x', 'stop one', /nothing is lost/],
		[finished, 'r', 'resume one', /Run one again, from the beginning\?[\s\S]*attempt 2 of: x/],
		[ready, 'r', 'resume one', /Void {5}verification/],
		[running, 'ctrl-x', 'pause --all', /Pause the one run/],
		[
			state([
				run('one', started, {
					type: 'alarm.raised',
					target: 'evil.test:443',
					because: 'a pointer went where it does not belong',
					count: 3,
				}),
			]),
			'A',
			'acknowledge one',
			/Acknowledge this alarm\?[\s\S]*evil\.test:443, 3 times/,
		],
	] as const) {
		const asked = press(from, key);
		assert.deepEqual(asked.effects, [], `${key} alone does nothing`);
		assert.match(text(asked.state), says);
		assert.match(text(asked.state), /y or enter: .*; any other key: cancel/);
		assert.deepEqual(verbs(press(asked.state, 'y').effects), [argv]);
		assert.deepEqual(verbs(press(asked.state, 'return').effects), [argv]);
		for (const no of ['n', 'escape', 'j', 'space', 'x', 'r', '!', 'ctrl-x', 'tab', 'ctrl-c', ';']) {
			const refused = press(asked.state, no);
			assert.deepEqual([refused.effects, dialogOf(refused.state)], [[], undefined], `${key} ${no}`);
		}

		// Typed on without looking, as a shell's line is: no answer.
		for (const wait of [0, 30, 120, 290]) {
			assert.deepEqual(
				[press(from, key, [wait, 'y']).effects, press(from, key, [wait, 'return']).effects],
				[[], []],
				`${wait} ms`,
			);
		}

		assert.deepEqual(verbs(press(from, key, [10, 'y'], [400, 'y']).effects), [argv], 'the question stays');
		assert.deepEqual(update(asked.state, {type: 'paste', text: 'y\r'}).effects, []);
	}
});

test('discard says what it does, and cleaning up is refused where nothing can go', () => {
	assert.match(
		text(press(state([run('one', started, exited, ...verified)]), 'D').state),
		/Discard one\?[\s\S]*refs\/fleet\/trash\/one[\s\S]*U restores/,
	);
	const disk = {...screens()['disk']!};
	const refused = press(disk, 'D');
	assert.deepEqual([dialogOf(refused.state), refused.state.notice?.text], [undefined, 'clean up: is running']);
	const second = press(disk, 'j', 'D');
	assert.match(text(second.state), /Clean up merged\?/);
	assert.deepEqual(verbs(press(second.state, 'y').effects), ['clean merged']);
});

test('! pauses at once, and in haste does no more than that', () => {
	const first = press(running, '!');
	assert.deepEqual(verbs(first.effects), ['pause one']);
	const again = press(first.state, [200, '!']);
	assert.deepEqual([again.effects, again.state.notice!.text], [[], 'pause one: still in progress']);
	// It is frozen meanwhile, and the verb has ended.
	const frozen = done(
		freeze(first.state),
		'pause',
		['pause', 'one'],
		'one paused: x; fleet continue one, or fleet stop one\n',
	);
	const hasty = press(frozen, [500, '!']);
	assert.deepEqual([hasty.effects, dialogOf(hasty.state)], [[], undefined]);
	const asked = press(frozen, [1500, '!']);
	assert.deepEqual(asked.effects, []);
	assert.match(text(asked.state), /Stop one\?[\s\S]*u continue/);
	assert.deepEqual(verbs(press(asked.state, 'y').effects), ['stop one --because stopped while paused']);
	assert.equal(press(asked.state, 'y').state.busy['one'], 'stop', 'and the line below says what is done');
	assert.deepEqual(press(asked.state, '!').effects, []);
	// Of several, those that run are frozen, and nothing is done to the others.
	const mixed = {
		...state([run('one', started), {...run('two', started, {type: 'run.frozen', because: '', whole: true})}]),
		list: {...running.list, marked: ['one', 'two']},
	};
	assert.deepEqual(verbs(press(mixed, '!').effects), ['pause one']);
});

test('the words after a verb are about this screen: its keys, and all of the runs', () => {
	const frozen = done(
		running,
		'pause',
		['pause', 'one'],
		'one paused, network cut: fleet continue one, or fleet stop one\n',
	).notice!.text;
	assert.equal(frozen, 'one is paused; u continues it, x stops it');
	const all = update(running, {
		type: 'done',
		run: undefined,
		title: 'freeze all',
		argv: ['pause', '--all'],
		code: 0,
		stdout: 'a paused: x\nb paused: x\n',
		stderr: '',
		report: {runs: ['a', 'b']},
	}).state.notice!.text;
	assert.equal(all, '2 runs are paused; u continues one');
	assert.equal(
		done(running, 'discard', ['discard', 'one'], 'discarded one\n  to undo: fleet restore one\n').notice!.text,
		'discarded one; U restores it',
	);
	assert.equal(
		done(running, 'verify', ['verify', 'one'], '', 3, {
			refusal: {because: 'it conflicts with main in "a"', hint: 'fleet resume one --rebase'},
		}).notice!.text,
		'it conflicts with main in "a"; hint: R (rebase)',
	);
	assert.equal(
		done(running, 'verify', ['verify', 'one'], '$ true\nhint: of the tests\n', 4, {
			outcome: {because: 'inconclusive: it ran no test', hint: 'fleet logs one --verify'},
		}).notice!.text,
		'inconclusive: it ran no test; hint: fleet logs one --verify',
	);
	assert.equal(
		done(running, 'merge', ['merge', 'one'], '', 3, {
			refusal: {because: 'one is not approved', hint: 'fleet verify one, then fleet approve one'},
		}).notice!.text,
		'one is not approved; hint: v (verify), then y (approve)',
	);
	assert.match(
		done(running, 'deploy', ['deploy', 'one'], '', 3, {
			refusal: {because: 'no', hint: 'fleet verify one --waive-secrets'},
		}).notice!.text,
		/fleet verify one --waive-secrets/,
		'what no key does stays as it is',
	);
});

test("a refusal names the key's action in its first words, and what to do", () => {
	const notice = (from: State, key: string) => press(from, key).state.notice!.text;
	assert.equal(notice(state([run('one', {type: 'run.queued', because: 'waits'})]), '!'), 'pause: one is queued');
	assert.equal(notice(freeze(running), 'r'), 'reply: one is paused (u continue)');
	assert.equal(
		notice({...running, here: {folder: '/x', project: undefined}}, 'P'),
		'add this project: this folder is not in a git repository',
	);
	for (const binding of bindings) {
		assert.doesNotMatch(binding.title.split(/[:;,]/)[0]!, /[:;]/);
	}
});

test('who goes on typing while a run is started changes nothing where the screen goes next', () => {
	const form = press(state([run('one', started, exited)]), 'n', ...'true', 'ctrl-s');
	assert.equal(form.state.screen, 'new');
	assert.equal(verbs(form.effects).length, 1);
	const typed = press(form.state, [100, 'B'], [100, 'a'], [100, 'd']);
	assert.deepEqual([typed.effects, formOf(typed.state)], [[], formOf(form.state)], 'what is under way is not changed');
	const there = update(typed.state, {
		type: 'done',
		run: undefined,
		title: 'new run',
		then: 'started',
		code: 0,
		stdout: 'one running on fleet/one\n',
		stderr: '',
		report: {runs: ['one']},
	}).state;
	assert.equal(there.screen, 'fleet');
	const on = press(there, [100, ' N'.trim()], [100, 'a'], [100, 'm'], [100, 'e'], [100, '!']);
	assert.deepEqual([on.state.screen, dialogOf(on.state), on.effects], ['fleet', undefined, []]);
	assert.match(on.state.notice!.text, /were dropped/);
	assert.equal(press(on.state, [900, 'a']).state.screen, 'gates', 'after a pause keys are keys');
	// Who waits has the keys at once; who went elsewhere stays there.
	assert.equal(
		press(
			update(form.state, {
				type: 'done',
				run: undefined,
				title: 'new run',
				then: 'started',
				code: 0,
				stdout: 'one x\n',
				stderr: '',
				report: {runs: ['one']},
			}).state,
			[50, 'a'],
		).state.screen,
		'gates',
	);
	const away = press(form.state, 'escape', 'd').state;
	assert.equal(
		update(away, {
			type: 'done',
			run: undefined,
			title: 'new run',
			then: 'started',
			code: 0,
			stdout: 'two x\n',
			stderr: '',
		}).state.screen,
		'run',
	);
	// What failed can be mended in the form.
	const failed = update(form.state, {
		type: 'done',
		run: undefined,
		title: 'new run',
		then: 'started',
		code: 2,
		stdout: '',
		stderr: 'fleet: no\n',
	}).state;
	assert.deepEqual([failed.screen, formOf(failed)], ['new', formOf(form.state)]);
	assert.notDeepEqual(formOf(press(failed, 'z').state), formOf(failed));
});

test('a form takes what is typed while another verb goes on', () => {
	const form = press({...state([run('one', started, exited)]), fleetBusy: 'add'}, 'n', ...'true').state;
	const {fields, at: active} = formOf(form)!;
	assert.equal(fields[active]!.value, 'true');
});

test('a comment is written where the cursor is seen to be, and is not taken away by one key', () => {
	const review = screens()['review']!;
	const rowOf = (from: State) =>
		text(from)
			.split('\n')
			.find(line => line.startsWith('▌'))!;
	const onHunk = press(review, ']', '}');
	assert.match(rowOf(onHunk.state), /@@/);
	const asked = press(onHunk.state, 'c');
	assert.match(dialogOf(asked.state)!.title, /line 1$/);
	assert.match(rowOf(asked.state), /export function parse\(/, 'the cursor is on the line that it is about');
	const kept = press(asked.state, ...'why', 'return');
	assert.match(rowOf(kept.state), /export function parse\(/, 'and stays there');
	assert.match(text(kept.state), /draft: why/);
	const gone = press(kept.state, 'x');
	assert.deepEqual(gone.effects, []);
	assert.match(text(gone.state), /Delete this comment\?/);
	assert.equal(press(gone.state, 'n').state.review!.review.comments.length, 2);
	assert.equal(press(gone.state, 'y').state.review!.review.comments.length, 1);
});

test('whose a new secret is can only be chosen', () => {
	const vault = screens()['vault']!;
	const asked = press(vault, 'n', ...'stripe', 'return');
	assert.deepEqual(dialogOf(asked.state)!.fields[1]!.choices, ['user', 'project']);
	assert.deepEqual(verbs(press(asked.state, 'right', 'return', 'return', 'return').effects), [
		'secret add stripe --project',
	]);
	assert.deepEqual(verbs(press(asked.state, ...'userproject', 'return', 'return', 'return').effects), [
		'secret add stripe --user',
	]);
});

/** A screen's store with a client that does nothing, and what it was asked to do. */
function storeOf(from: State): {store: Store; asked: string[][]} {
	const asked: string[][] = [];
	const client = {
		here: from.here,
		colours: 0,
		now: () => Date.now(),
		timeOfDay: () => 0,
		runs: () => from.runs,
		changes: () => ({}),
		projects: () => from.projects,
		agents: async () => from.agents,
		journal: () => [],
		activity: () => Promise.resolve({lines: [], today: {requests: 0, tokens: 0, dollars: 0, unpriced: 0}}),
		watch: () => () => {},
		watchLog: () => () => {},
		openLog: () => ({range: () => ({from: 0, to: 0}), read: () => new Uint8Array(), close() {}}),
		act: async (argv: readonly string[]) => {
			asked.push([...argv]);
			return {code: 1, stdout: '', stderr: ''};
		},
		review: () => ({viewed: {}, comments: []}),
		packages: () => [],
		saveReview() {},
		settings: async () => ({settings: from.settings, problem: undefined}),
		saveSettings: async () => undefined,
		recent: async () => ({commands: [], prompts: []}),
		terminal: {title() {}, bell() {}, notify() {}, copy: async () => '', mouse() {}, askBackground() {}},
	} as unknown as FleetClient;
	return {store: new Store(client, {columns: 100, rows: 30}, {onLeave: () => {}, resumeFrom: from}), asked};
}

test('a text that comes without being pasted as such is no keys; what is typed fast is', () => {
	const after = (from: State, text: string) => {
		const {store, asked} = storeOf(from);
		store.send({type: 'keys', keys: keysOf(text, {})});
		const result = store.snapshot();
		store.close();
		return {result, asked: asked.map(argv => argv.join(' '))};
	};

	const ready = state([run('one', started, exited, ...verified)]);
	const shell = after(ready, 'clear; fleet screen\r');
	assert.deepEqual(
		[shell.result.screen, dialogOf(shell.result), shell.asked.filter(verb => verb.startsWith('resume'))],
		['fleet', undefined, []],
	);
	assert.match(shell.result.notice!.text, /not as keys/);
	assert.equal(after(ready, 'jjjjjjjj').result.notice, undefined, 'a key that is held down');
	assert.equal(after(ready, '/one\r').result.list.filter, 'one', 'typed ahead, into a field');
	assert.equal(after(ready, 'a').result.screen, 'gates');
	assert.equal(after(ready, 'd]j').result.tab, 'changes');
	// A question that came up on the way is answered by nothing that came with it.
	assert.deepEqual(
		after(ready, 'ry').asked.filter(verb => verb.startsWith('resume')),
		[],
	);
	assert.deepEqual(
		after(ready, 'r\r').asked.filter(verb => verb.startsWith('resume')),
		[],
	);
	const approving = after(ready, 'ay\tyes\r');
	assert.deepEqual(
		[dialogOf(approving.result)?.kind, approving.asked.filter(verb => verb.startsWith('approve'))],
		['approve', []],
	);
});

test('what a verb changed while it had the terminal is asked for anew', async () => {
	const {store, asked} = storeOf({...screens()['vault']!});
	await new Promise(setImmediate);
	await new Promise(setImmediate);
	store.close();
	assert.deepEqual(
		asked.map(argv => argv.join(' ')),
		['secret list --json', 'secret stores --json'],
	);
});

test('an approval shows what was not looked at; what could not be read is not empty', () => {
	const gates = screens()['gates']!;
	const asked = press(gates, 'y').state;
	assert.match(text(asked), /Viewed {3}loading…/);
	assert.deepEqual(update(gates, {type: 'keys', keys: ['y']}).effects, [{type: 'diff', run: 'ready'}]);
	const files = parseDiff(diff);
	const typed = press(asked, ...'why');
	const known = update(typed.state, {
		type: 'diff',
		run: 'ready',
		files,
		review: {viewed: {[files[1]!.path]: files[1]!.digest}, comments: []},
	}).state;
	assert.match(text(known), /Viewed {3}! 2 of 3 files not viewed: \.github\/workflows\/ci\.yml, package-lock\.json/);
	assert.match(text(known), /! flagged: \.github\/workflows\/ci\.yml \(d diff\)/);
	assert.equal(dialogOf(known)!.fields[0]!.value, 'why', 'what was typed stays');
	const all = update(asked, {
		type: 'diff',
		run: 'ready',
		files,
		review: {viewed: Object.fromEntries(files.map(file => [file.path, file.digest])), comments: []},
	}).state;
	assert.match(text(all), /Viewed {3}all 3 files viewed/);
	assert.doesNotMatch(text(all), /Viewed {3}!/);
	const unread = update(asked, {
		type: 'diff',
		run: 'ready',
		files: [],
		review: {viewed: {}, comments: []},
		problem: 'too large',
	}).state;
	assert.match(text(unread), /Viewed {3}! not known: too large/);
	assert.match(press(unread, ...'yes', 'return').state.notice!.text, /the change could not be read: say why/);
	assert.match(text(press({...unread, focus: {type: 'screen'}}, 'd').state), /not readable: too large/);
	assert.doesNotMatch(text(press({...unread, focus: {type: 'screen'}}, 'd').state), /no changes/);
});

test('what a question says is there whole, and what answers it always', () => {
	const asked = press(screens()['gates']!, 'y').state;
	const known = update(asked, {
		type: 'diff',
		run: 'ready',
		files: parseDiff(diff),
		review: {viewed: {}, comments: []},
	}).state;
	for (const [columns, rows] of [
		[80, 24],
		[40, 24],
		[40, 12],
		[120, 14],
	] as const) {
		const shown = text({...known, columns, rows});
		assert.match(shown, /Confirm/);
		assert.match(shown, /Reason/);
		assert.ok(
			rows < 20
				? /… \d+ more lines: pgdn/.test(shown)
				: shown.replaceAll(/\s+/g, '').includes('1commandpassed,12tests'),
			`${columns} ${rows}`,
		);
	}

	// Whole hashes on demand.
	const wide = {...known, columns: 80, rows: 30};
	assert.doesNotMatch(text(wide), /e{64}/);
	assert.match(text(press(wide, 'ctrl-t').state), /Verified e{64}/);
	assert.doesNotMatch(text(press(wide, 'ctrl-t', 'ctrl-t').state), /e{64}/);
	// A file with a flag that nobody viewed wants a reason; the word that confirms is the answer.
	const refused = press(wide, 'y', 'e', 's', 'return');
	assert.deepEqual(refused.effects, []);
	assert.match(refused.state.notice!.text, /a file with a flag is not viewed: say why/);
	const said = press(refused.state, 'o', 'k', 'tab', 'return');
	assert.deepEqual(
		said.effects.map(effect => 'argv' in effect && effect.argv),
		[['approve', 'ready', '--because', 'ok']],
	);

	const stop = press({...running, columns: 40, rows: 12}, 'x').state;
	assert.match(text(stop), /y or enter: stop it/);
});

test('enter alone is no answer before the question could be read, and is one where something was typed', () => {
	const ready = state([run('one', started, exited, ...verified)]);
	assert.deepEqual(press(ready, 'D', [100, 'return']).effects, []);
	assert.equal(dialogOf(press(ready, 'D', [100, 'return']).state)?.kind, 'discard', 'the question stays');
	assert.deepEqual(verbs(press(ready, 'D', [100, 'return'], [300, 'return']).effects), ['discard one']);
	assert.deepEqual(verbs(press(ready, 'D', [50, 'o'], [50, 'k'], [50, 'return']).effects), [
		'discard one --because ok',
	]);
});

test('a question has a frame with its title where there is room, and no more of it is read out than its words', () => {
	const asked = press(running, 'x').state;
	const shown = (columns: number, rows = 24) => text({...asked, columns, rows});
	assert.match(shown(60), /╭─ Stop one\? ─+╮\n│ Task {5}Mend the parser +│[\s\S]*╰─+╯/);
	assert.doesNotMatch(shown(59), /[╭│╰]/);
	assert.match(shown(59), /Stop one\?[\s\S]*Task {5}Mend the parser[\s\S]*▸ y or enter: stop it/);
	assert.doesNotMatch(shown(80, 10), /[╭╰]/, 'too low');
	assert.match(shown(80, 10), /▸ y or enter: stop it/);
	const spoken = announce(undefined, asked).lines;
	assert.doesNotMatch(spoken.join('\n'), /[╭│╰]/);
	assert.ok(spoken.includes('question: Stop one?'), spoken.join('\n'));
	// A title that is longer than the edge is there whole, and rows end between words.
	const {focus} = asked;
	assert.equal(focus.type, 'dialog');
	const title = `Comment on ${'folder/'.repeat(14)}file.ts, line 1`;
	const long: State = {
		...asked,
		columns: 80,
		rows: 24,
		focus: {...focus, dialog: {...focus.dialog, title, lines: ['word '.repeat(40)]}},
	};
	assert.ok(text(long).replaceAll(/[│\s]/g, '').includes(title.replaceAll(' ', '')));
	assert.doesNotMatch(text(long), /\bwor\b|│ ord/);
});

test('a target outside of its window asks why before anything else, and says when it opens', () => {
	const gates = screens()['deploy']!;
	// The first of January 2026 is a Thursday, and it is midnight.
	const from = (window: string): State => ({
		...gates,
		focus: {type: 'screen'},
		offers: {p: {...gates.offers['p']!, deploy: {shelf: {command: 'cp a b', credentials: [], window}}}},
	});
	const ids = (shown: State) => dialogOf(shown)!.fields.map(field => field.id);
	const closed = press(from('mon-fri 09:00-16:00'), 'p');
	assert.match(text(closed.state), /shelf {2}outside the deploy window \(opens Thu 09:00\)/);
	assert.deepEqual(ids(closed.state), ['target', 'confirm']);
	for (const key of ['return', 'tab']) {
		const hasty = press(closed.state, key);
		assert.match(hasty.state.notice!.text, /^shelf is outside its deploy window \(opens Thu 09:00\); o: deploy now$/);
		assert.equal(dialogOf(hasty.state)!.at, 0, 'the word is not asked for');
	}

	assert.deepEqual(press(closed.state, 'down', ...'shelf', 'return').effects, []);
	const outside = press(closed.state, 'o');
	assert.deepEqual([ids(outside.state), dialogOf(outside.state)!.at], [['target', 'reason', 'confirm'], 1]);
	assert.equal(dialogOf(press(outside.state, 'return').state)!.at, 1, 'not without a reason');
	assert.deepEqual(press(outside.state, 'down', ...'shelf', 'return').effects, []);
	assert.deepEqual(verbs(press(outside.state, ...'outage', 'return', ...'shelf', 'return').effects), [
		'deploy merged shelf --confirm shelf --outside-window --because outage',
	]);
	// What the policy offers may come when the question is there already.
	const early = press({...gates, focus: {type: 'screen'}, offers: {}}, 'p').state;
	const offered = (to: State, window: string) =>
		update(to, {type: 'offer', project: 'p', offer: from(window).offers['p']!}).state;
	assert.deepEqual(dialogOf(offered(early, 'mon-fri 09:00-16:00'))!.fields, dialogOf(closed.state)!.fields);
	assert.equal(
		dialogOf(offered(press(early, 'x').state, '00:00-12:00'))!.fields[0]!.value,
		'x',
		'not over what was typed',
	);
	const open = press(from('00:00-12:00'), 'p');
	assert.deepEqual(ids(open.state), ['target', 'confirm']);
	assert.match(press(open.state, 'o').state.notice!.text, /not outside of its deploy window/);
	assert.deepEqual(verbs(press(open.state, 'return', ...'shelf', 'return').effects), [
		'deploy merged shelf --confirm shelf',
	]);
});

test('a deploy that others have to say yes to is asked for, approved, and then begun', () => {
	const typed = (shown: State, ...keys: string[]) => press(shown, ...keys).effects;
	const ids = (shown: State) => dialogOf(shown)!.fields.map(({id}) => id);
	const ask = screens()['deploy-request']!;
	assert.match(text(ask), /Approval +needs a yes of 1 of owners: ask for it/);
	assert.match(text(ask), /Then +looks whether it works \(\.\/healthy\), and rolls back if not/);
	assert.deepEqual([ids(ask), dialogOf(ask)!.verb], [['target', 'reason', 'confirm'], 'ask']);
	const hasty = press(ask, 'return', 'return');
	assert.match(hasty.state.notice!.text, /say why: those who are to say yes read it/);
	assert.deepEqual(verbs(typed(ask, 'return', ...'ok', 'return', ...'production', 'return')), [
		'deploy merged production --request --because ok',
	]);
	assert.deepEqual(ids(press(ask, 'up').state), ['target', 'confirm'], 'another target needs nobody');

	// What waits is chosen, whatever stands first, and its window does not matter yet.
	const approve = screens()['deploy-approve']!;
	assert.match(text(approve), /Asked +by ada: the release/);
	assert.match(text(approve), /Approval +waits for 1 of bo, cy, 58m left/);
	assert.match(text(approve), /type production to approve this one deploy/);
	const word = ['return', ...'production', 'return'];
	assert.deepEqual(verbs(typed(approve, ...word)), ['deploy merged production --approve']);

	// A no says why, and stands on the row; then it is for whoever said it to approve.
	const no = press(press(approve, 'escape').state, 'X').state;
	assert.match(text(no), /Reject the deploy of merged to production[^]*Asked +by ada: the release/);
	assert.match(press(no, 'return').state.notice!.text, /a no needs a reason/);
	assert.deepEqual(verbs(typed(no, ...'not today', 'return')), [
		'deploy merged production --reject --because not today',
	]);
	const rejected = screens()['deploy-rejected']!;
	assert.match(text(rejected), /Rejected +by bo: not today; bo alone takes that back/);
	assert.equal(dialogOf(rejected)!.verb, 'approve');
	assert.match(text(press(rejected, 'escape').state), /Deploy +production rejected by bo: not today/);

	const approved = screens()['deploy-approved']!;
	assert.match(text(approved), /Approval +approved by bo, 13m left/);
	assert.match(press(approved, 'return').state.notice!.text, /production is outside its deploy window/);

	// Somebody else was quicker: what was typed to approve it deploys nothing.
	const half = press(approve, 'return', ...'production').state;
	const quicker = {...half, runs: approved.runs};
	assert.deepEqual(typed(quicker, 'return'), []);
	const refreshed = update(quicker, {type: 'offer', project: 'p', offer: quicker.offers['p']!}).state;
	assert.deepEqual(typed(refreshed, 'return'), []);
	assert.match(text(screens()['deploy-waits']!), /Deploy +production waits for TOKEN/);
});

test('an answer is typed for an agent that waits, and is for the question that was shown', () => {
	const waiting = run('one', started, {
		type: 'agent.status',
		state: 'waiting',
		because: 'waiting for input',
	});
	const showing = (lines: readonly string[]): State => ({
		...state([waiting]),
		log: {
			run: 'one',
			kind: 'output',
			rows: lines.map((line, index) => ({from: index, to: index + 1, spans: [{text: line}]})),
			following: true,
			range: {from: 0, at: 0, to: lines.length},
		},
	});
	const plain = showing(['Which licence?', '1. MIT', '2. Apache-2.0']);
	const asked = press(plain, 'r');
	assert.match(text(asked.state), /Reply to one[\s\S]*Which licence\?[\s\S]*2\. Apache-2\.0[\s\S]*1, 2: choose/);
	assert.deepEqual(press(asked.state, 'return').effects, [], 'nothing typed, nothing sent');
	const [sent] = press(asked.state, '2', 'return').effects;
	assert.deepEqual(
		[sent?.type === 'act' && sent.argv, sent?.type === 'act' && sent.input],
		[['reply', 'one', '-'], '2'],
		'typed with enter, and in no list of processes',
	);

	const menu = press(showing(['❯ 1. Yes', '  2. No']), 'r');
	const [chosen] = press(menu.state, '1', 'return').effects;
	assert.deepEqual(chosen?.type === 'act' && chosen.argv, ['reply', '--key', 'one', '-']);
	const [written] = press(menu.state, 'h', 'i', 'return').effects;
	assert.deepEqual(written?.type === 'act' && written.argv, ['reply', 'one', '-'], 'words are entered');

	// Another question came up while the answer was typed.
	const changed = {...press(asked.state, '2').state, log: showing(['❯ 1. Delete all', '  2. Keep']).log};
	const refused = press(changed, 'return');
	assert.deepEqual(refused.effects, []);
	assert.match(text(refused.state), /the question changed[\s\S]*|Delete all/);
	assert.match(text(refused.state), /Delete all/);
});

test('a deploy says what it brings and takes back, for the target that is chosen', () => {
	const asked = screens()['deploy-targets']!;
	assert.match(text(asked), /Last {7}9999999 of earlier, 3d ago/);
	assert.match(text(asked), /Brings {5}9 commits[^]*1111111 Mend the parser[^]*and 6 more/);
	assert.match(text(asked), /Takes back ! 1 commit[^]*Try another way/);
	const {fields} = dialogOf(asked)!;
	const [target] = fields;
	assert.deepEqual([target!.value, target!.cursor], ['production', 1]);
	// Another target: another word, no reason that was asked for the first, and not what is known of the first.
	const other = press(asked, 'up', 'up').state;
	assert.deepEqual(
		dialogOf(other)!.fields.map(({id, value}) => [id, value]),
		[
			['target', 'staging'],
			['confirm', ''],
		],
	);
	assert.match(text(other), /Last {5}loading…/);
	assert.match(text(other), /type staging to deploy/);
	const unread = update(other, {type: 'deploy-plan', run: 'merged', target: 'staging', plan: undefined}).state;
	assert.match(text(unread), /Last {5}! not known/);
	const {plans} = asked;
	const first = {...plans['merged production']!, last: null, added: null, removed: null};
	const anew = update(other, {type: 'deploy-plan', run: 'merged', target: 'staging', plan: first}).state;
	assert.match(text(anew), /none: the first good deploy to staging/);
	// A policy that is read again does not choose another target.
	const again = update(asked, {type: 'offer', project: 'p', offer: asked.offers['p']!}).state;
	assert.equal(dialogOf(again)!.fields[0]!.value, 'production');
	assert.match(text(screens()['rollback']!), /From {7}fffffff of worse, failed: exit code 1[^]*To {9}fffffff of good/);
	assert.match(text(screens()['rollback']!), /Takes back ! 9 commits[^]*Mend the parser/);
	const opened = update({...asked, focus: {type: 'screen'}}, {type: 'keys', keys: ['p']});
	assert.deepEqual(
		opened.effects.flatMap(effect => (effect.type === 'deploy-plan' ? [effect.target] : [])),
		['staging', 'production', 'shelf'],
	);
	assert.deepEqual(opened.state.plans, {}, 'what was read before may not be so any more');
});
