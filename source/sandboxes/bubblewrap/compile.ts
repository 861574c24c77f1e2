import {proxyPort, type Invocation, type Mount, type SandboxPlan} from '../../core/plan.ts';
import {stageArguments} from './granted-mounts.ts';

/* From what was granted to the arguments of bubblewrap. Pure: no disk, no clock, no process. */

/** Absolute paths of the programs that the launch needs; all but bwrap are of util-linux, coreutils and the shell. */
export type Tools = Readonly<
	Record<'bwrap' | 'sh' | 'unshare' | 'setpriv' | 'nsenter' | 'prlimit' | 'nice' | 'env', string>
>;

/** The host's side of a launch. */
export type Host = {
	readonly tools: Tools;
	/** True where the caller's uid is 0: sources are staged in a mount namespace, then the uid is dropped. */
	readonly root: boolean;
	/** An empty folder of root's that everyone may enter; the private staging area is mounted there. */
	readonly stage: string;
	/** Where granted mounts are staged, inside the holder's mount namespace alone; and an empty folder. */
	readonly granted: string;
	readonly empty: string;
	/** What runs the holder: the system's Perl, or Node where there is none. */
	readonly perl: string | undefined;
	readonly node: string;
	/** Files of /proc that tell about the whole machine or command it; those of them that this kernel has. */
	readonly maskedProc: readonly string[];
	/**
	 * The part of what the kernel gives to an account in all that a sandbox
	 * may take: counts of its user namespace, and limits of processes.
	 */
	readonly ofAccount: {
		readonly counts: Readonly<Record<string, number>>;
		readonly limits: Readonly<Record<string, number>>;
	};
	/** Paths of the files that hold the filter and the arguments. */
	readonly files: {readonly seccomp: string; readonly entered: string; readonly alone: string};
};

const filterDescriptor = '8';
const argumentsDescriptor = '9';

// The scripts are constants; everything that varies is an argument of its own, never text in them.
/**
 * Opens the filter and the argument file, lets the keyboard's signals pass by the monitor (they are the
 * agent's), makes it all the kernel's first choice where memory is short, and joins the run's control groups.
 */
const openScript =
	'echo 500 2> /dev/null > /proc/self/oom_score_adj; exec 8<"$1" 9<"$2" || exit 126; shift 2; ' +
	'while [ "$1" != -- ]; do echo $$ > "$1" || exit 126; shift; done; shift; ' +
	'trap "" INT QUIT TSTP; exec "$@"';
/** Joins the run's control groups. */
const joinScript = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 126; shift; done; shift; exec "$@"';
/**
 * Inside, with the one capability that it takes, which then goes: how much of the account's the
 * sandbox's own user namespace may have. A kernel that does not let it keeps its own limits.
 */
const narrowScript =
	'while [ "$1" != -- ]; do { echo "${1#*=}" > "/proc/sys/user/${1%%=*}"; } 2> /dev/null; shift; done; shift; exec "$@"';
/**
 * As root, in a mount namespace of its own: makes sources below closed
 * folders (such as /root) reachable for the uid that is dropped to.
 */
const stageScript =
	'set -eu; stage=$1; shift; mount -t tmpfs -o mode=0755,nosuid,nodev fleet "$stage"; n=0 folders=; ' +
	'for source do [ "$source" != -- ] || break; ' +
	'if [ -d "$source" ]; then folders="$folders $n"; else : > "$stage/$n"; fi; n=$((n+1)); done; ' +
	'[ -z "$folders" ] || (cd -- "$stage" && mkdir $folders); n=0; ' +
	'while [ "$1" != -- ]; do mount --bind -- "$1" "$stage/$n"; n=$((n+1)); shift; done; shift; exec "$@"';

/**
 * Perl: hands the socket $handle to Node as a $kind of its own. The message is what
 * Node itself writes for a handle, with the descriptor beside it (SCM_RIGHTS).
 */
