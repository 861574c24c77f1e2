import assert from 'node:assert/strict';
import {test} from 'node:test';
import {gatesOf} from '../../source/core/run/gates.ts';
import {paint, themeNames, themeOf, themes} from '../../source/tui/paint/theme.ts';
import type {Back, Tone} from '../../source/core/text/spans.ts';
import {allGlances, visibleRuns} from '../../source/tui/list.ts';
import {noUsage} from '../../source/core/run/usage.ts';
import {shows, sorts, type State} from '../../source/tui/state.ts';
import {update} from '../../source/tui/update.ts';
import {frameLines} from '../../source/tui/view.ts';
import {runOf, screens, started, state} from './states.ts';
import type {RunEvent} from '../../source/core/run/event.ts';
import type {Run} from '../../source/core/run/run.ts';
import {viewCounts} from '../../source/tui/views.ts';

/* What stands where stays there, and what is there can be read. */

const text = (from: State) =>
	frameLines(from).map(line => line.spans?.map(span => span.text).join('') ?? line.text ?? '');
const press = (from: State, ...keys: string[]) =>
	keys.reduce((current, key) => update(current, {type: 'keys', keys: [key]}).state, from);
const many = {
	...state(Array.from({length: 40}, (_, index) => runOf('p', `run-${index}`, started))),
	columns: 80,
	rows: 24,
};

/** Clicks on a row of the screen, at a time in milliseconds. */
const click = (from: State, row: number, at: number) =>
	update(from, {type: 'mouse', kind: 'press', column: 5, row, at});

test('a click selects what is under the pointer, and the list does not move under it', () => {
	const [first, second] = [text(many)[9]!, text(many)[6]!];
	const clicked = click(many, 9, 1000).state;
	assert.equal(text(clicked)[9]!.slice(1), first.slice(1));
	assert.ok(first.includes(clicked.selected!));
	// Later the same cell is the same run, and one click alone opens nothing.
	const again = click(clicked, 9, 5000);
	assert.deepEqual([again.state.selected, again.state.screen], [clicked.selected, 'fleet']);
	assert.equal(click(again.state, 9, 5300).state.screen, 'run', 'two clicks open it');
	assert.equal(click(click(many, 9, 1000).state, 6, 1100).state.screen, 'fleet', 'two clicks on two runs do not');
	assert.equal(text(click(clicked, 6, 5000).state)[6]!.slice(1), second.slice(1));
	// Beside the list nothing of it is selected.
	const wide = {...many, columns: 140, rows: 45};
	assert.equal(update(wide, {type: 'mouse', kind: 'press', column: 120, row: 9}).state.selected, wide.selected);
	assert.notEqual(update(wide, {type: 'mouse', kind: 'press', column: 12, row: 9}).state.selected, wide.selected);
});

test('each view says how many runs it has, where there is room, and a click on it still goes there', () => {
	const fleet = {...screens()['fleet']!, columns: 120, rows: 40};
	const line = (from: State) => text(from)[1]!.trimEnd();
	assert.match(line(fleet), /^ 1 all 10 {2}2 needs you 6 {2}3 running \d {2}4 review \d {2}5 done \d /);
	assert.match(line(fleet), /group: attention \(o\)$/);
	const filtered = press(fleet, '/', 'r', 'e', 'a', 'd', 'y');
	assert.equal(line(filtered).slice(0, 60), line(fleet).slice(0, 60), 'what is typed as a filter changes no view');
	for (const columns of [60, 80, 120]) {
		const at = {...fleet, columns};
		const clicked = update(at, {type: 'mouse', kind: 'press', column: line(at).indexOf('5 done') + 4, row: 1, at: 1});
		assert.equal(clicked.state.list.show, 'done', String(columns));
	}

	assert.match(line({...fleet, columns: 52}), /^ 1 all {2}2 needs you {2}3 running {2}4 review {2}5 done$/);
	for (const [index, show] of shows.entries()) {
		const shown = press(fleet, String(index + 1));
		const count = Number(new RegExp(`${show} (\\d+)`).exec(line(shown))![1]);
		assert.equal(count, visibleRuns(shown).length, show);
	}
});

