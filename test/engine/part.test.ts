import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import {ThrowawayProject} from '../../source/attacks/project.ts';
import {conePatterns, parsePart} from '../../source/core/git/part.ts';
import {Refusal} from '../../source/core/refusal.ts';
import {countChanges} from '../../source/engine/handover/changes.ts';
import {withScripts} from '../../source/engine/run/agent-scripts.ts';
import {Journal} from '../../source/host/journal.ts';
import {attackContext} from '../support/attack.ts';

/* A run in one folder of a repository: `--path`, and the policy's `path`. */

const context = attackContext();

async function withMonorepo(policy: string, work: (project: ThrowawayProject) => Promise<void>): Promise<void> {
	const files = Object.fromEntries(
		['packages/a/x', 'packages/b/x', 'packages/manifest', 'tools/t', 'other/deep/o'].map(name => [name, `${name}\n`]),
	);
	const project = await ThrowawayProject.make(
		{...context, actor: 'person:tester'},
		{...files, '.fleet/policy.yaml': `verify: ["test -f other/deep/o"]\n${policy}`},
	);
	try {
		await work(project);
	} finally {
		project.close();
	}
}

const capturedOf = (project: ThrowawayProject) => {
	const journal = Journal.open(project.context.paths.run('attack'))!;
	journal.close();
	return journal.run.captured!;
};

test("with the policy's path.only a run sees that folder, and the rest is not taken for deleted", () =>
	withMonorepo('path: {only: true, with: [tools]}\n', async project => {
		const {git} = project;
		const {run, output} = await project.agent(
			'find . -type f ! -path "./.git*" | sort | tr "\\n" " "; git status --short; echo y > packages/a/y; ' +
				'mkdir packages/b; echo z > packages/b/z; git add packages/a; git commit --quiet --message=y; echo w > packages/a/w',
			{path: 'packages/a/'},
		);
		assert.equal(output, './.fleet/policy.yaml ./a.txt ./packages/a/x ./packages/manifest ./tools/t');
		assert.equal(run.path, 'packages/a');
		assert.deepEqual((await countChanges(project.context, run))?.files, 3);
		assert.equal((await project.handle(run)).verify, 'true', 'verify has all of it');
		assert.match(
			git('diff', '--name-status', 'main', 'fleet/attack').replaceAll(/\s+/g, ' '),
			/^A packages\/a\/w A packages\/a\/y A packages\/b\/z$/,
		);
		assert.ok(!git('config', '--list').includes('sparse'), "the person's own repository is not one");
	}));

test('without it a run sees all, and what it changes elsewhere is flagged', () =>
	withMonorepo('', async project => {
		const {run, output} = await project.agent('ls; echo y > packages/a/y; echo z >> packages/b/x; rm tools/t', {
			path: 'packages/a',
		});
		assert.equal(output.replaceAll('\n', ' '), 'a.txt other packages tools');
		assert.equal((await project.handle(run)).verify, 'true');
		assert.deepEqual(capturedOf(project).commitFlags, ['changes outside of packages/a: packages/b/x and 1 more']);
		await assert.rejects(project.agent('true', {name: 'none', path: 'packages/c'}), /there is no folder "packages\/c"/);
		await assert.rejects(project.agent('true', {name: 'file', path: 'a.txt'}), /there is no folder "a\.txt"/);
	}));

test("the agent starts there, the policy's commands at the top", t => {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-part-'));
	t.after(() => rmSync(folder, {recursive: true}));
	mkdirSync(path.join(folder, 'packages/a b'), {recursive: true});
	const run = (part: string) => {
		const {argv, cwd} = withScripts(
			{argv: ['/bin/sh', '-c', 'pwd; touch "$1"', 'sh', 'made'], cwd: folder, env: {}},
			{setup: ['touch before'], teardown: ['touch after'], folder: part},
			{hasFiles: false, services: []},
		);
		return execFileSync(argv[0]!, argv.slice(1), {cwd, encoding: 'utf8'});
	};

	assert.match(run('packages/a b'), /packages\/a b\n/);
	assert.deepEqual(
		['before', 'after', 'packages/a b/made'].map(name => existsSync(path.join(folder, name))),
		[true, true, true],
	);
	assert.match(run('gone'), /fleet: the folder gone is gone; this is the top\n/);
	assert.ok(existsSync(path.join(folder, 'made')));
});

test('a folder is named from the top, and never leads out', () => {
	assert.equal(parsePart('packages/a/'), 'packages/a');
	assert.equal(parsePart('./packages//a'), 'packages/a');
	for (const text of ['', '.', '/etc', '..', '../x', 'a/../..', '.git', 'a/.GIT/b', 'a\nb']) {
		assert.ok(parsePart(text) instanceof Refusal, text);
	}
});

test("patterns are those of git's own cone mode", t => {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-part-'));
	t.after(() => rmSync(folder, {recursive: true}));
	const git = (...argv: string[]) => execFileSync('git', ['-C', folder, ...argv], {encoding: 'utf8'});
	git('init', '--quiet');
	writeFileSync(path.join(folder, 'x'), '');
	for (const folders of [['a'], ['a/b/c', 'a/b', 'z'], ['a/b', 'a/c', 'we[i]rd*/d?'], ['one two/three']]) {
		git('sparse-checkout', 'set', '--cone', '--skip-checks', ...folders);
		assert.equal(
			execFileSync('cat', [path.join(folder, '.git/info/sparse-checkout')], {encoding: 'utf8'}),
			conePatterns(folders),
			folders.join(' '),
		);
	}
});
