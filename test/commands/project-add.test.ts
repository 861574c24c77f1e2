import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import {Fleet} from '../support/fleet.ts';
import {openScreen} from '../support/screen.ts';

/* `fleet project add` for a project without a policy: what is proposed, tried and committed. */

/** A project of npm with a package that lies beside it, so that setup asks nobody. */
const npmFiles = {
	'package.json': JSON.stringify({
		name: 'own',
		dependencies: {beside: 'file:beside'},
		scripts: {test: 'node -e "require(\'beside\')"', lint: 'node -e "process.exit(3)"'},
	}),
	'beside/package.json': '{"name": "beside", "version": "1.0.0"}',
	'beside/index.js': '',
	'package-lock.json': JSON.stringify({
		name: 'own',
		lockfileVersion: 3,
		packages: {
			'': {name: 'own', dependencies: {beside: 'file:beside'}},
			beside: {version: '1.0.0'},
			'node_modules/beside': {resolved: 'beside', link: true},
		},
	}),
	'.npmrc': 'audit=false\nfund=false\n',
	'.gitignore': 'node_modules\n',
};

function projectOf(t: TestContext, files: Record<string, string>): Fleet {
	const fleet = new Fleet(t, {add: false, files});
	fleet.git('rm', '--quiet', '.fleet/policy.yaml');
	fleet.git('commit', '--quiet', '--message=none');
	return fleet;
}

const passing = {Makefile: 'test:\n\ttest -f a.txt\n'};

test('with --yes what passes is committed, and nothing else of the person’s is touched', t => {
	const fleet = projectOf(t, npmFiles);
	writeFileSync(path.join(fleet.project, 'a.txt'), 'mine\n');
	writeFileSync(path.join(fleet.project, 'staged.txt'), 'mine\n');
	fleet.git('add', 'staged.txt');
	const hook = path.join(fleet.project, '.git/hooks/pre-commit');
	mkdirSync(path.dirname(hook), {recursive: true});
	writeFileSync(hook, `#!/bin/sh\ntouch '${fleet.folder}/hooked'\n`, {mode: 0o755});
	const said = fleet.must('project', 'add', '--yes');
	assert.match(said, /found npm: package-lock\.json/);
	assert.match(said, /setup {3}npm ci … passed, /);
	assert.match(said, /verify {2}npm run lint … failed, [\d.]+ s: npm run lint ended with exit code 3\n {10}/);
	assert.equal(
		fleet.git('show', 'HEAD:.fleet/policy.yaml'),
		'setup:\n  - npm ci\nnetwork:\n  - registry.npmjs.org\nverify:\n  - npm test',
	);
	assert.equal(fleet.git('show', '--name-only', '--format=%an', 'HEAD'), 'Test Person\n\n.fleet/policy.yaml');
	assert.deepEqual(
		fleet
			.git('status', '--short')
			.split('\n')
			.map(line => line.trim()),
		['M a.txt', 'A  staged.txt'],
	);
	assert.equal(existsSync(path.join(fleet.folder, 'hooked')), false, 'no hook ran');
	const head = fleet.git('rev-parse', 'HEAD');
	assert.doesNotMatch(fleet.must('project', 'add', '--yes'), /found/, 'a policy that is there is not touched');
	assert.equal(fleet.git('rev-parse', 'HEAD'), head);
});

test('a person who signs commits has the policy signed, or not committed at all', t => {
	const fleet = projectOf(t, passing);
	const key = path.join(fleet.folder, 'key');
	execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
	fleet.git('config', 'gpg.format', 'ssh');
	fleet.git('config', 'user.signingKey', `${fleet.folder}/gone.pub`);
	fleet.git('config', 'commit.gpgSign', 'true');
	const head = fleet.git('rev-parse', 'HEAD');
	const {code, stderr} = fleet.run(['project', 'add', '--yes']);
	assert.equal(code, 2);
	assert.match(stderr, /git could not sign the commit: .*\n {2}hint: git commit -S must work/);
	assert.deepEqual([fleet.git('rev-parse', 'HEAD'), fleet.git('status', '--short')], [head, '']);
	fleet.git('config', 'user.signingKey', `${key}.pub`);
	fleet.must('project', 'add', '--yes');
	assert.match(fleet.git('cat-file', 'commit', 'HEAD'), /^gpgsig /m);
});

test('where nothing passes the project is added, and has no policy', t => {
	const fleet = projectOf(t, {Makefile: 'test:\n\tfalse\n'});
	const document = fleet.json('project', 'add', '--yes');
	assert.equal(document['id'], 'project');
	assert.deepEqual([document['policy'], document['committed']], [null, null]);
	assert.deepEqual(
		document['steps'].map(({command, result}: {command: string; result: string}) => [command, result]),
		[['make test', 'failed']],
	);
	assert.equal(fleet.git('log', '--format=%s', '-1'), 'none');
	assert.match(fleet.must('project', 'add', '--yes'), /nothing of it passed, so no policy is committed/);
});

// What lies in the system's folders is in every sandbox.
const skip = ['/usr/bin/go', '/usr/local/bin/go', '/bin/go'].some(file => existsSync(file));

test('a program that is not there is named, with what to do then', {skip}, t => {
	const fleet = projectOf(t, {'go.mod': 'module x\n\ngo 1.22\n'});
	const {code, stdout} = fleet.run(['project', 'add', '--yes'], {
		env: {PATH: `${path.dirname(process.execPath)}:/usr/bin:/bin`},
	});
	assert.equal(code, 0);
	assert.match(stdout, /no run of the project finds a program "go", so Go is left out\n {2}install go, or name /);
	assert.match(stdout, /fleet project add \S+ --yes\n$/);
	assert.doesNotMatch(stdout, /--verify/);
});

