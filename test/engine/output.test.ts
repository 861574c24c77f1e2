import assert from 'node:assert/strict';
import {mkdtempSync, readFileSync, realpathSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import {AgentOutput} from '../../source/engine/run/output.ts';

const value = 'sk-test-Zq7/wF+3pLx9vB2nR8';
/** As it is known by its letters and digits. */
const letters = value.replaceAll(/[^A-Za-z0-9]/g, '');

/** An output whose time goes on when the test says so. */
function open(t: TestContext) {
	t.mock.timers.enable({apis: ['setTimeout']});
	const folder = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'fleet-output-'));
	t.after(() => rmSync(folder, {recursive: true, force: true}));
	const file = path.join(folder, 'output.log');
	let seen = '';
	const output = new AgentOutput({
		file,
		values: [value],
		onBytes: bytes => {
			seen += Buffer.from(bytes).toString();
		},
		onNews() {},
	});
	return {
		output,
		write: (text: string) => output.push(Buffer.from(text)),
		wait: (span: number) => t.mock.timers.tick(span),
		/** What people saw, which is what the log says. */
		seen() {
			assert.equal(readFileSync(file, 'utf8'), seen, 'the log and the live view agree');
			return seen;
		},
	};
}

test('a screen is whole when its program is idle, although what it wrote last could be the beginning of a value', t => {
	const {output, write, wait, seen} = open(t);
	write('esc to interrupt and more text here');
	wait(1000);
	assert.equal(seen(), 'esc to interrupt and more text here');
	const painted = '\r← for agents\u001B[39m\u001B[K\u001B[36;1H\u001B[34;3H';
	write(painted);
	wait(50);
	assert.equal(seen(), `esc to interrupt and more text here${painted}`);
	output.end();
});

test('what only stands behind a beginning does not hold it back: a spinner that never rests', t => {
	const {output, write, wait, seen} = open(t);
	write('tests');
	for (let turn = 0; turn < 10; turn++) {
		write(`\u001B[5;1H${'⠋⠙⠹⠸'[turn % 4]}`);
		wait(20);
	}

	assert.ok(seen().split('\u001B[5;1H').length >= 8, seen());
	output.end();
});

test('a value is blanked in the log and on the screen however slowly it comes, but for its harmless beginning', t => {
	for (const span of [5, 39, 41, 500]) {
		const {output, write, wait, seen} = open(t);
		for (const character of `key: ${value} done\r\n`) {
			write(character);
			wait(span);
		}

		assert.match(seen(), /^key: .* done\r\n$/s);
		assert.equal(seen().length, value.length + 12);
		const shown = seen()
			.slice(5, -7)
			.replaceAll(/[^A-Za-z0-9]/g, '');
		assert.ok(
			letters.startsWith(shown) && shown.length <= (span < 40 ? 0 : Math.floor(letters.length / 4)),
			`each ${span} ms: ${seen()}`,
		);
		output.end();
		t.mock.timers.reset();
	}
});