test('the output beside or below the list is scrolled by key and by wheel, and says where it is', () => {
	const log = {...screens()['fleet']!.log!, run: 'works', range: {from: 0, at: 100, to: 200}};
	const wide = {...screens()['fleet']!, columns: 140, rows: 45, selected: 'works', log};
	const low = {...wide, columns: 80, rows: 30};
	for (const from of [wide, low]) {
		const {effects} = update(from, {type: 'keys', keys: ['J']});
		const [effect] = effects;
		assert.ok(effect?.type === 'log' && 'by' in effect.move && effect.move.by > 0, JSON.stringify(effects));
		assert.deepEqual(update(from, {type: 'keys', keys: ['ctrl-u']}).effects, [
			{...effect, move: {by: -effect.move.by}},
		]);
	}

	const wheel = (from: State, column: number, row: number) =>
		update(from, {type: 'mouse', kind: 'down', column, row, at: 1});
	assert.deepEqual(wheel(wide, 120, 30).effects, [{type: 'log', kind: 'output', move: {by: 3}}]);
	assert.deepEqual(wheel(low, 3, 26).effects, [{type: 'log', kind: 'output', move: {by: 3}}]);
	const inList = wheel(wide, 3, 4);
	assert.deepEqual(inList.effects, []);
	assert.notEqual(inList.state.selected, wide.selected, 'over the list it moves in the list');
	assert.match(text({...wide, log: {...log, following: false}}).join('\n'), /─ Output ─+ scrolled, 50%─/);
	assert.doesNotMatch(text(wide).join('\n'), /scrolled/);
	assert.match(press({...wide, log: undefined}, 'J').notice!.text, /no output is shown/);
});

test('runs are sorted by a column, by key or by name, also the other way round, and the title says so', () => {
	const used = (id: string, dollars: number | undefined, input: number) => ({
		...runOf('p', id, started),
		usage: {...noUsage, requests: 1, dollars, input},
	});
	const from = state([used('b', 0.5, 10), used('a', 2, 10), used('d', undefined, 900), used('c', undefined, 90)], {
		columns: 140,
		rows: 40,
		changes: Object.fromEntries(
			Object.entries({a: 1, b: 30, c: 20}).map(([id, added]) => [id, {files: 1, added, removed: 0, untracked: 0}]),
		),
	});
	const order = (of: State) =>
		visibleRuns(of)
			.map(({id}) => id)
			.join('');
	const by = (sort: string) =>
		press(
			from,
			':',
			...`sort by ${sort}`
				.replaceAll(' ', '_')
				.split('')
				.map(key => (key === '_' ? 'space' : key)),
			'return',
		);
	assert.deepEqual(
		['name', 'cost', 'changes', 'newest'].map(sort => order(by(sort))),
		['abcd', 'abdc', 'bcad', 'badc'],
	);
	assert.match(text(by('cost'))[0]!, /4 runs \(by cost\)/);
	const back = press(by('name'), 'S');
	assert.equal(order(back), 'dcba');
	assert.match(text(back)[0]!, /\(by name, reversed\)/);
	assert.equal(order(press(back, 'S')), 'abcd');
	// The key goes through all of them, and comes back to the first.
	const keys = sorts.map((_, index) => press(from, ...Array.from({length: index + 1}, () => 'O')).list.sort);
	assert.deepEqual(keys, [...sorts.slice(1), sorts[0]]);
});

test('the list moves only where the selection would leave it', () => {
	const shown = (from: State) =>
		text(from)
			.map(line => /^[▌ ]. (run-\d+)/.exec(line)?.[1])
			.filter(id => id !== undefined);
	const start = shown(many);
	assert.equal(start[0], 'run-0');
	assert.deepEqual(shown(press(many, 'j', 'j', 'j')), start, 'the cursor moves, and not the list');
	const down = press(many, ...Array.from({length: 20}, () => 'j'));
	assert.equal(shown(down).at(-1), down.selected);
	assert.deepEqual(shown(press(down, 'k', 'k')), shown(down));
	assert.equal(shown(press(down, 'home'))[0], 'run-0');
	assert.ok(shown(press(many, 'end')).includes('run-39'));
	// The same after news, in another size, and under a question.
	assert.deepEqual(
		shown(update(down, {type: 'data', runs: down.runs, projects: down.projects, now: down.now + 1}).state),
		shown(down),
	);
	for (const rows of [14, 24, 45]) {
		const resized = update(down, {type: 'resize', columns: 80, rows}).state;
		assert.ok(shown(resized).includes(down.selected!), String(rows));
	}

	assert.ok(shown(press(down, 'x')).includes(down.selected!));
});

test('a click on a file beside the change goes there', () => {
	const wide = {...screens()['review']!, columns: 140, rows: 30};
	const clicked = update(wide, {type: 'mouse', kind: 'press', column: 8, row: 6}).state;
	assert.match(text(clicked)[6]!, /^▌ +M package-lock\.json/);
	assert.match(
		text(clicked).find(line => line.includes('│▌'))!,
		/M package-lock\.json/,
	);
	// Its heading is no file.
	assert.equal(update(wide, {type: 'mouse', kind: 'press', column: 8, row: 2}).state.review!.at, wide.review!.at);
});