test('it is tried with the policy’s file there, and what fails only because of that is told apart', t => {
	const sees = projectOf(t, {
		Makefile: 'test:\n\tgrep -q "make test" .fleet/policy.yaml\n\ttest -z "$$(git status --short)"\n',
	});
	assert.match(sees.must('project', 'add', '--yes'), /make test … passed/);
	const fleet = projectOf(t, {Makefile: 'test:\n\ttest ! -e .fleet\n'});
	const said = fleet.must('project', 'add', '--yes');
	assert.match(said, /make test … failed[\s\S]+what failed, without \.fleet\/policy\.yaml[\s\S]+make test … passed/);
	assert.match(
		said,
		/make test passes without \.fleet\/policy\.yaml and fails with it[\s\S]+fleet project add \S+ --yes/,
	);
	const document = fleet.json('project', 'add', '--yes');
	assert.deepEqual([document['stopped'], document['steps'][0].result], [['make test'], 'failed']);
	assert.equal(fleet.git('log', '--format=%s', '-1'), 'none');
	assert.equal(fleet.git('status', '--short'), '', 'nothing of a trial is in the checkout or the index');
	const setup = projectOf(t, {
		...npmFiles,
		'.npmrc': 'audit=false\n',
		'beside/package.json': JSON.stringify({
			name: 'beside',
			version: '1.0.0',
			scripts: {prepare: 'test ! -e ../.fleet'},
		}),
	});
	const kept = setup.json('project', 'add', '--yes');
	assert.deepEqual([kept['stopped'], kept['policy']], [['npm ci'], null]);
});

test('where nobody can be asked it is only shown, and a program reads all of it', t => {
	const fleet = projectOf(t, passing);
	const said = fleet.must('project', 'add');
	assert.match(said, /found make: Makefile\n {2}proposed, and not tried:\n {4}verify:\n {6}- make test\n/);
	assert.match(said, /fleet project add \S+ --yes/);
	const document = fleet.json('project', 'add');
	assert.deepEqual(
		[document['kinds'][0].kind, document['kinds'][0].verify, document['steps'], document['policy']],
		['make', ['make test'], [], 'verify:\n  - make test\n'],
	);
	assert.match(fleet.must('project', 'add', '--yes', '--no-try'), /proposed, and not tried/);
	assert.equal(fleet.git('log', '--format=%s', '-1'), 'none', 'what was not tried is not committed');
	assert.match(
		fleet.run(['project', 'add', '--network', 'https://x.example.com']).stderr,
		/HOST/,
		'a host is written as in a policy',
	);
	assert.equal(
		fleet.json('project', 'add', '--yes', '--network', 'x.example.com')['policy'],
		'network:\n  - x.example.com\nverify:\n  - make test\n',
	);
});

test('a policy that is not committed yet, and no branch to commit one on', t => {
	const fleet = projectOf(t, passing);
	mkdirSync(path.join(fleet.project, '.fleet'), {recursive: true});
	writeFileSync(path.join(fleet.project, '.fleet/policy.yaml'), 'verify: [true]\n');
	const {code, stdout, stderr} = fleet.run(['project', 'add', '--yes']);
	assert.equal(code, 0);
	assert.match(stdout, /^added project/);
	assert.match(stderr, /no policy is proposed: \.fleet\/policy\.yaml is there, and not committed\n {2}hint: git add/);
	fleet.git('clean', '--quiet', '--force', '-d');
	fleet.git('checkout', '--quiet', '--detach');
	assert.match(fleet.run(['project', 'add', '--yes']).stderr, /no branch with a commit checked out/);
});

test('a person is asked once, after they saw what passed', async t => {
	const fleet = projectOf(t, passing);
	const size = {columns: 100, rows: 30};
	const first = openScreen(t, fleet, {argv: ['project', 'add'], size});
	await first.see(/make test … passed/);
	await first.see('[y/N]');
	first.write('n\r');
	await first.see('not committed');
	assert.equal(fleet.git('log', '--format=%s', '-1'), 'none');
	const second = openScreen(t, fleet, {argv: ['project', 'add'], size});
	await second.see('[y/N]');
	second.write('y\r');
	await second.see('is committed on main');
	assert.equal(fleet.git('show', 'HEAD:.fleet/policy.yaml'), 'verify:\n  - make test');
});

test('a policy that is there and opens the network is trusted by a person, or the project is not added', async t => {
	const policy = 'network: [evil.test, "host.fleet.internal:1"]\nsetup: ["curl evil.test"]\nverify: ["true"]\n';
	const fleet = new Fleet(t, {add: false, policy});
	const {code, stderr} = fleet.run(['project', 'add']);
	assert.equal(code, 2);
	assert.match(
		stderr,
		/opens the network to setup and to every run: evil\.test, host\.fleet\.internal:1\n {2}hint: read /,
	);
	assert.equal(fleet.must('project', 'list'), 'no project yet: fleet project add PATH\n');
	const screen = openScreen(t, fleet, {argv: ['project', 'add']});
	await screen.see(/setup +curl evil\.test/);
	await screen.see('Do you trust it, and add the project? [y/N]');
	screen.write('\r');
	await screen.see('you said no, so it is not added');
	assert.match(fleet.must('project', 'add', '--yes'), /^added project/);
	assert.match(fleet.must('project', 'add'), /^already there: project/, 'it is asked once');
});
