// `npm test`: installs, builds, and passes everything. Arguments after "--" name test files.
import {spawnSync} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import {bootstrap, root} from './bootstrap.mjs';

const {node, env} = bootstrap();
// Tests find their own way: nothing of the person's runs or of npm's settings reaches them.
for (const name of Object.keys(env)) {
	if (name.startsWith('npm_') || name.startsWith('FLEET_') || name.startsWith('GIT_')) {
		delete env[name];
	}
}

function run(title, argv) {
	const result = spawnSync(node, argv, {cwd: root, env, stdio: ['ignore', 'inherit', 'inherit']});
	if (result.status !== 0) {
		process.stderr.write(`fleet: ${title} failed\n`);
		process.exit(result.status ?? 1);
	}
}

// The tests need the real sandbox. Where it is missing it is installed, as the readme says.
run('fleet doctor', [path.join(root, 'dist', 'fleet.js'), 'doctor', '--fix', '--yes']);
run('type check', [path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '--project', root]);
const wanted = process.argv.slice(2);
const files = wanted.length > 0 ? wanted : ['--test-concurrency=2', path.join(root, 'test', '**', '*.test.ts'), path.join(root, 'test', '**', '*.test.tsx')];
run('tests', ['--disable-warning=ExperimentalWarning', '--import', 'tsx', '--test', '--test-reporter=spec', '--test-timeout=180000', ...files]);