test('help says that there is more, and the key that opened it closes it', () => {
	const help = press({...many, rows: 24}, '?');
	assert.match(text(help)[21]!, /↓ \d+ more/);
	const number = Number(/↓ (\d+) more/.exec(text(help)[21]!)![1]);
	const end = press(help, 'end');
	assert.match(text(end)[1]!, /↑ \d+ more/);
	assert.doesNotMatch(text(end).join('\n'), /↓ \d+ more/);
	assert.equal(
		text(press(help, ...Array.from({length: number + 1}, () => 'j'))).join('\n'),
		text(end).join('\n'),
		'and it is all there',
	);
	assert.equal(press(help, '?').screen, 'fleet');
	assert.match(text({...press(many, 'n', 'ctrl-x'), rows: 11}).join('\n'), /↑ more[\s\S]*↓ more/);
});

/** Red, green and blue of the usual palette, and of the 256 colours, as a terminal has them. */
const palette = [
	[0, 0, 0],
	[205, 49, 49],
	[13, 188, 121],
	[229, 229, 16],
	[36, 114, 200],
	[188, 63, 188],
	[17, 168, 205],
	[229, 229, 229],
	[102, 102, 102],
	[241, 76, 76],
	[35, 209, 139],
	[245, 245, 67],
	[59, 142, 234],
	[214, 112, 214],
	[41, 184, 219],
	[255, 255, 255],
];
const cube = (index: number) => {
	const level = (value: number) => (value === 0 ? 0 : 55 + 40 * value);
	if (index < 16) {
		return palette[index]!;
	}

	return index < 232
		? [level(Math.floor((index - 16) / 36)), level(Math.floor((index - 16) / 6) % 6), level((index - 16) % 6)]
		: Array.from({length: 3}, () => 8 + 10 * (index - 232));
};

