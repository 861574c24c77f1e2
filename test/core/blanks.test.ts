import assert from 'node:assert/strict';
import {test} from 'node:test';
import {blankMarks, hasMixedIndent, lineEnds, looksSame} from '../../source/core/review/blanks.ts';
import {parseDiff, type DiffFile} from '../../source/core/review/diff.ts';

/* What is not seen of a line by itself. */

function change(...lines: string[]): DiffFile {
	const count = (signs: string) => lines.filter(line => signs.includes(line[0]!)).length;
	return parseDiff(
		`diff --git a/a b/a\nindex ${'1'.repeat(40)}..${'2'.repeat(40)} 100644\n--- a/a\n+++ b/a\n` +
			`@@ -1,${count(' -')} +1,${count(' +')} @@\n${lines.map(line => `${line}\n`).join('')}`,
	)[0]!;
}

const open = '\\ No newline at end of file';

test('a change of blanks, of line ends, or of the last newline alone is said to be that', () => {
	const cases: Array<[string, string[]]> = [
		['only line ends changed: LF becomes CR LF', ['-a', '-b', '+a\r', '+b\r']],
		['only line ends changed: CR LF becomes LF', ['-a\r', '+a']],
		['only the newline at the end of the file changed', ['-a', `+a\n${open}`]],
		['only blanks changed', ['-\ta', '+    a']],
		['only blanks changed', ['-a', '+a  ']],
		['only blanks changed, line ends: LF becomes CR LF', ['-a', '+a  \r']],
		['', ['-a', '+b']],
		['', ['+a']],
		['', ['-a']],
		['', ['-a', '+a', '+b']],
		['line ends: LF becomes CR LF', ['-a', '+b\r']],
	];
	for (const [text, lines] of cases) {
		assert.equal(lineEnds(change(...lines)), text, JSON.stringify(lines));
	}
});

test('blanks at the end are dots, and at the beginning where a file has both blanks and tabs', () => {
	const drawn = (isIndented: boolean, text: string) => {
		const line = change(`+${text}`).hunks[0]!.lines[0]!;
		let shown = line.text;
		for (const mark of blankMarks(line, isIndented)) {
			shown = shown.slice(0, mark.from) + mark.text + shown.slice(mark.from + mark.text.length);
			assert.equal(shown.length, line.text.length, 'nothing moves');
		}

		return shown;
	};
	assert.equal(drawn(false, '  a b'), '  a b');
	assert.equal(drawn(false, '\ta  '), '    a··');
	assert.equal(drawn(false, 'a\t\u00A0'), 'a→   ·');
	assert.equal(drawn(true, '\t  a'), '→   ··a');
	assert.equal(drawn(true, '   '), '···');
	assert.equal(drawn(false, '   '), '···');
	assert.equal(drawn(true, ''), '');
	assert.ok(hasMixedIndent(change(' \tx', '+    y')));
	assert.ok(hasMixedIndent(change('+  \tx')));
	assert.ok(!hasMixedIndent(change(' \tx', '+\t y', '+ z')), 'a comment of several lines has one blank');
	const [one, other] = change('-a\tb', '+a    b').hunks[0]!.lines as [never, never];
	assert.ok(looksSame(one, other));
	assert.ok(!looksSame(one, one));
});
