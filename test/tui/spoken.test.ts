import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {RunEvent} from '../../source/core/run/event.ts';
import {announce, readAll} from '../../source/tui/spoken/announce.ts';
import {spokenText} from '../../source/tui/spoken/words.ts';
import type {State} from '../../source/tui/state.ts';
import {update} from '../../source/tui/update.ts';
import {exited, run, screens, started, state, verified} from './states.ts';

/* What a screen reader is given: lines that come one after the other. */

const press = (from: State, ...keys: string[]) =>
	keys.reduce((at, key) => update(at, {type: 'keys', keys: [key]}).state, from);

/** What is said for keys that are pressed one after the other; what is typed is in quotes. */
function hear(from: State, ...keys: string[]): string[] {
	let at = from;
	return keys.flatMap(key => {
		const next = press(at, key);
		const {lines, typed} = announce(at, next);
		at = next;
		return [...(typed === '' ? [] : [`"${typed}"`]), ...lines];
	});
}

const data = (from: State, runs: State['runs'], now = from.now) =>
	update(from, {type: 'data', runs, projects: from.projects, now}).state;

test('columns are said by their names, and no sign or box is', () => {
	const from = state([run('ready', started, exited, ...verified), run('works', started)]);
	assert.deepEqual(announce(undefined, from).lines, [
		'fleet, 2 runs, 1 needs you, 1 running, view all, grouped by attention',
		'run ready, project p, state verified, needs you, for 1m, next: d review, task: Mend the parser',
		'ctrl-l reads all of it, question mark lists the keys',
	]);
	assert.equal(spokenText(' ✗ a · b → c  │ 2×  ─── ▸ d…'), 'failed, a, b to c, 2 times, d');
	for (const [name, shown] of Object.entries(screens())) {
		for (const line of [...announce(undefined, shown).lines, ...readAll(shown).lines]) {
			assert.doesNotMatch(line, /[─-╿▀-▟▌▸▾◂●‖○◆✓✔✗✘⊘→·×…]|\u001B/u, `${name}: ${line}`);
			// Of code, blanks are a part.
			if (!/line \d+: /.test(line)) {
				assert.doesNotMatch(line, / {2}|^ |[^:] $/, `${name}: ${line}`);
			}
		}
	}
});

test('what did not change is not said again, whatever the clock says', () => {
	for (const [name, shown] of Object.entries(screens())) {
		const later = data(shown, [...shown.runs], shown.now + 300_000);
		assert.deepEqual(announce(shown, later), {lines: [], isOpen: later.focus.type !== 'screen', typed: ''}, name);
	}
});

test('a selection says its row, a place its title and its rows', () => {
	const from = state([run('one', started), run('two', started)]);
	const moved = hear(from, 'j');
	assert.equal(moved.length, 1);
	assert.match(moved[0]!, /^run two, project p, state running/);
	const opened = hear(from, 'return');
	assert.deepEqual(opened, [
		'run one, project p, Mend the parser, active, running, 1m, 1m of work, output',
		'no output yet',
	]);
	assert.deepEqual(hear(press(from, 'return', '3'), 'j'), [
		'on, fixed: build, run its build and tests, and reach the hosts its policy lists',
	]);
	assert.equal(hear(from, 'space')[0], 'one marked');
	assert.match(hear(from, 'space', 'k').at(-1)!, /^run one, marked,/);
	const review = screens()['review']!;
	assert.match(
		announce(undefined, review).lines.join('\n'),
		/^look first|file .*ci\.yml, added, 1 added, 0 removed, not viewed/m,
	);
	assert.deepEqual(
		hear(press(review, ']', 'j'), 'j', 'j', 'j').map(line => line.replace(/ +/g, ' ')),
		[
			'line 1: export function parse(text: string) {',
			"removed line 2: return text.split(',');",
			"added line 2: return text.split(';').filter(part => part !== '');",
		],
	);
});

test('in every list a step says the row that it leads to, and no other', () => {
	for (const name of ['fleet', 'activity', 'found', 'vault', 'disk', 'scopes']) {
		const from = screens()[name]!;
		const said = hear({...from, rows: 40}, 'j', 'k');
		assert.ok(said.length <= 2, `${name}: ${said.join('\n')}`);
		assert.doesNotMatch(said.join('\n'), /selected/, name);
	}
});

test('a run that comes to need a person, and the end of a verification, are said once, wherever one is', () => {
	const begun = [run('one', started), run('two', started)];
	const waits: RunEvent = {type: 'agent.status', state: 'waiting', because: 'asks which licence'};
	for (const from of [state(begun), press(state(begun), 'return', '5'), press(state(begun), '?')]) {
		const asks = data(from, [run('one', started), run('two', started, waits)]);
		const said = announce(from, asks).lines.filter(line => line.startsWith('run two'));
		assert.equal(said.length, 1, said.join('\n'));
		assert.match(said[0]!, /asks which licence, needs you, .*next: r reply$/);
		assert.deepEqual(announce(asks, data(asks, [...asks.runs])).lines, []);
		const done = data(asks, [run('one', started, exited, ...verified), asks.runs[1]!]);
		assert.deepEqual(
			announce(asks, done).lines.filter(line => line.startsWith('run ')),
			['run one, project p, state verified, needs you, for 1m, next: d review'],
		);
	}
});

test('a question is its title, its facts, then the field; what is typed is echoed and nothing is said again', () => {
	const gates = {...screens()['gates']!, offers: {}};
	const lines = hear(gates, 'y');
	assert.match(lines[0]!, /^question: Approve ready for main$/);
	assert.ok(
		lines.some(line => line.startsWith('Tests: done, 1 command passed')),
		lines.join('\n'),
	);
	assert.match(lines.at(-1)!, /^field 1 of 2, Confirm \(.*\): $/);
	assert.deepEqual(hear(press(gates, 'y'), 'y', 'e', 'backspace', 'tab'), [
		'"y"',
		'"e"',
		'"\b \b"',
		'field 2 of 2, Reason (optional): ',
	]);
	const back = hear(press(gates, 'y'), 'escape');
	assert.match(back.join('\n'), /^run ready, project p, .*verified/m);
	const works = press(state([run('one', started)]), 'x');
	assert.equal(
		announce(state([run('one', started)]), works).lines.at(-1),
		'y or enter: stop it; any other key: cancel',
	);
});

test('what is new of the output is said, and the rest is not', () => {
	const output = screens()['output']!;
	const {rows} = output.log!;
	const more = update(output, {
		type: 'log',
		log: {...output.log!, rows: [...rows.slice(1), {from: 100, to: 110, spans: [{text: '  12 passed'}]}]},
	}).state;
	assert.deepEqual(announce(output, more).lines, ['12 passed']);
});
