import assert from 'node:assert/strict';
import {existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test, type TestContext} from 'node:test';
import {Fleet, until} from '../support/fleet.ts';

/* A start that fails at any of its steps, or is killed there, leaves nothing, and its name can be used at once. */

/** A git before the real one, which does something else at one of its calls. */
function trap(fleet: Fleet, act: string): {env: Record<string, string>; at(call: number): void; calls(): string[]} {
	const bin = path.join(fleet.folder, 'bin');
	const [log, when] = [path.join(fleet.folder, 'calls'), path.join(fleet.folder, 'when')];
	mkdirSync(bin);
	writeFileSync(
		path.join(bin, 'git'),
		`#!/bin/sh\necho "$*" >> '${log}'\n[ "$(wc -l < '${log}')" = "$(cat '${when}')" ] && { ${act}; }\n` +
			'exec /usr/bin/git "$@"\n',
		{mode: 0o755},
	);
	return {
		env: {PATH: `${bin}:${fleet.env['PATH']}`},
		at(call) {
			rmSync(log, {force: true});
			writeFileSync(when, String(call));
		},
		calls: () => readFileSync(log, 'utf8').trim().split('\n'),
	};
}

function assertNothingLeft(fleet: Fleet, when: string): void {
	assert.equal(fleet.git('for-each-ref', 'refs/heads/fleet', 'refs/fleet'), '', `${when}: a ref is left`);
	assert.equal(
		fleet
			.git('worktree', 'list', '--porcelain')
			.split('\n')
			.filter(line => line.startsWith('worktree ')).length,
		2,
		`${when}: a worktree is left, or the person's is gone`,
	);
	const {paths} = fleet.context();
	for (const folder of ['runs', 'worktrees', 'pulse']) {
		assert.deepEqual(readdirSync(path.join(paths.state, folder)), [], `${when}: ${folder} is not empty`);
	}
}

/** Every third step, from any of the first three on; FAILED_START=all tries each. */
const stride = process.env['FAILED_START'] === 'all' ? 1 : 3;

/** Lets a start end at its steps in turn. */
async function atEachStep(t: TestContext, act: string, after: (fleet: Fleet, when: string) => void): Promise<void> {
	const fleet = new Fleet(t);
	// A worktree of the person's own with the name of the run.
	fleet.git('worktree', 'add', '--quiet', '--detach', path.join(fleet.folder, 'elsewhere', 'n'));
	const trapped = trap(fleet, act);
	let failed = 0;
	const first = 1 + Math.floor(Math.random() * stride);
	t.diagnostic(`every ${stride} steps, from step ${first}`);
	for (let call = first; ; call += stride) {
		trapped.at(call);
		const {code} = fleet.run(['run', '--name', 'n', '--', 'true'], {env: trapped.env});
		const calls = trapped.calls();
		if (calls.length < call) {
			assert.equal(code, 0);
			break;
		}

		if (code === 0) {
			// A step whose failure is an answer, or one of the run's own, later.
			await until(() => ['stopped', 'crashed'].includes(fleet.stage('n')), 'it ends');
			fleet.must('discard', 'n');
			fleet.must('clean', 'n');
			rmSync(fleet.context().paths.run('n').folder, {recursive: true});
			rmSync(fleet.context().paths.run('n').pulse, {force: true});
			fleet
				.git('for-each-ref', '--format=%(refname)', 'refs/fleet')
				.split('\n')
				.filter(ref => ref !== '')
				.map(ref => fleet.git('update-ref', '-d', ref));
			continue;
		}

		failed++;
		after(fleet, `git call ${call}, ${calls.at(call - 1)!.replace(/^.*--git-dir=\S+ /, '')}`);
	}

	assert.ok(failed >= 8 / stride, `${failed} steps failed`);
	// Its supervisor calls git, too.
	await until(() => ['stopped', 'crashed'].includes(fleet.stage('n')), 'it ends');
}

test('a start that fails at any step is taken back', t => atEachStep(t, 'exit 77', assertNothingLeft));

test('a start that is killed at any step is taken back by the next one', t =>
	atEachStep(t, 'kill -9 $PPID; exit 77', (fleet, when) => {
		const {stderr} = fleet.run(['run', '--name', 'other', '--base', 'nowhere', '--', 'true']);
		assert.match(stderr, /no branch or commit "nowhere"/);
		if (existsSync(fleet.context().paths.run('n').journal)) {
			assertNothingLeft(fleet, when);
		}
	}));
