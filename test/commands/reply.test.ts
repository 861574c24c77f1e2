import assert from 'node:assert/strict';
import {once} from 'node:events';
import {test} from 'node:test';
import {Fleet, until} from '../support/fleet.ts';

/* A line into a running agent's terminal, without joining it. */

test('a reply is typed and entered; a key alone is not; what nobody reads, and what is no line, is refused', async t => {
	const fleet = new Fleet(t);
	fleet.start(
		'asks',
		'printf ready; read a; echo "got <$a>"; stty -icanon; b=$(dd bs=1 count=1 2>/dev/null); echo "key <$b>"; sleep 60',
	);
	const shows = (text: string) => until(() => fleet.must('logs', 'asks').includes(text), text);
	await shows('ready');
	assert.match(fleet.must('reply', 'asks', 'MIT or Apache; "quoted" $(none)'), /asks: typed \d+ characters/);
	await shows('got <MIT or Apache; "quoted" $(none)>');
	fleet.must('reply', '--key', 'asks', '2');
	await shows('key <2>');
	for (const text of ['two\nlines', 'tab\t', '\u001B[A', 'x'.repeat(5000), 'hidden\u200B']) {
		const refused = fleet.run(['reply', 'asks', text]);
		assert.equal(refused.code, 2, JSON.stringify(text.slice(0, 20)));
		assert.match(refused.stderr, /one line of readable text.*\n\s+hint: fleet attach/);
	}

	fleet.must('stop', 'asks');
	const late = fleet.run(['reply', 'asks', 'hello']);
	assert.equal(late.code, 2);
	assert.match(late.stderr, /asks is stopped: nobody reads what is typed\n\s+hint: fleet resume asks/);
});

test('replies that are sent at once are typed one after another, and the journal says who replied, not what', async t => {
	const fleet = new Fleet(t);
	fleet.start('asks', 'printf ready; for i in 1 2 3 4; do read a; echo "got <$a>"; done; sleep 60');
	await until(() => fleet.must('logs', 'asks').includes('ready'), 'ready');
	const words = ['aaa', 'bbb', 'ccc', 'ddd'];
	await Promise.all(words.map(word => once(fleet.spawn(['reply', 'asks', word]), 'exit')));
	await until(
		() => words.every(word => fleet.must('logs', 'asks').includes(`got <${word}>`)),
		'each in a line of its own',
	);
	const journal = fleet.must('journal', 'asks', '--json');
	assert.equal(journal.match(/"reply\.sent"/g)?.length, 4);
	assert.doesNotMatch(journal.replace(/"argv".*/, ''), /"(?:aaa|bbb|ccc|ddd)"/);
	assert.match(fleet.must('activity'), /replied in its terminal/);
});
