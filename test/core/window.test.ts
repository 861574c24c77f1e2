import assert from 'node:assert/strict';
import {test} from 'node:test';
import {parseWindow, windowAt} from '../../source/core/text/window.ts';

const at = (text: string, day: number, hour: number, minute = 0) =>
	windowAt(parseWindow(text)!, {day, minutes: hour * 60 + minute});

test('a window is open on its days and between its hours, and says when that changes', () => {
	assert.deepEqual(at('mon-fri 09:00-16:00', 1, 9), {open: true, minutes: 420});
	assert.deepEqual(at('mon-fri 09:00-16:00', 1, 15, 59), {open: true, minutes: 1});
	assert.deepEqual(at('mon-fri 09:00-16:00', 1, 16), {open: false, minutes: 17 * 60});
	assert.deepEqual(at('mon-fri 09:00-16:00', 5, 16), {open: false, minutes: 65 * 60}, 'over the weekend');
	assert.deepEqual(at('mon-fri 09:00-16:00', 0, 12), {open: false, minutes: 21 * 60});
	assert.deepEqual(at('09:00-16:00', 6, 8), {open: false, minutes: 60}, 'every day');
});

test('a window over midnight belongs to the day it begins on', () => {
	assert.equal(at('sat,sun 22:00-06:00', 6, 23).open, true);
	assert.equal(at('sat,sun 22:00-06:00', 1, 5).open, true, "Sunday's, on Monday morning");
	assert.equal(at('sat,sun 22:00-06:00', 6, 5).open, false, "it would be Friday's");
	assert.equal(at('fri-mon 22:00-06:00', 0, 23).open, true, 'days over the end of the week');
	assert.equal(at('fri-mon 22:00-06:00', 3, 23).open, false);
	assert.deepEqual(at('00:00-00:00', 3, 12), {open: true, minutes: 7 * 1440}, 'always');
});

test('what is no window is none', () => {
	for (const text of [
		'',
		'9:00-16:00',
		'24:00-01:00',
		'mon 09:00',
		'mon-fri',
		'moon 09:00-10:00',
		'mon-tue-wed 09:00-10:00',
		'mon- 09:00-10:00',
		',mon 09:00-10:00',
		'09:00-16:00 mon',
		'mon-fri  09:00-16:00',
	]) {
		assert.equal(parseWindow(text), undefined, text);
	}
});
