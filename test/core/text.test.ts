import assert from 'node:assert/strict';
import {test} from 'node:test';
import {isName, nameFrom, parseName, printable} from '../../source/core/names.ts';
import {escapeControls, escapeLine} from '../../source/core/text/escape-controls.ts';
import {foldLines} from '../../source/core/text/fold.ts';
import {Refusal} from '../../source/core/refusal.ts';
import {formatDuration, parseDuration} from '../../source/core/text/time.ts';
import {splitWords} from '../../source/core/text/shell-words.ts';

test('names have a grammar of their own', () => {
	for (const name of ['a', 'a-b', 'x1', '0', 'a'.repeat(61)]) {
		assert.ok(isName(name), name);
	}

	for (const name of ['', '-a', 'a-', 'A', 'a/b', '../a', 'a.b', 'a b', 'a\n', '--help', 'a'.repeat(62), 'é']) {
		assert.ok(!isName(name), name);
		assert.ok(parseName(name, 'run name') instanceof Refusal);
	}
});

test('a name is made of any text', () => {
	assert.equal(nameFrom('Fix the Login!', 'run'), 'fix-the-login');
	assert.equal(nameFrom('///', 'run'), 'run');
	assert.ok(isName(nameFrom('é'.repeat(100), 'run')));
	assert.equal(printable('a\u001B[31mb'), 'a?[31mb');
});

test("agents' text is escaped", () => {
	const cases: Array<[string, string]> = [
		['plain', 'plain'],
		['\u001B[31mred\u001B[0m', 'red'],
		['\u001B]52;c;aGk=\u0007x', 'x'],
		['\u001B]0;title\u001B\\x', 'x'],
		['\u001BPq#0\u001B\\x', 'x'],
		['\u001B]unterminated', ''],
		['\u009B31mx', 'x'],
		['a\u0007b\bc\u007Fd', 'abcd'],
		['a\r\nb\rc', 'a\nbc'],
		['a\tb', 'a    b'],
		['\u001B[6n', ''],
		['\u001Bc', ''],
		['a\u202Eb', 'a\u00B7b'],
		['zero\u200Bwidth', 'zero\u00B7width'],
		['日本', '日本'],
	];
	for (const [text, expected] of cases) {
		assert.equal(escapeControls(text), expected, JSON.stringify(text));
	}

	assert.equal(escapeLine('a\nb'), 'a\u23CEb');
});

test('nothing that steers a terminal is left, whatever comes', () => {
	let seed = 7;
	const random = (limit: number) => {
		seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
		return seed % limit;
	};

	const pieces = [
		'\u001B',
		'[',
		']',
		'0;',
		'52;c;',
		'\u0007',
		'\u001B\\',
		'P',
		'\u009B',
		'\u009D',
		'm',
		'n',
		'text',
		'\r',
		'\n',
		'\u0000',
		'\u202E',
		'é',
		'?25l',
	];
	for (let round = 0; round < 2000; round++) {
		const text = Array.from({length: random(12)}, () => pieces[random(pieces.length)]).join('');
		assert.doesNotMatch(escapeControls(text), /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202E]/, JSON.stringify(text));
	}
});

test('lengths of time', () => {
	assert.equal(parseDuration('30m'), 1_800_000);
	assert.equal(parseDuration('45s'), 45_000);
	assert.equal(parseDuration('2h'), 7_200_000);
	for (const text of ['', '30', 'm', '0m', '-1m', '1.5h', '30 minutes', '999999h']) {
		assert.ok(parseDuration(text) instanceof Refusal, text);
	}

	assert.deepEqual(
		[0, 59_000, 60_000, 3_600_000, 90_000_000].map(span => formatDuration(span)),
		['0s', '59s', '1m', '1h', '1d'],
	);
});

test("command lines are split as a shell's quotes do", () => {
	const cases: Array<[string, string[]]> = [
		['', []],
		['a b', ['a', 'b']],
		['a "b c" d', ['a', 'b c', 'd']],
		["'a b'", ['a b']],
		['a\\ b', ['a b']],
		['"a\\"b"', ['a"b']],
		["''", ['']],
		['a"b"\'c\'', ['abc']],
		['$HOME `x`', ['$HOME', '`x`']],
	];
	for (const [text, expected] of cases) {
		assert.deepEqual(splitWords(text), expected, text);
	}

	assert.ok(splitWords('a "b') instanceof Refusal);
});

test('lines are folded between words, indented ones two deeper; a word too wide stays whole', () => {
	assert.equal(foldLines('one two three\n  four five six\n', 10), 'one two\nthree\n  four\n    five\n    six\n');
	assert.equal(foldLines('short\n\n  aaaaaaaaaaaaaaaa b\n', 10), 'short\n\n  aaaaaaaaaaaaaaaa b\n');
});
