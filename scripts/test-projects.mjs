// `npm run test:projects [-- --only NAME…] [--keep] [--list]`: real projects from the registries, from add to merge.
import {spawnSync} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import {bootstrap, root} from './bootstrap.mjs';

const {node} = bootstrap();
const argv = [path.join(root, 'test', 'projects', 'main.ts'), ...process.argv.slice(2)];
process.exit(
	spawnSync(node, ['--disable-warning=ExperimentalWarning', '--import', 'tsx', ...argv], {
		cwd: root,
		stdio: 'inherit',
	}).status ?? 1,
);
