import {spawnSync} from 'node:child_process';
import {chmodSync, mkdirSync, readFileSync} from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import process from 'node:process';
import type {Invocation, SandboxPlan} from '../../source/core/plan.ts';
import {hostName} from '../../source/core/network/target.ts';
import type {Box} from '../../source/attacks/box.ts';

/* The one protection that stops each attack, switched off. An attack that does not work without it proves nothing. */

/** A protection that is switched off. */
export type Protection = {
	/** Changes what is granted. */
	plan?(plan: SandboxPlan, folder: string): SandboxPlan;
	/** Changes the arguments of bwrap. */
	arguments?(argv: string[]): string[];
	/** Changes the launch. */
	invocation?(invocation: Invocation): Invocation;
	/** Changes the proxy's state. */
	box?(box: Box): void;
	/** A proxy that forwards whatever it is asked for. */
	readonly naiveProxy?: boolean;
	/** Why this machine cannot show it; undefined where it can. */
	readonly unprovable?: string;
};

const isRoot = process.getuid?.() === 0;

/** Takes an option and its values out of an argv, where it is there. */
export function without(argv: string[], option: string, values = 0): string[] {
	const at = argv.indexOf(option);
	return at === -1 ? argv : argv.toSpliced(at, 1 + values);
}

/** Leaves out the step that takes the sandbox's last capabilities away. */
export function keepCapabilities(invocation: Invocation): Invocation {
	const at = invocation.argv.indexOf('--ambient-caps');
	return {...invocation, argv: invocation.argv.toSpliced(at - 1, invocation.argv.indexOf('--', at) - at + 2)};
}

/** A /proc that can be written. */
const openProc: Protection = {
	arguments: argv =>
		argv.filter(
			(argument, index) =>
				!(argument === '--remount-ro' && argv[index + 1] === '/proc') &&
				!(argument === '/proc' && argv[index - 1] === '--remount-ro'),
		),
};

const noFilter: Protection = {arguments: argv => without(argv, '--seccomp', 1)};
const sharedNetwork: Protection = {arguments: argv => without(argv, '--unshare-net')};
/** Without a pid namespace, with the host's own /proc, since a new one cannot be mounted then. */
const sharedProcesses: Protection = {
	arguments(argv) {
		const at = argv.indexOf('--proc');
		return without(argv, '--unshare-pid')
			.map((argument, index) => (index === at - 1 ? '--dev-bind' : argument))
			.toSpliced(at, 0, '/proc');
	},
};
/** A folder of the host's beside the sandbox's own, bound as it is. */
const bound = (mode: 'read' | 'write'): Protection => ({
	plan(plan, folder) {
		const place = path.join(folder, 'host');
		mkdirSync(place, {recursive: true});
		chmodSync(place, 0o777);
		return {...plan, mounts: [...plan.mounts, {source: place, target: place, mode}]};
	},
});
/** The whole folder of the box, so that "hard link" and ".." have somewhere to go. */
const boundWhole: Protection = {
	plan(plan, folder) {
		chmodSync(folder, 0o777);
		return {
			...plan,
			mounts: [
				{source: folder, target: folder, mode: 'write'},
				...plan.mounts.filter(mount => !mount.target.endsWith('/work')),
			],
			cwd: plan.cwd,
		};
	},
};
/** What was granted as a bind mount and nothing more. */
const boundGiven: Protection = {plan: plan => ({...plan, mounts: plan.mounts.map(({identity: _, ...mount}) => mount)})};
const noRemount: Protection = {arguments: argv => argv.toSpliced(argv.indexOf('--remount-ro'), 4)};
const allowing = (box: Box, state: Partial<Pick<Box, 'rules' | 'privateHosts'>>) => {
	for (const [name, value] of Object.entries(state)) {
		Object.defineProperty(box, name, {get: () => value, set() {}});
	}
};

