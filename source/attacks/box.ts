import {lstatSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type {EgressRule} from '../core/network/rules.ts';
import type {SandboxPlan} from '../core/plan.ts';
import type {Sandbox} from '../core/seams.ts';
import type {Context} from '../engine/context.ts';
import {runLimited, type DiskUse} from '../engine/sandbox/guard.ts';
import {basicPlan, proxyEnvironment} from '../engine/sandbox/plan.ts';
import {shellTools} from '../engine/sandbox/tools.ts';
import {openSession, type Session} from '../engine/sandbox/session.ts';
import type {Proxy} from '../host/proxy.ts';
import {openTerminal} from '../host/pty.ts';
import {giveToRun} from '../host/run-owner.ts';

/** How what was tried ended. */
export type Result = {
	readonly code: number | null;
	readonly output: string;
	readonly timedOut: boolean;
	/** What was too much, where fleet ended it. */ readonly over: string | undefined;
};

/** A sandbox with a proxy, as a run has it, on a folder of its own. */
export type Box = {
	readonly folder: string;
	/** A folder that the sandbox may write, at the same path inside. */
	readonly work: string;
	readonly session: Session;
	readonly denied: string[];
	readonly asked: string[];
	/** What the proxy lets through at this moment. */
	rules: EgressRule[];
	privateHosts: EgressRule[];
	/** What names resolve to; undefined: what the system says. */
	resolve: ((host: string) => Promise<string[]>) | undefined;
	run(
		script: string,
		options?: {network?: boolean; input?: string; terminal?: boolean; timeout?: number},
	): Promise<Result>;
	close(): Promise<void>;
};

/** What a box's folder takes. Small, and its owner's to read: no jail is needed. */
function useOf(folder: string): DiskUse {
	let bytes = 0;
	const names = readdirSync(folder, {recursive: true}) as string[];
	for (const name of names) {
		bytes += (lstatSync(path.join(folder, name), {throwIfNoEntry: false})?.blocks ?? 0) * 512;
	}

	return {bytes, files: names.length};
}

/** The run id of every box: root's boxes drop to its uid. */
export const boxId = 'box';

/**
 * Opens a box. The box's own methods are written in it, since they share what it opened.
 * @param options.plan changes what is granted; `options.proxy` stands in for the run's
 */
// oxlint-disable-next-line max-lines-per-function -- the reason is above
export async function openBox(
	context: Pick<Context, 'executor' | 'toolchains'>,
	sandbox: Sandbox,
	options: {plan?(plan: SandboxPlan, folder: string): SandboxPlan; proxy?: Proxy | undefined} = {},
): Promise<Box> {
	const folder = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'fleet-box-'));
	const work = path.join(folder, 'work');
	mkdirSync(work, {mode: 0o700});
	giveToRun(boxId, work);
	const state: Pick<Box, 'rules' | 'privateHosts' | 'resolve'> = {rules: [], privateHosts: [], resolve: undefined};
	const denied: string[] = [];
	const asked: string[] = [];
	let session: Session;
	let plan: SandboxPlan;
	try {
		const own = basicPlan(boxId, path.join(folder, 'sandbox'), {
			mounts: [{source: work, target: work, mode: 'write'}],
			cwd: work,
			env: proxyEnvironment,
			tools: shellTools(context.toolchains),
		});
		plan = options.plan?.(own, folder) ?? own;
		session = await openSession(sandbox, plan, {
			folder: path.join(folder, 'sandbox'),
			hooks: {
				state: () => ({rules: box.rules, privateHosts: box.privateHosts}),
				onDenied: target => denied.push(target),
				onAllowed() {},
				onAsked: what => asked.push(what),
				async resolve(host) {
					const {lookup} = await import('node:dns/promises');
					return box.resolve ? box.resolve(host) : (await lookup(host, {all: true})).map(({address}) => address);
				},
			},
			other: options.proxy,
		});
	} catch (error) {
		rmSync(folder, {recursive: true, force: true});
		throw error;
	}

	let closed = false;
	const box: Box = Object.assign(state, {
		folder,
		work,
		session,
		denied,
		asked,
		async run(
			script: string,
			{
				network = true,
				input,
				terminal = false,
				timeout = 60_000,
			}: {network?: boolean; input?: string; terminal?: boolean; timeout?: number} = {},
		) {
			const inner = {argv: ['/bin/sh', '-c', script], cwd: work, env: {}};
			const invocation = network ? session.prepared.enter(inner, session.holderPid) : session.prepared.alone(inner);
			let output = '';
			const onData = (bytes: Uint8Array) => {
				output += Buffer.from(bytes).toString('utf8');
			};

			if (terminal) {
				const code = await new Promise<number>(resolve => {
					openTerminal(invocation, {columns: 80, rows: 24}, {onData, onExit: exit => resolve(exit.code)});
				});
				return {code, timedOut: false, over: undefined, output: output.trim()};
			}

			const {code, timedOut, over} = await runLimited(context, invocation, {
				limited: {plan, group: undefined},
				timeout,
				input,
				onOutput: onData,
				folders: {names: [work], count: async () => useOf(work)},
			});
			return {code, timedOut, over, output: output.trim()};
		},
		async close() {
			if (!closed) {
				closed = true;
				await session.close();
				rmSync(folder, {recursive: true, force: true});
			}
		},
	});
	return box;
}
