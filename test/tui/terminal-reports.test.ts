import assert from 'node:assert/strict';
import {test} from 'node:test';
import {TerminalReports} from '../../source/tui/terminal-reports.ts';

test('the mouse and answers are taken out of what is typed, also in two pieces; keys stay what they are', () => {
	const take = (...pieces: string[]) => {
		const reports = new TerminalReports();
		const all = pieces.map(piece => reports.take(piece));
		return {keys: all.map(one => one.keys).join(''), messages: all.flatMap(one => one.messages)};
	};

	assert.deepEqual(take('a\u001B[<0;10;4Mb'), {
		keys: 'ab',
		messages: [{type: 'mouse', kind: 'press', column: 9, row: 3}],
	});
	assert.deepEqual(take('\u001B[<0;10;4m\u001B[<35;1;1M'), {keys: '', messages: []}, 'a release, a move');
	assert.deepEqual(take('x\u001B[<6', '4;1;2My').messages, [{type: 'mouse', kind: 'up', column: 0, row: 1}]);
	assert.deepEqual(take('\u001B]11;rgb:ffff/ffff/ffff\u0007q'), {
		keys: 'q',
		messages: [{type: 'theme', theme: 'light'}],
	});
	assert.deepEqual(take('\u001B]11;rgb:1e1e/1e', '1e/1e1e\u001B', '\\j'), {
		keys: 'j',
		messages: [{type: 'theme', theme: 'dark'}],
	});
	assert.deepEqual(take('a\u001B[Ib\u001B[O'), {
		keys: 'ab',
		messages: [
			{type: 'focus', isFocused: true},
			{type: 'focus', isFocused: false},
		],
	});
	assert.equal(take('\u001B[o\u001BO').messages.length, 0);
	for (const keys of ['\u001B', '\u001B[A', '\u001BOA', 'y\r', '\u001B[200~text\u001B[201~', '\u001B[<x']) {
		assert.deepEqual(take(keys).messages, []);
		assert.equal(take(keys, '').keys, keys);
	}
});
