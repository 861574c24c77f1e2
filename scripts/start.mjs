// `npm start -- ARGS` is `fleet ARGS` in the folder where npm was called.
import {spawn} from 'node:child_process';
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
env.FLEET_PATH ??= process.env.PATH ?? '';
const child = spawn(node, [path.join(root, 'dist', 'fleet.js'), ...process.argv.slice(2)], {
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
