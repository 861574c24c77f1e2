import {mkdirSync, mkdtempSync, realpathSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {after} from 'node:test';
import type {Invocation, SandboxPlan} from '../../source/core/plan.ts';
import type {PreparedSandbox, Sandbox} from '../../source/core/seams.ts';
import {local} from '../../source/executors/local/index.ts';
import {closeInherited} from '../../source/host/descriptors.ts';
import {giveToRun} from '../../source/host/worktree.ts';
import {basicPlan, proxyEnvironment} from '../../source/engine/plan.ts';
import {openSession, type Session} from '../../source/engine/session.ts';
import {bubblewrap} from '../../source/sandboxes/bubblewrap/index.ts';
import type {EgressRule} from '../../source/core/egress.ts';

/** How a protection is switched off, to show that an attack works without it. */
export type Weakening = {
	plan?(plan: SandboxPlan): SandboxPlan;
	/** Changes the arguments of bwrap itself. */
	sandbox?: Sandbox;
};

/** A sandbox without a sandbox: what every conformance test must fail against. */
export const nullSandbox: Sandbox = {
	id: 'null',
	probe: bubblewrap.probe,
	prepare(plan, folder): PreparedSandbox {
		const prepared = bubblewrap.prepare(plan, folder);
		const open = (inner: Invocation): Invocation => ({argv: ['/usr/bin/env', ...inner.argv], cwd: plan.mounts.find(mount => mount.target === plan.cwd)?.source ?? '/tmp', env: {...plan.env, ...inner.env}});
		return {keeper: prepared.keeper, enter: open, alone: open};
	},
};

export type Box = {
	readonly folder: string;
	/** A folder that the sandbox may write, at the same path inside. */
	readonly work: string;
	run(script: string, options?: {network?: boolean; input?: string}): Promise<{code: number | null; output: string; timedOut: boolean}>;
	readonly session: Session;
	readonly denied: string[];
	readonly asked: string[];
	rules: EgressRule[];
	privateHosts: EgressRule[];
	close(): Promise<void>;
};

/** A sandbox with a proxy, as a run has it, on a folder of its own. */
export async function openBox(options: {sandbox?: Sandbox; plan?(plan: SandboxPlan, folder: string): SandboxPlan} = {}): Promise<Box> {
	// As the programs do first thing: what the shell that started the tests left open is not the sandbox's.
	closeInherited();
	const folder = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'fleet-box-'));
	const work = path.join(folder, 'work');
	mkdirSync(work, {mode: 0o700});
	giveToRun('box', work);
	const own = basicPlan('box', path.join(folder, 'sandbox'), {mounts: [{source: work, target: work, mode: 'write'}], cwd: work, env: proxyEnvironment});
	const plan = options.plan?.(own, folder) ?? own;
	const sandbox = options.sandbox ?? bubblewrap;
	const denied: string[] = [];
	const asked: string[] = [];
	const box: Partial<Box> & {rules: EgressRule[]; privateHosts: EgressRule[]} = {rules: [], privateHosts: []};
	const session = await openSession(sandbox, plan, path.join(folder, 'sandbox'), {
		state: () => ({rules: box.rules, privateHosts: box.privateHosts}),
		onDenied: target => denied.push(target),
		onAllowed() {},
		onAsked: what => asked.push(what),
	});
	let closed = false;
	const close = async () => {
		if (!closed) {
			closed = true;
			await session.close();
			rmSync(folder, {recursive: true, force: true});
		}
	};

	after(close);
	return Object.assign(box, {
		folder, work, session, denied, asked, close,
		async run(script: string, {network = true, input}: {network?: boolean; input?: string} = {}) {
			let output = '';
			const inner = {argv: ['/bin/sh', '-c', script], cwd: work, env: {}};
			const outcome = await local.run(network ? session.prepared.enter(inner, session.keeperPid) : session.prepared.alone(inner), {timeout: 60_000, input, onOutput(bytes) {
				output += Buffer.from(bytes).toString('utf8');
			}});
			return {code: outcome.code, timedOut: outcome.timedOut, output: output.trim()};
		},
	}) as Box;
}
