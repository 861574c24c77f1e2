import assert from 'node:assert/strict';
import {test} from 'node:test';
import {oneLine} from '../../source/core/git/commit-message.ts';
import {printable} from '../../source/core/names.ts';
import {isOdd} from '../../source/core/places.ts';
import {holdsControl, visibleText} from '../../source/core/review/diff.ts';
import {escapeControls} from '../../source/core/text/escape-controls.ts';
import {files} from '../../source/scopes/files/index.ts';

/* One set of control and unseen characters for all that refuses, drops or shows them. */

const range = (from: number, to: number) => Array.from({length: to - from + 1}, (_, index) => from + index);
const controls = [...range(0, 0x1f), ...range(0x7f, 0x9f)];
const unseen = [0xad, 0x61c, ...range(0x200b, 0x200f), ...range(0x2028, 0x202e), ...range(0x2060, 0x206f), 0xfeff];

test('control and unseen characters are refused in names, and never shown as they are', () => {
	for (const code of [...controls, ...unseen]) {
		const character = String.fromCodePoint(code);
		const name = `a${character}b`;
		const what = `U+${code.toString(16)}`;
		assert.equal(printable(name), 'a?b', what);
		assert.ok(isOdd(`/${name}`), what);
		assert.ok('because' in (files.parse(`/${name}`) as object), what);
		assert.ok(!oneLine(name).includes(character) || unseen.includes(code), what);
		if (code !== 0x0a) {
			assert.ok(!escapeControls(name).includes(character), what);
		}

		if (code !== 0x09 && code !== 0x0a) {
			assert.ok(holdsControl(name), what);
			assert.ok(!visibleText(name).includes(character), what);
		}
	}
});

test('what writing needs is neither refused nor changed', () => {
	for (const name of ['täglich', '日本語', '👩‍💻', 'می‌خواهم', 'a b', '❤️']) {
		assert.equal(printable(name), name);
		assert.ok(!isOdd(`/${name}`), name);
		assert.equal(files.parse(`/${name}`), `/${name}`);
		assert.ok(!holdsControl(name), name);
	}
});
