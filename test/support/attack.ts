import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, realpathSync, writeFileSync} from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {test} from 'node:test';
import type {Area, GitAttack, GitScene} from '../../source/attacks/attack.ts';
import {attacks} from '../../source/attacks/catalogue.ts';
import {seed} from '../../source/attacks/project.ts';
import {tolerant, tryAttack, trySandboxAttack} from '../../source/attacks/try.ts';
import type {Sandbox} from '../../source/core/seams.ts';
import type {Proxy} from '../../source/host/proxy.ts';
import {closeInheritedLate} from './descriptors.ts';
import {local} from '../../source/executors/local/index.ts';
import {sandboxes} from '../../source/sandboxes/registry.ts';
import {bubblewrap} from '../../source/sandboxes/bubblewrap/index.ts';
import type {Context} from '../../source/engine/context.ts';
import {agents} from '../../source/agents/registry.ts';
import {toolchains} from '../../source/toolchains/registry.ts';
import {findPaths} from '../../source/host/paths.ts';
import {protections, type Protection} from '../attacks/protections.ts';
import {root} from './fleet.ts';

/* Runs the catalogue of attacks: each is stopped, and each works without the one protection that stops it. */

/** What attacks are tried with, but for folders of their own. */
export function attackContext(): Context {
	const home = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'fleet-attacks-'));
	process.once('exit', () => {
		spawnSync('rm', ['-rf', home]);
	});
	return {
		paths: findPaths({HOME: home, FLEET_HOME: path.join(home, 'fleet')}),
		sandboxes,
		agents,
		toolchains,
		vaults: [],
		executor: local,
		ask: () => Promise.reject(new Error('nobody')),
		actor: 'person:tester',
		supervisor: [],
		probe: path.join(root, 'dist', 'probe.js'),
	};
}

function weakened(protection: Protection): Sandbox {
	return {
		...bubblewrap,
		prepare(plan, folder) {
			const prepared = bubblewrap.prepare(plan, folder);
			for (const name of ['entered.args', 'alone.args']) {
				const file = path.join(folder, name);
				const argv = readFileSync(file, 'utf8').split('\0').slice(0, -1);
				writeFileSync(file, `${(protection.arguments?.(argv) ?? argv).join('\0')}\0`);
			}

			const change: typeof prepared.alone = invocation => protection.invocation?.(invocation) ?? invocation;
			return {
				...prepared,
				enter: (inner, pid) => change(prepared.enter(inner, pid)),
				alone: inner => change(prepared.alone(inner)),
			};
		},
	};
}

/**
 * A proxy that dials what it is asked for, as a C program would read it, and
 * passes bytes on as they are. Every name of a test leads to this machine.
 */
function naiveProxy(): Proxy {
	let listener: net.Server | undefined;
	const sockets = new Set<net.Socket>();
	return {
		attach: (handle: unknown) =>
			new Promise<void>(resolve => {
				listener = net.createServer(client => {
					sockets.add(client);
					client.on('error', () => {});
					client.once('data', first => {
						const [line = ''] = first.toString('latin1').split('\r\n', 1);
						const [method = '', where = ''] = line.split(' ');
						const authority = (method === 'CONNECT' ? where : where.replace(/^http:\/\//, '').split('/')[0]!).replace(
							/^.*@/,
							'',
						);
						const port = Number(/:(\d+)$/.exec(authority)?.[1] ?? 80);
						const host = authority
							.replace(/:\d+$/, '')
							.replace(/^\[|\]$/g, '')
							.split('\0')[0]!
							.replace('%25', '%')
							.replace(/\.$/, '')
							.replace(/^(?:[a-z]+\.test|host\.fleet\.internal)$/, '127.0.0.1');
						const upstream = net.connect(port, host, () => {
							if (method === 'CONNECT') {
								client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
								upstream.write(first.subarray(first.indexOf('\r\n\r\n') + 4));
							} else {
								upstream.write(first);
							}

							client.pipe(upstream).pipe(client);
						});
						sockets.add(upstream);
						upstream.on('error', () => client.destroy());
					});
				});
				listener.listen(handle as net.ListenOptions, resolve);
			}),
		cut: () => 0,
		setLimit() {},
		close() {
			listener?.close();
			for (const socket of sockets) {
				socket.destroy();
			}
		},
	} as unknown as Proxy;
}

/** What the ordinary worktree of other tools makes of a git attack. */
function plainWorktree(attack: GitAttack): boolean {
	const folder = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'fleet-plain-'));
	try {
		const project = path.join(folder, 'project');
		const worktree = path.join(folder, 'worktree');
		const home = path.join(folder, 'home');
		const git = seed(project, home);
		attack.prepare?.(git, project);
		const before = git('rev-parse', 'main');
		git('worktree', 'add', '--quiet', '-b', 'agent', worktree);
		const marker = path.join(folder, 'marker');
		spawnSync('sh', ['-c', attack.script({marker})], {
			cwd: worktree,
			env: {PATH: process.env['PATH']!, HOME: home, LC_ALL: 'C'},
			timeout: 30_000,
			stdio: 'ignore',
		});
		const scene: GitScene = {project, worktree, marker, before, git};
		attack.person?.(tolerant(git), scene);
		return attack.came(scene);
	} finally {
		execFileSync('chmod', ['-R', 'u+rwX', '--', folder], {stdio: 'ignore'});
		execFileSync('rm', ['-rf', '--', folder]);
	}
}

/** Registers the tests of one area. `without` shows the attacks on fleet itself with nothing in the way. */
export function testArea(area: Area, without: Readonly<Record<string, () => Promise<boolean> | boolean>> = {}): void {
	closeInheritedLate();
	const context = attackContext();
	for (const attack of attacks.filter(attack => attack.area === area)) {
		const protection: Protection | undefined = attack.kind === 'sandbox' ? protections[attack.id] : undefined;
		test(`${attack.id}: stopped`, async t => {
			const {status, because} = await tryAttack(context, attack);
			assert.equal(status, 'stopped', because);
			if (protection?.unprovable !== undefined) {
				t.diagnostic(`${attack.id} cannot be shown to work here: ${protection.unprovable}`);
			}
		});
		if (protection?.unprovable !== undefined) {
			continue;
		}

		test(`${attack.id}: works with nothing in the way`, async () => {
			const tryUnprotected = () => {
				switch (attack.kind) {
					case 'sandbox': {
						return trySandboxAttack(context, attack, {
							sandbox: weakened(protection!),
							plan: protection!.plan?.bind(protection),
							box: protection!.box?.bind(protection),
							proxy: protection!.naiveProxy ? naiveProxy() : undefined,
						});
					}

					case 'git': {
						return plainWorktree(attack);
					}

					default: {
						return without[attack.id]!();
					}
				}
			};

			assert.equal(await tryUnprotected(), true, 'the attack fails for another reason, so stopping it proves nothing');
		});
	}
}
