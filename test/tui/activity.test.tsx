import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {FleetClient} from '../../source/protocol/client.ts';
import {defaultSettings} from '../../source/core/settings.ts';
import {activityLines, selectActivity} from '../../source/tui/activity.ts';
import {bindings} from '../../source/tui/keymap.ts';
import {fleetLayout, footerHeight} from '../../source/tui/layout.ts';
import type {Message, State} from '../../source/tui/state.ts';
import {Store} from '../../source/tui/store.ts';
import {press, text} from './press.ts';
import {update} from '../../source/tui/update.ts';
import {frameLines} from '../../source/tui/view.ts';
import {activity, spent} from './activity-lines.ts';
import {run, started, state} from './states.ts';

/* The inbox: what happened, the way from there to a run, and that nothing that was said is lost. */

const runs = ['works', 'denied', 'ready', 'fails', 'merged'].map(id => run(id, started));
const list = state(runs, {activity: activity()});
const selected = (from: State) => /▌(.*)/.exec(text(from))?.[1]?.trim();

test('& shows what happened, enter goes to the run, and esc comes back, and then to the list', () => {
	const opened = press(list, '&');
	assert.equal(opened.state.screen, 'activity');
	assert.deepEqual(opened.effects, [{type: 'activity'}]);
	assert.match(
		text(opened.state),
		/Today[\s\S]*you allowed docs\.test:443[\s\S]*blocked a\.test:443 ×12[\s\S]*Yesterday/,
	);
	assert.doesNotMatch(text(opened.state), /\u001B/);
	const onRun = press(opened.state, 'j', 'j', 'return').state;
	assert.deepEqual([onRun.screen, onRun.tab, onRun.selected, onRun.parent], ['run', 'output', 'fails', 'activity']);
	const back = press(onRun, 'escape').state;
	assert.equal(back.screen, 'activity');
	assert.match(selected(back)!, /fails/, 'the line is still selected');
	assert.equal(press(back, 'escape').state.screen, 'fleet');
	// No two screens lead to each other for ever.
	assert.equal(press(onRun, '&', 'escape').state.screen, 'fleet');
	assert.equal(press(list, 'return', '&', 'escape', 'escape').state.screen, 'fleet');
	assert.equal(press(list, 'return', '&', 'escape').state.screen, 'run');
	assert.equal(press(onRun, '&', 'return', 'escape', 'escape').state.screen, 'fleet');
	const gone = press(state([run('works', started)], {activity: activity()}), '&', 'j', 'return').state;
	assert.deepEqual([gone.screen, gone.notice?.text], ['activity', 'open the run: denied is not there any more']);
});

test('kinds by key, words by /, and both together', () => {
	const opened = press(list, '&').state;
	const shown = (from: State) => activityLines(from).map(line => line.run);
	assert.deepEqual(shown(press(opened, '3').state), ['denied', 'alarm']);
	assert.deepEqual(shown(press(opened, '4').state), ['fails', 'ready']);
	assert.deepEqual(shown(press(opened, '5').state), ['works']);
	assert.deepEqual(shown(press(opened, 'f').state), ['works', 'merged', 'merged']);
	const typed = press(opened, '/', 'R', 'E', 'A', 'd', 'return').state;
	assert.deepEqual(shown(typed), ['ready', 'merged']);
	assert.deepEqual(shown(press(typed, '2').state), ['merged']);
	assert.match(text(press(typed, '6').state), /no line matches/);
	assert.deepEqual(shown(press(typed, 'escape').state).length, 10);
	assert.equal(press(typed, 'escape').state.screen, 'activity');
	for (const binding of bindings.filter(({places}) => places.includes('activity'))) {
		assert.ok(binding.title.length > 0);
	}
});

test('news at the top do not move the line that is selected', () => {
	const opened = press(list, '&').state;
	const add = (from: State) =>
		update(from, {
			type: 'activity',
			lines: [{...from.activity.lines![0]!, id: 'fresh', text: 'something new'}, ...from.activity.lines!],
			today: from.activity.today!,
		}).state;
	assert.match(selected(add(press(opened, 'j').state))!, /blocked a\.test/);
	assert.match(selected(add(opened))!, /something new/, 'who looks at the newest goes on with it');
	assert.match(selected(selectActivity(opened, 999))!, /started/);
	assert.match(selected(press(opened, 'G', 'g').state)!, /docs\.test/);
});

