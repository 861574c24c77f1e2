import assert from 'node:assert/strict';
import {appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import {Journal, readJournal} from '../../source/host/journal.ts';
import {readMore, readProject, readTail} from '../../source/host/journal-tail.ts';

/* The ends of real journals: the same lines as the whole of them has, and no line that was changed. */

function journalOf(t: TestContext): {file: string; journal: Journal; add(text: string): void} {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-tail-'));
	const places = {journal: path.join(folder, 'journal.jsonl'), lock: path.join(folder, 'lock.sqlite')};
	const journal = Journal.open(places)!;
	t.after(() => {
		journal.close();
		rmSync(folder, {recursive: true, force: true});
	});
	journal.append(
		{
			type: 'run.created',
			id: 'one',
			name: 'one',
			project: {id: 'web', name: 'web', root: '/web'},
			agent: 'command',
			argv: ['x'],
			prompt: 'p'.repeat(20_000),
			branch: 'fleet/one',
			base: 'b',
			target: 'refs/heads/main',
			worktree: '/w',
			grants: [],
		},
		'person:ada',
	);
	return {
		file: places.journal,
		journal,
		add: text => void journal.append({type: 'run.frozen', because: text, whole: true}, 'fleet', false),
	};
}

test('an end of any length is the end of the whole, and what is added is read alone', t => {
	const {file, add} = journalOf(t);
	for (let index = 0; index < 50; index++) {
		add(`line ${index} ${'ü'.repeat(index)}`);
	}

	const whole = readJournal(file).entries;
	const {length} = readFileSync(file);
	assert.equal(readProject(file), 'web');
	for (let bytes = 1; bytes < length + 1000; bytes += 611) {
		const {entries, fault, place} = readTail(file, bytes)!;
		assert.equal(fault, undefined);
		assert.deepEqual(entries, whole.slice(whole.length - entries.length), `${bytes} bytes`);
		assert.equal(place.from === 0, entries.length === whole.length);
	}

	const {place} = readTail(file, 4000)!;
	add('later');
	const more = readMore(file, place)!;
	assert.deepEqual(
		more.entries.map(({seq}) => seq),
		[whole.length + 1],
	);
	assert.deepEqual(readMore(file, more.place)!.entries, []);
	// A last line without its end is not there yet, and is once it has one.
	const line = readFileSync(file, 'utf8').split('\n').at(-2)!;
	appendFileSync(file, line.slice(0, 30));
	assert.deepEqual(readMore(file, more.place), {entries: [], place: more.place, fault: undefined});
});

test('a line that was changed, moved or left out ends what is believed', t => {
	const {file, add} = journalOf(t);
	for (let index = 0; index < 20; index++) {
		add(`line ${index}`);
	}

	const text = readFileSync(file, 'utf8');
	const lines = text.split('\n');
	const write = (changed: string[]) => writeFileSync(file, changed.join('\n'));
	write(lines.map((line, index) => (index === 15 ? line.replace('line 14', 'line XX') : line)));
	assert.match(readTail(file, 4000)!.fault!, /does not follow/);
	write(lines.map((line, index) => (index === 20 ? line.replace('line 19', 'line XX') : line)));
	assert.match(readTail(file, 4000)!.fault!, /hash/);
	write(lines.filter((_, index) => index !== 17));
	const {fault, entries} = readTail(file, 4000)!;
	assert.match(fault!, /numbered/);
	assert.equal(entries.at(-1)!.seq, 17);
	writeFileSync(file, text);
	const {place} = readTail(file, 4000)!;
	truncateSync(file, place.to - 100);
	assert.equal(readMore(file, place), undefined, 'a journal that became shorter is another one');
	assert.equal(readTail(`${file}.gone`, 100), undefined);
	assert.equal(readProject(`${file}.gone`), '');
});
