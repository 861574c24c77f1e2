import assert from 'node:assert/strict';
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {test, type TestContext} from 'node:test';
import {openTmux} from '../support/tmux.ts';
import {notifyDesktop} from '../../source/terminal/notify.ts';
import {openTerminal} from '../../source/host/pty.ts';
import {Fleet, until} from '../support/fleet.ts';
import {openScreen} from '../support/screen.ts';

/** What is written to the terminal, and what `notify-send` was given. */
async function notify(
	t: TestContext,
	environment: NodeJS.ProcessEnv,
	{program = true, text = 'one: failed'}: {program?: boolean; text?: string} = {},
): Promise<{written: string; sent: string}> {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-notify-'));
	t.after(() => rmSync(folder, {recursive: true, force: true}));
	const sent = path.join(folder, 'sent');
	if (program) {
		writeFileSync(path.join(folder, 'notify-send'), `#!/bin/sh\nprintf '%s|' "$@" > ${sent}\n`, {
			mode: 0o755,
		});
	}

	let written = '';
	await notifyDesktop(
		text,
		{write: (more: string) => (written += more)},
		{PATH: `${folder}:${process.env['PATH']}`, ...environment},
	);
	return {written, sent: existsSync(sent) ? readFileSync(sent, 'utf8') : ''};
}

test('a terminal is asked by the sequence that it knows, and the desktop where it knows none', async t => {
	const osc9 = '\u001B]9;one: failed\u0007';
	const asked: Array<[NodeJS.ProcessEnv, string]> = [
		[{TERM: 'xterm-kitty', DISPLAY: ':0'}, osc9],
		[{TERM_PROGRAM: 'WezTerm', WAYLAND_DISPLAY: 'w'}, osc9],
		[{WT_SESSION: 'x'}, osc9],
		[{VTE_VERSION: '7200', DISPLAY: ':0'}, '\u001B]777;notify;fleet;one: failed\u0007'],
		[{TERM: 'foot', WAYLAND_DISPLAY: 'w'}, '\u001B]777;notify;fleet;one: failed\u0007'],
		[{TERM: 'xterm-256color'}, osc9],
		[{TERM: 'xterm-256color', DISPLAY: ':0', SSH_CONNECTION: '1 2 3 4'}, osc9],
	];
	for (const [environment, written] of asked) {
		assert.deepEqual(await notify(t, environment), {written, sent: ''}, JSON.stringify(environment));
	}

	const desktop = {TERM: 'xterm-256color', DISPLAY: ':0'};
	assert.deepEqual(await notify(t, desktop, {text: '-x: $(id)'}), {
		written: '',
		sent: '--app-name=fleet|--|fleet|-x: $(id)|',
	});
	assert.deepEqual(await notify(t, desktop, {program: false}), {written: osc9, sent: ''});
});

test('in tmux a sequence goes through where that is allowed; else the desktop is asked', async t => {
	const {socket, tmux} = openTmux(t);
	const through = '\u001BPtmux;\u001B\u001B]9;one: failed\u0007\u001B\\';
	const environment = {TMUX: `${socket},0,0`, DISPLAY: ':0'};
	tmux('set-option', '-gw', 'allow-passthrough', 'off');
	assert.deepEqual(await notify(t, environment), {written: '', sent: '--app-name=fleet|--|fleet|one: failed|'});
	assert.deepEqual(await notify(t, {TMUX: `${socket},0,0`}), {written: through, sent: ''}, 'no desktop');
	tmux('set-option', '-gw', 'allow-passthrough', 'on');
	assert.deepEqual(
		await notify(t, environment),
		{written: '', sent: '--app-name=fleet|--|fleet|one: failed|'},
		'nobody has the window in view',
	);
	const client = openTerminal(
		{
			argv: ['tmux', '-S', socket, 'attach'],
			cwd: path.dirname(socket),
			env: {...process.env, TERM: 'xterm-256color', TMUX: ''},
		},
		{columns: 80, rows: 24},
		{onData() {}, onExit() {}},
	);
	t.after(() => client.kill('SIGKILL'));
	await until(() => tmux('list-clients') !== '', 'the client is there');
	assert.deepEqual(await notify(t, environment), {written: through, sent: ''});
});

test('a person who looks at the screen is not told aloud what stands on it', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('one', 'true');
	const screen = openScreen(t, fleet);
	await screen.see('1 needs you');
	const aloud = () =>
		screen.raw.includes('\u001B]9;') || screen.raw.replaceAll(/\u001B\][^\u0007]*\u0007/g, '').includes('\u0007');
	assert.match(screen.raw, /\u001B\[\?1004h/);
	screen.write('\u001B[I');
	await fleet.agent('two', 'exit 3');
	await screen.see('2 need you');
	await screen.idle();
	assert.equal(aloud(), false, JSON.stringify(screen.raw.slice(-400)));
	screen.write('\u001B[O');
	await fleet.agent('three', 'exit 3');
	await screen.see('3 need you');
	await screen.idle();
	assert.equal(aloud(), true);
	assert.doesNotMatch(screen.text(), /\[[IO]/);
	await screen.quit();
	assert.ok(screen.raw.lastIndexOf('\u001B[?1004l') > screen.raw.lastIndexOf('\u001B[?1004h'));
});
