import assert from 'node:assert/strict';
import {appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import type {RunEvent} from '../../source/core/run/event.ts';
import {Journal, parseJournal, readJournal} from '../../source/host/journal.ts';
import {Lock} from '../../source/host/lock.ts';

const created: RunEvent = {
	type: 'run.created',
	id: 'r',
	name: 'r',
	project: {id: 'p', name: 'p', root: '/p'},
	agent: 'command',
	argv: ['x'],
	branch: 'fleet/r',
	base: 'b',
	target: 'refs/heads/main',
	worktree: '/w',
	grants: [],
};
const denied = (count: number): RunEvent => ({type: 'egress.denied', target: 'a.test:443', because: 'no', count});

function places(t: TestContext): {journal: string; lock: string} {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-journal-'));
	t.after(() => {
		rmSync(folder, {recursive: true});
	});
	return {journal: path.join(folder, 'journal.jsonl'), lock: path.join(folder, 'lock.sqlite')};
}

function filled(t: TestContext, count = 5): {journal: string; lock: string} {
	const where = places(t);
	const journal = Journal.open(where)!;
	journal.append(created, 'person:a');
	for (let index = 1; index < count; index++) {
		journal.append(denied(index), 'fleet');
	}

	journal.close();
	return where;
}

test('what is written is read back, and folds into the same run', t => {
	const where = filled(t);
	const {entries, fault, torn} = readJournal(where.journal);
	assert.deepEqual([entries.length, fault, torn], [5, undefined, false]);
	assert.deepEqual(
		entries.map(entry => entry.seq),
		[1, 2, 3, 4, 5],
	);
	const journal = Journal.open(where)!;
	assert.equal(journal.run.denials[0]!.count, 4);
	journal.close();
});

test('every change of a line is found, at the line', t => {
	const {journal} = filled(t);
	const lines = readFileSync(journal, 'utf8').trimEnd().split('\n');
	const join = (changed: string[]) => parseJournal(`${changed.join('\n')}\n`);
	for (let index = 0; index < lines.length; index++) {
		const edited = lines.map((line, at) =>
			at === index
				? line.replace('"because":"no"', '"because":"yes"').replace('"agent":"command"', '"agent":"other"')
				: line,
		);
		const {fault} = join(edited);
		if (index === lines.length - 1) {
			assert.equal(fault?.line, index + 1, 'the last line has its own hash');
		} else {
			assert.equal(fault?.line, index + 2, 'the line after the changed one does not follow');
		}

		const removed = join(lines.toSpliced(index, 1));
		assert.equal(removed.fault?.line, index === lines.length - 1 ? undefined : index + 1);
	}

	assert.equal(join(lines.toSpliced(1, 0, lines[1]!)).fault?.line, 3);
	assert.equal(join([lines[0]!, 'not json', ...lines.slice(2)]).fault?.line, 2);
	assert.equal(join([lines[0]!, lines[1]!.replace('egress.denied', 'run.exploded'), ...lines.slice(2)]).fault?.line, 2);
});

test('a torn last line is passed over by readers and cut off by the next writer', t => {
	const where = filled(t);
	const whole = readFileSync(where.journal, 'utf8');
	for (const tail of ['{', '{"seq":6,"at":"20', whole.slice(0, 40)]) {
		writeFileSync(where.journal, whole + tail);
		const reading = readJournal(where.journal);
		assert.deepEqual([reading.entries.length, reading.torn, reading.fault], [5, true, undefined]);
		const journal = Journal.open(where)!;
		journal.append(denied(9), 'fleet');
		journal.close();
		const after = readJournal(where.journal);
		assert.deepEqual([after.entries.length, after.torn, after.fault], [6, false, undefined]);
		writeFileSync(where.journal, whole);
	}
});

test('a last line that was changed is not believed, also without its hash; journals of earlier versions have none', t => {
	const {journal} = filled(t);
	const lines = readFileSync(journal, 'utf8').trimEnd().split('\n');
	const bare = lines.at(-1)!.replace(/,"hash":"[0-9a-f]{64}"\}$/, '}');
	assert.notEqual(bare, lines.at(-1));
	const reading = parseJournal(`${[...lines.slice(0, -1), bare].join('\n')}\n`);
	assert.deepEqual([reading.fault?.line, reading.entries.length], [5, 4]);
	assert.equal(parseJournal(`${lines[0]!.replace(/,"hash":"[0-9a-f]{64}"\}$/, '}')}\n`).fault, undefined);
});

test('nothing is appended to a journal that was changed', t => {
	const where = filled(t);
	writeFileSync(where.journal, readFileSync(where.journal, 'utf8').replace('"count":2', '"count":3'));
	assert.throws(() => Journal.open(where), /broken at line 4/);
	appendFileSync(where.journal, '');
	assert.ok(!Lock.isHeld(where.lock), 'the lock is given back');
});

test('there is one writer', t => {
	const where = filled(t);
	const journal = Journal.open(where)!;
	assert.equal(Journal.open(where), undefined);
	assert.ok(Lock.isHeld(where.lock));
	journal.close();
	assert.ok(!Lock.isHeld(where.lock));
	Journal.open(where)!.close();
});

test('a writer that is not alone any more writes nothing', t => {
	const where = filled(t);
	const journal = Journal.open(where)!;
	const whole = readFileSync(where.journal, 'utf8');
	appendFileSync(where.journal, 'x\n');
	assert.throws(() => journal.append(denied(9), 'fleet'), /another process wrote/);
	assert.equal(readFileSync(where.journal, 'utf8'), `${whole}x\n`);
	journal.close();
});

test('a line that could not be folded is not written', t => {
	const where = places(t);
	const journal = Journal.open(where)!;
	assert.throws(() => journal.append(denied(1), 'fleet'), /starts with run.created/);
	journal.close();
	assert.equal(readFileSync(where.journal, 'utf8'), '');
});
