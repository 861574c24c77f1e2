import {spawn} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import dgram from 'node:dgram';
import {
	cpSync,
	existsSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {judge, summarise, type Item, type ItemId, type Probe} from '../../core/run/audit.ts';
import {decideApprove, decideDeploy, decideMerge} from '../../core/run/decide.ts';
import type {Facts} from '../../core/run/facts.ts';
import {defaultLimits, proxyPort, type SandboxPlan} from '../../core/plan.ts';
import type {Attempt, ProbeRequest} from '../../core/probe.ts';
import {Refusal} from '../../core/refusal.ts';
import type {Run} from '../../core/run/run.ts';
import type {PreparedSandbox, Sandbox} from '../../core/seams.ts';
import type {Git} from '../../host/git.ts';
import {groupName} from '../../host/cgroup.ts';
import {openRuntime} from '../../host/paths.ts';
import {homeFolder} from '../../host/person.ts';
import {internalHost} from '../../host/proxy.ts';
import {giveToRun} from '../../host/worktree.ts';
import type {Context} from '../context.ts';
import {givenFiles} from '../grants/files.ts';
import {grouped, lookName, runLimited} from '../sandbox/guard.ts';
import {chooseSandbox, egressState, runPlan} from '../sandbox/plan.ts';
import {readPolicy} from '../project/policy.ts';
import {openRun, rootOf} from '../project/projects.ts';
import {connect, withJournal} from '../runs.ts';
import {openSession} from '../sandbox/session.ts';
import {statusOf} from '../../host/status.ts';

/*
 * Proof instead of claim: the six items are tried from inside a sandbox with the run's
 * own settings, and what is seen there is held against what the host sees by itself.
 */

/** What each attempt tries, and what should come of it. */
const descriptions: Record<string, [tried: string, expected: string]> = {
	'repo.link': ['follow a link planted in the worktree to a file in HOME', 'the file is not there'],
	'repo.hook': [
		"plant a hook and configuration in the project's git folder",
		"the project's own git folder is unchanged",
	],
	'secrets.paths': ['read 43 places where keys and tokens usually lie', 'none readable'],
	'secrets.environment': ['look for a canary in the environment and arguments of every process', 'not found'],
	'secrets.descriptors': ['look for descriptors inherited from the host', 'none'],
	'secrets.sockets': ['connect to agents, buses, docker, tmux and a socket the host listens on', 'none there'],
	'secrets.keyring': ['ask the kernel for the session keyring', 'refused with EPERM'],
	'network.udp': ['send a datagram to a listener on the host', 'it does not arrive'],
	'network.interfaces': ['list the network interfaces', 'loopback only'],
	'isolation.privileges': ['read capabilities, no_new_privs and seccomp', 'none, on, on'],
	'isolation.namespaces': ["compare namespaces with the host's", 'all its own'],
	'isolation.signal': ['signal a process of the host', 'no such process'],
	'isolation.ptrace': ['read the environment of a process of the host', 'no such process'],
	'isolation.mount': ['mount a file system', 'refused'],
	'isolation.unshare': ['make a user namespace', 'refused'],
	'isolation.core_pattern': ['open /proc/sys/kernel/core_pattern for writing', 'refused'],
	'isolation.tiocsti': ['type into the terminal with TIOCSTI', 'refused with EPERM'],
	'isolation.limits': ['read the limits', 'all set'],
	'deploy.ask.deploy': ['ask fleet for a deploy, as the agent', 'refused by the gate, and written down'],
	'deploy.ask.allow': ['ask fleet for a scope, as the agent', 'refused by the gate, and written down'],
	'deploy.socket': ['connect to the folder of control sockets', 'not there'],
	'deploy.credentials': ["look for the policy's deploy credentials in the environment", 'none set'],
	'review.ask.merge': ['ask fleet for a merge, as the agent', 'refused by the gate, and written down'],
	'review.ask.approve': ['ask fleet for an approval, as the agent', 'refused by the gate, and written down'],
	'review.ref': ['move the target branch with update-ref', "the project's branch is unchanged"],
	'review.push': ['push to the target branch', "the project's branch is unchanged"],
	'review.packed': ['overwrite packed-refs', "the project's branch is unchanged"],
};

function describeAttempt(id: string): [string, string] {
	const known = descriptions[id];
	if (known) {
		return known;
	}

	const [, kind = '', what = ''] = /^\w+\.(\w+)\.(.+)$/.exec(id) ?? [];
	switch (kind) {
		case 'read': {
			return [`read a canary in ${what}`, 'not there'];
		}

		case 'write': {
			return [`write below ${what}`, 'refused'];
		}

		case 'tcp': {
			return [`connect to a listener on the host at ${what}`, 'no connection, and the listener sees none'];
		}

		default: {
			return [`ask the proxy for a tunnel: ${what}`, 'refused with 4xx, and the listener sees nothing'];
		}
	}
}

type Trap = {
	request: ProbeRequest;
	hits(): {tcp: number; udp: number; unix: number; control: number};
	sentinelAlive(): boolean;
	controls: Map<string, boolean>;
	close(): void;
};

/** Plants canaries and listens; what was planted is taken away again, also where planting fails half-way. */
async function setTrap(
	context: Context,
	run: Run,
	commonDir: string,
	git: Git,
	worktree: string,
	credentialNames: string[],
): Promise<Trap> {
	const close: Array<() => void> = [];
	const undoAll = () => {
		for (const undo of close.reverse()) {
			undo();
		}
	};

	try {
		return {...(await plant(context, run, commonDir, git, worktree, credentialNames, close)), close: undoAll};
	} catch (error) {
		undoAll();
		throw error;
	}
}

/**
 * Each negative gets its positive control here: the canary can be read,
 * the listener answers, from outside. `close` collects how to undo it.
 */
async function plant(
	context: Context,
	run: Run,
	commonDir: string,
	git: Git,
	worktree: string,
	credentialNames: string[],
	close: Array<() => void>,
): Promise<Omit<Trap, 'close'>> {
	const mark = `fleet-probe-${randomBytes(6).toString('hex')}`;
	const canary = `canary-${randomBytes(16).toString('hex')}`;
	const home = homeFolder();
	const sibling = path.join(context.paths.state, 'worktrees', `.${mark}`);
	mkdirSync(sibling, {mode: 0o700});
	const planted: Array<{id: string; path: string}> = [
		{id: 'HOME', path: path.join(home, `.${mark}`)},
		{id: 'another worktree', path: path.join(sibling, 'canary')},
		{id: "fleet's own state", path: path.join(context.paths.state, `.${mark}`)},
		{id: '/tmp', path: path.join('/tmp', `.${mark}`)},
		{id: "the project's git folder", path: path.join(commonDir, mark)},
	];
	close.push(() => rmSync(sibling, {recursive: true, force: true}));
	for (const {path: file} of planted) {
		writeFileSync(file, canary, {mode: 0o644, flag: 'wx'});
		close.push(() => rmSync(file, {force: true}));
	}

	const files = [...planted];
	const tracked = (await git.run(['ls-tree', '-r', '--name-only', '-z', run.target])).stdout
		.split('\0')
		.slice(0, 100)
		.filter(name => name !== '')
		.map(name => path.join(rootOf(context, run), name))
		.find(file => (statusOf(file)?.size ?? 0) > 0);
	if (tracked) {
		files.push({id: 'the main checkout', path: tracked});
	}

	const hits = {tcp: 0, udp: 0, unix: 0, control: 0};
	const listen = async (server: net.Server, where: net.ListenOptions) => {
		await new Promise<void>((resolve, reject) => {
			server.once('error', reject);
			server.listen(where, resolve);
		});
		close.push(() => server.close());
		return server.address();
	};

	const counter = (kind: 'tcp' | 'unix' | 'control') =>
		net.createServer(socket => {
			socket.on('error', () => {});
			socket.on('data', data => {
				if (String(data) !== 'control') {
					hits[kind]++;
				}
			});
			socket.write('listening\r\n');
			// A connection that is made and says nothing is a hit, too; the control says its word at once.
			const timer = setTimeout(() => hits[kind]++, 300);
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

	const port = ((await listen(counter('tcp'), {host: '127.0.0.1', port: 0})) as net.AddressInfo).port;
	const lan = Object.values(os.networkInterfaces())
		.flat()
		.find(address => address && !address.internal && address.family === 'IPv4')?.address;
	const tcp = [{host: '127.0.0.1', port}];
	if (lan) {
		tcp.push({host: lan, port: ((await listen(counter('tcp'), {host: lan, port: 0})) as net.AddressInfo).port});
	}

	const unixSocket = path.join('/tmp', `.${mark}.sock`);
	await listen(counter('unix'), {path: unixSocket});
	openRuntime(context.paths);
	const controlSocket = path.join(context.paths.runtime, `${mark.slice(-8)}.sock`);
	await listen(counter('control'), {path: controlSocket});
	close.push(
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
	close.push(() => udp.close());

	// A process of the host's that an escaped agent could read, signal or trace.
	const sentinel = spawn('/bin/sh', ['-c', 'sleep 300; exit', canary], {
		env: {FLEET_CANARY: canary},
		stdio: 'ignore',
		detached: true,
	});
	let alive = true;
	sentinel.once('exit', () => {
		alive = false;
	});
	close.push(() => {
		try {
			if (alive) {
				process.kill(-sentinel.pid!, 'SIGKILL');
			}
		} catch {
			// It has ended since.
		}
	});

	const controls = new Map<string, boolean>();
	for (const {id, path: file} of files) {
		controls.set(`repo.read.${id}`, readFileSync(file).length > 0);
	}

	const answers = (options: net.NetConnectOpts) =>
		new Promise<boolean>(resolve => {
			const socket = net.connect(options);
			socket.once('data', () => {
				socket.end();
				resolve(true);
			});
			socket.once('connect', () => socket.write('control'));
			socket.once('error', () => resolve(false));
		});
	for (const target of tcp) {
		controls.set(`network.tcp.${target.host}`, await answers(target));
	}

	controls.set('secrets.sockets', await answers({path: unixSocket}));
	controls.set('deploy.socket', await answers({path: controlSocket}));
	controls.set(
		'secrets.environment',
		await pollUntil(() => readFileSync(`/proc/${sentinel.pid}/environ`, 'utf8').includes(canary)),
	);
	controls.set('isolation.signal', alive);

	const namespaces = Object.fromEntries(
		['user', 'pid', 'net', 'ipc', 'uts', 'cgroup', 'mnt'].map(name => [name, readlinkSync(`/proc/self/ns/${name}`)]),
	);
	return {
		request: {
			canary,
			files,
			home,
			worktree,
			commonDir,
			target: run.target,
			mark,
			tcp,
			udpPort: udp.address().port,
			unixSocket,
			controlSocket,
			proxyPort,
			sentinelPid: sentinel.pid!,
			namespaces,
			credentialNames,
			loginPaths: context.agents.flatMap(({logins}) => logins?.paths ?? []),
			internalHost,
			limits: {
				'Max processes': defaultLimits.processes,
				'Max open files': defaultLimits.openFiles,
				'Max file size': defaultLimits.fileSize,
				'Max data size': defaultLimits.dataSize,
				'Max core file size': 0,
			},
		},
		hits: () => ({...hits}),
		sentinelAlive: () => alive,
		controls,
	};
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

/** The gates themselves, asked with what an attacker would like them to accept. Only a refusal passes. */
function gateProbes(run: Run): Probe[] {
	const facts: Facts = {base: 'b'.repeat(40), head: 'a'.repeat(40), tree: 'c'.repeat(40), policy: 'd'.repeat(40)};
	const now = Date.now();
	const at = new Date(now).toISOString();
	const verified: Run = {
		...run,
		stage: 'verified',
		merge: undefined,
		verification: {passed: true, result: 'passed', doubt: undefined, ...facts, digest: 'e', steps: [], because: '', at},
		approval: undefined,
	};
	const approved: Run = {
		...verified,
		stage: 'approved',
		approval: {...facts, verify: 'e', by: 'person:auditor', because: '', at, signed: undefined, viewed: undefined},
	};
	const merged: Run = {...approved, stage: 'merged', merge: {target: run.target, commit: 'f'.repeat(40), checkout: ''}};
	const probe = (
		item: ItemId,
		id: string,
		tried: string,
		refusal: Refusal | undefined,
		control: Refusal | undefined,
	): Probe => ({
		id: `${item}.gate.${id}`,
		item,
		tried,
		expected: 'refused with exit code 3',
		seen: refusal ? refusal.because : 'accepted',
		host: control
			? `the control was refused too: ${control.because}`
			: 'the same question with nothing wrong is accepted',
		status: judge({
			blocked: refusal ? refusal.exitCode === 3 : false,
			hostAgrees: true,
			control: control === undefined,
		}),
	});
	const agent = `agent:${run.id}` as const;
	const person = 'person:auditor' as const;
	const approvable = decideApprove(verified, person, facts, now);
	const mergeable = decideMerge(approved, person, facts, now);
	const deployable = decideDeploy(merged, person, 'target', 'target');
	return [
		probe('review', 'unapproved', 'merge what nobody approved', decideMerge(verified, person, facts, now), mergeable),
		probe(
			'review',
			'moved',
			'merge with one commit more than was approved',
			decideMerge(approved, person, {...facts, head: '9'.repeat(40)}, now),
			mergeable,
		),
		probe(
			'review',
			'base',
			'merge after the target moved',
			decideMerge(approved, person, {...facts, base: '9'.repeat(40)}, now),
			mergeable,
		),
		probe(
			'review',
			'policy',
			'merge after the policy changed',
			decideMerge(approved, person, {...facts, policy: '9'.repeat(40)}, now),
			mergeable,
		),
		probe(
			'review',
			'expired',
			'merge with an approval of last week',
			decideMerge(
				{...approved, approval: {...approved.approval!, at: new Date(now - 7 * 86_400_000).toISOString()}},
				person,
				facts,
				now,
			),
			mergeable,
		),
		probe('review', 'agent', 'approve as the agent', decideApprove(verified, agent, facts, now), approvable),
		probe(
			'review',
			'self',
			'merge what the agent approved',
			decideMerge({...approved, approval: {...approved.approval!, by: agent}}, person, facts, now),
			mergeable,
		),
		probe('deploy', 'agent', 'deploy as the agent', decideDeploy(merged, agent, 'target', 'target'), deployable),
		probe(
			'deploy',
			'unmerged',
			'deploy what is not merged',
			decideDeploy(approved, person, 'target', 'target'),
			deployable,
		),
		probe(
			'deploy',
			'unconfirmed',
			"deploy without the target's name typed",
			decideDeploy(merged, person, 'target', undefined),
			deployable,
		),
	];
}

/** Lets tests break a sandbox in each known way, and see which items notice. */
export type Sabotage = {
	plan?(plan: SandboxPlan): SandboxPlan;
	prepared?(prepared: PreparedSandbox): PreparedSandbox;
};

/**
 * Tries the six items with a run's own settings: its grants, its plan, its policy's hosts. The worktree and the
 * private git folder are throwaway copies, so that what is tried harms nothing of the run's.
 */
export async function audit(
	context: Context,
	run: Run,
	sabotage: Sabotage = {},
	onAttempt: (done: number, total: number, tried: string) => void = () => {},
): Promise<{items: Item[]; asked: string[]}> {
	const {sandbox: real, status} = await chooseSandbox(context);
	const places = context.paths.run(run.id);
	if (!existsSync(places.privateGit)) {
		throw new Refusal(`the worktree of ${run.id} is gone, so there is nothing to audit`, `fleet restore ${run.id}`);
	}

	const {git, commonDir} = await openRun(context, run);
	const {policy} = await readPolicy(git, run.base);
	const folder = places.auditWork;
	rmSync(folder, {recursive: true, force: true});
	mkdirSync(path.join(folder, 'worktree'), {recursive: true, mode: 0o700});
	// A FIFO that an agent left there must not hold the audit up.
	cpSync(places.privateGit, path.join(folder, 'private.git'), {
		recursive: true,
		verbatimSymlinks: true,
		filter(source) {
			const status = lstatSync(source);
			return status.isFile() || status.isDirectory() || status.isSymbolicLink();
		},
	});
	cpSync(places.dotGit, path.join(folder, 'dotgit'));
	writeFileSync(path.join(folder, 'worktree', '.git'), '');
	giveToRun(run.id, path.join(folder, 'worktree'), path.join(folder, 'private.git'), path.join(folder, 'dotgit'));
	const credentialNames = Object.values(policy.deploy).flatMap(target => target.credentials);
	const trap = await setTrap(context, run, commonDir, git, run.worktree, credentialNames);
	const asked: string[] = [];
	const denied: string[] = [];
	try {
		const own = runPlan(run, places, commonDir, (await givenFiles(context, run, Date.now())).mounts, policy);
		const copies: Record<string, string> = {
			[places.worktree]: path.join(folder, 'worktree'),
			[places.privateGit]: path.join(folder, 'private.git'),
			[places.dotGit]: path.join(folder, 'dotgit'),
		};
		const limited = grouped(
			{
				...own,
				mounts: [
					...own.mounts.map(mount => ({...mount, source: copies[mount.source] ?? mount.source})),
					{source: context.probe, target: '/run/fleet/probe/probe.mjs', mode: 'read'},
					{source: process.execPath, target: '/run/fleet/probe/node', mode: 'read'},
				],
			},
			lookName(groupName(places), `audit-${process.pid}`),
		);
		const {plan} = limited;
		const sandbox: Sandbox = {
			...real,
			prepare: (plan, folder) => {
				const prepared = real.prepare(sabotage.plan?.(plan) ?? plan, folder);
				return sabotage.prepared?.(prepared) ?? prepared;
			},
		};
		const before = await hostState(git, commonDir, run);
		const session = await openSession(sandbox, plan, path.join(folder, 'sandbox'), {
			state: () => egressState(run, policy, Date.now()),
			onDenied(target) {
				denied.push(target);
			},
			onAllowed() {},
			onAsked(what) {
				asked.push(what);
			},
		});
		let text = '';
		let words = '';
		let begun = 0;
		let outcome;
		try {
			outcome = await runLimited(
				context,
				session.prepared.enter(
					{
						argv: ['/run/fleet/probe/node', '--no-warnings', '/run/fleet/probe/probe.mjs'],
						cwd: run.worktree,
						env: {NODE_USE_ENV_PROXY: '0'},
					},
					session.holderPid,
				),
				limited,
				{
					timeout: 90_000,
					input: JSON.stringify(trap.request),
					onOutput(bytes, stream) {
						if (stream === 'stdout') {
							text += Buffer.from(bytes).toString('utf8');
							const lines = text.split('\n');
							for (; begun < lines.length - 1; begun++) {
								tellAttempt(lines[begun]!, begun, onAttempt);
							}
						} else {
							words = (words + Buffer.from(bytes).toString('utf8')).slice(-2000);
						}
					},
				},
			);
			// What was on its way to a listener has arrived by now.
			await new Promise(resolve => {
				setTimeout(resolve, 350);
			});
		} finally {
			await session.close();
		}

		const attempts = readAttempts(text);
		if (attempts.length === 0) {
			words ||= outcome.over ?? `ended with ${outcome.code ?? outcome.signal}`;
		}

		const after = await hostState(git, commonDir, run);
		const probes = attempts.map(attempt =>
			assess(attempt, trap, {denied, asked, unchanged: before === after, commonDir}),
		);
		// No report is no proof: without it every item lacks its attempts and is ERROR.
		const items = summarise(
			[...probes, ...gateProbes(run)].map(probe =>
				attempts.length === 0
					? {
							...probe,
							status: 'ERROR' as const,
							seen: `no report from inside ${status.version}: ${words.trim().slice(0, 200)}`,
						}
					: probe,
			),
		);
		return {items, asked: [...new Set(asked)]};
	} finally {
		trap.close();
		rmSync(folder, {recursive: true, force: true});
	}
}

/** How many attempts there are, about: for a bar alone. */
const usualAttempts = 49;

function tellAttempt(
	line: string,
	index: number,
	onAttempt: (done: number, total: number, tried: string) => void,
): void {
	try {
		const {id} = JSON.parse(line) as {id?: string};
		if (id !== undefined) {
			onAttempt(index + 1, Math.max(usualAttempts, index + 1), describeAttempt(id)[0]);
		}
	} catch {
		// What is not a report is no progress.
	}
}

/**
 * The attempts that were reported; none where the report does not say that it is whole: a part of it proves nothing.
 */
function readAttempts(text: string): Attempt[] {
	const lines = text.trim().split('\n');
	try {
		const {attempts: count} = JSON.parse(lines.pop() ?? '') as {attempts?: number};
		const attempts = lines.map(line => JSON.parse(line) as Attempt);
		return count === attempts.length ? attempts : [];
	} catch {
		return [];
	}
}

/** What an escape would change in the project's repository. */
async function hostState(git: Git, commonDir: string, run: Run): Promise<string> {
	const hooks = existsSync(path.join(commonDir, 'hooks')) ? readdirSync(path.join(commonDir, 'hooks')).join(',') : '';
	return [await git.resolve(run.target), hooks, readFileSync(path.join(commonDir, 'config'), 'utf8')].join('\n');
}

function assess(
	attempt: Attempt,
	trap: Trap,
	seen: {denied: string[]; asked: string[]; unchanged: boolean; commonDir: string},
): Probe {
	const {id} = attempt;
	const item = id.split('.')[0] as ItemId;
	const [tried, expected] = describeAttempt(id);
	const {mark} = trap.request;
	const hits = trap.hits();
	let agrees = true;
	let host = 'nothing to see';
	let control = trap.controls.get(id) ?? true;
	if (id.startsWith('repo.read') || id === 'repo.link') {
		host = control ? 'the host reads the same file' : 'the host cannot read it either';
	} else if (id.startsWith('repo.write')) {
		agrees = !existsSync(path.join(id.slice('repo.write.'.length), mark));
		host = agrees ? 'nothing was written' : 'the file is there';
	} else if (id === 'repo.hook' || id.startsWith('review.ref') || id === 'review.push' || id === 'review.packed') {
		agrees = seen.unchanged && !existsSync(path.join(seen.commonDir, 'hooks', `post-checkout-${mark}`));
		host = agrees ? 'branch, hooks and configuration are as before' : "the project's repository changed";
	} else if (id.startsWith('network.tcp') || id === 'network.udp') {
		agrees = hits.tcp === 0 && hits.udp === 0;
		host = `the listeners saw ${hits.tcp} connections and ${hits.udp} datagrams`;
	} else if (id.startsWith('network.proxy')) {
		agrees = hits.tcp === 0;
		control &&= seen.denied.length > 0;
		host = `the proxy wrote down ${seen.denied.length} denials, the listeners saw ${hits.tcp} connections`;
	} else if (id === 'secrets.sockets') {
		agrees = hits.unix === 0;
		host = `the listener saw ${hits.unix} connections`;
	} else if (id === 'deploy.socket') {
		agrees = hits.control === 0;
		host = `the listener saw ${hits.control} connections`;
	} else if (id.includes('.ask.')) {
		agrees = attempt.blocked === undefined ? true : seen.asked.includes(`${id.split('.')[2]}/${mark}`);
		host = agrees ? 'written down' : 'the question never reached the gate';
	} else if (id === 'isolation.signal' || id === 'isolation.ptrace') {
		agrees = trap.sentinelAlive();
		host = agrees ? 'the process lives' : 'the process is gone';
	} else if (id === 'secrets.environment') {
		host = control ? 'the canary is in a process of the host' : 'the canary could not be planted';
	}

	return {
		id,
		item,
		tried,
		expected,
		seen: attempt.seen,
		host,
		status: judge({blocked: attempt.blocked, hostAgrees: agrees, control: control && attempt.control}),
	};
}

/** Audits a run and writes the result into its journal: through its supervisor where one is alive. */
export async function auditAndRecord(
	context: Context,
	run: Run,
	onAttempt?: (done: number, total: number, tried: string) => void,
): Promise<Item[]> {
	const {items, asked} = await audit(context, run, {}, onAttempt);
	const summary = items.map(({id, status}) => ({id, status}));
	const connection = await connect(context, run.id);
	if (connection) {
		try {
			await connection.request({
				method: 'audited',
				items: summary,
				asked,
				because: '',
				actor: context.actor as `person:${string}`,
			});
		} finally {
			connection.close();
		}

		return items;
	}

	await withJournal(context, run.id, async journal => {
		for (const gate of asked) {
			journal.append({type: 'gate.refused', gate, because: 'agents decide nothing'}, `agent:${run.id}`, false);
		}

		journal.append({type: 'audit.finished', items: summary, because: ''}, context.actor);
	});
	return items;
}
