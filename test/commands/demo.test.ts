import assert from 'node:assert/strict';
import {mkdirSync, readdirSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {Fleet, until} from '../support/fleet.ts';

test('fleet demo --yes walks the whole way, says what was stopped, and leaves nothing behind', t => {
	const fleet = new Fleet(t, {add: false});
	const traces = () => readdirSync(os.tmpdir()).filter(name => name.startsWith('fleet-demo-'));
	const before = traces();
	// Another node comes first on the search path, an old one that
	// knows no proxy: what the demo shows does not depend on it.
	const old = path.join(fleet.folder, 'old');
	mkdirSync(old);
	writeFileSync(path.join(old, 'node'), '#!/bin/sh\nexit 1\n', {mode: 0o755});
	const {code, stdout, stderr} = fleet.run(['demo', '--yes'], {env: {PATH: `${old}:${process.env['PATH']}`}});
	assert.equal(code, 0, stdout + stderr);
	for (const wanted of [
		'the ssh key was not read',
		'the network was not reached',
		'main did not move',
		'no hook was planted',
		"the denial is on the run's row",
		'the grant acted on the next request',
		'6 of 6',
		'the server was sent the real key, once',
		'the run never had it',
		'with an alarm on the run',
		'approval before verification is refused',
		'the merged commit is deployed',
		'the credential is nowhere',
		'Every step held.',
	]) {
		assert.ok(stdout.includes(wanted), wanted);
	}

	assert.doesNotMatch(stdout, /✘/);
	assert.deepEqual(traces(), before);
});

test('fleet demo says so when a step does not hold', t => {
	const fleet = new Fleet(t, {add: false});
	// Without git there is nothing to show.
	const traces = () => readdirSync(os.tmpdir()).filter(name => name.startsWith('fleet-demo-'));
	const before = traces();
	const {code, stderr} = fleet.run(['demo', '--yes'], {env: {PATH: '/nonexistent'}});
	assert.deepEqual(traces(), before);
	assert.notEqual(code, 0);
	assert.match(stderr, /^fleet: /m);
});

for (const signal of ['SIGINT', 'SIGHUP'] as const) {
	test(`fleet demo that is ended by ${signal} in the middle leaves nothing behind`, async t => {
		const fleet = new Fleet(t, {add: false});
		const traces = () => readdirSync(os.tmpdir()).filter(name => name.startsWith('fleet-demo-'));
		const before = traces();
		const child = fleet.spawn(['demo', '--yes']);
		let output = '';
		child.stdout.on('data', data => {
			output += String(data);
		});
		await until(() => output.includes('waiting for the network'), 'the agent is at work');
		const made = traces().filter(name => !before.includes(name));
		child.kill(signal);
		await new Promise(resolve => {
			child.once('exit', resolve);
		});
		assert.ok(made.length > 0);
		assert.deepEqual(
			traces().filter(name => made.includes(name)),
			[],
		);
	});
}
