import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {Fleet, program, until} from '../support/fleet.ts';

test('fleet demo --yes walks the whole way, says what was stopped, and leaves nothing behind', t => {
	const fleet = new Fleet(t, {add: false});
	const traces = () => readdirSync(os.tmpdir()).filter(name => name.startsWith('fleet-demo-'));
	const before = traces();
	// Another node comes first on the search path, an old one that
	// knows no proxy: what the demo shows does not depend on it.
	const old = path.join(fleet.folder, 'old');
	mkdirSync(old);
	writeFileSync(path.join(old, 'node'), '#!/bin/sh\nexit 1\n', {mode: 0o755});
	const env = {PATH: `${old}:${process.env['PATH']}`, FLEET_PATH: `${old}:${process.env['PATH']}`};
	const {code, stdout, stderr} = fleet.run(['demo', '--yes'], {env});
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

/** A machine without bubblewrap, in a mount namespace that only root can make: an empty file lies over it. */
const hidden = '/bin/mount --bind "$EMPTY" /usr/bin/bwrap && exec "$@"';

function withoutSandbox(argv: readonly string[], options: {cwd: string; env: Record<string, string>}) {
	const empty = path.join(options.cwd, '.empty');
	writeFileSync(empty, '', {mode: 0o644});
	return spawnSync('/usr/bin/unshare', ['--mount', '/bin/sh', '-c', hidden, 'sh', ...argv], {
		cwd: options.cwd,
		env: {...options.env, EMPTY: empty},
		encoding: 'utf8',
		input: '',
		timeout: 300_000,
	});
}

const asRoot = {skip: process.getuid?.() === 0 ? false : 'hiding a program needs root'};

test('fleet demo --yes installs what is missing with the package manager, and goes on', asRoot, t => {
	const fleet = new Fleet(t, {add: false});
	const bin = path.join(fleet.folder, 'bin');
	mkdirSync(bin);
	// Stands for the machine's own: what it "installs" is what was hidden.
	const said = path.join(fleet.folder, 'said');
	writeFileSync(
		path.join(bin, 'apt-get'),
		`#!/bin/sh\necho "$@" >> ${said}\ncase $1 in install) umount /usr/bin/bwrap;; *) exit 100;; esac\n`,
		{mode: 0o755},
	);
	const {status, stdout, stderr} = withoutSandbox([process.execPath, program, 'demo', '--yes'], {
		cwd: fleet.folder,
		env: {...fleet.env, PATH: `${bin}:${fleet.env['PATH']}`},
	});
	assert.equal(status, 0, stdout + stderr);
	assert.match(stderr, /^bubblewrap is not installed\n {2}apt-get update -q\n {2}apt-get install .* bubblewrap\n$/);
	assert.match(stdout, /Every step held\. Next, in a project of your own: fleet project add\n$/);
});

test('without a terminal and without --yes nothing is installed', asRoot, t => {
	const fleet = new Fleet(t, {add: false});
	const {status, stderr} = withoutSandbox([process.execPath, program, 'doctor', '--fix'], {
		cwd: fleet.folder,
		env: fleet.env,
	});
	assert.equal(status, 2, stderr);
	assert.match(stderr, /there is nobody to ask\n {2}hint: fleet doctor --fix --yes\n$/);
});

test('an account that may not install is told the one command for the administrator', asRoot, t => {
	// Where that account can read: neither the checkout nor the test's own folder may be.
	const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-account-'));
	t.after(() => rmSync(folder, {recursive: true, force: true}));
	chmodSync(folder, 0o755);
	const home = path.join(folder, 'home');
	const bin = path.join(folder, 'bin');
	for (const place of [home, bin]) {
		mkdirSync(place, {mode: 0o755});
	}

	cpSync(path.dirname(program), path.join(folder, 'dist'), {recursive: true});
	cpSync(process.execPath, path.join(bin, 'node'));
	symlinkSync('/usr/bin/git', path.join(bin, 'git'));
	spawnSync('chown', ['64997:64997', home]);
	const account = ['/usr/bin/setpriv', '--reuid', '64997', '--regid', '64997', '--clear-groups', '--'];
	const run = (...argv: string[]) =>
		withoutSandbox([...account, path.join(bin, 'node'), path.join(folder, 'dist', 'fleet.cjs'), ...argv], {
			cwd: folder,
			env: {PATH: bin, HOME: home, LANG: 'C.UTF-8'},
		});
	for (const argv of [
		['demo', '--yes'],
		['doctor', '--fix', '--yes'],
	]) {
		const {status, stderr} = run(...argv);
		assert.equal(status, argv[0] === 'demo' ? 2 : 3, stderr);
		assert.match(
			stderr,
			/not installed, and this account cannot change that: .*\n {2}hint: the administrator of this machine runs, as root: \S+ .*bubblewrap\n$/,
		);
	}

	// One that has sudo and would be asked for a password, where nobody can type it.
	writeFileSync(path.join(bin, 'sudo'), '#!/bin/sh\nexit 1\n', {mode: 0o755});
	const {status, stderr} = run('demo', '--yes');
	assert.equal(status, 2, stderr);
	assert.match(stderr, /sudo asks for a password or refuses\n {2}hint: in a terminal: sudo .*bubblewrap; or /);
});
