import assert from 'node:assert/strict';
import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {attacks} from '../../source/attacks/catalogue.ts';
import {Fleet} from '../support/fleet.ts';

test('fleet doctor --attack tries an area of the catalogue on this machine, and leaves nothing', t => {
	const fleet = new Fleet(t);
	const settings = () =>
		['/proc/sys/kernel/core_pattern', '/proc/sys/kernel/hostname'].map(file => readFileSync(file, 'utf8'));
	const before = settings();
	const temporary = path.join(fleet.folder, 't');
	mkdirSync(temporary);
	// Beside the tests that try each by itself: those that only root's suite has.
	const tried = process.getuid?.() === 0 ? 'files' : 'git';
	const {code, stdout, stderr} = fleet.run(['doctor', '--attack', tried, '--json'], {env: {TMPDIR: temporary}});
	const document = JSON.parse(stdout) as {
		ok: boolean;
		attempts: Array<{id: string; title: string; source: string; status: string; because: string}>;
		notCovered: string[];
	};
	const bad = document.attempts.filter(attempt => attempt.status !== 'stopped');
	assert.deepEqual(bad, []);
	assert.equal(code, 0, stderr);
	assert.deepEqual(
		document.attempts.map(attempt => attempt.id),
		attacks.filter(({area}) => area === tried).map(({id}) => id),
	);
	assert.ok(attacks.length >= 200);
	assert.equal(new Set(attacks.map(attack => attack.id)).size, attacks.length);
	assert.ok(document.attempts.every(attempt => attempt.title && attempt.source && attempt.because));
	assert.ok(document.notCovered.length > 0);
	assert.deepEqual(settings(), before);
	assert.deepEqual(
		readdirSync(temporary).filter(name => name.startsWith('fleet-')),
		[],
	);
});

test('an area of attacks that there is not is refused', t => {
	const {code, stderr} = new Fleet(t).run(['doctor', '--attack', 'all']);
	assert.equal(code, 2);
	assert.match(stderr, /there is no area "all" of attacks\n {2}hint: one of: git, files, /);
});

test('fleet doctor says what limits a run as a whole, or that nothing does', t => {
	const fleet = new Fleet(t);
	const {checks} = fleet.json<{checks: Array<{id: string; because: string}>}>('doctor');
	assert.match(checks.find(check => check.id === 'limits')!.because, /control group/);
});

test('packages are installed for nobody who was not asked, and the hint works as typed', t => {
	const fleet = new Fleet(t, {add: false});
	const bin = path.join(fleet.folder, 'bin');
	mkdirSync(bin);
	writeFileSync(path.join(bin, 'git'), '#!/bin/sh\nexit 127\n', {mode: 0o755});
	const {code, stdout, stderr} = fleet.run(['doctor', '--fix'], {env: {PATH: bin}});
	if (process.getuid!() === 0) {
		assert.deepEqual([code, stdout], [2, ''], stderr);
		assert.match(stderr, /there is nobody to ask\n {2}hint: fleet doctor --fix --yes\n$/);
	} else {
		// There is no sudo on this PATH: what the administrator runs is said, and what was found is shown all the same.
		assert.equal(code, 3, stderr);
		assert.match(
			stderr,
			/it is not root, and there is no sudo\n {2}hint: the administrator of this machine runs, as root: /,
		);
		assert.match(stdout, /^FAILS {2}git /m);
	}
});
