import assert from 'node:assert/strict';
import {test} from 'node:test';
import {openTerminal} from '../../source/host/pty.ts';
import {noFilter} from '../support/attack.ts';
import {openBox} from '../support/sandbox.ts';
import {bubblewrap} from '../../source/sandboxes/bubblewrap/index.ts';
import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';

/* Source: CVE-2017-5226 and its like: TIOCSTI types into the terminal that a sandbox shares. */

// Where the kernel itself has the call switched off it answers EIO (5); that is the kernel's guard, not ours.
const script = `perl -e '$x = "x"; print ioctl(STDIN, 0x5412, $x) ? "typed" : "errno " . ($! + 0), "\\n"'`;

async function attempt(filter: boolean): Promise<string> {
	const box = await openBox({sandbox: filter ? bubblewrap : {...bubblewrap, prepare(plan, folder) {
		const prepared = bubblewrap.prepare(plan, folder);
		const file = path.join(folder, 'entered.args');
		writeFileSync(file, `${noFilter(readFileSync(file, 'utf8').split('\0').slice(0, -1)).join('\0')}\0`);
		return prepared;
	}}});
	let output = '';
	await new Promise<void>(resolve => {
		openTerminal(box.session.prepared.enter({argv: ['/bin/sh', '-c', script], cwd: box.work, env: {}}, box.session.keeperPid), {columns: 80, rows: 24}, {
			onData(bytes) {
				output += Buffer.from(bytes).toString();
			},
			onExit: () => resolve(),
		});
	});
	await box.close();
	return output;
}

test('type into the terminal with TIOCSTI: stopped', async () => {
	assert.match(await attempt(true), /errno 1\b/);
});

test('type into the terminal with TIOCSTI: reaches the kernel without the system call filter', async () => {
	assert.match(await attempt(false), /typed|errno 5\b/);
});