function luminance(colour: readonly number[]): number {
	const [red, green, blue] = colour.map(value =>
		value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
	) as [number, number, number];
	return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

const contrast = (one: readonly number[], other: readonly number[]) => {
	const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
	return (high + 0.05) / (low + 0.05);
};

/** Grounds of common terminals, and of Solarized. */
const pages = {
	dark: [
		[0, 0, 0],
		[30, 30, 30],
		[40, 44, 52],
		[0, 43, 54],
	],
	light: [
		[255, 255, 255],
		[250, 250, 250],
		[253, 246, 227],
	],
} as const;
const allTones = [
	'accent',
	'good',
	'bad',
	'warn',
	'quiet',
	'keyword',
	'string',
	'number',
	'comment',
	'type',
	'name',
] as const satisfies Tone[];
const allBacks = ['added', 'removed', 'addedWord', 'removedWord', 'match', 'selected'] as const satisfies Back[];

test('every tone can be read: on common grounds, on a changed line and word, on what is found and selected', () => {
	for (const name of ['dark', 'light'] as const) {
		for (const tone of [undefined, ...allTones]) {
			for (const back of [undefined, ...allBacks]) {
				const style = {text: 'x', back, tone, bold: true, dim: tone === undefined};
				const codes = /\u001B\[([\d;]*)m/.exec(paint([style], themes[name]))![1]!;
				assert.doesNotMatch(codes, /(?:^|;)2(?:;|$)/, 'nothing is dimmed');
				const front = / ?38;5;(\d+)/.exec(codes)?.[1] ?? (/(?:^|;)30(?:;|$)/.test(codes) ? '16' : undefined);
				const behind = /48;5;(\d+)/.exec(codes)?.[1];
				// What has no colour of its own has the terminal's, which only the terminal's ground is made for.
				assert.ok(front !== undefined || behind === undefined, `${name} ${back} ${tone}`);
				const own = {dark: [204, 204, 204], light: [40, 40, 40]}[name];
				const seen = front === undefined ? own : cube(Number(front));
				for (const ground of behind === undefined ? pages[name] : [cube(Number(behind))]) {
					const found = contrast(seen, ground);
					assert.ok(found >= 4.5, `${name} ${back} ${tone} on ${ground}: ${found.toFixed(1)}`);
				}
			}
		}
	}
});

test('high contrast is that on the ground that the terminal has, and without colours until it is known', () => {
	const from = {...screens()['fleet']!, theme: 'contrast' as const};
	for (const ground of ['dark', 'light'] as const) {
		const theme = themeOf({...from, ground});
		for (const tone of allTones) {
			const codes = /\u001B\[([\d;]*)m/.exec(paint([{text: 'x', tone}], theme))![1]!;
			for (const page of pages[ground]) {
				const found = contrast(cube(Number(/38;5;(\d+)/.exec(codes)![1])), page);
				assert.ok(found >= 7, `${ground} ${tone} on ${page}: ${found.toFixed(1)}`);
			}

			// On inverse ground, no colour.
			assert.doesNotMatch(paint([{text: 'x', tone, back: 'selected'}], theme), /38;5/);
		}
	}

	assert.doesNotMatch(paint([{text: 'x', tone: 'bad'}], themeOf({...from, ground: undefined})), /38;5/);
	const told = update(from, {type: 'theme', theme: 'light'}).state;
	assert.deepEqual([told.theme, told.ground], ['light', 'light'], 'as the terminal says');
	const chosen = {...from, settings: {...from.settings, theme: 'contrast' as const}};
	const known = update(chosen, {type: 'theme', theme: 'light'}).state;
	assert.deepEqual([known.theme, known.ground], ['contrast', 'light']);
});

test("no theme has a colour that may be the terminal's ground; high contrast has none at all", () => {
	for (const theme of themeNames) {
		for (const from of Object.values(screens())) {
			const painted = frameLines({...from, theme})
				.map(line => paint(line.spans ?? [{...line, text: line.text ?? ''}], themes[theme]))
				.join('');
			const codes = [...painted.matchAll(/\u001B\[([\d;]*)m/g)].flatMap(match => match[1]!.split(';'));
			assert.ok(!codes.includes('90'), theme);
			if (theme === 'contrast' || theme === 'plain') {
				assert.deepEqual(
					codes.filter(code => /^(?:[349]\d|10\d)$/.test(code)),
					[],
					theme,
				);
			}
		}
	}
});

test('a frame walks no list for the selected run, and works out its steps once', () => {
	let looked = 0;
	const runs = [runOf('shelf', 'a', started), runOf('shelf', 'b', started)];
	const counted = Object.assign([...runs], {
		find(...given: Parameters<typeof runs.find>) {
			looked++;
			return runs.find(...given);
		},
	});
	frameLines({...state(counted), selected: 'b'});
	assert.equal(looked, 0);
	assert.equal(gatesOf(runs[1]!), gatesOf(runs[1]!));
});

test('the row of each run is made once for a frame: for the list, its title and its views', () => {
	let walked = 0;
	const runs = [runOf('shelf', 'a', started), runOf('shelf', 'b', started)];
	const counted = Object.assign([...runs], {
		map<Value>(make: (run: Run) => Value) {
			walked++;
			return runs.map(run => make(run));
		},
	});
	const shown = state(counted);
	frameLines(shown);
	const before = walked;
	viewCounts({...shown, list: {...shown.list, discarded: true}});
	allGlances({...shown});
	assert.equal(walked, before);
	assert.deepEqual(viewCounts(shown), {all: 2, 'needs you': 0, running: 2, review: 0, done: 0});
});

test('a blank row stands between groups where all rows still fit, and a click finds the row that is there', () => {
	const runs = [
		runOf('p', 'works', started),
		runOf('p', 'asks', started, {type: 'agent.status', state: 'waiting', because: 'a or b?'}),
		runOf('p', 'waits', {type: 'run.queued', because: 'waits for its turn'}),
	];
	const lists = (from: State) => text(from).slice(0, 12);
	for (const [columns, rows] of [
		[80, 24],
		[140, 45],
	] as const) {
		const own = {...state(runs), columns, rows};
		const lines = lists(own);
		const at = lines.findIndex(line => line.startsWith('─ Active'));
		assert.match(lines[at - 1]!.slice(0, 40), /^ *$/, 'a blank row');
		assert.match(lines[at - 2]!, /asks/);
		assert.equal(click(own, at + 1, 1000).state.selected, 'works');
		assert.equal(click(own, at - 1, 1000).state.selected, own.selected, 'nothing is there');
		assert.equal(click(own, at - 2, 1000).state.selected, 'asks');
	}

	// The same whichever run is selected, and none where a row would go for it.
	for (const rows of [12, 13, 14, 15, 16, 17, 18, 19, 20]) {
		const spaced = runs.map(({id}) =>
			lists({...state(runs), columns: 80, rows, selected: id}).findIndex(line => line.startsWith('─ Active')),
		);
		assert.equal(new Set(spaced).size, 1, `${rows} rows`);
	}

	const low = lists({...state(runs), columns: 80, rows: 12});
	assert.match(low[low.findIndex(line => line.startsWith('─ Active')) - 1]!, /asks/);
});

test('a merged run whose folder is gone is not among what was discarded', () => {
	const merged: RunEvent = {type: 'merge.finished', target: 'refs/heads/main', commit: 'c'.repeat(40), checkout: ''};
	const gone: RunEvent = {type: 'run.discarded', because: '', kept: []};
	const view = state([runOf('p', 'kept', started, merged, gone), runOf('p', 'dropped', started, gone)]);
	assert.equal(view.runs.filter(({merge}) => merge !== undefined).length, 1);
	assert.deepEqual(
		visibleRuns(view).map(({id}) => id),
		['kept'],
	);
});
