import assert from 'node:assert/strict';
import {spawn, spawnSync} from 'node:child_process';
import {cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import xterm from '@xterm/headless';
import {openTerminal} from '../../source/host/pty.ts';
import {Fleet, root, until} from '../support/fleet.ts';

/* A checkout is built anew while a run lives, a screen is open and verbs are typed. */

test('a build while a run lives and a screen is open breaks no verb', async t => {
	const fleet = new Fleet(t, {files: {'a.ts': 'export const one = 1;\n'}});
	const checkout = path.join(fleet.folder, 'checkout');
	mkdirSync(checkout);
	for (const name of [
		'source',
		'scripts/build.mjs',
		'scripts/build-screen.mjs',
		'scripts/stand-ins.mjs',
		'package.json',
		'tsconfig.json',
		'dist',
	]) {
		cpSync(path.join(root, name), path.join(checkout, name), {recursive: true});
	}

	symlinkSync(path.join(root, 'node_modules'), path.join(checkout, 'node_modules'));
	const program = path.join(checkout, 'dist', 'fleet.cjs');
	const verb = (...argv: string[]) =>
		spawnSync(process.execPath, [program, ...argv], {cwd: fleet.project, env: fleet.env, encoding: 'utf8'});
	const build = () =>
		spawn(process.execPath, ['scripts/build.mjs'], {cwd: checkout, stdio: ['ignore', 'inherit', 'inherit']});
	const ended = (child: ReturnType<typeof build>) =>
		new Promise<number | null>(resolve => {
			child.once('exit', resolve);
		});
	assert.equal(await ended(build()), 0);
	const before = readdirSync(path.join(checkout, 'dist'));

	const started = verb('run', '--name', 'long', '--', 'sh', '-c', 'echo "export const two = 2;" >> a.ts; sleep 300');
	assert.equal(started.status, 0, started.stderr);
	const terminal = new xterm.Terminal({cols: 120, rows: 30, allowProposedApi: true});
	const screen = openTerminal(
		{argv: [process.execPath, program], cwd: fleet.project, env: fleet.env},
		{columns: 120, rows: 30},
		{onData: bytes => terminal.write(bytes), onExit() {}},
	);
	t.after(() => screen.kill('SIGKILL'));
	const shown = () =>
		Array.from({length: 30}, (_, row) => terminal.buffer.active.getLine(row)?.translateToString(true) ?? '').join('\n');
	await until(() => /long .*running/.test(shown()), 'the screen shows the run');

	// The next version: a module that nearly every other imports, so that nearly every file of the build has another name.
	const refusal = path.join(checkout, 'source', 'core', 'refusal.ts');
	writeFileSync(refusal, readFileSync(refusal, 'utf8').replace("this.name = 'Refusal'", "this.name = 'Refusal '"));
	const building = build();
	const end = ended(building);
	let typed = 0;
	const failed: string[] = [];
	while (building.exitCode === null) {
		const {status, stderr} = await new Promise<{status: number | null; stderr: string}>(resolve => {
			const child = spawn(process.execPath, [program, typed % 2 === 0 ? '--help' : 'list'], {
				cwd: fleet.project,
				env: fleet.env,
				stdio: ['ignore', 'ignore', 'pipe'],
			});
			let stderr = '';
			child.stderr.on('data', data => {
				stderr += String(data);
			});
			child.once('close', status => resolve({status, stderr}));
		});
		typed++;
		if (status !== 0) {
			failed.push(stderr);
		}
	}

	assert.equal(await end, 0);
	assert.deepEqual(failed, []);
	assert.ok(typed > 3, `${typed} verbs while it was built`);
	const after = readdirSync(path.join(checkout, 'dist'));
	assert.ok(
		after.length > before.length + 20,
		`${before.length} files, then ${after.length}: another build, and the old one`,
	);

	// The old screen loads more of its own, and its verbs are the new ones.
	screen.write(Buffer.from('d'));
	await until(() => /export const two/.test(shown()), `the screen shows the diff:\n${shown()}`);
	screen.write(Buffer.from('\u001B'));
	for (const argv of [
		['pause', 'long'],
		['continue', 'long'],
		['stop', 'long'],
		['verify', 'long'],
	]) {
		const {status, stderr} = verb(...argv);
		assert.equal(status, 0, `${argv.join(' ')}: ${stderr}`);
	}

	await until(() => /long .*verified/.test(shown()), `the screen follows:\n${shown()}`);
	// What goes into the package is the new one alone.
	const listed = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
		cwd: checkout,
		env: {...fleet.env, npm_config_cache: path.join(fleet.folder, 'cache')},
		encoding: 'utf8',
	});
	const [{files}] = JSON.parse(listed.stdout) as [{files: Array<{path: string}>}];
	const old = before.filter(name => name.startsWith('chunk-') && !files.some(file => file.path === `dist/${name}`));
	assert.ok(old.length > 20, `${old.length} files of the old build are left out`);
});
