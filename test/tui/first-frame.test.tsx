import assert from 'node:assert/strict';
import process from 'node:process';
import {test} from 'node:test';
import xterm from '@xterm/headless';
import {screens} from './states.ts';

// Before Ink is loaded, which looks once.
process.env['FORCE_COLOR'] = '3';
const {renderToString} = await import('ink');
const {Frame} = await import('../../source/tui/app.tsx');
const {themeNames} = await import('../../source/tui/paint/theme.ts');
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