const anyPort = (host: string) => Array.from({length: 65_536}, (_, port) => ({host, port, source: 'granted'}));
/** No limit of what a rule is about. */
const wholeHost: Protection = {
	box(box) {
		let rules: Box['rules'] = [];
		Object.defineProperty(box, 'rules', {
			get: () => rules.map(({host, port, source}) => ({host, port, source})),
			set(value: Box['rules']) {
				rules = value;
			},
		});
	},
};
const limit = (option: string, value: string): Protection => ({
	invocation: invocation => ({
		...invocation,
		argv: invocation.argv.map(argument => (argument.startsWith(option) ? `${option}${value}` : argument)),
	}),
});
/** Nobody looks at what the run as a whole holds. */
const unguarded: Protection = {
	plan: plan => ({
		...plan,
		limits: {
			...plan.limits,
			watches: Infinity,
			descriptors: Infinity,
			inFlight: Infinity,
			queued: Infinity,
			memory: Infinity,
			files: Infinity,
			growth: Infinity,
		},
	}),
};
const scratchSize = (target: string): Protection => ({
	plan: plan => ({
		...plan,
		scratch: plan.scratch.map(scratch => (scratch.target === target ? {...scratch, size: 64 * 1024 ** 2} : scratch)),
	}),
});
const both = (...protections: Protection[]): Protection => ({
	plan: (plan, folder) => protections.reduce((sum, protection) => protection.plan?.(sum, folder) ?? sum, plan),
	arguments: argv => protections.reduce((sum, protection) => protection.arguments?.(sum) ?? sum, argv),
	invocation: invocation => protections.reduce((sum, protection) => protection.invocation?.(sum) ?? sum, invocation),
});
/** The sandbox's user as its own namespace's root, with every capability. */
const capable: Protection = {
	invocation: keepCapabilities,
	arguments: argv =>
		without(argv, '--disable-userns').map((argument, index, all) => {
			if (argument === '--cap-drop') {
				return '--cap-add';
			}

			return all[index - 1] === '--uid' || all[index - 1] === '--gid' ? '0' : argument;
		}),
};

const naive: Protection = {naiveProxy: true};

function bpfIsOpen(): boolean {
	try {
		return readFileSync('/proc/sys/kernel/unprivileged_bpf_disabled', 'utf8').trim() === '0';
	} catch {
		return false;
	}
}

function kernelHas(family: number, type: number): Pick<Protection, 'unprovable'> {
	return spawnSync('perl', ['-e', `exit(socket(S, ${family}, ${type}, 0) ? 0 : $!{EAFNOSUPPORT} ? 1 : 0)`]).status === 0
		? {}
		: {unprovable: 'this kernel does not have that family'};
}

