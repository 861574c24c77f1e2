// `npm run bench -- NAME [--json FILE] [--neighbours] [--full]`:
// figures, as ratios within one run where they are claims.
import {spawnSync} from 'node:child_process';
import {existsSync, readdirSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {bootstrap, root} from './bootstrap.mjs';

const [name = '', ...rest] = process.argv.slice(2);
const file = path.join(root, 'scripts', 'bench', `${name}.ts`);
if (!/^[a-z]+$/.test(name) || name === 'table' || !existsSync(file)) {
	process.stderr.write(
		`fleet: there is no bench "${name}"\n  hint: npm run bench -- ${readdirSync(path.join(root, 'scripts', 'bench'))
			.filter(name => name.endsWith('.ts') && name !== 'table.ts')
			.map(name => name.replace('.ts', ''))
			.join(' | ')}\n`,
	);
	process.exit(2);
}

const {node, env} = bootstrap();
process.exit(
	spawnSync(node, ['--disable-warning=ExperimentalWarning', '--import', 'tsx', file, ...rest], {
		cwd: root,
		env,
		stdio: 'inherit',
	}).status ?? 1,
);