test('the table of spend is read when it is asked for, and what is not known is not 0', () => {
	const asked = press(list, '&', '$');
	assert.deepEqual(asked.effects.at(-1), {type: 'spend', by: 'day'});
	assert.match(text(asked.state), /loading/);
	const other = press(asked.state, 'o');
	assert.deepEqual(other.effects.at(-1), {type: 'spend', by: 'project'});
	const late = update(other.state, {type: 'spend', by: 'day', rows: []}).state;
	assert.match(text(late), /loading/, 'the answer to another question');
	const shown = update(other.state, {type: 'spend', by: 'project', rows: spent.rows!}).state;
	assert.match(text(shown), /tools +not reported +- +3 +3 runs report no cost/);
	assert.doesNotMatch(text(shown), /\$0\.00/);
	assert.match(text(list), /5 runs, ~\$0\.61 today/);
	assert.match(
		text({...list, activity: activity({today: {...list.activity.today!, dollars: 0, unpriced: 182_000}})}),
		/182k tokens today/,
	);
	assert.doesNotMatch(text({...list, activity: activity({today: undefined})}), /today/);
});

test('what happened lately is below the list where six rows are free, and never takes one of its rows', () => {
	const pane = (count: number, rows = 45) => {
		const many = Array.from({length: count}, (_, index) => run(`run-${index}`, started));
		const from = state(many, {columns: 140, rows, activity: activity()});
		const layout = fleetLayout(from, rows - footerHeight);
		assert.equal(layout.list.height + layout.activity, layout.preview.height);
		assert.equal(frameLines(from).length, rows);
		return layout.activity;
	};

	assert.equal(pane(2), 9);
	// 41 rows, one of them a heading and one blank.
	assert.equal(pane(41 - 2 - 9), 9);
	assert.equal(pane(41 - 2 - 6), 6);
	assert.equal(pane(41 - 2 - 5), 0);
	assert.equal(pane(2, 24), 9);
	assert.equal(fleetLayout({...list, columns: 80}, 43).activity, 0, 'a narrow screen shows the run there');
	assert.equal(fleetLayout({...list, columns: 140, activity: activity({lines: undefined})}, 43).activity, 0);
	const old = {...list, columns: 140, rows: 45, now: list.now + 3 * 24 * 60 * 60_000};
	assert.doesNotMatch(text(old), /─ Activity/, 'of days ago it says nothing');
});

test('what comes at once is said together, and all that was said is kept', () => {
	const say = (from: State, words: string, bad = false): State => update(from, {type: 'said', text: words, bad}).state;
	const three = say(say(say(list, 'a is paused'), 'b is paused'), 'c is paused');
	assert.match(text(three), /c is paused · b is paused · a is paused\n/);
	assert.equal(three.notice!.bad, false);
	assert.equal(say(say(list, 'failed', true), 'worked').notice!.bad, true, 'an error among them stays one');
	const many = Array.from({length: 12}, (_, index) => `run-${index} is paused; u continue`).reduce(
		(from, words) => say(from, words),
		list,
	);
	assert.match(text(many), /\nrun-11 is paused; u continue · 11 more \(&\)/);
	// How far something is does not stay beside its end.
	const passing = update(say(list, 'a is paused'), {type: 'said', text: 'x', bad: false}).state;
	const counted = {...passing, notice: {...passing.notice!, isPassing: true}};
	assert.deepEqual(say(counted, 'all paused').notice, {text: 'all paused', bad: false, earlier: ['a is paused']});
	// What a person did is said by itself.
	assert.equal(press(three, 'o').state.notice!.earlier, undefined);
	assert.match(press(three, 'o').state.notice!.text, /group by/);
	const kept = press(three, 'o', '&', '7').state;
	assert.deepEqual(
		activityLines(kept).map(line => line.text),
		['group by project', 'c is paused', 'b is paused', 'a is paused'],
	);
	assert.match(text(kept), /group by project\n[\s\S]*c is paused/);
	assert.equal(press(kept, 'return').state.notice?.text, 'open the run: not about one run');
});

