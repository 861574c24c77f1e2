import {execFile, spawn, type ChildProcess} from 'node:child_process';
import {createSocket, type BindOptions} from 'node:dgram';
import {readFileSync} from 'node:fs';
import type net from 'node:net';
import {hostAddresses} from '../../core/network/addresses.ts';
import {answerNameQuery, asksForAddress, readNameQuery} from '../../core/network/name-query.ts';
import type {Invocation, SandboxPlan} from '../../core/plan.ts';
import {Refusal} from '../../core/refusal.ts';
import type {PreparedSandbox, Sandbox} from '../../core/seams.ts';
import {Proxy} from '../../host/proxy.ts';
import type {ProxyHooks} from '../../host/proxy-hooks.ts';

/** A sandbox that is ready to be entered: its network namespace is there, and the proxy listens in it. */
export type Session = {
	readonly prepared: PreparedSandbox;
	readonly holderPid: number;
	readonly proxy: Proxy;
	/** A connection to a port of the namespace's own loopback. Rejects where nothing listens there. */
	dial(port: number): Promise<net.Socket>;
	/** Ends the holder and the proxy. What still runs in the namespace has no way out any more. */
	/** Connections and datagrams that programs inside tried to send to an address of the world, past the proxy, so far. */
	strays(): number;
	close(): Promise<void>;
};

/** Answers who asks for names inside. @param handle a socket of the namespace's, as Node's channel gives it */
function answerNames(handle: unknown, onName: (name: string) => void): void {
	if (typeof (handle as {recvStart?: unknown} | undefined)?.recvStart !== 'function') {
		return;
	}

	const socket = createSocket('udp4');
	socket.on('error', () => {});
	socket.on('message', (message, from) => {
		const query = readNameQuery(message);
		if (query) {
			socket.send(answerNameQuery(message, query), from.port, from.address, () => {});
			if (asksForAddress(query)) {
				onName(query.name);
			}
		}
	});
	// Node takes a handle in a port's place, as in a cluster.
	socket.bind(handle as BindOptions);
	socket.unref();
}

/** What a namespace's kernel counted as sent to where no route leads; 0 where it cannot be read. */
function countStrays(pid: number): number {
	const read = (name: string) => {
		try {
			return readFileSync(`/proc/${pid}/net/${name}`, 'latin1');
		} catch {
			// The process, and its namespace with it, may have ended.
			return '';
		}
	};

	const [names = '', values = ''] = read('snmp')
		.split('\n')
		.filter(line => line.startsWith('Ip:'));
	const at = names.split(' ').indexOf('OutNoRoutes');
	return (
		Number(at === -1 ? 0 : values.split(' ')[at]) + Number(/^Ip6OutNoRoutes\s+(\d+)/m.exec(read('snmp6'))?.[1] ?? 0)
	);
}

/** Connections to a run's loopback that are made at one time: each takes a process for a moment. */
const maxDials = 8;

/** Connects to the run's own loopback. @throws where nothing listens, or the machine cannot */
function dialInside(
	prepared: PreparedSandbox,
	holderPid: number,
	{addresses, port}: {readonly addresses: readonly string[]; readonly port: number},
): Promise<net.Socket> {
	const dial = prepared.dial(addresses, port, holderPid);
	return new Promise((resolve, reject) => {
		if (!dial) {
			reject(new Error('this machine cannot'));
			return;
		}

		const child = spawn(dial.argv[0]!, dial.argv.slice(1), {
			cwd: dial.cwd,
			env: {...dial.env},
			stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
			timeout: 5000,
			killSignal: 'SIGKILL',
		});
		child.once('error', reject);
		child.once('exit', () => reject(new Error('nothing listens')));
		child.once('message', (_message, socket) => {
			child.send('thanks', () => child.disconnect());
			resolve(socket as net.Socket);
		});
	});
}

