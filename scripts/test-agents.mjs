// `npm run test:agents`: every test with a real agent, the long ones included.
import {spawnSync} from 'node:child_process';
import {readdirSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {root} from './bootstrap.mjs';

const folder = path.join(root, 'test', 'agents');
const files = readdirSync(folder).filter(file => file.endsWith('.test.ts'));
const argv = [path.join(root, 'scripts', 'test.mjs'), ...files.map(file => path.join(folder, file))];
// Real agents are asked for, as they are in CI.
const {status} = spawnSync(process.execPath, argv, {cwd: root, env: {...process.env, CI: 'true'}, stdio: 'inherit'});
process.exit(status ?? 1);
