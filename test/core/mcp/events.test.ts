import assert from 'node:assert/strict';
import {test} from 'node:test';
import {EventReader} from '../../../source/core/mcp/events.ts';

test('events are read in whatever pieces they come', () => {
	const text =
		': hello\r\n\r\nevent: message\r\ndata: {"a":1}\r\n\r\ndata: one\ndata:two\n\nid: 5\n\rdata: three\r\rdata: never whole\n';
	const wanted = ['{"a":1}', 'one\ntwo', 'three'];
	for (const size of [1, 2, 3, 7, 1000]) {
		const reader = new EventReader(1000);
		const found: string[] = [];
		for (let at = 0; at < text.length; at += size) {
			found.push(...reader.push(text.slice(at, at + size)));
		}

		assert.deepEqual(found, wanted, String(size));
	}
});

test('an event without an end is refused, a stream without one is not', () => {
	assert.throws(() => new EventReader(100).push(`data: ${'x'.repeat(200)}`), RangeError);
	const many = new EventReader(100);
	assert.throws(() => {
		for (let at = 0; at < 100; at++) {
			many.push('data: xxxxxxxx\n');
		}
	}, RangeError);
	const reader = new EventReader(100);
	for (let at = 0; at < 1000; at++) {
		reader.push(': a comment\ndata: x\n\n');
	}
});
