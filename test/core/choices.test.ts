import assert from 'node:assert/strict';
import {test} from 'node:test';
import {choicesIn} from '../../source/core/text/choices.ts';

const keysOf = (text: string) => choicesIn(text.split('\n'))?.options.map(({key}) => key);

test('a numbered list at the end of the output is the answers', () => {
	assert.deepEqual(choicesIn(['Which licence?', '  1. MIT', '  2. Apache-2.0', '> ']), {
		options: [
			{key: '1', text: 'MIT'},
			{key: '2', text: 'Apache-2.0'},
		],
		isMenu: false,
	});
	assert.deepEqual(keysOf('1) one\n2) two\n3) three'), ['1', '2', '3']);
});

test('a menu with a cursor takes the key alone, also in a frame', () => {
	const menu = [
		'╭──────────────────────╮',
		'│ Do you want to run it? │',
		'│ ❯ 1. Yes             │',
		"│   2. Yes, don't ask  │",
		'│   3. No              │',
		'╰──────────────────────╯',
	];
	assert.equal(choicesIn(menu)?.isMenu, true);
	assert.deepEqual(choicesIn(menu)?.options[1], {key: '2', text: "Yes, don't ask"});
});

test('yes or no', () => {
	for (const line of ['Really? [y/N] ', 'Go on (yes/no)', 'overwrite? (Y/n)']) {
		assert.deepEqual(keysOf(line), ['y', 'n'], line);
	}
});

test('of two lists the last one counts, and what is no list is none', () => {
	assert.deepEqual(keysOf('1. old\n2. older\n3. oldest\ntext\n1. new\n2. newer'), ['1', '2']);
	for (const text of ['', '1. alone', '2. starts late\n3. goes on', 'compiled 1.2 in 3 s', 'name?']) {
		assert.equal(keysOf(text), undefined, text);
	}

	// Answered, and something else is asked since.
	for (const answered of ['choice [1-2]: 2', '> 1', '2', 'Which? 2']) {
		assert.equal(keysOf(`1) a\n2) b\n${answered}\npicked b\nName: `), undefined, answered);
	}

	for (const last of ['Token: ', 'Password for ada:', 'Press any key to go on', '(press enter)']) {
		assert.equal(keysOf(`1) a\n2) b\n${last}`), undefined, last);
	}

	// What is below a list that was not answered, as long as it is no answer.
	for (const below of ['Choose 1-2: ', '> ', 'choice [1-2]: 7', 'takes about 2 minutes, costs 2']) {
		assert.deepEqual(keysOf(`1) a\n2) b\n${below}`), ['1', '2'], below);
	}

	// Far above what is in view now.
	assert.equal(keysOf(`1. a\n2. b\n${'line\n'.repeat(40)}`), undefined);
});
