import {spawn} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import dgram from 'node:dgram';
import {mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync} from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {proxyPort} from '../../core/plan.ts';
import type {ProbeRequest} from '../../core/probe.ts';
import type {Run} from '../../core/run/run.ts';
import type {Git} from '../../host/git.ts';
import {openRuntime} from '../../host/paths.ts';
import {homeFolder} from '../../host/person.ts';
import {internalHost} from '../../host/proxy-hooks.ts';
import {statusOf} from '../../host/status.ts';
import type {Context} from '../context.ts';
import {rootOf} from '../project/projects.ts';

/*
 * What the host plants to be reached: canaries, listeners, a process. Each negative gets its positive
 * control here: the canary can be read, the listener answers, from outside.
 */

export type Trap = {
	readonly request: Omit<ProbeRequest, 'limits'>;
	/** How often each kind of listener was reached. */ hits(): Hits;
	sentinelAlive(): boolean;
	/** By the name of an attempt: whether it could have worked. */ readonly controls: ReadonlyMap<string, boolean>;
	/** Takes away what was planted. */ close(): void;
};

type Hits = {tcp: number; udp: number; unix: number; control: number};

/** What the trap is set for. */
type Prey = {
	readonly run: Run;
	readonly git: Git;
	readonly commonDir: string;
	/** Variables that hold a deploy's credentials. */ readonly credentialNames: readonly string[];
};

/** How to take away what was planted, first thing last. */
type Undo = Array<() => void>;

/** How long a connection has to say that it is the control's own. */
const controlTimeoutMs = 300;

/** Plants canaries and listens; what was planted is taken away again, also where planting fails half-way. */
export async function setTrap(context: Context, prey: Prey): Promise<Trap> {
	const undo: Undo = [];
	const close = () => {
		for (const step of undo.reverse()) {
			step();
		}
	};

	try {
		return {...(await plant(context, prey, undo)), close};
	} catch (error) {
		close();
		throw error;
	}
}

async function plant(
	context: Context,
	{run, git, commonDir, credentialNames}: Prey,
	undo: Undo,
): Promise<Omit<Trap, 'close'>> {
	const mark = `fleet-probe-${randomBytes(6).toString('hex')}`;
	const canary = `canary-${randomBytes(16).toString('hex')}`;
	const files = plantFiles(context, {mark, canary, commonDir}, undo);
	const tracked = await trackedFile(context, run, git);
	if (tracked !== undefined) {
		files.push({id: 'the main checkout', path: tracked});
	}

	const {hits, tcp, udpPort, unixSocket, controlSocket} = await openListeners(context, mark, undo);
	const sentinel = startSentinel(canary, undo);
	const controls = new Map(files.map(({id, path: file}) => [`repo.read.${id}`, readFileSync(file).length > 0]));
	for (const target of tcp) {
		controls.set(`network.tcp.${target.host}`, await answers(target));
	}

	controls.set('secrets.sockets', await answers({path: unixSocket}));
	controls.set('deploy.socket', await answers({path: controlSocket}));
	controls.set(
		'secrets.environment',
		await pollUntil(() => readFileSync(`/proc/${sentinel.pid}/environ`, 'utf8').includes(canary)),
	);
	controls.set('isolation.signal', sentinel.isAlive());
	return {
		request: {
			canary,
			files,
			home: homeFolder(),
			worktree: run.worktree,
			commonDir,
			target: run.target,
			mark,
			tcp,
			udpPort,
			unixSocket,
			controlSocket,
			proxyPort,
			sentinelPid: sentinel.pid,
			namespaces: Object.fromEntries(
				['user', 'pid', 'net', 'ipc', 'uts', 'cgroup', 'mnt'].map(name => [
					name,
					readlinkSync(`/proc/self/ns/${name}`),
				]),
			),
			credentialNames,
			loginPaths: context.agents.flatMap(({logins}) => logins?.paths ?? []),
			internalHost,
		},
		hits: () => ({...hits}),
		sentinelAlive: sentinel.isAlive,
		controls,
	};
}

/** Files with the canary in places of the host's that no run may read. */
function plantFiles(
	context: Context,
	{mark, canary, commonDir}: {readonly mark: string; readonly canary: string; readonly commonDir: string},
	undo: Undo,
): Array<{id: string; path: string}> {
	const sibling = path.join(context.paths.worktrees, `.${mark}`);
	mkdirSync(sibling, {mode: 0o700});
	undo.push(() => rmSync(sibling, {recursive: true, force: true}));
	const planted = [
		{id: 'HOME', path: path.join(homeFolder(), `.${mark}`)},
		{id: 'another worktree', path: path.join(sibling, 'canary')},
		{id: "fleet's own state", path: path.join(context.paths.state, `.${mark}`)},
		{id: '/tmp', path: path.join('/tmp', `.${mark}`)},
		{id: "the project's git folder", path: path.join(commonDir, mark)},
	];
	for (const {path: file} of planted) {
		writeFileSync(file, canary, {mode: 0o644, flag: 'wx'});
		undo.push(() => rmSync(file, {force: true}));
	}

	return planted;
}

