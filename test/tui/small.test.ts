import assert from 'node:assert/strict';
import {test} from 'node:test';
import stringWidth from 'string-width';
import {paintLine, type Line} from '../../source/tui/paint/line.ts';
import {themes} from '../../source/tui/paint/theme.ts';
import type {State} from '../../source/tui/state.ts';
import {update} from '../../source/tui/update.ts';
import {frameLines} from '../../source/tui/view.ts';
import {screens} from './states.ts';

/* Small terminals: what is cut off has a mark, what is asked can be read and answered. */

const small = {columns: 40, rows: 12};
const at = (name: string, size = small): State => ({...screens()[name]!, ...size});
const plain = (text: string) => text.replaceAll(/\u001B\[[\d;]*m/g, '');
const frame = (state: State) =>
	frameLines(state).map(line => plain(paintLine(line, state.columns, themes.plain)).trimEnd());
const press = (from: State, ...keys: string[]) =>
	keys.reduce((now, key) => update(now, {type: 'keys', keys: [key]}).state, from);
const textOf = ({text, spans}: Line) => spans?.map(span => span.text).join('') ?? text ?? '';

test('at 40 by 12 and 80 by 24, every line that is cut off has a mark, and the way out is there', () => {
	for (const size of [small, {columns: 80, rows: 24}]) {
		for (const [name, shown] of Object.entries(screens())) {
			const lines = frameLines({...shown, ...size});
			assert.equal(lines.length, size.rows);
			for (const line of lines) {
				const whole = textOf(line).trimEnd();
				const drawn = plain(paintLine(line, size.columns, themes.plain)).trimEnd();
				assert.ok(drawn === whole || drawn.includes('…'), `${name}: ${JSON.stringify([whole, drawn])}`);
				assert.ok(stringWidth(drawn) <= size.columns, name);
			}

			if (shown.focus.type !== 'prompt' && shown.screen !== 'welcome') {
				assert.match(textOf(lines.at(-1)!), /esc (?:back|cancel)|q quit/, `${name}: ${textOf(lines.at(-1)!)}`);
			}
		}
	}
});

test('a low list is the list: five runs, how many there are of each kind, and the task of the selected one', () => {
	const lines = frame(at('fleet'));
	assert.equal(lines[0], ' fleet  10 runs      ? 6  ● 1  ‖ 1  ○ 1');
	assert.equal(lines.filter(line => / 1m [A-Za-z+]$/.test(line)).length, 5, lines.join('\n'));
	assert.match(lines.join('\n'), /^ Task +Mend the parser$/m);
});

test('a question that is higher than the terminal is paged, and its fields are always there', () => {
	let asked = at('approve');
	const whole = at('approve', {columns: 40, rows: 60});
	const all = frame(whole);
	const wanted = all
		.slice(
			all.indexOf(' Approve ready for main'),
			all.findIndex(line => line.startsWith(' Confirm')),
		)
		.filter(line => line !== '');
	assert.ok(wanted.length > 8);
	const seen = new Set<string>();
	for (let page = 0; page < 12; page++) {
		const lines = frame(asked);
		assert.match(lines.join('\n'), /^ Confirm/m);
		for (const line of lines) {
			seen.add(line);
		}

		asked = press(asked, 'pagedown');
	}

	assert.deepEqual(
		wanted.filter(line => !seen.has(line)),
		[],
	);
	assert.match(frame(asked).join('\n'), /… \d+ above: pgup/);
	assert.doesNotMatch(frame(asked).join('\n'), /pgdn/);
	assert.match(frame(at('approve')).join('\n'), /… \d+ more lines: pgdn/);
	const back = press(asked, ...Array.from({length: 12}, () => 'pageup'));
	assert.deepEqual(frame(back), frame(at('approve')));
	// A question that one key answers is not answered by paging it.
	const stop = press({...at('output'), screen: 'fleet'}, 'x');
	assert.equal(stop.focus.type, 'dialog');
	assert.equal(press(stop, 'pagedown').focus.type, 'dialog');
});

test('the first screen offers all three ways, however low it is', () => {
	const lines = frame(at('welcome')).join('\n');
	for (const way of ['See the demo', 'Add this project', 'Check this machine']) {
		assert.match(lines, new RegExp(way));
	}
});

test('a low pipeline begins with its steps, and says how much there is below', () => {
	const lines = frame(at('gates'));
	assert.equal(lines[1]!.startsWith('─ Pipeline ─'), true);
	assert.match(lines.join('\n'), /↓ \d+ more/);
	assert.match(frame(press(at('gates'), 'pagedown')).join('\n'), /↑ \d+ more/);
});

test('of a list that is longer than the terminal the selected row is in view, and how much there is above and below', () => {
	const {vault, disk} = {vault: screens()['vault']!, disk: screens()['disk']!};
	const many = <Item>(items: readonly Item[], name: (item: Item, index: number) => Item) =>
		Array.from({length: 30}, (_, index) => name(items[0]!, index));
	const states: Array<[State, RegExp]> = [
		[
			{
				...vault,
				vault: {
					...vault.vault!,
					secrets: many(vault.vault!.secrets, (secret, index) => ({...secret, reference: `s-${index}-`, holders: []})),
				},
			},
			/s-17-/,
		],
		[{...disk, disk: many(disk.disk!, (entry, index) => ({...entry, run: `s-${index}-`}))}, /s-17-/],
	];
	for (const [from, wanted] of states) {
		const shown = frame({...from, columns: 80, rows: 24, scroll: 17}).join('\n');
		assert.match(shown, wanted);
		assert.match(shown, /↑ \d+ more[\s\S]*↓ \d+ more/);
		const counts = [...shown.matchAll(/[↑↓] (\d+) more/g)].map(match => Number(match[1]));
		const rows = shown.match(/s-\d+-/g)!.length;
		assert.ok(counts[0]! + counts[1]! + rows >= 30, shown);
		assert.doesNotMatch(frame({...from, columns: 80, rows: 24, scroll: 0}).join('\n'), /↑ \d+ more/);
		assert.doesNotMatch(frame({...from, columns: 80, rows: 24, scroll: 29}).join('\n'), /↓ \d+ more/);
	}
});
