import {spawn, type ChildProcess} from 'node:child_process';
import type {SandboxPlan} from '../core/plan.ts';
import type {PreparedSandbox, Sandbox} from '../core/seams.ts';
import {Proxy, type ProxyHooks} from '../host/proxy.ts';

/** A sandbox that is ready to be entered: its network namespace is there, and the proxy listens in it. */
export type Session = {
	readonly prepared: PreparedSandbox;
	readonly keeperPid: number;
	readonly proxy: Proxy;
	/** Ends the keeper and the proxy. What still runs in the namespace has no way out any more. */
	close(): Promise<void>;
};

/**
 * Starts the keeper and takes over the listener that it makes inside.
 * @param proxy serves the listener
 * @throws where the keeper does not come up: without a proxy nothing runs
 */
export async function openSession(sandbox: Sandbox, plan: SandboxPlan, folder: string, hooks: ProxyHooks, proxy = new Proxy(hooks)): Promise<Session> {
	const prepared = sandbox.prepare(plan, folder);
	const {argv, cwd, env} = prepared.keeper;
	const keeper = spawn(argv[0]!, argv.slice(1), {cwd, env: {...env}, stdio: ['ignore', 'ignore', 'pipe', 'ipc']});
	let words = '';
	keeper.stderr!.setEncoding('utf8').on('data', (text: string) => {
		words = (words + text).slice(-2000);
	});
	try {
		const {handle, pid} = await new Promise<{handle: unknown; pid: number}>((resolve, reject) => {
			const timer = setTimeout(() => reject(new Error(`the network namespace did not come up in 20 s: ${words}`)), 20_000);
			keeper.once('error', reject);
			keeper.once('exit', code => {
				clearTimeout(timer);
				reject(new Error(`the network namespace could not be made (${code}): ${words.trim()}`));
			});
			keeper.once('message', (message: {type?: string; pid?: number}, handle) => {
				clearTimeout(timer);
				if (message.type === 'listening' && typeof message.pid === 'number' && handle) {
					resolve({handle, pid: message.pid});
				} else {
					reject(new Error('the keeper sent something else than a listener'));
				}
			});
		});
		await proxy.attach(handle);
		keeper.send('thanks');
		keeper.stderr!.removeAllListeners('data').resume();
		return {prepared, keeperPid: pid, proxy, close: () => end(keeper, proxy)};
	} catch (error) {
		await end(keeper, proxy);
		throw error;
	}
}

async function end(keeper: ChildProcess, proxy: Proxy): Promise<void> {
	proxy.close();
	if (keeper.exitCode === null && keeper.signalCode === null && keeper.pid !== undefined) {
		const gone = new Promise(resolve => {
			keeper.once('exit', resolve);
		});
		keeper.kill('SIGKILL');
		await gone;
	}
}
