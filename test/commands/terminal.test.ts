import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Fleet} from '../support/fleet.ts';
import {openScreen} from '../support/screen.ts';

test('a list on a terminal is a line for each run, however much there is to say; for a program all of it is written', async t => {
	const fleet = new Fleet(t);
	fleet.start(
		'a-run-with-quite-a-long-name-for-its-branch',
		'sleep 60',
		'--allow',
		'network:packages.example.org:8443',
		'--allow',
		'network:a-long-name.of-a-host.example.org',
		'--because',
		'the docs',
	);
	fleet.start('other', 'sleep 60');
	const screen = openScreen(t, fleet, {argv: ['list'], size: {columns: 100, rows: 20}});
	await screen.see(/packa… .*running/);
	await screen.idle();
	const lines = screen.lines().filter(line => line !== '');
	assert.equal(lines.length, 3, lines.join('\n'));
	assert.match(lines[0]!, /^PROJECT .*REASON/);
	assert.ok(lines.every(line => line.length <= 100));
	assert.match(
		fleet.must('list'),
		/network:packages\.example\.org:8443 network:a-long-name\.of-a-host\.example\.org .*running/,
	);
});

test('a terminal that cannot draw is told so', async t => {
	const fleet = new Fleet(t);
	fleet.env['TERM'] = 'dumb';
	const screen = openScreen(t, fleet, {argv: ['screen']});
	await screen.see('this terminal cannot draw a screen (TERM=dumb)');
	await screen.see('hint: fleet list');
	assert.doesNotMatch(screen.raw, /\u001B\[/);
});

test('on a narrow terminal a list still says why', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('short', 'exit 3');
	const screen = openScreen(t, fleet, {argv: ['list'], size: {columns: 80, rows: 20}});
	await screen.see('needs you: failed');
	assert.ok(screen.lines().every(line => line.length <= 80));
	assert.match(screen.lines()[0]!, /^PROJECT +RUN +.*STAGE +SCOPES .*REASON$/);
	assert.match(fleet.must('list').split('\n')[0]!, /AGENT .*AUDIT .*CHANGES .*USED/);
});
