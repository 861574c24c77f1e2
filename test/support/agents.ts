import {existsSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import type {TestContext} from 'node:test';
import {writeFileSync} from 'node:fs';
import type {Context} from '../../source/engine/context.ts';
import {Fleet, root} from './fleet.ts';
import {Keyring} from './keyring.ts';
import {world} from './tls.ts';

/** Where `npm run agents:install` puts the real agents. */
export const agentsFolder = path.join(root, 'scripts', 'agents', 'bin');

/** Whether an agent is there to be driven. */
export function isInstalled(program: string): boolean {
	return existsSync(path.join(agentsFolder, program));
}

/**
 * A fleet whose runs find every host of the world on one port of the loopback, with a real
 * vault. Changes the environment of the test's own process, since runs are made in it.
 */
export async function openWorld(
	t: TestContext,
	port: number,
	hosts: readonly string[],
	options: {policy?: string; files?: Record<string, string>; autoVerify?: boolean} = {},
): Promise<{fleet: Fleet; context: Context}> {
	const keyring = await Keyring.open(t, 'unlocked');
	const fleet = new Fleet(t, {
		...options,
		policy: `${options.policy ?? ''}privateHosts:\n${hosts.map(host => `  - ${host}:443\n`).join('')}`,
	});
	const ca = path.join(fleet.folder, 'world.pem');
	writeFileSync(ca, world.certificate);
	const before = {...process.env};
	Object.assign(fleet.env, keyring.env, {NODE_EXTRA_CA_CERTS: ca, PATH: `${agentsFolder}:${fleet.env['PATH']}`});
	Object.assign(process.env, fleet.env);
	t.after(() => {
		process.env = before;
	});
	const context: Context = {
		...fleet.context(),
		supervisor: [
			process.execPath,
			'--disable-warning=ExperimentalWarning',
			'--import',
			fileURLToPath(import.meta.resolve('tsx')),
			path.join(root, 'test', 'support', 'supervisor.ts'),
			String(port),
		],
	};
	return {fleet, context};
}