/** By the attack's id, for attacks on the sandbox. */
export const protections: Readonly<Record<string, Protection>> = {
	'read-secret-file': bound('read'),
	'symlink-to-secret': bound('read'),
	'symlinked-folder': bound('read'),
	'proc-self-root': bound('read'),
	'proc-1-root': bound('read'),
	'dot-dot': bound('read'),
	'old-root': {
		plan: (plan, folder) => (
			chmodSync(folder, 0o755),
			{...plan, mounts: [...plan.mounts, {source: '/', target: '/oldroot', mode: 'read'}]}
		),
	},
	'hard-link-new': boundWhole,
	'write-through-link': bound('write'),
	'plant-configuration': bound('write'),
	'write-profile': bound('write'),
	'socket-in-folder': boundGiven,
	'fifo-in-folder': boundGiven,
	'write-toolchain': {
		plan: plan => ({
			...plan,
			mounts: plan.mounts.map(mount => (mount.target.endsWith('/tools') ? {...mount, mode: 'write' as const} : mount)),
		}),
	},
	'remount-writable': both(capable, noFilter),
	'write-system': noRemount,

	'processes-of-others': sharedProcesses,
	'scan-environments': sharedProcesses,
	'signal-others': sharedProcesses,
	'trace-others': {unprovable: 'the user namespace stops it, too, and bubblewrap needs one'},
	'first-environment': {invocation: invocation => ({...invocation, env: {...invocation.env, TOKEN: 'host-token'}})},
	'launch-arguments': {
		invocation(invocation) {
			const at = invocation.argv.indexOf('--args');
			const file = invocation.argv[5]!;
			return {
				...invocation,
				argv: invocation.argv.toSpliced(at, 2, ...readFileSync(file, 'utf8').split('\0').slice(0, -1)),
			};
		},
	},
	'inherited-descriptors': {
		invocation(invocation) {
			const script = invocation.argv[2]!;
			return {...invocation, argv: invocation.argv.with(2, `exec 7< /etc/passwd; ${script}`)};
		},
	},
	'session-keyring': noFilter,
	'add-key': noFilter,
	'request-key': noFilter,
	'io-uring': noFilter,
	'machine-wide-requests': noFilter,
	userfaultfd: noFilter,
	'perf-events': noFilter,
	'steal-descriptor': noFilter,
	'enter-namespace': noFilter,
	'compare-kernel-objects': noFilter,
	'clone3-namespace': noFilter,
	bpf: {...noFilter, ...(bpfIsOpen() ? {} : {unprovable: 'this kernel lets no ordinary user load one'})},
	'x32-calls': {unprovable: 'a kernel without x32 gives the same answer; test/sandboxes/bubblewrap holds the rule'},
	'user-namespace': {
		arguments: argv => openProc.arguments!(without(without(argv, '--seccomp', 1), '--disable-userns')),
	},
	mount: both(capable, noFilter),
	'core-pattern': {
		arguments(argv) {
			const at = argv.findIndex((argument, index) => argument === '--ro-bind' && argv[index + 1] === '/proc/sys');
			// The folder belongs to the uid that is not dropped to here.
			return [...openProc.arguments!(argv.toSpliced(at, 3)).slice(0, -2), '--chdir', '/tmp'];
		},
		invocation(invocation) {
			const at = invocation.argv.indexOf('--reuid');
			const end = invocation.argv.indexOf('--', at);
			// Without setpriv, nsenter keeps uid 0, which owns the files of /proc/sys in every namespace.
			return {...invocation, argv: invocation.argv.toSpliced(at - 1, end - at + 2)};
		},
		...(isRoot ? {} : {unprovable: 'an ordinary user may not open it whatever the sandbox is'}),
	},
	'core-dump': limit('--core=', 'unlimited'),
	'shared-memory': {arguments: argv => without(argv, '--unshare-ipc')},
	'docker-socket': bound('read'),
	'ssh-agent': bound('read'),
	'tmux-socket': bound('read'),
	'abstract-socket': sharedNetwork,
	'host-name': {arguments: argv => without(without(argv, '--unshare-uts'), '--hostname', 1)},

	'direct-dial': sharedNetwork,
	'direct-dial-shell': sharedNetwork,
	'direct-dial-v6': sharedNetwork,
	datagram: sharedNetwork,
	interfaces: sharedNetwork,
	'packet-socket': noFilter,
	'hypervisor-socket': {...noFilter, ...kernelHas(40, 1)},
	'kernel-crypto-socket': {...noFilter, ...kernelHas(38, 5)},
	'empty-allow-list': {box: box => allowing(box, {rules: anyPort(hostName)})},
	'as-localhost': naive,
	'as-short-form': naive,
	'as-hexadecimal': naive,
	'as-decimal': naive,
	'as-octal': naive,
	'as-zero': naive,
	'as-mapped': naive,
	'as-v6-loopback': naive,
	'name-of-loopback': naive,
	'host-by-pattern': naive,
	'metadata-service': {unprovable: 'only loopback is dialled by tests; test/core/egress holds the rule'},
	rebinding: naive,
	'half-private-name': naive,
	'resolve-before-decide': {box: box => allowing(box, {rules: [{host: 'stolen-data.evil.test', source: 'granted'}]})},
	'trailing-dot': naive,
	'nul-in-host': naive,
	'zone-id': naive,
	'user-info': naive,
	'page-to-host-port': {
		box(box) {
			// A forwarder that dials from where it listens.
			box.session.dial = async port => net.connect(port, '127.0.0.1');
		},
	},
	'page-of-another-run': {
		unprovable: 'a name and a cookie stop it, one behind the other; test/engine/ports shows each',
	},
	'other-port': {box: box => allowing(box, {rules: anyPort(hostName)})},
	'host-header': naive,
	'server-name': naive,
	smuggling: naive,
	'smuggling-by-connection': naive,
	'leave-path': wholeHost,
	'other-method': wholeHost,
	'tunnel-round-limits': wholeHost,
	'tunnel-after-revoke': {
		box(box) {
			box.session.proxy.cut = () => 0;
		},
	},
	'stream-after-revoke': {
		box(box) {
			box.session.proxy.cut = () => 0;
		},
	},
	'ask-for-decision': {
		box(box) {
			box.asked.push = () => 0;
		},
	},

	'fork-bomb': {plan: plan => ({...plan, limits: {...plan.limits, processes: 1000}})},
	'memory-hog': {plan: plan => ({...plan, limits: {...plan.limits, dataSize: 4 * 1024 ** 3}})},
	'endless-file': {plan: plan => ({...plan, limits: {...plan.limits, fileSize: 1024 ** 3}})},
	'open-files': {plan: plan => ({...plan, limits: {...plan.limits, openFiles: 1024}})},
	'raise-limits': {
		invocation: invocation => ({
			...invocation,
			argv: invocation.argv.map(argument => (argument === '--nofile=64' ? '--nofile=64:1024' : argument)),
		}),
	},
	'fill-root': noRemount,
	'fill-shm': {
		arguments: argv =>
			argv.map((argument, index) =>
				argument === '4194304' && argv[index + 4] === '/dev/shm' ? '400000000' : argument,
			),
	},
	'fill-tmp': scratchSize('/tmp'),
	'fill-home': scratchSize('/home/agent'),
	...Object.fromEntries(
		[
			'event-loops',
			'descriptors-of-all',
			'descriptors-in-flight',
			'memory-files',
			'memory-mapped',
			'memory-in-flight',
			'memory-segments',
			'memory-messages',
			'memory-mappings',
			'memory-names',
			'memory-in-sockets',
			'machine-connections',
			'orphaned-connections',
			'memory-in-pipes',
			'many-files',
			'nameless-files',
		].map(id => [id, unguarded]),
	),
	'second-table': noFilter,
	'memory-semaphores': noFilter,
	'memory-in-large-sockets': noFilter,
	'memory-behind-pipes': noFilter,
	'uncounted-connections': noFilter,
	lease: noFilter,
	'file-watchers': {
		invocation: invocation => ({
			...invocation,
			argv: invocation.argv.filter(argument => !/^max_\w+=\d+$/.test(argument)),
		}),
	},
	'queued-signals': {
		invocation: invocation => ({
			...invocation,
			argv: invocation.argv.filter(argument => !argument.startsWith('--sigpending=')),
		}),
	},
	'message-queues': {
		invocation: invocation => ({
			...invocation,
			argv: invocation.argv.filter(argument => !argument.startsWith('--msgqueue=')),
		}),
	},
	'last-choice': {...openProc, ...(isRoot ? {unprovable: 'what root set, nobody without rights sets lower'} : {})},
	'take-priority': {
		invocation: invocation => ({
			...invocation,
			argv: invocation.argv.map((argument, index, all) => (all[index - 1] === '-n' ? '0' : argument)),
		}),
	},
	'surviving-daemon': {arguments: argv => without(sharedProcesses.arguments!(argv), '--die-with-parent')},
	'surviving-double-fork': {arguments: argv => without(sharedProcesses.arguments!(argv), '--die-with-parent')},
	'flood-proxy': {
		box(box) {
			box.session.proxy.setLimit(4000);
		},
	},

	'type-into-terminal': noFilter,
	'paste-into-console': noFilter,
};
