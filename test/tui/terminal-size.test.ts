import assert from 'node:assert/strict';
import {test} from 'node:test';
import xterm from '@xterm/headless';
import {SizeSplitter, sizeMark} from '../../source/core/text/terminal-size.ts';
import {TerminalView} from '../../source/tui/log/emulator.ts';

const write = (view: TerminalView, text: string) =>
	new Promise<void>(resolve => {
		view.write(Buffer.from(text), resolve);
	});

/** What a terminal of that size shows, by another make. */
async function shown(text: string, cols: number, rows: number): Promise<string[]> {
	const terminal = new xterm.Terminal({cols, rows, allowProposedApi: true});
	await new Promise<void>(resolve => {
		terminal.write(text, resolve);
	});
	const lines = Array.from({length: terminal.buffer.active.length}, (_, index) =>
		terminal.buffer.active.getLine(index)!.translateToString(true),
	);
	while (lines.at(-1) === '') {
		lines.pop();
	}

	return lines;
}

/** As a program paints that goes to the right end of a wide terminal, and up again to change a line. */
const painted =
	`\u001B[H\u001B[2J${'─'.repeat(140)}\r\n\u001B[3;120Hright end\u001B[2;1Hfirst words of a long line that stands alone\r\n` +
	'\u001B[1A\u001B[2KAll done.\u001B[4;1H';

test('what was painted for a wide terminal is read at its width, however the bytes come', async () => {
	const expected = await shown(painted, 140, 45);
	const text = sizeMark({columns: 140, rows: 45}) + painted;
	const view = new TerminalView();
	await write(view, text);
	assert.deepEqual(view.lines(), expected);
	const narrow = new TerminalView();
	await write(narrow, painted);
	assert.notDeepEqual(narrow.lines(), expected, 'the mark is what makes the difference');
	for (const size of [1, 2, 3, 7]) {
		const pieces = new TerminalView();
		for (let at = 0; at < text.length; at += size) {
			await write(pieces, text.slice(at, at + size));
		}

		assert.deepEqual(pieces.lines(), expected, `pieces of ${size}`);
	}
});

test('a size of a program itself is kept within bounds, and what only looks like one is passed on', () => {
	const all = (text: string) => new SizeSplitter().push(Buffer.from(text));
	assert.deepEqual(all('\u001B[8;9999;9999t'), [{columns: 500, rows: 300}]);
	assert.deepEqual(all('\u001B[8;0;0t'), [{columns: 2, rows: 2}]);
	for (const text of ['\u001B[8;1t', '\u001B[18t', '\u001B[8;1;2;3t', '\u001B[8m', 'é\u001B[8;12345;1t']) {
		assert.deepEqual(Buffer.concat(all(text) as Uint8Array[]).toString(), text, JSON.stringify(text));
	}
});
