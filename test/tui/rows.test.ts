import assert from 'node:assert/strict';
import {test} from 'node:test';
import xterm from '@xterm/headless';
import Output from '../../node_modules/ink/build/output.js';
import RowOutput from '../../source/tui/stand-ins/ink-output.ts';
import {rowUpdate} from '../../source/tui/stand-ins/row-update.ts';
import {Chance} from '../support/chance.ts';

/*
 * Rows that are kept from frame to frame, and what changes one into the next: a terminal shows the same cells as by
 * Ink's own modules, which put each together cell by cell.
 */

const columns = 24;
/** What is beyond the last column stays in its row. */
const alone = '\u001B[?7l';

const words = ['fleet', 'a', ' ', '   ', '│ ─', '✔ ok', '…', '12s ago'];
/** Not one cell for each character; a terminal and Ink agree on how wide. */
const hard = ['日本', 'e\u0301', '\u001B]8;;http://a.test\u0007link\u001B]8;;\u0007'];
const styles = ['1', '2', '4', '7', '31', '42', '38;5;200', '48;2;1;2;3', '0', '22', '39', '49', '24', '27'];

/** A row of pieces, most of them plain, most of them closed. */
function anyRow(chance: Chance): string {
	let row = '';
	for (let count = chance.below(7); count > 0; count--) {
		const text = chance.pick(chance.once(0.08) ? hard : words);
		const style = `\u001B[${chance.pick(styles)}m${chance.once(0.3) ? '\u001B[1m' : ''}`;
		row += chance.once(0.5) ? text : `${style}${text}${chance.once(0.9) ? '\u001B[0m' : ''}`;
	}

	return row;
}

/** What a terminal shows: each cell with its character and its look. */
async function cellsOf(...texts: string[]): Promise<string[]> {
	const terminal = new xterm.Terminal({cols: columns, rows: 6, allowProposedApi: true, logLevel: 'off'});
	for (const text of texts) {
		await new Promise<void>(resolve => {
			terminal.write(text, resolve);
		});
	}

	const {active} = terminal.buffer;
	const shown: string[] = [];
	for (let y = 0; y < 6; y++) {
		for (let x = 0; x < columns; x++) {
			const cell = active.getLine(y)!.getCell(x)!;
			const look = [cell.getFgColorMode(), cell.getFgColor(), cell.getBgColorMode(), cell.getBgColor()];
			const marks = [cell.isBold(), cell.isDim(), cell.isUnderline(), cell.isInverse()];
			// Of a blank, what is drawn is its ground and its line alone.
			const isBlank = cell.getChars().trim() === '' && marks[2] === 0 && marks[3] === 0;
			shown.push(isBlank ? `  ${look.slice(2).join(',')}` : `${cell.getChars()} ${look.join(',')} ${marks.join(',')}`);
		}
	}

	return shown;
}

type Draw = (output: Output) => void;

const written = (make: typeof Output, draw: Draw, height: number) => {
	const output = new make({width: columns, height});
	draw(output);
	return output.get();
};

test('a frame of rows shows what it shows by Ink', async () => {
	const chance = new Chance(7);
	for (let round = 0; round < 150; round++) {
		const rows = Array.from({length: 4}, () => anyRow(chance));
		const draw: Draw = output => {
			output.write(0, 0, ' \n \n \n ', {transformers: [(_, index) => rows[index]!]});
		};
		const [ours, inks] = [written(RowOutput, draw, 4), written(Output, draw, 4)];
		assert.equal(ours.height, inks.height);
		assert.equal(ours.output.split('\n').length, 4);
		assert.deepEqual(
			await cellsOf(alone, ours.output.replaceAll('\n', '\r\n')),
			await cellsOf(alone, inks.output.replaceAll('\n', '\r\n')),
			JSON.stringify({rows, round}),
		);
	}
});

test('what is no frame of one text is put together by Ink', () => {
	const chance = new Chance(11);
	const shapes: Draw[] = [
		output => {
			output.write(0, 0, 'one\ntwo', {transformers: []});
			output.write(2, 0, 'over it', {transformers: []});
		},
		output => {
			output.write(3, 1, 'further in', {transformers: []});
		},
		output => {
			output.clip({x1: 0, x2: 4, y1: 0, y2: 1});
			output.write(0, 0, 'clipped\nand gone', {transformers: []});
			output.unclip();
		},
		output => {
			output.write(0, -1, 'above\nin view\nbelow\nfar below', {transformers: [text => `\u001B[31m${text}`]});
		},
		output => {
			output.write(0, 0, '日本\n\u001B[31mred\nand on\u001B[0m', {transformers: [text => text.replace('a', '\n')]});
		},
		output => {
			output.write(0, 0, ' ', {transformers: [() => 'two\nlines']});
		},
		() => {},
	];
	for (const draw of shapes) {
		assert.deepEqual(written(RowOutput, draw, 3), written(Output, draw, 3), String(draw));
	}

	// Several transformers come one after the other, and rows that were not written are blank.
	const row = anyRow(chance);
	const draw: Draw = output => {
		output.write(0, 1, 'a', {transformers: [text => `${text}b`, (text, index) => `${text}${index}${row}`]});
	};
	assert.equal(written(RowOutput, draw, 3).output.split('\n')[0], '');
	assert.match(written(RowOutput, draw, 3).output.split('\n')[1]!, /^ab0/);
});

test('a row is changed into another one, with less than all of it where it begins alike', async () => {
	const chance = new Chance(13);
	let shorter = 0;
	for (let round = 0; round < 400; round++) {
		const draw: Draw = output => {
			output.write(0, 0, ' \n ', {transformers: [(_, index) => rows[index]!]});
		};
		const start = anyRow(chance);
		const rows = [start + anyRow(chance), start + anyRow(chance)];
		const [previous = '', next = ''] = written(RowOutput, draw, 2).output.split('\n');
		if (previous === next) {
			continue;
		}

		const change = rowUpdate(previous, next, columns);
		shorter += change.length < next.length ? 1 : 0;
		assert.deepEqual(
			await cellsOf(alone, previous, change),
			await cellsOf(alone, next),
			JSON.stringify({previous, next, change}),
		);
	}

	assert.ok(shorter > 60, String(shorter));
	const full = 'x'.repeat(columns);
	const change = rowUpdate(full, `${full}\u001B[0m`, columns);
	assert.deepEqual(await cellsOf(alone, full, change), await cellsOf(alone, full), 'nothing is behind the last cell');
});
