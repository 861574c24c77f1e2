import assert from 'node:assert/strict';
import {test} from 'node:test';
import {highlight, plainText, readRaw, readSpans} from '../../source/core/text/spans.ts';
import {isQuiet} from '../../source/core/settings.ts';
import {formatTests, summariseTests} from '../../source/core/run/test-summary.ts';
import {endedWell, waitsFor} from '../../source/core/run/queue.ts';
import type {Run} from '../../source/core/run/run.ts';

test("an agent's colours are kept, and nothing else of its sequences", () => {
	assert.deepEqual(readSpans('plain'), [{text: 'plain'}]);
	assert.deepEqual(readSpans('\u001B[1;31mred\u001B[0m, not'), [{text: 'red', sgr: '1;31'}, {text: ', not'}]);
	assert.deepEqual(readSpans('\u001B[38;5;200mx\u001B[39my\u001B[48;2;1;2;3mz'), [
		{text: 'x', sgr: '38;5;200'},
		{text: 'y'},
		{text: 'z', sgr: '48;2;1;2;3'},
	]);
	assert.deepEqual(readSpans('10 %\r20 %\r100 %\r'), [{text: '100 %'}], 'what was overwritten is gone');
	for (const hostile of [
		'\u001B]52;c;aGk=\u0007a',
		'\u001B[2Ja',
		'\u001B[999;1Ha',
		'\u001B[8ma',
		'\u001B[5ma',
		'\u001B[38;5ma',
		'\u001B[1;999;31ma',
		'\u001BP+q\u001B\\a',
		'a\u202E',
		'\u009B31ma',
	]) {
		const spans = readSpans(hostile);
		assert.match(plainText(spans), /^a\u00B7?$/, JSON.stringify(hostile));
		assert.ok(
			spans.every(span => /^[\d;]*$/.test(span.sgr ?? '')),
			JSON.stringify(spans),
		);
		assert.ok(
			spans.every(span => !(span.sgr ?? '').split(';').some(code => ['5', '6', '8'].includes(code))),
			'nothing hides or blinks',
		);
	}

	assert.equal(plainText(readRaw('a\u001B[31mb\tc')), 'a^[[31mb    c');
	assert.deepEqual(highlight([{text: 'ab', sgr: '1'}, {text: 'cd'}], {from: 1, to: 3}, {back: 'match'}), [
		{text: 'a', sgr: '1'},
		{text: 'b', sgr: '1', back: 'match'},
		{text: 'c', back: 'match'},
		{text: 'd'},
	]);
});

test('quiet hours, also over midnight', () => {
	assert.deepEqual(
		[
			isQuiet(undefined, 0),
			isQuiet('22:00-07:00', 23 * 60),
			isQuiet('22:00-07:00', 6 * 60 + 59),
			isQuiet('22:00-07:00', 7 * 60),
			isQuiet('12:00-13:00', 12 * 60),
			isQuiet('12:00-13:00', 13 * 60),
			isQuiet('nonsense', 0),
		],
		[false, true, true, false, true, false, false],
	);
});

test('what a test run says of itself', () => {
	const cases: Array<[string, string | undefined]> = [
		['ℹ tests 5\nℹ pass 4\nℹ fail 1\n', '1 of 5 tests failed'],
		['# pass 3\n# fail 0\n', '3 tests passed'],
		['Tests:       1 failed, 5 passed, 6 total\n', '1 of 6 tests failed'],
		[' Tests  2 passed (2)\n', '2 tests passed'],
		[
			'test result: ok. 3 passed; 0 failed; 0 ignored\ntest result: FAILED. 1 passed; 2 failed; 0 ignored\n',
			'2 of 6 tests failed',
		],
		['===== 1 failed, 5 passed in 0.12s =====\n', '1 of 6 tests failed'],
		['  5 passing (2s)\n  1 failing\n', '1 of 6 tests failed'],
		['--- PASS: TestA (0.00s)\n--- FAIL: TestB (0.00s)\n', '1 of 2 tests failed'],
		['Ran 3 tests in 0.001s\n\nFAILED (failures=1)\n', '1 of 3 tests failed'],
		['all fine\n', undefined],
		['', undefined],
	];
	for (const [text, expected] of cases) {
		const found = summariseTests(text);
		assert.equal(found && formatTests(found), expected, text);
	}
});

const run = (changes: Partial<Run>): Run =>
	({
		id: 'x',
		stage: 'starting',
		createdAt: '2026-01-01T00:00:00Z',
		project: {id: 'p', name: 'p', root: '/'},
		after: undefined,
		merge: undefined,
		exit: undefined,
		...changes,
	}) as Run;

test('whose turn it is', () => {
	const none = {running: undefined, perProject: undefined};
	const own = run({createdAt: '2026-01-01T00:00:05Z'});
	const working = run({id: 'w', stage: 'running'});
	assert.equal(waitsFor(own, {others: [working], before: undefined}, none), undefined);
	assert.match(waitsFor(own, {others: [working], before: undefined}, {...none, running: 1})!, /1 at once/);
	assert.equal(waitsFor(own, {others: [working], before: undefined}, {...none, running: 2}), undefined);
	for (const stage of ['checking', 'verifying'] as const) {
		const checked = run({id: 'c', stage});
		assert.match(waitsFor(own, {others: [checked], before: undefined}, {...none, running: 1})!, /1 at once/, stage);
	}
	assert.match(
		waitsFor(own, {others: [working, run({id: 'q', stage: 'queued'})], before: undefined}, {...none, running: 2})!,
		/run limit reached/,
		'an earlier one comes first',
	);
	assert.equal(
		waitsFor(
			own,
			{others: [working, run({id: 'q', stage: 'queued', createdAt: '2026-01-01T00:00:09Z'})], before: undefined},
			{
				...none,
				running: 2,
			},
		),
		undefined,
		'a later one does not',
	);
	assert.equal(
		waitsFor(
			own,
			{others: [working, run({id: 'q', stage: 'queued', after: 'z'})], before: undefined},
			{...none, running: 2},
		),
		undefined,
		'one that waits for another run does not hold up the queue',
	);
	assert.equal(
		waitsFor(
			own,
			{others: [run({id: 'o', stage: 'running', project: {id: 'other', name: 'o', root: '/'}})], before: undefined},
			{
				...none,
				perProject: 1,
			},
		),
		undefined,
	);
	assert.match(
		waitsFor(own, {others: [working], before: undefined}, {...none, perProject: 1})!,
		/run limit of p reached: 1 at once/,
	);
	const after = run({after: 'w'});
	assert.equal(waitsFor(after, {others: [], before: working}, none), 'waits for w, which is running');
	assert.equal(waitsFor(after, {others: [], before: undefined}, none), 'waits for w, which is gone');
	assert.deepEqual(
		[
			run({stage: 'stopped', exit: {code: 0, signal: null}}),
			run({stage: 'stopped', exit: {code: 1, signal: null}}),
			run({stage: 'verified'}),
			run({stage: 'failed'}),
		].map(other => endedWell(other)),
		[true, false, true, false],
	);
});
