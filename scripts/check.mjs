// `npm run check`: what needs no sandbox and no run. The format, the linter's
// rules, the types. With --fix the format, and what the linter can, is put right.
import {spawnSync} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import {bootstrap, root} from './bootstrap.mjs';

const {node, env} = bootstrap();
const fix = process.argv.includes('--fix');
const script = (name, file) => path.join(root, 'node_modules', name, 'bin', file);
const steps = [
	[
		'format',
		[script('oxfmt', 'oxfmt'), fix ? '--write' : '--list-different', 'source', 'test', 'scripts'],
		'npm run check -- --fix',
	],
	[
		'lint',
		[script('oxlint', 'oxlint'), '--type-aware', ...(fix ? ['--fix'] : []), 'source', 'test', 'scripts'],
		'npm run check -- --fix',
	],
	['types', [script('typescript', 'tsc'), '--project', root], 'npx tsc --project . says the same'],
];
// What the formatter wrote it may still break in another way: a second pass settles it.
const passes = fix ? [steps[0], ...steps] : steps;
let failed = false;
for (const [title, argv, hint] of passes) {
	const {status} = spawnSync(node, argv, {cwd: root, env, stdio: ['ignore', 'inherit', 'inherit']});
	if (status !== 0) {
		process.stderr.write(`fleet: check: ${title} failed\n  hint: ${hint}\n`);
		failed = true;
	}
}

process.exitCode = failed ? 1 : 0;
