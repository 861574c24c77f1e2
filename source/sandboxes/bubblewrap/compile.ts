import type {Invocation, SandboxPlan} from '../../core/plan.ts';
import {staged} from './bwrap-arguments.ts';
import {stageArguments} from './granted-mounts.ts';
import type {Host} from './host.ts';
import {
	argumentsDescriptor,
	dialProgram,
	holderProgram,
	joinScript,
	narrowScript,
	nodeHolderProgram,
	openScript,
	stageScript,
} from './launch-programs.ts';

/* The command lines of a launch: the holder, what is staged, and a command inside. Pure: no disk, no clock, no process. */

function drop(plan: SandboxPlan, host: Host): string[] {
	const id = String(plan.dropUid);
	return host.root
		? [
				host.tools.setpriv,
				'--reuid',
				id,
				'--regid',
				id,
				'--clear-groups',
				'--inh-caps',
				'-all',
				'--bounding-set',
				'-all',
				'--no-new-privs',
				'--',
			]
		: [];
}

function stage(plan: SandboxPlan, host: Host, extra: string[]): string[] {
	return host.root
		? [
				host.tools.unshare,
				'--mount',
				'--propagation',
				'private',
				'--',
				host.tools.sh,
				'-c',
				stageScript,
				'sh',
				host.stage,
				...staged(plan),
				...extra,
				'--',
			]
		: [];
}

function limited(plan: SandboxPlan, host: Host, argv: readonly string[]): string[] {
	const {processes, openFiles, fileSize, dataSize} = plan.limits;
	const kept = plan.readsAll ? '-all,+dac_read_search' : '-all';
	return [
		host.tools.sh,
		'-c',
		narrowScript,
		'sh',
		...Object.entries(host.ofAccount.counts).map(([name, count]) => `${name}=${count}`),
		'--',
		host.tools.setpriv,
		'--ambient-caps',
		kept,
		'--inh-caps',
		kept,
		'--bounding-set',
		'-all',
		'--',
		host.tools.prlimit,
		`--nproc=${processes}`,
		`--nofile=${openFiles}`,
		`--fsize=${fileSize}`,
		`--data=${Number.isFinite(dataSize) ? dataSize : 'unlimited'}`,
		'--core=0',
		...Object.entries(host.ofAccount.limits).map(([name, value]) => `--${name}=${value}`),
		'--',
		// Below the person's own programs, however many runs there are; it cannot be taken back inside.
		host.tools.nice,
		'-n',
		'15',
		// The launch ignores the keyboard's signals; the agent must not.
		host.tools.env,
		'--default-signal=INT,QUIT,TSTP',
		...argv,
	];
}

/** The process that owns the network namespace. See `PreparedSandbox.holder`. */
export function compileHolder(plan: SandboxPlan, host: Host): Invocation {
	const node = host.root ? `${host.stage}/${staged(plan).length}` : host.node;
	const program =
		host.perl === undefined
			? [node, '--no-warnings', '-e', nodeHolderProgram]
			: [host.perl, '-e', holderProgram, sendMessage(plan)];
	return {
		argv: [
			...stage(plan, host, host.perl === undefined ? [host.node] : []),
			...drop(plan, host),
			host.tools.bwrap,
			'--dev-bind',
			'/',
			'/',
			'--unshare-user',
			'--unshare-net',
			'--cap-add',
			'CAP_NET_BIND_SERVICE',
			'--die-with-parent',
			'--',
			...program,
		],
		cwd: '/',
		env: {},
	};
}

/** The number of the system call sendmsg. */
function sendMessage(plan: SandboxPlan): string {
	return plan.architecture === 'arm64' ? '211' : '46';
}

function enter(plan: SandboxPlan, host: Host, holderPid: number): string[] {
	return [
		...drop(plan, host),
		host.tools.nsenter,
		'--target',
		String(holderPid),
		'--user',
		'--net',
		'--mount',
		'--preserve-credentials',
		'--',
	];
}

/**
 * See `PreparedSandbox.dial`. What the agent asks for counts as the run's, and comes after the person's own programs.
 */
export function compileDial(
	plan: SandboxPlan,
	host: Host,
	{
		addresses,
		port,
		holderPid,
	}: {readonly addresses: readonly string[]; readonly port: number; readonly holderPid: number},
): Invocation | undefined {
	return host.perl === undefined
		? undefined
		: {
				argv: [
					host.tools.sh,
					'-c',
					joinScript,
					'sh',
					...(plan.joins ?? []),
					'--',
					host.tools.nice,
					'-n',
					'15',
					...enter(plan, host, holderPid),
					host.perl,
					'-e',
					dialProgram,
					sendMessage(plan),
					String(port),
					...addresses,
				],
				cwd: '/',
				env: {},
			};
}

/**
 * A command inside, with the network namespace of the holder
 * `holderPid`, whose mount namespace also holds what root staged.
 */
export function compileEntered(
	plan: SandboxPlan,
	host: Host,
	{inner, holderPid}: {readonly inner: Invocation; readonly holderPid: number},
): Invocation {
	return {
		argv: [
			host.tools.sh,
			'-c',
			openScript,
			'sh',
			host.files.seccomp,
			host.files.entered,
			...(plan.joins ?? []),
			'--',
			...enter(plan, host, holderPid),
			host.tools.bwrap,
			'--args',
			argumentsDescriptor,
			'--',
			...limited(plan, host, inner.argv),
		],
		cwd: '/',
		env: {...plan.env, ...inner.env},
	};
}

/** Puts granted mounts in their place, in the holder's mount namespace. See `PreparedSandbox.stage`. */
export function compileStage(plan: SandboxPlan, host: Host, holderPid: number): Invocation | undefined {
	const argv = stageArguments(plan, host, {holderPid});
	return argv && {argv, cwd: '/', env: {PATH: '/usr/bin:/bin'}};
}

/**
 * The same before a command that has no holder: in a mount namespace
 * of its own, which for an ordinary user needs a user namespace.
 */
function stageAlone(plan: SandboxPlan, host: Host): string[] {
	const argv = stageArguments(plan, host, {});
	if (!argv) {
		return [];
	}

	if (host.root) {
		return [...argv, '--'];
	}

	return [
		host.tools.bwrap,
		'--dev-bind',
		'/',
		'/',
		'--unshare-user',
		'--cap-add',
		'CAP_SYS_ADMIN',
		// The kernel's own folder beside an upper one is closed to all: the kernel works in it with what the mounter may do.
		...(plan.mounts.some(({over}) => over !== undefined) ? ['--cap-add', 'CAP_DAC_OVERRIDE'] : []),
		'--die-with-parent',
		'--',
		...argv,
		'--',
	];
}

/** A command inside, with no network at all. */
export function compileAlone(plan: SandboxPlan, host: Host, inner: Invocation): Invocation {
	return {
		argv: [
			host.tools.sh,
			'-c',
			openScript,
			'sh',
			host.files.seccomp,
			host.files.alone,
			...(plan.joins ?? []),
			'--',
			...stage(plan, host, []),
			...stageAlone(plan, host),
			...drop(plan, host),
			host.tools.bwrap,
			'--args',
			argumentsDescriptor,
			'--',
			...limited(plan, host, inner.argv),
		],
		cwd: '/',
		env: {...plan.env, ...inner.env},
	};
}
