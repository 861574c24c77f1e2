import assert from 'node:assert/strict';
import {appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import {LogFile} from '../../source/host/log-file.ts';
import {LogFollower} from '../../source/tui/log/follower.ts';
import {matchCount} from '../../source/tui/log/matches.ts';
import {LogPager} from '../../source/tui/log/pager.ts';
import {LogReader} from '../../source/tui/log/reader.ts';
import type {LogState} from '../../source/tui/state.ts';
import {plainText} from '../../source/core/text/spans.ts';
import {until} from '../support/fleet.ts';
import {textLines} from '../tui/press.ts';
import {screens} from '../tui/states.ts';

function file(t: TestContext, text: string): string {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-log-test-'));
	t.after(() => rmSync(folder, {recursive: true, force: true}));
	writeFileSync(path.join(folder, 'output.log'), text);
	return path.join(folder, 'output.log');
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

test('a log that is begun anew goes on at the position where it was', t => {
	const log = file(t, 'one\n');
	const source = new LogFile(log);
	assert.deepEqual(source.range(), {from: 0, to: 4});
	appendFileSync(log, 'two\n');
	renameSync(log, `${log}.1`);
	writeFileSync(log, 'three\n');
	assert.deepEqual(source.range(), {from: 0, to: 14});
	assert.equal(text(source.read(0, 14)), 'one\ntwo\nthree\n');
	renameSync(log, `${log}.1`);
	writeFileSync(log, 'four\n');
	assert.deepEqual(source.range(), {from: 8, to: 19}, 'the oldest part is gone');
	assert.equal(text(source.read(0, 19)), 'three\nfour\n');
	source.close();
	const again = new LogFile(log);
	assert.equal(text(again.read(0, 100)), 'three\nfour\n');
	again.close();
	const none = new LogFile(path.join(path.dirname(log), 'none.log'));
	assert.deepEqual(none.range(), {from: 0, to: 0});
	writeFileSync(path.join(path.dirname(log), 'none.log'), 'x');
	assert.deepEqual(none.range(), {from: 0, to: 1});
	none.close();
});

test('lines before and after any position are those of the file, however long they are', t => {
	const lines = Array.from({length: 3000}, (_, index) => {
		if (index === 1500) {
			return 'x'.repeat(200_000);
		}

		return index % 7 === 0 ? '' : `line ${index} ${'ü'.repeat(index % 90)}`;
	});
	const log = file(t, `${lines.join('\n')}\nno end`);
	const source = new LogFile(log);
	const reader = new LogReader(source);
	const {to} = source.range();
	assert.deepEqual(
		reader.after(0, 10_000).map(line => line.text),
		[...lines, 'no end'],
	);
	assert.deepEqual(
		reader.before(to, 10_000).map(line => line.text),
		[...lines, 'no end'],
	);
	const all = reader.after(0, 10_000);
	for (const at of [1, 2, 700, 1499, 1500, 1501, 2999, 3000]) {
		assert.deepEqual(
			reader.before(all[at]!.from, 3).map(line => line.text),
			all.slice(Math.max(0, at - 3), at).map(line => line.text),
			`before ${at}`,
		);
		assert.deepEqual(reader.after(all[at]!.from, 3), all.slice(at, at + 3), `after ${at}`);
	}

	assert.deepEqual(
		reader.before(to, 2, line => line.startsWith('line 29')).map(line => line.text.slice(0, 9)),
		['line 2998', 'line 2999'].slice(-2),
	);
	source.close();
});

test('a pager follows, stops where one looks, finds, and folds', async t => {
	const log = file(
		t,
		Array.from({length: 500}, (_, index) => `${index % 2 === 0 ? '▸ step' : '  result'} ${index}\n`).join(''),
	);
	const pager = new LogPager(new LogReader(new LogFile(log)));
	const view = {raw: false, steps: false, wrap: true, search: '', select: undefined};
	const size = {width: 40, height: 5};
	const words = (page: ReturnType<typeof pager.page>) => page.rows.map(row => plainText(row.spans).trim());
	const first = pager.page({to: 'end'}, view, size);
	assert.deepEqual([words(first).at(-1), first.following], ['result 499', true]);
	appendFileSync(log, '▸ step 500\n');
	assert.equal(words(pager.page({to: 'same'}, view, size)).at(-1), '▸ step 500');
	const up = pager.page({by: -10}, view, size);
	assert.deepEqual(
		[words(up), up.following],
		[
			['result 486'.replace('486', '486'), 'x', 'x', 'x', 'x'].map(
				(_, index) => `${index % 2 === 0 ? '▸ step' : 'result'} ${486 + index}`,
			),
			false,
		],
	);
	appendFileSync(log, '▸ step 501\n');
	assert.deepEqual(words(pager.page({to: 'same'}, view, size)), words(up), 'what is looked at does not move');
	assert.equal(pager.page({by: 100}, view, size).following, true, 'down to the end follows again');
	assert.deepEqual(words(pager.page({to: 'start'}, view, size))[0], '▸ step 0');
	assert.deepEqual(words(pager.page({to: 'same'}, {...view, steps: true}, size)), [
		'▸ step 0',
		'▸ step 2',
		'▸ step 4',
		'▸ step 6',
		'▸ step 8',
	]);
	const found = await pager.search({search: 'RESULT 3[13]$', backward: false, aborted: () => false});
	assert.equal(found, undefined, 'a capital counts');
	const next = await pager.search({search: 'result 3[13]$', backward: false, aborted: () => false});
	const shown = pager.page(next!.move, {...view, search: 'result 3[13]$'}, size);
	assert.deepEqual([words(shown)[0], next!.note], ['result 31', '']);
	assert.ok(shown.rows[0]!.spans.some(span => span.back === 'match'));
	const turn = async (search: string, backward: boolean) => {
		const {move, note} = (await pager.search({search, backward, aborted: () => false}))!;
		return [words(pager.page(move, {...view, search}, size))[0], note];
	};

	assert.deepEqual(await turn('result 3[13]$', false), ['result 33', '']);
	assert.deepEqual(
		await turn('result 3[13]$', false),
		['result 31', 'search wrapped to the beginning'],
		'after the last one comes the first',
	);
	assert.deepEqual(await turn('result 3[13]$', true), ['result 33', 'search wrapped to the end']);
	assert.deepEqual(await turn('result 31$', false), ['result 31', 'search wrapped to the beginning']);
	assert.deepEqual(await turn('result 31$', false), ['result 31', 'the only match']);
	// The last page is followed, so that the match is not its first
	// line: the next one is sought from the match all the same.
	assert.equal((await turn('step 500$', false))[1], '');
	assert.equal((await turn('step 50[01]$', false))[1], '');
	assert.equal((await turn('step 50[01]$', false))[1], 'search wrapped to the beginning');
	assert.equal(
		await pager.search({search: '(', backward: true, aborted: () => false}),
		undefined,
		'no pattern is looked for as it is',
	);
	pager.close();
});

test('a line is wrapped, or cut, and its words can be copied', t => {
	const log = file(t, `${'a'.repeat(25)}\n\u001B[31mred\u001B[0m\n`);
	const pager = new LogPager(new LogReader(new LogFile(log)));
	const view = {raw: false, steps: false, wrap: true, search: '', select: undefined};
	assert.deepEqual(
		pager.page({to: 'end'}, view, {width: 10, height: 5}).rows.map(row => plainText(row.spans)),
		['a'.repeat(10), 'a'.repeat(10), 'aaaaa', 'red'],
	);
	assert.deepEqual(pager.page({to: 'end'}, {...view, wrap: false}, {width: 10, height: 5}).rows.length, 2);
	assert.equal(pager.text(0, 26), `${'a'.repeat(25)}\nred`);
	pager.close();
});

test('a search says which match it is at and of how many, also where the log grows or has too many', async t => {
	const lines = Array.from({length: 3000}, (_, index) => `line ${index} \u001B[3${index % 8}mof\u001B[0m it\n`);
	const log = file(t, lines.join(''));
	let changed = () => {};
	const shown: LogState[] = [];
	const said: string[] = [];
	let search = 'line 1[05]00 of it';
	const state = () => ({...screens()['output']!, logView: {...screens()['output']!.logView, search}});
	const client = {
		openLog: () => new LogFile(log),
		watchLog(_: string, own: () => void) {
			changed = own;
			return () => {};
		},
	};
	const follower = new LogFollower(client, state, message => {
		if (message.type === 'log') {
			shown.push(message.log);
		} else if (message.type === 'said') {
			said.push(message.text);
		}
	});
	t.after(() => follower.close());
	follower.follow();
	const title = () => textLines({...state(), columns: 120, log: shown.at(-1)})[1]!;
	await follower.search(true);
	await until(() => shown.at(-1)?.matches !== undefined, 'it is counted');
	assert.match(title(), /\/line 1\[05\]00 of it 2\/2$/);
	assert.equal(said.at(-1), `"${search}": match 2/2`);
	await follower.search(true);
	assert.match(title(), /1\/2$/);
	await follower.search(true);
	assert.equal(said.at(-1), `"${search}": match 2/2, search wrapped to the end`);
	follower.page({by: -2});
	assert.match(title(), / 2$/, 'away from the match, how many there are');
	// An unfinished line is one line, once it is finished as well.
	appendFileSync(log, 'line 1500 of it');
	changed();
	await until(() => title().endsWith(' 3'), 'what came later is counted');
	appendFileSync(log, ' and more\nline 1000 of it\n');
	changed();
	await until(() => title().endsWith(' 4'), 'and no line twice');
	search = 'nowhere';
	await follower.search(false);
	assert.equal(said.length, 3);
	search = '';
	follower.page({to: 'same'});
	assert.equal(shown.at(-1)!.matches, undefined);
	assert.equal(matchCount({at: 4, total: 17, isWhole: false}), '5/17+');
});