const handOver = `
my $text = '{"cmd":"NODE_HANDLE","type":"' . $kind . '","msg":{"type":"listening","pid":' . $$ . '}}' . "\\n";
my $bytes = sub { unpack('Q', pack('P', $_[0])) };
my $part = pack('QQ', $bytes->($text), length $text);
my $control = pack('QiiiI', 20, SOL_SOCKET, 1, fileno($handle), 0);
my $message = pack('QQQQQQQ', 0, 0, $bytes->($part), 1, $bytes->($control), length $control, 0);
syscall($ARGV[0] + 0, $fd + 0, $message, 0) > 0 or die "sendmsg: $!";
sysread($channel, my $answer, 4096);
`;

/** Perl: the channel to Node, as $fd and $channel. */
const openChannel = `
my $fd = delete $ENV{NODE_CHANNEL_FD};
open(my $channel, '>&=', $fd) or die "no channel";
`;

/**
 * The holder's program: listens inside, hands the listener out over Node's channel, and becomes a `sleep`, so that an
 * idle run costs nothing. Besides it hands out a socket at which names are asked for. Its end is its parent's end
 * (bwrap's --die-with-parent). In Perl, which starts much faster than Node.
 */
const keeperProgram = `
use strict; use Socket;
${openChannel}
# Names are asked for here; where this port is not ours to take, they are asked for in vain.
socket(my $names, AF_INET, SOCK_DGRAM, 0) or die "socket: $!";
my $named = bind($names, sockaddr_in(53, inet_aton('127.0.0.1')));
socket(my $server, AF_INET, SOCK_STREAM, 0) or die "socket: $!";
setsockopt($server, SOL_SOCKET, SO_REUSEADDR, 1);
bind($server, sockaddr_in(${proxyPort}, inet_aton('127.0.0.1'))) or die "bind: $!";
listen($server, 511) or die "listen: $!";
{
	my ($handle, $kind) = ($server, 'net.Native');
	${handOver}
}
if ($named) {
	my ($handle, $kind) = ($names, 'dgram.Native');
	${handOver}
}
close($channel); close($server); close($names);
exec '/usr/bin/sleep', 'infinity';
`;

/** Connects to the sandbox's own loopback, hands the connection out over Node's channel, and ends. */
const dialProgram = `
use strict; use Socket qw(:DEFAULT inet_pton pack_sockaddr_in6 AF_INET6);
${openChannel}
my $port = $ARGV[1] + 0;
for my $address (@ARGV[2 .. $#ARGV]) {
	my $family = $address =~ /:/ ? AF_INET6 : AF_INET;
	my $place = inet_pton($family, $address) // next;
	socket(my $socket, $family, SOCK_STREAM, 0) or next;
	connect($socket, $family == AF_INET ? sockaddr_in($port, $place) : pack_sockaddr_in6($port, $place)) or next;
	my ($handle, $kind) = ($socket, 'net.Socket');
	${handOver}
	exit 0;
}
exit 1;
`;

/** The same for a machine without Perl. */
const nodeKeeperProgram = `
const server = require('node:net').createServer();
server.on('error', error => { process.stderr.write(String(error)); process.exit(1); });
server.listen(${proxyPort}, '127.0.0.1', () => {
	process.send({type: 'listening', pid: process.pid}, server._handle, {}, () => {
		server.close();
		process.removeAllListeners('warning');
		process.on('message', () => {
			try { process.execve('/usr/bin/sleep', ['sleep', 'infinity'], {}); } catch { setInterval(() => {}, 2 ** 30); }
		});
	});
});
process.on('disconnect', () => process.exit());
`;

/** Sources that root must stage: all that is not the system's own. */
function staged(plan: SandboxPlan): string[] {
	return [
		...new Set(
			plan.mounts
				.filter(mount => !mount.system && mount.identity === undefined)
				.map(mount => mount.within ?? mount.source),
		),
	];
}

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

