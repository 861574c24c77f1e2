import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type {TestContext} from 'node:test';

/** A tmux of its own with one session, which ends with the test. */
export function openTmux(t: TestContext): {readonly socket: string; tmux(...argv: string[]): string} {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-tmux-'));
	const socket = path.join(folder, 's');
	const tmux = (...argv: string[]) =>
		execFileSync('tmux', ['-S', socket, '-f', '/dev/null', ...argv], {encoding: 'utf8'});
	tmux('new-session', '-d', 'sleep 600');
	t.after(() => {
		tmux('kill-server');
		rmSync(folder, {recursive: true, force: true});
	});
	return {socket, tmux};
}
