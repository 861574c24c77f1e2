import assert from 'node:assert/strict';
import {readdirSync} from 'node:fs';
import {test} from 'node:test';
import {runFileOf, runFiles, type RunFile} from '../../source/host/run-files.ts';
import {Fleet} from '../support/fleet.ts';

test("the names of a run's files: parts, folders of many, what was cut short; nothing else", () => {
	for (const file of Object.values<RunFile>(runFiles)) {
		assert.equal(runFileOf(file.form === 'prefix' ? `${file.name}17-aXb3` : file.name), file);
		assert.equal(runFileOf(`${file.name}.1`) === file, file.form !== undefined, file.name);
	}

	assert.equal(runFileOf('review.json.4711.new')?.removedBy, 'clean');
	assert.equal(runFileOf('lock.sqlite-journal')?.removedBy, 'nothing');
	assert.equal(runFileOf('other.sqlite-journal'), undefined);
	for (const name of ['other', 'journal.jsonl.2', 'output.log.1.1', 'other.4711.new', 'verify2', 'a-jail-1', '']) {
		assert.equal(runFileOf(name), undefined, name);
	}
});

test("a run's folder holds what the table names, and loses it when the table says so", async t => {
	const fleet = new Fleet(t, {
		policy: 'verify:\n  - test -f b.txt\ndeploy:\n  shelf:\n    command: cat b.txt\n',
	});
	const {folder} = fleet.context().paths.run('w');
	const left = (...removed: ReadonlyArray<RunFile['removedBy']>) => {
		const names = readdirSync(folder);
		assert.deepEqual(
			names.filter(name => removed.includes(runFileOf(name)?.removedBy as RunFile['removedBy'])),
			[],
		);
		assert.deepEqual(
			names.filter(name => runFileOf(name) === undefined),
			[],
		);
		return new Set(names.map(name => runFileOf(name)));
	};

	await fleet.agent('w', 'echo two > b.txt; git add b.txt; git commit --quiet --message=two');
	fleet.must('verify', 'w');
	fleet.must('audit', 'w');
	fleet.must('approve', 'w', '--because', 'it is right');
	fleet.must('merge', 'w');
	fleet.must('deploy', 'w', 'shelf', '--confirm', 'shelf');
	const worked = left();
	for (const file of [runFiles.verifyLog, runFiles.deployLog, runFiles.dotGit, runFiles.quarantine]) {
		assert.ok(worked.has(file), file.name);
	}

	fleet.must('discard', 'w', '--because', 'over');
	left('discard', 'tidy');
	fleet.must('clean', 'w');
	assert.ok(left('discard', 'tidy', 'clean').has(runFiles.journal));
});
