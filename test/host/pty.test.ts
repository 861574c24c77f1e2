import assert from 'node:assert/strict';
import process from 'node:process';
import {test} from 'node:test';
import {openTerminal} from '../../source/host/pty.ts';

test('what a program said last arrives, however slowly it is read', async () => {
	let said = '';
	await new Promise<void>(resolve => {
		openTerminal(
			{argv: [process.execPath, '-e', 'process.stdout.write("x".repeat(20_000) + "the end")'], cwd: '/', env: {}},
			{columns: 80, rows: 24},
			{
				onData(bytes) {
					said += Buffer.from(bytes).toString();
					Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
				},
				onExit: () => resolve(),
			},
		);
	});
	assert.equal(said.length, 20_007);
	assert.ok(said.endsWith('the end'));
});
