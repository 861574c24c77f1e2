import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Fleet, until} from '../support/fleet.ts';
import {openScreen} from '../support/screen.ts';

test('a program that reads the keyboard is said to wait, and no longer when it was answered', async t => {
	const fleet = new Fleet(t);
	fleet.start('asks', 'printf "go on? "; read answer; echo "you said $answer"; sleep 30');
	await until(() => fleet.json('show', 'asks')['status']?.state === 'waiting', 'it is seen to wait');
	assert.equal(fleet.json('show', 'asks')['needs'], 'needs you: waiting for input');
	assert.match(fleet.must('list'), /needs you: waiting for input/);
	const screen = openScreen(t, fleet, {argv: ['attach', 'asks']});
	await screen.see('go on?');
	await screen.press('yes', 'enter');
	await screen.see('you said yes');
	await screen.press('ctrl-q');
	await until(() => fleet.json('show', 'asks')['needs'] === null, 'and then goes on');
	fleet.must('stop', 'asks');
});
