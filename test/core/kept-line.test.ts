import assert from 'node:assert/strict';
import {test} from 'node:test';
import xterm from '@xterm/headless';
import {KeptLine} from '../../source/core/text/kept-line.ts';
import {TerminalFilter} from '../../source/core/text/terminal-filter.ts';

/* The last line of the terminal in which an agent paints says how a person leaves it, whatever the agent does. */

const size = {columns: 40, rows: 8};
const words = ' ctrl-q leaves it';

/** The rows of a terminal in which an agent wrote so, each part by itself. */
async function painted(...parts: string[]): Promise<{rows: string[]; column: number; row: number}> {
	const terminal = new xterm.Terminal({cols: size.columns, rows: size.rows, allowProposedApi: true, logLevel: 'off'});
	const line = new KeptLine(words, size);
	const filter = new TerminalFilter();
	const shown = parts.map(part => line.keep(Buffer.from(filter.push(Buffer.from(part))).toString('latin1')));
	const bytes = Buffer.from(`\u001B[2J\u001B[H${line.draw()}${shown.join('')}`, 'latin1');
	await new Promise<void>(resolve => {
		terminal.write(bytes, resolve);
	});
	const {active} = terminal.buffer;
	const rows = Array.from(
		{length: size.rows},
		(_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? '',
	);
	return {rows, column: active.cursorX, row: active.cursorY};
}

test('the last line stays, whatever is painted', async () => {
	const lines = Array.from({length: 30}, (_, index) => `line ${index}\r\n`).join('');
	for (const parts of [
		['hello'],
		[lines],
		['\u001B[2J', 'x'],
		['\u001B[H\u001B[J'],
		['\u001B[?1049h', '\u001B[2J\u001B[H', lines],
		['\u001B[?1049h', lines, '\u001B[?1049l', lines],
		['\u001B[r', lines],
		['\u001B[3;99r', lines],
		['\u001B[3;5r', lines],
		['\u001B[99;1Hover', '\u001B[99d over'],
		['\u001B[!p', lines],
		['\u001Bc', lines],
		['\u001B(0\u001B[4h', '\u001B[2J'],
	]) {
		const {rows} = await painted(...parts);
		assert.equal(rows.at(-1), words, JSON.stringify(parts.map(part => part.slice(0, 20))));
	}
});

test('what an agent paints is where it painted it, and its cursor is where it left it', async () => {
	const {rows, column, row} = await painted('\u001B[2J\u001B[3;5Habc');
	assert.deepEqual([rows[2], column, row], ['    abc', 7, 2]);
	const scrolled = await painted('\u001B[7;1Ha\r\nb\r\nc');
	assert.deepEqual(scrolled.rows.slice(4), ['a', 'b', 'c', words]);
	const inside = await painted('\u001B[2;3r\u001B[3;1Ha\r\nb\r\nc');
	assert.deepEqual(inside.rows.slice(0, 4), ['', 'b', 'c', '']);
});

test('the agent is told of the rows that it has; a very low terminal is all its own', () => {
	assert.deepEqual(new KeptLine(words, size).size, {columns: 40, rows: 7});
	const low = new KeptLine(words, {columns: 40, rows: 5});
	assert.deepEqual([low.size.rows, low.draw(), low.keep('\u001B[9;1H')], [5, '', '\u001B[9;1H']);
	assert.match(low.resize(size), /ctrl-q/);
	assert.equal(low.size.rows, 7);
});
