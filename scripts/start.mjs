// `npm start -- ARGS` is `fleet ARGS` in the folder where npm was called.
import {spawn, spawnSync} from 'node:child_process';
import {existsSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {bootstrap, root} from './bootstrap.mjs';

const {node, env} = bootstrap();
// What npm adds to the environment is npm's affair: fleet should see what its caller's shell would have shown it.
const cwd = process.env.INIT_CWD || process.cwd();
for (const key of Object.keys(env)) {
	if (key.startsWith('npm_') || key === 'INIT_CWD') {
		delete env[key];
	}
}

// The Node that fleet runs on is not the project's: runs find what the caller's shell finds.
env.FLEET_PATH ??= callersPath();
if (!onPath('fleet')) {
	const inside = cwd === root || cwd.startsWith(`${root}/`);
	env.FLEET_TYPED ??= inside ? 'npm start --' : `npm --prefix ${quoted(root)} start --`;
	offerPath();
}

/** One word as a shell reads it back. */
function quoted(word) {
	return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** The search path as it was before npm put folders of packages in front of it. */
function callersPath() {
	return (process.env.PATH ?? '')
		.split(path.delimiter)
		.filter(folder => !/\/node_modules\/\.bin$|\/node-gyp-bin$/.test(folder))
		.join(path.delimiter);
}

function onPath(name) {
	return callersPath()
		.split(path.delimiter)
		.some(folder => path.isAbsolute(folder) && existsSync(path.join(folder, name)));
}

/** Once for a checkout, where somebody is there to answer: `fleet` on the search path. */
function offerPath() {
	const offered = path.join(root, 'scripts', 'node', 'offered');
	if (process.argv.length > 2 || !process.stdin.isTTY || !process.stderr.isTTY || existsSync(offered)) {
		return;
	}

	try {
		writeFileSync(offered, '');
	} catch {
		// A checkout that cannot be written would ask at every start.
		return;
	}

	spawnSync(node, [path.join(root, 'dist', 'fleet.cjs'), 'doctor', '--path'], {cwd, env, stdio: 'inherit'});
}

const child = spawn(node, [path.join(root, 'dist', 'fleet.cjs'), ...process.argv.slice(2)], {
	cwd,
	env,
	stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
	process.on(signal, () => child.kill(signal));
}

child.on('exit', (code, signal) => {
	process.exit(code ?? (signal ? 128 : 1));
});
