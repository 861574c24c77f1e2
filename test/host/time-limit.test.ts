import assert from 'node:assert/strict';
import {test} from 'node:test';
import {withinTime} from '../../source/host/time-limit.ts';

test('a pattern that takes too long is stopped, and what is in time comes back as it is', () => {
	const slow = 'test '.repeat(100_000);
	const began = Date.now();
	assert.equal(
		withinTime(200, () => /^(?:[\w.-]+ +)*test(?: +[\w.-]+)* *::?(?!=)/m.test(slow)),
		undefined,
	);
	assert.ok(Date.now() - began < 5000);
	const value = {one: new Map([[1, 2]])};
	assert.equal(withinTime(200, () => value)?.result, value);
	assert.throws(
		() =>
			withinTime(200, () => {
				throw new RangeError('own');
			}),
		RangeError,
	);
});
