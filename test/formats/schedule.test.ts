import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {test} from 'node:test';
import {Refusal} from '../../source/core/refusal.ts';
import {parseScheduled} from '../../source/core/schedule/arguments.ts';
import {parseCron} from '../../source/core/schedule/cron.ts';
import {cronLine, cronWord, entryIn, withEntry, withoutEntry} from '../../source/core/schedule/crontab.ts';
import {Chance} from '../support/chance.ts';
import {asCronReads} from '../support/crontab.ts';

/* When a run starts by itself, the line of a crontab, and that nothing in it is read as anything else. */

test('a time is read as crontab(5) has it, and nothing else', () => {
	for (const [text, read] of [
		['0 3 * * 1-5', '0 3 * * 1-5'],
		['  */5\t*  * * *  ', '*/5 * * * *'],
		['0,30 8-18/2 1,15 jan-mar MON,fri', '0,30 8-18/2 1,15 jan-mar MON,fri'],
		['59 23 31 12 7', '59 23 31 12 7'],
		['@daily', '@daily'],
	]) {
		assert.equal(parseCron(text!), read);
	}

	for (const text of [
		'',
		'* * * *',
		'* * * * * *',
		'60 * * * *',
		'* 24 * * *',
		'* * 0 * *',
		'* * 32 * *',
		'* * * 0 * ',
		'* * * 13 *',
		'* * * * 8',
		'5-1 * * * *',
		'*/0 * * * *',
		'5/2 * * * *',
		'1- * * * *',
		'-1 * * * *',
		', * * * *',
		'1,,2 * * * *',
		'* * * foo *',
		'1-2-3 * * * *',
		'@reboot',
		'@hourly x',
		'0 3 * * *\n* * * * * rm',
		'0 3 * * * %',
		'0 3 * * * ; rm',
		'\u0660 3 * * *',
		'0x1 * * * *',
		'1e0 * * * *',
		'*\u00A0* * * *',
	]) {
		assert.ok(parseCron(text) instanceof Refusal, JSON.stringify(text));
	}
});

test('what is asked of a run that starts by itself is closed: no scope, and no option that nobody thought about', () => {
	const read = parseScheduled(['--agent', 'codex', '--model', 'update it', '--budget=2', '--', '--allow', 'x']);
	assert.deepEqual(read, {
		agent: 'codex',
		prompt: 'update it',
		project: undefined,
		model: true,
		argv: ['--allow', 'x'],
	});
	for (const option of [
		'--allow',
		'--network',
		'--secret',
		'--scope',
		'--because',
		'--remember-model',
		'--allow=network:a.test',
		'--files',
	]) {
		const refused = parseScheduled([option, 'network:a.test', 'x']);
		assert.ok(refused instanceof Refusal, option);
		assert.match(refused.because, /scopes of every run/);
		assert.match(refused.hint, /fleet allow/);
	}

	for (const words of [
		['--name', 'x'],
		['--issue', '3'],
		['--include'],
		['--filters'],
		['--profile'],
		['--interactive'],
		['--prompt-file', '/etc/passwd'],
		['--after', 'x'],
		['-x'],
		['--'.padEnd(4, '-')],
		['--agent'],
		['--agent', '--model'],
		['--model=yes'],
		['a', 'b'],
		['--constructor'],
		['--__proto__'],
	]) {
		assert.ok(parseScheduled(words) instanceof Refusal, words.join(' '));
	}
});

test('words of any characters reach the program as they are, through cron and a real sh', () => {
	const random = new Chance(7_311);
	const parts = [
		'a',
		' ',
		'%',
		'%%',
		'\\',
		'\\\\',
		'\\%',
		"'",
		"''",
		'"',
		'$HOME',
		'$(id)',
		'`id`',
		'!',
		'#',
		'~',
		'*',
		'&',
		';',
		'|',
		'<',
		'>',
		'(',
		')',
		'{',
		'}',
		'\t',
		'é',
		'=',
		'-',
		'\u007F',
		'\u0001',
	];
	for (let round = 0; round < 40; round++) {
		const words = Array.from({length: 30}, () =>
			Array.from({length: random.below(8)}, () => random.pick(parts)).join(''),
		);
		const command = `printf '\\%s\\0' ${words.map(word => cronWord(word)).join(' ')} # fleet schedule n 0123`;
		const {stdout, stderr} = spawnSync('/bin/sh', ['-c', asCronReads(command, round % 2 === 0)], {
			encoding: 'utf8',
			env: {PATH: '/usr/bin:/bin', HOME: '/h'},
		});
		assert.equal(stderr, '');
		assert.deepEqual(stdout.split('\0').slice(0, -1), words);
	}

	for (const odd of ['a\nb', 'a\rb', 'a\0b']) {
		assert.ok(cronLine({cron: '@daily', name: 'n', place: '0'}, [odd]) instanceof Refusal);
	}

	assert.ok(cronLine({cron: '@daily', name: 'n', place: '0'}, ['x'.repeat(900)]) instanceof Refusal);
});

test('every other byte of a crontab stays, whatever is in it', () => {
	const random = new Chance(20_261);
	const pieces = [
		'MAILTO=x\n',
		'# fleet schedule n 0123\n',
		'0 3 * * * a # fleet schedule n 9999\n',
		'@daily b # fleet schedule nn 0123\n',
		'\n',
		'\t\n',
		'0 1 * * * c%d\\%e\n',
		'\u00FF\u0000\u0080\n',
		'* * * * * x\r\n',
		' ',
	];
	const made = cronLine({cron: '0 3 * * *', name: 'n', place: '0123'}, ['/usr/bin/env', 'x y%']);
	assert.ok(!(made instanceof Refusal));
	const line: string = made;
	for (let round = 0; round < 300; round++) {
		const text = Array.from({length: random.below(8)}, () => random.pick(pieces)).join('');
		const ended = text === '' || text.endsWith('\n') ? text : `${text}\n`;
		const added = withEntry(text, {name: 'n', place: '0123', line});
		assert.equal(added, `${ended}${line}\n`);
		assert.equal(entryIn(added, 'n', '0123'), line);
		assert.equal(withEntry(added, {name: 'n', place: '0123', line}), added, 'the same again changes nothing');
		assert.equal(withoutEntry(added, 'n', '0123'), ended);
		// Another time, in the line's own place, whatever was written behind it since.
		const later = line.replace('0 3', '5 4');
		assert.equal(
			withEntry(`${added}@weekly z\n`, {name: 'n', place: '0123', line: later}),
			`${ended}${later}\n@weekly z\n`,
		);
		assert.equal(withoutEntry(text, 'n', '0123'), text, 'nothing of ours');
	}
});