/**
 * Everything between `bwrap` and the command. Order matters: later mounts lie over earlier ones.
 * @param network `entered`: the namespace is the holder's, which was joined before; `alone`: an empty one
 */
export function sandboxArguments(plan: SandboxPlan, host: Host, network: 'entered' | 'alone'): string[] {
	const sources = staged(plan);
	const granted = plan.mounts.filter(mount => mount.identity !== undefined);
	const sourceOf = (mount: Mount) => {
		if (mount.identity !== undefined) {
			return `${host.granted}/${granted.indexOf(mount)}`;
		}

		if (!host.root || mount.system) {
			return mount.source;
		}

		const below = mount.within === undefined ? '' : mount.source.slice(mount.within.length);
		return `${host.stage}/${sources.indexOf(mount.within ?? mount.source)}${below}`;
	};
	const mounts = plan.mounts.map(mount => [
		mount.mode === 'write' ? '--bind' : '--ro-bind',
		sourceOf(mount),
		mount.target,
	]);
	const system = plan.mounts.map((mount, index) => (mount.system ? mounts[index]! : [])).flat();
	// Parents before children, so that no mount hides one that was made before it.
	const own = plan.mounts
		.map((mount, index) => ({mount, argv: mounts[index]!}))
		.filter(({mount}) => !mount.system)
		.sort((a, b) => a.mount.target.split('/').length - b.mount.target.split('/').length)
		.flatMap(({argv}) => argv);
	return [
		'--unshare-user',
		'--disable-userns',
		'--unshare-pid',
		'--unshare-ipc',
		'--unshare-uts',
		'--unshare-cgroup',
		...(network === 'alone' ? ['--unshare-net'] : []),
		'--uid',
		'1000',
		'--gid',
		'1000',
		'--hostname',
		'fleet',
		// What is left goes before anything of the plan runs: see narrowScript.
		'--cap-drop',
		'ALL',
		'--cap-add',
		'CAP_SYS_RESOURCE',
		'--cap-add',
		'CAP_SETPCAP',
		...(plan.readsAll ? ['--cap-add', 'CAP_DAC_READ_SEARCH'] : []),
		'--die-with-parent',
		'--seccomp',
		filterDescriptor,
		...system,
		...plan.links.flatMap(({target, to}) => ['--symlink', to, target]),
		'--proc',
		'/proc',
		// A sandbox started by root could otherwise write core_pattern, which runs a program on the host.
		'--ro-bind',
		'/proc/sys',
		'/proc/sys',
		// Writable for who has CAP_SYS_RESOURCE, whoever owns it.
		'--bind',
		'/proc/sys/user',
		'/proc/sys/user',
		...host.maskedProc.flatMap(path => ['--ro-bind', '/dev/null', path]),
		'--dev',
		'/dev',
		'--size',
		String(256 * 1024 ** 2),
		'--perms',
		'1777',
		'--tmpfs',
		'/dev/shm',
		...plan.scratch.flatMap(({target, size, mode}) => [
			'--size',
			String(size),
			'--perms',
			(mode ?? 0o700).toString(8).padStart(4, '0'),
			'--tmpfs',
			target,
		]),
		...own,
		// What bwrap made to hang mounts on is not size-capped, and nothing of the agent's belongs there.
		'--remount-ro',
		'/dev',
		'--remount-ro',
		'/',
		// A process could make itself the kernel's last choice where memory is short, or its session weigh more.
		'--remount-ro',
		'/proc',
		'--chdir',
		plan.cwd,
	];
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
		`--data=${dataSize}`,
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
			? [node, '--no-warnings', '-e', nodeKeeperProgram]
			: [host.perl, '-e', keeperProgram, sendMessage(plan)];
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
	addresses: readonly string[],
	port: number,
	holderPid: number,
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
export function compileEntered(plan: SandboxPlan, host: Host, inner: Invocation, holderPid: number): Invocation {
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
