import assert from 'node:assert/strict';
import {test} from 'node:test';
import {emptyReview, findQuoted, type Comment} from '../../source/core/review/comments.ts';
import {parseDiff} from '../../source/core/review/diff.ts';
import type {FleetClient} from '../../source/protocol/client.ts';
import {perform} from '../../source/tui/perform.ts';
import {withDiff} from '../../source/tui/review/cursor.ts';
import type {Message, State} from '../../source/tui/state.ts';
import {update} from '../../source/tui/update.ts';
import {frameLines} from '../../source/tui/view.ts';
import {exited, run, started, state, verified} from './states.ts';

/* A file as a whole, and files that are not text. */

const head = (object: string) =>
	`diff --git a/a.ts b/a.ts\nindex ${'1'.repeat(40)}..${object.repeat(40)} 100644\n--- a/a.ts\n+++ b/a.ts\n`;
const lines = (from: number, to: number) =>
	Array.from({length: to - from + 1}, (_, index) => ` line ${from + index}\n`).join('');
const change = '-line 30\n+changed\n';
const short = `${head('2')}@@ -27,7 +27,7 @@\n${lines(27, 29)}${change}${lines(31, 33)}`;
const long = (object: string) => `${head(object)}@@ -1,60 +1,60 @@\n${lines(1, 29)}${change}${lines(31, 60)}`;
const image =
	`diff --git a/logo.png b/logo.png\nindex ${'3'.repeat(40)}..${'4'.repeat(40)} 100644\n` +
	'Binary files a/logo.png and b/logo.png differ\n';

function review(columns = 100): State {
	return withDiff(
		state([run('one', started, exited, ...verified)], {screen: 'run', tab: 'changes', selected: 'one', columns}),
		{
			run: 'one',
			files: parseDiff(short + image),
			review: emptyReview,
			binaries: [
				{path: 'logo.png', before: {bytes: 100, what: 'PNG image 8×8'}, after: {bytes: 200, what: 'PNG image 8×8'}},
			],
		},
	);
}

const shown = (from: State) =>
	frameLines(from).map(line => line.spans?.map(span => span.text).join('') ?? line.text ?? '');
const step = (from: State, ...keys: string[]) =>
	keys.reduce((current, key) => update(current.state, {type: 'keys', keys: [key]}), {
		state: from,
		effects: [],
	} as ReturnType<typeof update>);
const press = (from: State, ...keys: string[]) => step(from, ...keys).state;
const rowOf = (from: State) => shown(from).find(line => /▌[ \d▾▸]/.test(line))!;
const answer = (from: State, object: string) =>
	update(from, {type: 'whole', run: 'one', file: parseDiff(long(object))[0]!});

test('e shows every line of the file under the cursor, and what changed alone again; the cursor stays', () => {
	const on = press(review(), 'down', 'down', 'down', 'down', 'down', 'down');
	assert.match(rowOf(on), /\+changed/);
	const asked = step(on, 'e');
	assert.deepEqual(asked.effects, [{type: 'whole', run: 'one', path: 'a.ts'}]);
	const whole = answer(asked.state, '2').state;
	assert.match(rowOf(whole), /\+changed/);
	assert.match(shown(press(whole, 'home')).join('\n'), /M a\.ts.*whole file[^]* line 1 *\n[^]* line 20/);
	const back = step(press(whole, 'down', 'down'), 'e');
	assert.deepEqual(back.effects, []);
	assert.match(rowOf(back.state), /line 32/);
	assert.doesNotMatch(shown(back.state).join('\n'), /whole file|line 20/);
	// From a line that only the whole has, the nearest one.
	assert.match(rowOf(press(whole, ...Array.from({length: 20}, () => 'down'), 'e')), /line 33/);
	// What was viewed and said stays: it is the same change.
	const marked = press(whole, 'c', ...'why', 'return', 'e');
	assert.equal(marked.review!.review.comments.length, 1);
	assert.match(shown(marked).join('\n'), /\+changed[^]*draft: why/);
});

test('a file that changed meanwhile is not shown in place of what is reviewed, and what is whole says so', () => {
	const on = press(review(), 'e');
	const other = answer(on, '9');
	assert.match(other.state.notice!.text, /changed meanwhile/);
	assert.equal(other.state.review, on.review);
	assert.equal(
		update({...on, review: undefined}, {type: 'whole', run: 'one', file: parseDiff(long('2'))[0]!}).state.review,
		undefined,
	);
	assert.match(press(review(), ']', 'e').notice!.text, /all of the file is shown already/);
});

test('a file that is not text says what it is, and its sizes', () => {
	assert.match(shown(review()).join('\n'), /M logo\.png.*PNG image 8×8, 100 B → 200 B/);
});

test('the whole file is asked for by a verb, by its name and as nothing else', async () => {
	const asked: string[][] = [];
	const said: Message[] = [];
	const client = {
		act: async (argv: readonly string[]) => {
			asked.push([...argv]);
			return {code: 0, stdout: long('2'), stderr: ''};
		},
	} as unknown as FleetClient;
	await perform(client, {type: 'whole', run: 'one', path: 'a.ts'}, message => said.push(message));
	await perform(client, {type: 'whole', run: 'one', path: '--stat'}, message => said.push(message));
	assert.deepEqual(asked, [
		['diff', 'one', '--raw', '--whole=a.ts'],
		['diff', 'one', '--raw', '--whole=--stat'],
	]);
	assert.deepEqual(
		said.map(({type}) => type),
		['whole', 'said'],
	);
});

test('of lines that are the same, a comment stays with the one that it is about', () => {
	const [file] = parseDiff(`${head('2')}@@ -1,5 +1,5 @@\n }\n a\n }\n b\n }\n`);
	const comment = {path: 'a.ts', side: 'new', from: 3, to: 3, quoted: '}'} as Comment;
	assert.equal(findQuoted(file!, comment), 3);
	assert.equal(findQuoted(file!, {...comment, from: 9, to: 9}), 5);
	assert.equal(findQuoted(file!, {...comment, quoted: 'c'}), undefined);
});
