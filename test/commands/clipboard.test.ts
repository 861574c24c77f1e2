import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {test, type TestContext} from 'node:test';
import {copyText, waysToCopy} from '../../source/terminal/clipboard.ts';

function folder(t: TestContext): string {
	const made = mkdtempSync(path.join(os.tmpdir(), 'fleet-copy-'));
	t.after(() => rmSync(made, {recursive: true, force: true}));
	return made;
}

/** What is written to the terminal, and what is said of it. */
async function copy(text: string, environment: NodeJS.ProcessEnv): Promise<{said: string; written: string}> {
	let written = '';
	const said = await copyText(
		text,
		{write: (more: string) => (written += more)},
		{environment: {PATH: process.env['PATH'], ...environment}, platform: 'linux'},
	);
	return {said, written};
}

test("in tmux as it is after its installation, what is copied is in tmux's buffer", async t => {
	const made = mkdtempSync(path.join(os.tmpdir(), 'fleet-copy-'));
	const socket = path.join(made, 's');
	const tmux = (...argv: string[]) =>
		execFileSync('tmux', ['-S', socket, '-f', '/dev/null', ...argv], {encoding: 'utf8'});
	tmux('new-session', '-d', 'sleep 60');
	// Before its folder goes.
	t.after(() => tmux('kill-server'));
	t.after(() => rmSync(made, {recursive: true, force: true}));
	assert.match(tmux('show-options', '-s', 'set-clipboard'), /external/);
	const {said, written} = await copy('one\ntwo 日本', {TMUX: `${socket},0,0`});
	assert.equal(said, "in tmux's buffer, and sent on to the terminal around it");
	assert.equal(tmux('show-buffer').replace(/\n$/, ''), 'one\ntwo 日本');
	assert.equal(written, '', 'tmux would pass over it');
});

test('where tmux is gone, or no program takes it, the terminal is sent it, and no more than that is said', async t => {
	for (const environment of [
		{TMUX: '/nowhere/s,0,0'},
		{},
		{DISPLAY: ':99', PATH: '/nowhere'},
		{WAYLAND_DISPLAY: 'wayland-9', PATH: '/nowhere'},
	]) {
		const {said, written} = await copy('text', environment);
		assert.equal(said, 'sent to the terminal (OSC 52), which takes it or not');
		assert.equal(written, `\u001B]52;c;${Buffer.from('text').toString('base64')}\u0007`);
	}

	// A program that stays behind to serve what it holds, as xclip does, holds nobody up; one that fails has not copied.
	const bin = folder(t);
	const program = (name: string, script: string) => {
		writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`);
		chmodSync(path.join(bin, name), 0o755);
	};

	program('xclip', `cat > ${bin}/got; sleep 5 &`);
	const began = Date.now();
	assert.deepEqual(await copy('text', {DISPLAY: ':99', PATH: `${bin}:/usr/bin:/bin`}), {
		said: 'copied by xclip',
		written: '',
	});
	assert.ok(Date.now() - began < 3000);
	assert.equal(readFileSync(path.join(bin, 'got'), 'utf8'), 'text');
	program('xclip', 'exit 1');
	assert.match((await copy('text', {DISPLAY: ':99', PATH: `${bin}:/usr/bin:/bin`})).said, /sent to the terminal/);
});

test("over SSH this machine's own clipboard is not meant", () => {
	const names = (environment: NodeJS.ProcessEnv, platform = 'linux') =>
		waysToCopy(environment, platform).map(({argv}) => argv[0]);
	assert.deepEqual(names({WAYLAND_DISPLAY: 'w'}), ['wl-copy']);
	assert.deepEqual(names({WAYLAND_DISPLAY: 'w', SSH_TTY: '/dev/pts/1'}), []);
	assert.deepEqual(
		names({SSH_CONNECTION: 'x', DISPLAY: 'localhost:10'}),
		['xclip', 'xsel'],
		'a display that is forwarded is',
	);
	assert.deepEqual([names({}, 'darwin'), names({SSH_CONNECTION: 'x'}, 'darwin')], [['pbcopy'], []]);
	assert.deepEqual(names({TMUX: 'x', DISPLAY: ':0'}), ['tmux', 'tmux', 'xclip', 'xsel']);
});
