import assert from 'node:assert/strict';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {test, type TestContext} from 'node:test';
import {openTerminal} from '../../source/host/pty.ts';
import {until} from '../support/fleet.ts';

/* A verb that the screen gives the terminal to. */

const source = (name: string) => JSON.stringify(path.resolve(`source/terminal/${name}.ts`));

/** A program that gives the terminal to itself, as a verb with two questions. @returns what it wrote, and what is typed */
function giveTerminal(t: TestContext, code = 0) {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-terminal-'));
	const file = path.join(folder, 'program.mts');
	writeFileSync(
		file,
		`if (process.argv[2] === 'run') {
	const {ask} = await import(${source('ask')});
	console.log('is slow');
	await new Promise(resolve => setTimeout(resolve, 1000));
	const secret = await ask('the passphrase: ', true);
	const word = await ask('the word: ', false);
	console.log('got ' + secret.length + ' and ' + word.length);
	process.exit(${code});
}
const {runInTerminal} = await import(${source('in-terminal')});
console.log('old text');
console.log(JSON.stringify(await runInTerminal({argv: ['run', '--name', 'one'], pause: true})));
`,
	);
	const shown = {text: ''};
	const terminal = openTerminal(
		{
			argv: [process.execPath, file],
			cwd: process.cwd(),
			env: {...process.env, NODE_OPTIONS: '--import tsx'},
		},
		{columns: 80, rows: 24},
		{
			onData(bytes) {
				shown.text += Buffer.from(bytes).toString('utf8');
			},
			onExit() {},
		},
	);
	t.after(() => {
		terminal.kill('SIGKILL');
		rmSync(folder, {recursive: true, force: true});
	});
	return {
		shown,
		see: (wanted: RegExp) => until(() => wanted.test(shown.text), String(wanted)),
		type: (text: string) => terminal.write(Buffer.from(text)),
	};
}

test('a passphrase that is typed before it is asked for is not seen, and what was there before is gone', async t => {
	const {shown, see, type} = giveTerminal(t);
	await see(/is slow/);
	assert.match(shown.text, /old text[^]*\u001B\[H\u001B\[2Jfleet run --name one\r?\n/, 'which run it is about');
	type('horse battery\r');
	await see(/the word:/);
	type('seen\r');
	await see(/press enter to go back to fleet/);
	type('\r');
	await see(/"succeeded":1/);
	assert.match(shown.text, /got 13 and 4/);
	assert.doesNotMatch(shown.text, /horse/);
	assert.match(shown.text, /the word: seen/, 'the echo is there for what may be seen');
});

test('what a verb said of its failure stays until a key is pressed', async t => {
	const {see, type} = giveTerminal(t, 3);
	await see(/is slow/);
	type('horse battery\r');
	await see(/the word:/);
	type('seen\r');
	await see(/press enter to go back to fleet/);
	type('\r');
	await see(/"succeeded":0/);
});
