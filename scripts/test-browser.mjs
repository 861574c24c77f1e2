// `npm run test:browser`: installs Chromium, which is large, and passes what is tried with it.
import {spawnSync} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import {bootstrap, root} from './bootstrap.mjs';
import {installNeeds} from './test-needs.mjs';

const {node, env} = bootstrap();
if (installNeeds({chromium: 'chromium', python3: 'python3'}).length > 0) {
	process.exit(1);
}

const {status} = spawnSync(
	node,
	[
		'--disable-warning=ExperimentalWarning',
		'--import',
		'tsx',
		'--test',
		'--test-force-exit',
		path.join(root, 'test', 'browser.ts'),
		path.join(root, 'test', 'browser-pages.ts'),
	],
	{cwd: root, env, stdio: ['ignore', 'inherit', 'inherit']},
);
process.exitCode = status ?? 1;
