import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import {Fleet, root, until} from '../support/fleet.ts';

/* What `npm pack` packs is installed globally, and works there. */

test('the packed package installs globally, and a run starts and ends with it', async t => {
	const fleet = new Fleet(t);
	const prefix = path.join(fleet.folder, 'prefix');
	mkdirSync(prefix);
	const npm = (...argv: string[]) =>
		execFileSync('npm', argv, {cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']});
	const packed = npm('pack', '--ignore-scripts', '--json', '--pack-destination', fleet.folder);
	const [{filename, files}] = JSON.parse(packed) as [{filename: string; files: Array<{path: string}>}];
	const names = files.map(file => file.path);
	for (const wanted of ['package.json', 'readme.md', 'license', 'dist/fleet', 'dist/fleet.1', 'dist/panic.sh']) {
		assert.ok(names.includes(wanted), wanted);
	}

	assert.deepEqual(
		names.filter(name => !/^(?:package\.json|readme\.md|license|dist\/[\w.-]+)$/.test(name)),
		[],
	);
	npm(
		'install',
		'--global',
		'--prefer-offline',
		'--no-audit',
		'--no-fund',
		'--prefix',
		prefix,
		path.join(fleet.folder, filename),
	);
	const env = {...fleet.env, PATH: `${path.join(prefix, 'bin')}:${fleet.env['PATH']}`};
	const typed = (...argv: string[]) => spawnSync('fleet', argv, {cwd: fleet.project, env, encoding: 'utf8'});
	const must = (...argv: string[]) => {
		const {status, stdout, stderr} = typed(...argv);
		assert.equal(status, 0, `${argv.join(' ')}: ${stdout}${stderr}`);
		return stdout;
	};

	const {version} = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {version: string};
	assert.equal(must('--version'), `${version}\n`);
	assert.ok(existsSync(path.join(prefix, 'share', 'man', 'man1', 'fleet.1')));
	// The native module for terminals is found from there, and the supervisor, and the probes.
	must('run', '--name', 'one', '--', 'sh', '-c', 'test -t 0 && echo on a terminal; echo more >> a.txt');
	await until(() => /"stage": "stopped"/.test(must('show', 'one', '--json')), 'the run ends');
	assert.match(must('logs', 'one'), /on a terminal/);
	must('audit', 'one');
	must('verify', 'one');
	// And it says how it goes again.
	const {stdout} = typed('uninstall', '--discard', '--yes');
	assert.match(stdout, new RegExp(`the program itself: npm uninstall --global .*command-fleet\\n$`));
	assert.ok(!existsSync(fleet.env['FLEET_HOME']!));
	assert.equal(process.exitCode, undefined);
});
