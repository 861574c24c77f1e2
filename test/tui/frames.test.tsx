import assert from 'node:assert/strict';
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {stripVTControlCharacters} from 'node:util';
import {renderToString} from 'ink';
import stringWidth from 'string-width';
import {Frame} from '../../source/tui/app.tsx';
import {screens} from './states.ts';

/*
 * A frame of each screen at three widths, as it was looked at and found good. After a change
 * that is meant: FRAMES=write npm test -- test/tui/frames.test.tsx, and look at what changed.
 */

const folder = path.join(import.meta.dirname, 'frames');

for (const columns of [80, 120, 200]) {
	test(`every screen at ${columns} columns is as it was looked at`, () => {
		for (const [name, state] of Object.entries(screens())) {
			const frame = stripVTControlCharacters(
				renderToString(<Frame state={{...state, columns, rows: 24}} />, {columns}),
			);
			const lines = frame.split('\n').map(line => line.trimEnd());
			assert.ok(lines.length <= 24, `${name}: ${lines.length} lines`);
			for (const line of frame.split('\n')) {
				assert.ok(stringWidth(line) <= columns, `${name}: ${line}`);
			}

			const file = path.join(folder, `${name}-${columns}.txt`);
			const text = `${lines.join('\n').trimEnd()}\n`;
			if (process.env['FRAMES'] === 'write') {
				mkdirSync(folder, {recursive: true});
				writeFileSync(file, text);
			}

			assert.ok(existsSync(file), `${file} is missing: FRAMES=write makes it`);
			assert.equal(text, readFileSync(file, 'utf8'), `${name} at ${columns}`);
		}
	});
}
