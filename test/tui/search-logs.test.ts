import assert from 'node:assert/strict';
import {mkdirSync, writeFileSync} from 'node:fs';
import {test} from 'node:test';
import type {FleetClient} from '../../source/protocol/client.ts';
import {LogFile} from '../../source/host/log-file.ts';
import {searchLogs} from '../../source/terminal/search-logs.ts';
import {perform} from '../../source/tui/perform.ts';
import {Store} from '../../source/tui/store.ts';
import {defaultSettings} from '../../source/core/settings.ts';
import type {Message} from '../../source/tui/state.ts';
import {press, text} from './press.ts';
import {update} from '../../source/tui/update.ts';
import {Fleet, until} from '../support/fleet.ts';
import {exited, run, screens, started, state} from './states.ts';

/* Words in the logs of all runs, and the way to where they stand. */

test('a key asks for words, what is found is a list, and enter opens the log at its place', () => {
	const from = state([run('works', started, exited), run('ready', started, exited)]);
	const typed = press(from, '\\', ...'No such', 'return');
	assert.deepEqual(typed.effects, [{type: 'search-logs', words: 'No such'}]);
	assert.match(text(typed.state), /search {2}No such {2}searching…/);
	const found = screens()['found']!.found!;
	const late = update(typed.state, {...found, type: 'found', words: 'other', lines: found.lines!}).state;
	assert.equal(late.found!.lines, undefined, 'the answer to another question');
	const shown = update(typed.state, {type: 'found', words: 'No such', lines: found.lines!, note: ''}).state;
	assert.match(text(shown), /3 lines\n▌works {2}output error: cannot open/);
	// A long line is shown where the words are.
	assert.match(text(shown), /ready {2}verify ….*Cannot open it/);
	const opened = press(shown, 'j', 'return');
	const {screen, tab, selected, logShown, logView} = opened.state;
	assert.deepEqual([screen, tab, selected, logShown, logView.search], ['run', 'output', 'ready', 'verify', 'No such']);
	assert.deepEqual(opened.effects, [
		{type: 'log', kind: 'verify', move: {position: 120}},
		{type: 'log', kind: 'verify', move: {by: -3}},
	]);
	assert.match(text({...opened.state, log: {...screens()['output']!.log!, run: 'ready'}}), /verify log/);
	// Esc takes the search off, then goes back to what was found, then to the list.
	const back = press(opened.state, 'escape', 'escape').state;
	assert.deepEqual([back.screen, back.found!.at], ['found', 1]);
	assert.equal(press(back, 'escape').state.screen, 'fleet');
	assert.equal(press(opened.state, '1').state.logShown, 'output');
	const gone = press(shown, 'G', 'return').state;
	assert.deepEqual([gone.screen, gone.notice?.text], ['found', 'open the log there: merged is not there any more']);
	assert.deepEqual(press(from, '\\', ' ', 'return').effects, []);
	assert.equal(press(from, '\\', 'x', 'escape').state.screen, 'fleet');
});

test('a click selects what was found, a second one opens it, and what is below is counted', () => {
	const from = state([run('works', started, exited)], {rows: 24, screen: 'found'});
	const [line] = screens()['found']!.found!.lines!;
	const lines = Array.from({length: 50}, (_, index) => ({...line!, position: index, text: `cannot open ${index}`}));
	const many = {...from, found: {words: 'cannot open', note: '', at: 0, top: 0, lines}};
	const click = (on: typeof many, row: number, at: number) =>
		update(on, {type: 'mouse', kind: 'press', column: 9, row, at}).state as typeof many;
	assert.match(text(many), /50 lines, ↓ 29 more/);
	const clicked = click(many, 12, 1000);
	assert.equal(clicked.found.at, 11);
	assert.equal(text(clicked).split('\n')[12]?.startsWith('▌works'), true, 'it is where it was clicked');
	assert.equal(click(clicked, 12, 5000).screen, 'found', 'one click alone opens nothing');
	assert.deepEqual([click(clicked, 12, 1200).screen, click(clicked, 13, 1200).screen], ['run', 'found']);
	assert.equal(click(many, 0, 1).found.at, 0);
	const end = press(many, 'end').state;
	assert.doesNotMatch(text(end), /more/);
	assert.match(text(press(end, 'k', 'k').state), /cannot open 49$/m, 'the cursor moves, and not the list');
});

