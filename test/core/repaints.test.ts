import assert from 'node:assert/strict';
import {test} from 'node:test';
import xterm from '@xterm/headless';
import {Repaints} from '../../source/core/text/repaints.ts';
import {Chance} from '../support/chance.ts';

/* Of a progress bar only its last state is left, as a terminal shows it. */

function folded(...parts: string[]): string {
	const repaints = new Repaints();
	return parts.map(part => repaints.push(part)).join('') + repaints.end();
}

test('spinners and bars are folded, what was not painted over is left', () => {
	assert.equal(folded('a\n', '\r⠋ one', '\r⠙ two', '\rdone \n', 'b\n'), 'a\ndone \nb\n');
	assert.equal(folded('a 0\nb 0\n', '\u001B[2A\u001B[2Ka 1\n\u001B[2Kb 1\n', 'end\n'), 'a 1\nb 1\nend\n');
	assert.equal(folded('a 0\nb 0\n\u001B[2A\ra 1\n\nend'), 'a 1\nb 0\nend', 'a row that was only passed over stays');
	assert.equal(folded('one\ntwo\n\u001B[2A\u001B[Jthree\n'), 'three\n');
	assert.equal(folded('50%\b\b\b75%\n\n\nx'), '75%\n\n\nx');
	assert.equal(folded('\u001B[31mred\u001B[0m\r\n', '\u001B]0;title\u0007text\n'), 'red\ntext\n');
	assert.equal(folded(''), '');
});

test('what lies further up than a terminal is high goes out at once, and cannot be changed', () => {
	const repaints = new Repaints();
	const lines = Array.from({length: 1000}, (_, index) => `line ${index}\n`).join('');
	const early = repaints.push(lines);
	assert.equal(early.split('\n').length - 1, 801);
	assert.equal(`${early}${repaints.push('\u001B[999Ax\n')}${repaints.end()}`.split('\n')[801], 'xine 801');
});

test('it is what an emulator shows', async () => {
	const random = new Chance(7);
	for (let round = 0; round < 300; round++) {
		const parts = Array.from({length: 30}, () => {
			const n = random.below(4) + 1;
			return [
				'word ',
				'x'.repeat(n),
				'\r\n',
				'\r\n',
				'\r',
				'\b',
				`\u001B[${n}A`,
				`\u001B[${n}C`,
				`\u001B[${n}D`,
				`\u001B[${n}G`,
				`\u001B[${n}F`,
				'\u001B[K',
				'\u001B[1K',
				'\u001B[2K',
				'\u001B[J',
				'\u001B[32m',
			][random.below(16)]!;
		});
		const terminal = new xterm.Terminal({cols: 300, rows: 100, allowProposedApi: true, logLevel: 'off'});
		await new Promise<void>(resolve => {
			terminal.write(parts.join(''), resolve);
		});
		const shown = Array.from(
			{length: 100},
			(_, row) => terminal.buffer.active.getLine(row)?.translateToString(true) ?? '',
		);
		terminal.dispose();
		// Where a row ends in blanks, the emulator does not say whether they were written.
		const bare = (lines: readonly string[]) =>
			lines
				.map(line => line.trimEnd())
				.join('\n')
				.trimEnd();
		assert.equal(bare(folded(...parts).split('\n')), bare(shown), JSON.stringify(parts));
	}
});
