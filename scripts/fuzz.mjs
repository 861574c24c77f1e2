// `npm run fuzz -- NAME [COUNT] [SEED]`: tries inputs that are
// made from numbers, so that one that fails can be tried again.
import {spawnSync} from 'node:child_process';
import {existsSync, readdirSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {bootstrap, root} from './bootstrap.mjs';

const [name = '', ...rest] = process.argv.slice(2);
const folder = path.join(root, 'scripts', 'fuzz');
const file = path.join(folder, `${name}.ts`);
if (
	!/^[a-z-]+$/.test(name) ||
	name === 'fuzz' ||
	!existsSync(file) ||
	rest.length > 2 ||
	rest.some(text => !/^\d{1,12}$/.test(text))
) {
	process.stderr.write(
		`fleet: there is no fuzz "${[name, ...rest].join(' ')}"\n  hint: npm run fuzz -- ${readdirSync(folder)
			.filter(name => name.endsWith('.ts') && name !== 'fuzz.ts')
			.map(name => name.replace('.ts', ''))
			.join(' | ')} [COUNT] [SEED]\n`,
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