test('what was found by the verb is shown at its place in the log of a real run', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('one', 'seq 1000; true');
	const {paths} = fleet.context();
	const sent: Message[] = [];
	const asked: string[][] = [];
	await perform(
		{
			act: async (argv: readonly string[]) => {
				asked.push([...argv]);
				const {code, stdout, stderr} = fleet.run(argv);
				return {code: code ?? 1, stdout, stderr};
			},
		} as unknown as FleetClient,
		{type: 'search-logs', words: '-?77[78]$'},
		message => sent.push(message),
	);
	assert.deepEqual(asked[0]!.slice(-2), ['--', '-?77[78]$']);
	const [found] = sent;
	assert.ok(found?.type === 'found');
	assert.deepEqual(
		found.lines.map(line => line.text),
		['778', '777'],
	);
	const own = run('one', started, exited);
	const client = {
		here: {folder: '/p', project: 'p'},
		colours: 0,
		now: () => Date.now(),
		timeOfDay: () => 0,
		runs: () => [own],
		changes: () => ({}),
		projects: () => [],
		agents: () => Promise.resolve([]),
		journal: () => [],
		activity: () => new Promise(() => {}),
		watch: () => () => {},
		watchLog: () => () => {},
		openLog: (id: string) => new LogFile(paths.run(id).output),
		settings: () => Promise.resolve({settings: defaultSettings, problem: undefined}),
		recent: () => Promise.resolve({commands: [], prompts: []}),
		terminal: {title() {}, bell() {}, notify() {}, mouse() {}, askBackground() {}},
		act: () => new Promise(() => {}),
	} as unknown as FleetClient;
	const store = new Store(client, {columns: 80, rows: 24}, {onLeave() {}});
	t.after(() => store.close());
	for (const key of ['\\', ...'77', 'return']) {
		store.send({type: 'keys', keys: [key]});
	}

	store.send({...found, words: '77'});
	store.send({type: 'keys', keys: ['j']});
	store.send({type: 'keys', keys: ['return']});
	await until(() => text(store.snapshot()).includes('\n777'), 'the line is in view');
	const rows = store.snapshot().log!.rows.map(row => row.spans.map(span => span.text).join(''));
	assert.equal(rows[3], '777');
});

test('a search is bounded by lines, bytes and time, and begins with what was written last', t => {
	const fleet = new Fleet(t, {add: false});
	const {paths} = fleet.context();
	for (const [index, id] of ['a', 'b', 'c'].entries()) {
		mkdirSync(paths.run(id).folder, {recursive: true});
		writeFileSync(paths.run(id).output, `needle ${id}\n${'x'.repeat(50)}\n`.repeat(20_000 * (index + 1)));
	}

	const search = {words: 'needle', limit: 10, timeMs: 60_000, maxBytes: 2 ** 40};
	const few = searchLogs({paths}, search);
	assert.equal(few.stopped, 'limit');
	assert.ok(few.bytes < 500_000, 'no log is read whole for its last lines');
	assert.ok(few.found.every(({run, text}) => run === 'c' && text === 'needle c'));
	const bytes = searchLogs({paths}, {...search, words: 'nowhere', maxBytes: 1_000_000});
	assert.deepEqual([bytes.stopped, bytes.logs, bytes.of], ['bytes', 0, 3]);
	assert.ok(bytes.bytes < 1_500_000);
	assert.equal(searchLogs({paths}, {...search, words: 'nowhere', timeMs: 0}).stopped, 'time');
	const all = searchLogs({paths}, {...search, limit: 1_000_000});
	assert.deepEqual([all.stopped, all.found.length, all.logs], [undefined, 120_000, 3]);
});
