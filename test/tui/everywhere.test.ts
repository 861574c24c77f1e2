import assert from 'node:assert/strict';
import {test} from 'node:test';
import {dialogOf} from '../../source/tui/focus.ts';
import {placeOf, type State} from '../../source/tui/state.ts';
import {press, textLines} from './press.ts';
import {update} from '../../source/tui/update.ts';
import {exited, run, started, state, verified} from './states.ts';

/* What is found by its name from everywhere, and what a click on a name does. */

const typed = (words: string) => [...words].map(letter => (letter === ' ' ? 'space' : letter));

test('the palette finds commands of everywhere, runs and projects, and goes there', () => {
	const two = state([run('other', started, exited), run('one', started, exited, ...verified)]);
	const find = (words: string) => press(two, ':', ...typed(words));
	const done = (words: string) => press(find(words).state, 'return');
	assert.equal(placeOf(done('new secret').state), 'vault', 'a command of the vault goes to the vault');
	assert.equal(placeOf(done('side by side').state), 'changes', 'one of the review to the changes');
	const opened = done('run other').state;
	assert.deepEqual([opened.selected, placeOf(opened)], ['other', 'output'], 'a run is opened');
	assert.equal(done('project p').state.list.filter, 'project:p');
	assert.match(textLines(find('zzzz').state).join('\n'), /nothing by that name/);
	assert.deepEqual(done('zzzz').effects, []);
});

test('what is cut of a name or a hint in the palette has a mark, and the hint stays', () => {
	const long = {...run('other', started, exited), task: `${'many words '.repeat(8)}and the last`};
	const find = (words: string, columns: number) =>
		textLines({...press(state([long]), ':', ...typed(words)).state, columns}).findLast(line => line.startsWith('▌'))!;
	const row = find('run other', 80);
	assert.match(row, /^▌run +other {2}many words .*…\s+\(p, finished.*\)$/);
	assert.ok(row.length <= 80, row);
	assert.match(find('run other', 200), /and the last {2}\(p, finished[^…]*\)$/, 'with room, nothing is cut');
	assert.match(find('side by side', 40), /side.*… {2}\(changes\)$/, 'the title gives way');
});

test('a click on the name of a key is that key; beside it, nothing', () => {
	const one = {...state([run('one', started, exited, ...verified)]), columns: 140, rows: 45};
	const click = (from: State, word: string) => {
		const lines = textLines(from);
		const row = lines.findLastIndex(line => line.includes(word));
		return update(from, {type: 'mouse', kind: 'press', column: lines[row]!.indexOf(word), row, at: 1});
	};

	assert.equal(placeOf(click(one, 'pipeline').state), 'gates');
	assert.equal(click(one, '3 running').state.list.show, 'running');
	assert.equal(placeOf(click(press(one, 'a').state, 'Review ').state), 'changes');
	const asked = press(one, 'y').state;
	assert.notEqual(dialogOf(asked), undefined);
	assert.equal(dialogOf(click(asked, 'esc').state), undefined, 'the way out of a question');
	const nothing = update(one, {type: 'mouse', kind: 'press', column: 139, row: 44, at: 1});
	assert.deepEqual([nothing.effects, nothing.state.screen], [[], 'fleet']);
});

test('the first screen has a cursor, and an empty list says what comes first', () => {
	const first = {...state([]), projects: [], screen: 'welcome' as const};
	const chosen = (from: State) => textLines(from).find(line => line.includes('▌'));
	assert.match(chosen(first)!, /1 {2}See the demo/);
	assert.match(chosen(press(first, 'down').state)!, /2 {2}Add this project/);
	assert.match(chosen(press(first, 'j', 'j', 'j', 'j').state)!, /3 {2}Check this machine/);
	const [opened] = press(first, 'down', 'down', 'return').effects;
	assert.deepEqual(opened?.type === 'terminal' && opened.argv, ['doctor', '--fix']);
	assert.match(textLines(state([])).join('\n'), /no runs yet: n starts one[\s\S]*V {2}keep an agent's key/);
});