test('a notice goes away by itself, and an error with the next key', async t => {
	t.mock.timers.enable({apis: ['setTimeout']});
	const client = {
		here: {folder: '/p', project: 'p'},
		colours: 0,
		now: () => 0,
		timeOfDay: () => 0,
		runs: () => runs,
		changes: () => ({}),
		projects: () => [],
		agents: () => Promise.resolve([]),
		journal: () => [],
		activity: () => Promise.resolve({lines: activity().lines!, today: activity().today!}),
		watch: () => () => {},
		watchLog: () => () => {},
		openLog: () => ({range: () => ({from: 0, to: 0}), read: () => new Uint8Array(), close() {}}),
		settings: () => Promise.resolve({settings: defaultSettings, problem: undefined}),
		recent: () => Promise.resolve({commands: [], prompts: []}),
		terminal: {title() {}, bell() {}, notify() {}, mouse() {}, askBackground() {}},
	} as unknown as FleetClient;
	const store = new Store(client, {columns: 80, rows: 24}, {onLeave() {}});
	t.after(() => store.close());
	const notice = () => store.snapshot().notice?.text;
	const say = (words: string, bad = false) => store.send({type: 'said', text: words, bad} satisfies Message);
	say('one');
	t.mock.timers.tick(7900);
	assert.equal(notice(), 'one');
	t.mock.timers.tick(200);
	assert.equal(notice(), undefined);
	// A second one is shown for its whole time.
	say('two');
	t.mock.timers.tick(5000);
	say('three');
	t.mock.timers.tick(5000);
	assert.equal(notice(), 'three');
	t.mock.timers.tick(5000);
	assert.equal(notice(), undefined);
	say('failed', true);
	t.mock.timers.tick(60_000);
	assert.equal(notice(), 'failed');
	store.send({type: 'keys', keys: ['j']});
	assert.equal(notice(), undefined);
	assert.deepEqual(
		store.snapshot().noticed.map(noticed => noticed.text),
		['failed', 'three', 'two', 'one'],
	);
	// One that was made while the screen was left goes away, and is kept, too.
	const left: State = {...store.snapshot(), notice: {text: 'not started', bad: false}};
	const back = new Store(client, {columns: 80, rows: 24}, {onLeave() {}, resumeFrom: left});
	t.after(() => back.close());
	assert.equal(back.snapshot().noticed[0]!.text, 'not started');
	t.mock.timers.tick(8100);
	assert.equal(back.snapshot().notice, undefined);
	// What happened is there soon after the first frame.
	await new Promise(resolve => {
		setImmediate(() => setImmediate(resolve));
	});
	assert.equal(store.snapshot().activity.lines?.length, 10);
});

test('a click selects a line of the activity, a second one opens its run, and neither moves the list', () => {
	const lines = Array.from({length: 60}, (_, index) => ({
		...list.activity.lines![0]!,
		id: `line ${index}`,
		run: index % 2 === 0 ? 'works' : 'ready',
		text: `did ${index}`,
	}));
	const many: State = {...press(list, '&').state, columns: 100, rows: 24, activity: activity({lines})};
	const rowOf = (from: State, word: string) =>
		text(from)
			.split('\n')
			.findIndex(line => line.endsWith(word));
	const click = (from: State, row: number, at: number) =>
		update(from, {type: 'mouse', kind: 'press', column: 20, row, at});
	assert.match(text(many), /activity {2}60 lines, newest first, ↓ 41 more/);
	assert.doesNotMatch(text({...many, rows: 80}), /more/);
	// The list moves only where the cursor would leave it, and not under the pointer.
	const row = rowOf(many, 'did 12');
	const clicked = click(many, row, 1000).state;
	assert.match(selected(clicked)!, /did 12$/);
	assert.equal(rowOf(clicked, 'did 12'), row);
	assert.deepEqual(
		[click(clicked, row, 9000).state.screen, click(clicked, row - 1, 1100).state.screen],
		['activity', 'activity'],
	);
	const opened = click(clicked, row, 1200).state;
	assert.deepEqual([opened.screen, opened.selected], ['run', 'works']);
	const down = press(many, ...Array.from({length: 40}, () => 'j')).state;
	assert.match(text(down), /↓ 19 more/);
	assert.match(selected(click(down, rowOf(down, 'did 30'), 1).state)!, /did 30$/);
	// News come above, and the selected line stays where it is on the screen.
	const news = update(clicked, {
		type: 'activity',
		lines: [{...lines[0]!, id: 'new', text: 'news'}, ...lines],
		today: many.activity.today!,
	}).state;
	assert.equal(rowOf(news, 'did 12'), row);
	assert.match(text(press(news, 'home').state), /Today[\s\S]*news/);
	// A day, the rows below, and the heads are no lines; the name of a kind is its key.
	for (const other of [0, 2, 22]) {
		assert.equal(click(many, other, 1).state.activity.at, undefined, String(other));
	}

	assert.equal(update(many, {type: 'mouse', kind: 'press', column: 12, row: 1, at: 1}).state.activity.view, 'decision');
	assert.match(
		text({...list, rows: 18, columns: 140, activity: activity({lines})}),
		/─ Activity ─+ ↓ \d+ more, & last hour─/,
	);
});