/** A file of the project's own checkout that is not empty; undefined where none of the first is there. */
async function trackedFile(context: Context, run: Run, git: Git): Promise<string | undefined> {
	return (await git.run(['ls-tree', '-r', '--name-only', '-z', run.target])).stdout
		.split('\0')
		.slice(0, 100)
		.filter(name => name !== '')
		.map(name => path.join(rootOf(context, run), name))
		.find(file => (statusOf(file)?.size ?? 0) > 0);
}

/** A server that counts whoever connects, but for the control, which says its word at once. */
function countingServer(kind: Exclude<keyof Hits, 'udp'>, hits: Hits): net.Server {
	return net.createServer(socket => {
		// A reset shows as a close, which is counted.
		socket.on('error', () => {});
		socket.on('data', data => {
			if (String(data) !== 'control') {
				hits[kind]++;
			}
		});
		socket.write('listening\r\n');
		// A connection that is made and says nothing is a hit, too.
		const timer = setTimeout(() => hits[kind]++, controlTimeoutMs);
		socket.once('data', () => clearTimeout(timer));
		socket.once('close', () => clearTimeout(timer));
		if (kind === 'tcp') {
			socket.once('close', () => {
				if (socket.bytesRead === 0) {
					hits[kind]++;
				}
			});
		}
	});
}

/** Listeners of the host's: on loopback, on the network's own address, on sockets, for datagrams. */
async function openListeners(
	context: Context,
	mark: string,
	undo: Undo,
): Promise<{
	hits: Hits;
	tcp: Array<{host: string; port: number}>;
	udpPort: number;
	unixSocket: string;
	controlSocket: string;
}> {
	const hits: Hits = {tcp: 0, udp: 0, unix: 0, control: 0};
	const listen = async (kind: Exclude<keyof Hits, 'udp'>, where: net.ListenOptions) => {
		const server = countingServer(kind, hits);
		await new Promise<void>((resolve, reject) => {
			server.once('error', reject);
			server.listen(where, resolve);
		});
		undo.push(() => server.close());
		return server.address();
	};

	const hosts = ['127.0.0.1'];
	const lan = Object.values(os.networkInterfaces())
		.flat()
		.find(address => address && !address.internal && address.family === 'IPv4')?.address;
	if (lan) {
		hosts.push(lan);
	}

	const tcp = [];
	for (const host of hosts) {
		tcp.push({host, port: ((await listen('tcp', {host, port: 0})) as net.AddressInfo).port});
	}

	const unixSocket = path.join('/tmp', `.${mark}.sock`);
	await listen('unix', {path: unixSocket});
	openRuntime(context.paths);
	const controlSocket = path.join(context.paths.runtime, `${mark.slice(-8)}.sock`);
	await listen('control', {path: controlSocket});
	undo.push(
		() => rmSync(unixSocket, {force: true}),
		() => rmSync(controlSocket, {force: true}),
	);
	const udp = dgram.createSocket('udp4');
	udp.on('message', message => {
		if (String(message) !== 'control') {
			hits.udp++;
		}
	});
	await new Promise<void>(resolve => {
		udp.bind(0, '127.0.0.1', resolve);
	});
	undo.push(() => udp.close());
	return {hits, tcp, udpPort: udp.address().port, unixSocket, controlSocket};
}

/** A process of the host's that an escaped agent could read, signal or trace. */
function startSentinel(canary: string, undo: Undo): {pid: number; isAlive: () => boolean} {
	const sentinel = spawn('/bin/sh', ['-c', 'sleep 300; exit', canary], {
		env: {FLEET_CANARY: canary},
		stdio: 'ignore',
		detached: true,
	});
	let alive = true;
	sentinel.once('exit', () => {
		alive = false;
	});
	undo.push(() => {
		try {
			if (alive) {
				process.kill(-sentinel.pid!, 'SIGKILL');
			}
		} catch {
			// It has ended since.
		}
	});
	return {pid: sentinel.pid!, isAlive: () => alive};
}

/** Whether a listener answers whoever asks from outside. */
function answers(options: net.NetConnectOpts): Promise<boolean> {
	return new Promise<boolean>(resolve => {
		const socket = net.connect(options);
		socket.once('data', () => {
			socket.end();
			resolve(true);
		});
		socket.once('connect', () => socket.write('control'));
		socket.once('error', () => resolve(false));
	});
}

async function pollUntil(condition: () => boolean): Promise<boolean> {
	for (let tries = 0; tries < 50; tries++) {
		if (condition()) {
			return true;
		}

		await new Promise(resolve => {
			setTimeout(resolve, 10);
		});
	}

	return false;
}