type SessionOptions = {
	/** Where the sandbox keeps its files. */ readonly folder: string;
	readonly hooks: ProxyHooks;
	/** Serves the listener in the run's proxy's stead. */ readonly other?: Proxy | undefined;
	/** Hears of every name of the world that a program inside looked up by itself. */
	readonly onName?: (name: string) => void;
};

/**
 * Starts the holder and takes over the listener that it makes inside.
 * @throws where the holder does not come up: without a proxy nothing runs
 */
export async function openSession(
	sandbox: Sandbox,
	plan: SandboxPlan,
	{folder, hooks, other, onName = () => {}}: SessionOptions,
): Promise<Session> {
	const prepared = sandbox.prepare(plan, folder);
	let holderPid: number | undefined;
	let dials = 0;
	const proxy =
		other ??
		new Proxy({
			...hooks,
			async loopback(addresses, port) {
				if (holderPid === undefined || dials >= maxDials) {
					throw new Error('too many at one time');
				}

				dials++;
				try {
					return await dialInside(prepared, holderPid, {addresses, port});
				} finally {
					dials--;
				}
			},
		});
	const {argv, cwd, env} = prepared.holder;
	const holder = spawn(argv[0]!, argv.slice(1), {cwd, env: {...env}, stdio: ['ignore', 'ignore', 'pipe', 'ipc']});
	let words = '';
	holder.stderr!.setEncoding('utf8').on('data', (text: string) => {
		words = (words + text).slice(-2000);
	});
	try {
		const {handle, pid} = await new Promise<{handle: unknown; pid: number}>((resolve, reject) => {
			const timer = setTimeout(
				() => reject(new Error(`the network namespace did not come up in 20 s: ${words}`)),
				20_000,
			);
			holder.once('error', reject);
			holder.once('exit', code => {
				clearTimeout(timer);
				reject(new Error(`the network namespace could not be made (${code}): ${words.trim()}`));
			});
			let isFirst = true;
			holder.on('message', (message: {type?: string; pid?: number}, handle) => {
				if (!isFirst) {
					answerNames(handle, onName);
					return;
				}

				isFirst = false;
				clearTimeout(timer);
				if (message.type === 'listening' && typeof message.pid === 'number' && handle) {
					resolve({handle, pid: message.pid});
				} else {
					reject(new Error('the holder sent something else than a listener'));
				}
			});
		});
		holderPid = pid;
		const stage = prepared.stage(pid);
		if (stage) {
			await finish(stage);
		}

		await proxy.attach(handle);
		holder.send('thanks');
		holder.stderr!.removeAllListeners('data').resume();
		return {
			prepared,
			holderPid: pid,
			proxy,
			dial: port => dialInside(prepared, pid, {addresses: hostAddresses, port}),
			strays: () => countStrays(pid),
			close: () => end(holder, proxy),
		};
	} catch (error) {
		await end(holder, proxy);
		throw error;
	}
}

/** Runs what must be done before anything enters. @throws Refusal with its last words where it is not */
async function finish({argv, cwd, env}: Invocation): Promise<void> {
	const words = await new Promise<string | undefined>((resolve, reject) => {
		execFile(argv[0]!, argv.slice(1), {cwd, env: {...env}, timeout: 20_000}, (error, _stdout, stderr) => {
			if (error && typeof error.code !== 'number') {
				reject(error);
			} else {
				resolve(error ? (stderr.trim().split('\n').at(-1) ?? '') : undefined);
			}
		});
	});
	if (words !== undefined) {
		throw new Refusal(
			`what was granted could not be given: ${words}`,
			'take the scope back with fleet revoke, look at what lies there, and grant it again',
		);
	}
}

async function end(holder: ChildProcess, proxy: Proxy): Promise<void> {
	proxy.close();
	if (holder.exitCode === null && holder.signalCode === null && holder.pid !== undefined) {
		const gone = new Promise(resolve => {
			holder.once('exit', resolve);
		});
		holder.kill('SIGKILL');
		await gone;
	}
}
