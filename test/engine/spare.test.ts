import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {
	existsSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	realpathSync,
	truncateSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import {ThrowawayProject} from '../../source/attacks/project.ts';
import {cleanLayers, removeUnused} from '../../source/engine/layers/clean.ts';
import {makeSpare, sparesFolder} from '../../source/engine/run/spare.ts';
import {countEntries, refreshStats} from '../../source/host/index-file.ts';
import {removeFolder} from '../../source/host/remove-folder.ts';
import {attackContext} from '../support/attack.ts';

const context = attackContext();
const files = {
	'a.txt': 'a\n',
	'deep/er/b.txt': 'b\n',
	'deep/run.sh': '#!/bin/sh\n',
	'gone.txt': 'gone\n',
	'gone/too.txt': 'gone\n',
};
const now = {from: 1, rest: 0};
const ready = (project: ThrowawayProject) => path.join(sparesFolder(project.context.paths), 'project', 'ready');

async function withProject(work: (project: ThrowawayProject) => Promise<void>): Promise<void> {
	const project = await ThrowawayProject.make(context, files);
	try {
		await work(project);
	} finally {
		project.close();
	}
}

function commit(project: ThrowawayProject, changed: Readonly<Record<string, string>>): void {
	for (const [name, text] of Object.entries(changed)) {
		writeFileSync(path.join(project.project, name), text);
	}

	project.git('add', '--all');
	project.git('commit', '--quiet', '--message=more');
}

/** What a run sees of its files, and what git inside has to read again to know it. */
const look =
	"find . -path ./.git -prune -o -type f -printf '%P %m %u ' -exec cat {} \\; ; git diff-files; git status --short; pwd -P";

test('a run takes what was made ahead, of an older commit, too, and has the same files as without', () =>
	withProject(async project => {
		const first = await project.agent(look, {name: 'first'});
		await makeSpare(project.context, first.run, now);
		assert.ok(existsSync(ready(project)));
		const made = readFileSync(path.join(ready(project), 'tree', 'a.txt'), 'utf8');
		assert.equal(made, 'a\n');

		project.git('rm', '--quiet', '-r', 'gone.txt', 'gone');
		commit(project, {'a.txt': 'changed\n', 'new.txt': 'new\n'});
		const second = await project.agent(look, {name: 'second'});
		assert.ok(!existsSync(ready(project)), 'it was taken');
		assert.deepEqual(
			readdirSync(path.dirname(ready(project))).filter(name => !name.startsWith('lock')),
			[],
		);
		const third = await project.agent(look, {name: 'third'});
		const sorted = (output: string, name: string) => output.replaceAll(name, 'RUN').split('\n').sort();
		assert.deepEqual(sorted(second.output, 'second'), sorted(third.output, 'third'));
		assert.match(second.output, /changed/);
		assert.doesNotMatch(second.output, /gone| M /);
	}));

test('what a run does in a worktree that was made ahead is in no other', () =>
	withProject(async project => {
		const {run} = await project.agent('true', {name: 'first'});
		await makeSpare(project.context, run, now);
		await project.agent('echo mine > a.txt; rm -r deep; chmod 700 .', {name: 'second'});
		await makeSpare(project.context, run, now);
		const {output} = await project.agent('cat a.txt deep/er/b.txt', {name: 'third'});
		assert.equal(output, 'a\nb');
	}));

test('what does not fit is not taken: other settings, other attributes, another start of the machine', () =>
	withProject(async project => {
		const {run} = await project.agent('true', {name: 'first'});
		const facts = path.join(ready(project), 'spare.json');
		for (const [name, change] of Object.entries({
			settings: () => project.git('config', 'core.autocrlf', 'true'),
			attributes: () => commit(project, {'.gitattributes': '*.txt text eol=crlf\n'}),
			start: () => writeFileSync(facts, readFileSync(facts, 'utf8').replace(/"boot": ".*"/, '"boot": "other"')),
		})) {
			await makeSpare(project.context, run, now);
			assert.ok(existsSync(facts));
			change();
			const {output} = await project.agent('cat -A a.txt; git status --short', {name});
			assert.equal(output, name === 'start' || name === 'attributes' ? 'a^M$' : output, name);
			assert.ok(!existsSync(ready(project)));
		}
	}));

test('what was made ahead and is not as it was is written anew', () =>
	withProject(async project => {
		const {run} = await project.agent('true', {name: 'first'});
		await makeSpare(project.context, run, now);
		const place = path.join(ready(project), 'tree', 'a.txt');
		writeFileSync(place, 'something else\n');
		writeFileSync(path.join(ready(project), 'tree', 'more.txt'), 'more\n');
		commit(project, {'a.txt': 'changed\n'});
		const {output} = await project.agent('cat a.txt; ls; git status --short', {name: 'second'});
		assert.equal(output, 'changed\na.txt\ndeep\ngone\ngone.txt');
	}));

test('a worktree made ahead whose index is cut, empty or gone is not used', () =>
	withProject(async project => {
		const {run} = await project.agent('true', {name: 'first'});
		for (const [name, damage] of Object.entries({
			cut: (index: string) => truncateSync(index, 50),
			empty: (index: string) => truncateSync(index, 0),
			gone: (index: string) => removeFolder(index),
		})) {
			await makeSpare(project.context, run, now);
			damage(path.join(ready(project), 'index'));
			const {output} = await project.agent('cat a.txt deep/er/b.txt; git status --short', {name});
			assert.equal(output, 'a\nb', name);
			assert.deepEqual(
				readdirSync(path.dirname(ready(project))).filter(left => !left.startsWith('lock')),
				[],
				name,
			);
		}
	}));

test('two runs that start at once: one takes what was made ahead, and each has all files', () =>
	withProject(async project => {
		const {run} = await project.agent('true', {name: 'first'});
		await makeSpare(project.context, run, now);
		const both = await Promise.all(['one', 'two'].map(name => project.agent('cat a.txt; git status --short', {name})));
		assert.deepEqual(
			both.map(({output}) => output),
			['a', 'a'],
		);
	}));

test('a run that is gone has nothing made for the next one', () =>
	withProject(async project => {
		const {run} = await project.agent('true', {name: 'first'});
		const making = makeSpare(project.context, run, {from: 1, rest: 300});
		removeFolder(project.context.paths.run('first').folder);
		await making;
		assert.ok(!existsSync(sparesFolder(project.context.paths)));
	}));

test('few files, a maker at work, and what makers and takers left that were killed', () =>
	withProject(async project => {
		const {run} = await project.agent('true', {name: 'first'});
		await makeSpare(project.context, run, {rest: 0});
		assert.ok(!existsSync(ready(project)), 'a project of few files needs none');
		await Promise.all([makeSpare(project.context, run, now), makeSpare(project.context, run, now)]);
		assert.ok(existsSync(ready(project)));
		const folder = path.dirname(ready(project));
		removeFolder(ready(project));
		for (const left of ['new', 'taken-99999999']) {
			execFileSync('mkdir', ['-p', path.join(folder, left, 'tree')]);
		}

		await makeSpare(project.context, run, now);
		assert.deepEqual(
			readdirSync(folder)
				.sort()
				.filter(name => !name.startsWith('lock')),
			['ready'],
		);
		await cleanLayers(project.context);
		assert.ok(existsSync(ready(project)), 'it is new');
		const old = Date.now() / 1000 - 365 * 24 * 3600;
		utimesSync(path.join(ready(project), 'spare.json'), old, old);
		await cleanLayers(project.context);
		assert.ok(!existsSync(ready(project)));
		await makeSpare(project.context, run, now);
		removeUnused(project.context);
		assert.ok(!existsSync(ready(project)));
	}));

for (const format of ['sha1', 'sha256']) {
	test(`an index of ${format} says of files that changed their owner what git itself would say`, () => {
		const folder = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'fleet-test-'));
		try {
			const git = (...argv: string[]) =>
				execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@x.invalid', '-C', folder, ...argv], {
					encoding: 'latin1',
				});
			git('init', '--quiet', `--object-format=${format}`);
			const names = Array.from({length: 40}, (_, index) => `${'n'.repeat(index + 1)}-\u00E9.txt`);
			for (const name of names) {
				writeFileSync(path.join(folder, name), name);
			}

			git('add', '--all');
			git('commit', '--quiet', '--message=all');
			// An entry with extended flags makes it format 3.
			git('rm', '--quiet', '--cached', 'n-\u00E9.txt');
			git('add', '--intent-to-add', 'n-\u00E9.txt');
			const index = path.join(folder, '.git', 'index');
			assert.equal(countEntries(index), 40);
			assert.equal(readFileSync(index).readUInt32BE(4), 3);
			// Another time of change, as after chown.
			execFileSync('sh', ['-c', 'for f in *.txt; do ln "$f" x; rm x; done'], {cwd: folder});
			assert.ok(refreshStats(index, folder, format === 'sha1' ? 20 : 32));
			const ours = git('ls-files', '--debug');
			// 1: the file that is only announced has to be added.
			spawnSync('git', ['-C', folder, 'update-index', '--really-refresh']);
			assert.equal(ours, git('ls-files', '--debug'));

			const broken = readFileSync(index);
			broken[broken.length - 1]! ^= 1;
			writeFileSync(index, broken);
			assert.ok(!refreshStats(index, folder, format === 'sha1' ? 20 : 32));
			assert.deepEqual(readFileSync(index), broken, 'what is not understood is left as it is');
		} finally {
			removeFolder(folder);
		}
	});
}
