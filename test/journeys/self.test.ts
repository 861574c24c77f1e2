import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {cpSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {Fleet, root} from '../support/fleet.ts';

/*
 * Real input: this very repository, with its own fast tests as the verify gate, and a small true change taken to main.
 */

test("fleet's own repository, from a task to merged", async t => {
	const fleet = new Fleet(t, {add: false});
	rmSync(fleet.project, {recursive: true});
	const listed = spawnSync('git', ['-C', root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
		encoding: 'utf8',
	});
	mkdirSync(fleet.project);
	fleet.git('init', '--quiet', '--initial-branch=main');
	for (const name of listed.stdout.split('\0').filter(name => name !== '')) {
		cpSync(path.join(root, name), path.join(fleet.project, name), {recursive: true});
	}

	// Plain Node runs the pure tests: no package is needed, so no network is.
	mkdirSync(path.join(fleet.project, '.fleet'), {recursive: true});
	writeFileSync(path.join(fleet.project, '.fleet', 'policy.yaml'), 'verify:\n  - node --test test/core/text.test.ts\n');
	fleet.git('add', '--all');
	fleet.git('commit', '--quiet', '--message=import');
	fleet.must('project', 'add');

	// A change that is wrong is caught by the tests of the merged tree.
	await fleet.agent(
		'wrong',
		'sed -i "s/h: 3_600_000/h: 3_600_001/" source/core/text/time.ts && git commit -qam "Make hours longer"',
	);
	assert.equal(fleet.run(['verify', 'wrong']).code, 3);
	assert.match(fleet.run(['verify', 'wrong']).stdout, /7_?200_?00[02]/);

	// A true small change: weeks are a length of time.
	await fleet.agent(
		'weeks',
		`
sed -i "s/d: 86_400_000}/d: 86_400_000, w: 604_800_000}/; s/\\[smhd\\]/[smhdw]/" source/core/text/time.ts
sed -i "s/assert.equal(parseDuration('2h'), 7_200_000);/&\\n\\tassert.equal(parseDuration('2w'), 1_209_600_000);/" test/core/text.test.ts
git diff --stat && node --test test/core/text.test.ts > /tmp/out 2>&1 && git commit -qam "time: accept weeks" && echo committed
`,
	);
	assert.match(fleet.must('logs', 'weeks'), /committed/, "the project's tests run inside the sandbox");
	assert.equal(fleet.run(['audit', 'weeks']).code, 0);
	assert.match(fleet.must('verify', 'weeks'), /verified: 1 command passed/);
	assert.match(fleet.must('diff', 'weeks'), /604_800_000/);
	fleet.must('approve', 'weeks', '--because', 'small and tested');
	fleet.must('merge', 'weeks');
	assert.match(readFileSync(path.join(fleet.project, 'source/core/text/time.ts'), 'utf8'), /604_800_000/);
	assert.equal(fleet.git('status', '--porcelain', '--untracked-files=no'), '');
	assert.match(
		execFileSync('git', ['-C', fleet.project, 'log', '--oneline', '--graph'], {encoding: 'utf8', env: fleet.env}),
		/Merge run weeks/,
	);
});
