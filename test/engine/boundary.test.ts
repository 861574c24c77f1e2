import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {chmodSync, chownSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {machineBoundary} from '../../source/engine/grants/boundary.ts';
import {Refusal} from '../../source/core/refusal.ts';
import {basicPlan, withLimits} from '../../source/engine/sandbox/plan.ts';
import {Fleet, program} from '../support/fleet.ts';
import {commitFiles} from '../support/people.ts';

/* What no project and no person on the machine widens. */

const isRoot = process.getuid?.() === 0;
const because = ['--because', 'test'];

test('a boundary counts only where nobody but root can have written it', {skip: isRoot ? false : 'needs root'}, t => {
	const fleet = new Fleet(t, {add: false});
	const folder = path.join(fleet.folder, 'etc');
	const file = path.join(folder, 'boundary.yaml');
	const refused = (pattern: RegExp) =>
		assert.throws(
			() => machineBoundary(file),
			(error: unknown) => error instanceof Refusal && pattern.test(error.because) && error.hint !== '',
		);
	assert.equal(machineBoundary(file), undefined);
	mkdirSync(folder);
	assert.equal(machineBoundary(file), undefined);
	writeFileSync(file, 'only: ["model:*"]\n', {mode: 0o644});
	assert.equal(machineBoundary(file)?.wall.only?.at, `${file}:1`);

	chmodSync(file, 0o664);
	refused(/others can write/);
	chmodSync(file, 0o646);
	refused(/others can write/);
	chmodSync(file, 0o644);
	chownSync(file, 65_534, 0);
	refused(/is not root's/);
	chownSync(file, 0, 0);
	chmodSync(folder, 0o775);
	refused(/a folder that others can write/);
	chmodSync(folder, 0o755);
	chownSync(folder, 65_534, 0);
	refused(/is not root's/);
	chownSync(folder, 0, 0);
	assert.ok(machineBoundary(file));

	renameSync(file, `${file}.real`);
	symlinkSync(`${file}.real`, file);
	refused(/read by no link/);
	rmSync(file);
	symlinkSync('/nowhere', file);
	refused(/read by no link/);
	rmSync(file);
	mkdirSync(file);
	refused(/not a file of its own/);
	rmSync(file, {recursive: true});
	execFileSync('mkfifo', [file]);
	refused(/not a file of its own/);
	rmSync(file);
	renameSync(folder, `${folder}.real`);
	symlinkSync(`${folder}.real`, folder);
	writeFileSync(`${folder}.real/boundary.yaml`, '');
	refused(/not a folder of its own/);
	rmSync(folder);
	renameSync(`${folder}.real`, folder);
	writeFileSync(file, 'only: ["model:*"\n');
	refused(/boundary\.yaml:\d/);
	writeFileSync(file, 'no: 1\n');
	refused(/"no" is not a key here/);
});

/** Runs the program where /etc/fleet is a folder of the test's. */
function within(fleet: Fleet, etc: string, argv: readonly string[]): {code: number | null; stderr: string} {
	const shell = 'mount --bind "$1" /etc && shift && exec "$@"';
	const {status, stderr} = spawnSync(
		'unshare',
		['--mount', '--propagation', 'private', 'sh', '-c', shell, 'sh', etc, process.execPath, program, ...argv],
		{cwd: fleet.project, env: fleet.env, encoding: 'utf8', input: ''},
	);
	return {code: status, stderr};
}

test(
	'the program reads /etc/fleet/boundary.yaml, and starts nothing where it cannot rely on it',
	{
		skip: isRoot ? false : 'needs root',
	},
	t => {
		const fleet = new Fleet(t);
		const etc = path.join(fleet.folder, 'etc');
		execFileSync('cp', ['-a', '/etc', etc]);
		fleet.start('off', 'true');
		mkdirSync(path.join(etc, 'fleet'), {mode: 0o755, recursive: true});
		const file = path.join(etc, 'fleet', 'boundary.yaml');
		writeFileSync(file, 'grants: [{scope: "network:never.test", never: true}]\n', {mode: 0o644});
		const allow = ['allow', 'off', 'network:never.test', ...because];
		assert.match(within(fleet, etc, allow).stderr, /never granted \(\/etc\/fleet\/boundary\.yaml:1\)/);
		assert.equal(within(fleet, etc, ['allow', 'off', 'network:ok.test', ...because]).code, 0);
		chownSync(file, 65_534, 0);
		for (const argv of [
			['allow', 'off', 'network:ok.test', ...because],
			['run', '--', 'true'],
			['resume', 'off'],
		]) {
			const {code, stderr} = within(fleet, etc, argv);
			assert.match(stderr, /boundary\.yaml is not root's.*\n\s+hint: sudo chown root/, argv.join(' '));
			assert.equal(code, 2);
		}
	},
);

/** A boundary that the environment names. */
function bounded(fleet: Fleet, text: string): void {
	const file = path.join(fleet.folder, 'boundary.yaml');
	writeFileSync(file, text);
	fleet.env['FLEET_BOUNDARY'] = file;
}

test('a project cannot open what the boundary does not, by no list and by no grant', async t => {
	const fleet = new Fleet(t, {policy: 'verify: []\nnetwork:\n  - ok.corp.example\n  - example.org\n'});
	const refuses = (argv: readonly string[], pattern: RegExp, code = 2) => {
		const result = fleet.run(argv);
		assert.match(result.stderr, pattern);
		assert.match(result.stderr, /\n\s+hint: \S/);
		assert.equal(result.code, code);
	};

	await fleet.agent('before', 'true', '--allow', 'network:a.test', '--allow', 'network:b.corp.example', ...because);
	bounded(fleet, 'only: ["network:**.corp.example", "files:/srv"]\n');
	refuses(['run', '--', 'true'], /\.fleet\/policy\.yaml:4: network:example\.org is not among .*boundary\.yaml:1/, 3);
	commitFiles(fleet, {'.fleet/policy.yaml': 'verify: []\nnetwork: [ok.corp.example]\nprivateHosts:\n  - x.test\n'});
	refuses(['run', '--', 'true'], /\.fleet\/policy\.yaml:4: network:x\.test is not among/, 3);
	// What began earlier is held against it at its next start.
	refuses(['resume', 'before'], /\.fleet\/policy\.yaml:4: network:example\.org is not among/, 2);
	commitFiles(fleet, {'.fleet/policy.yaml': 'verify: []\nnetwork: [ok.corp.example]\n'});
	fleet.start('after', 'sleep 300');
	for (const scope of [
		'network:example.org',
		'port:3000',
		'files:/var/tmp',
		'network:CORP.example',
		'network:192.0.2.7',
	]) {
		refuses(['allow', 'after', scope, ...because], /not among what can be granted/);
		refuses(['run', '--allow', scope, ...because, '--', 'true'], /not among what can be granted/);
	}

	fleet.must('allow', 'after', 'network:x.corp.example', ...because);
	// The supervisor has it of its own start: who asks without it asks in vain.
	delete fleet.env['FLEET_BOUNDARY'];
	refuses(['allow', 'after', 'network:example.org', ...because], /not among what can be granted/);
	fleet.must('stop', 'after');

	// A standing list is no way around what is to be signed, ended or counted.
	bounded(fleet, 'grants: [{scope: "network:**.corp.example", longest: 1h}]\n');
	refuses(['run', '--', 'true'], /policy\.yaml:2: network:ok\.corp\.example is granted to one run at a time/, 3);
	fleet.env['FLEET_BOUNDARY'] = '/nowhere';
	refuses(['run', '--', 'true'], /the boundary \/nowhere cannot be read: ENOENT/);
});

test('what a run has from before is taken back where the boundary became tighter', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('run', 'true', '--allow', 'network:a.test', '--allow', 'network:b.test', ...because);
	bounded(fleet, 'grants:\n  - {scope: "network:a.test", never: true}\n  - {scope: "network:b.test", longest: 1h}\n');
	fleet.must('resume', 'run');
	assert.deepEqual(fleet.json('show', 'run')['grants'], []);
	assert.match(fleet.must('journal', 'run'), /a\.test is never granted \(.*boundary\.yaml:2\)/);
	assert.match(fleet.must('journal', 'run'), /b\.test is granted for 1h at most .*, and this grant is longer/);
});

test('a boundary keeps a target from being deployed to, and a run from using more than it says', async t => {
	const fleet = new Fleet(t, {policy: 'verify: ["true"]\ndeploy: {production: {command: touch /var/tmp/never}}\n'});
	await fleet.agent('ships', 'echo two >> a.txt');
	fleet.must('verify', 'ships');
	fleet.must('approve', 'ships', ...because);
	fleet.must('merge', 'ships');
	bounded(fleet, 'grants: [{scope: "deploy:prod*", never: true}]\nlimits: {memory: 1GiB}\n');
	const {code, stderr} = fleet.run(['deploy', 'ships', 'production', '--confirm', 'production']);
	assert.match(stderr, /deploy:production is never granted \(.*boundary\.yaml:1\)/);
	assert.equal(code, 3);

	process.env['FLEET_BOUNDARY'] = fleet.env['FLEET_BOUNDARY'];
	t.after(() => {
		delete process.env['FLEET_BOUNDARY'];
	});
	const plan = basicPlan('run', fleet.folder, {});
	// Neither the person's settings nor the policy widens it.
	const {limits} = withLimits(plan, {memory: 8 * 1024 ** 3}, {limits: {memory: 4 * 1024 ** 3}});
	assert.equal(limits.memory, 1024 ** 3);
});
