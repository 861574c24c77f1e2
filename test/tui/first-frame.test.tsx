import assert from 'node:assert/strict';
import process from 'node:process';
import {test} from 'node:test';
import type {ReactElement} from 'react';
import stringWidth from 'string-width';
import xterm from '@xterm/headless';
import {screens} from './states.ts';

// Before Ink is loaded, which looks once.
process.env['FORCE_COLOR'] = '3';
const {renderToString} = await import('ink');
const {Frame} = await import('../../source/tui/app.tsx');
const {paintLine} = await import('../../source/tui/paint/line.ts');
const {themeNames, themes} = await import('../../source/tui/paint/theme.ts');
const {paintFrame} = await import('../../source/tui/view.ts');

/** What a terminal shows: each cell's character, and how it looks. */
async function cells(text: string, columns: number, rows: number): Promise<string[]> {
	const terminal = new xterm.Terminal({cols: columns, rows, allowProposedApi: true});
	await new Promise<void>(resolve => {
		terminal.write(text, resolve);
	});
	const result = Array.from({length: rows}, (_, y) => {
		const line = terminal.buffer.active.getLine(y)!;
		return Array.from({length: columns}, (_, x) => {
			const cell = line.getCell(x)!;
			const blank = cell.getChars().trim() === '' && !cell.isUnderline() && !cell.isInverse();
			// How a blank would look if it were none is nothing that is seen.
			if (blank) {
				return `_${cell.getBgColor()}`;
			}

			const marks = [cell.isBold(), cell.isDim(), cell.isInverse(), cell.isUnderline()].map(Boolean);
			return `${cell.getChars()}${cell.getFgColor()},${cell.getBgColor()},${marks.join(',')}`;
		}).join('|');
	});
	terminal.dispose();
	return result;
}

test('what is drawn before Ink is loaded looks as Ink draws it, on every screen and in every theme', async () => {
	for (const [name, from] of Object.entries(screens())) {
		for (const theme of themeNames) {
			const state = {...from, theme, columns: 100, rows: 24};
			const own = paintFrame(state);
			assert.equal(own.length, state.rows, name);
			const ink = renderToString(<Frame state={state} />, {columns: state.columns}).split('\n');
			const [ours, theirs] = [
				await cells(own.join('\r\n'), state.columns, state.rows),
				await cells(ink.join('\r\n'), state.columns, state.rows),
			];
			for (const [row, line] of ours.entries()) {
				assert.equal(line, theirs[row], `${name}, ${theme}, line ${row}`);
			}
		}
	}
});

test('each line that is painted is as wide as the terminal, however narrow that is', () => {
	for (const [name, from] of Object.entries(screens())) {
		for (const columns of [20, 24, 27, 31, 40, 50, 60, 84, 140, 200]) {
			for (const [row, line] of paintFrame({...from, columns, rows: 24}).entries()) {
				assert.equal(stringWidth(line), columns, `${name}, ${columns} columns, line ${row}: ${line}`);
			}
		}
	}
});

test('what Ink lays out is the same for every screen, and each line that is painted is put in its place', () => {
	const texts = Object.values(screens()).map(state => {
		const box = Frame({state: {...state, rows: 24}}) as ReactElement<{children: ReactElement<{children: string}>}>;
		return box.props.children.props.children;
	});
	assert.deepEqual([...new Set(texts)], [Array.from({length: 24}, () => ' ').join('\n')]);
});

test('a control character that a view forgot to escape does not reach the terminal', () => {
	for (const theme of Object.values(themes)) {
		const painted = paintLine({spans: [{text: 'a\u001B[2J\u009B1Ab\n', tone: 'bad'}]}, 20, theme);
		assert.doesNotMatch(painted.replaceAll(/\u001B\[[\d;]*m/g, ''), /[\u0000-\u001F\u007F-\u009F]/);
	}
});
