import {execFileSync} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import {mkdirSync} from 'node:fs';
import type {SandboxAttack} from './attack.ts';
import {call, processBait, socketBait} from './bait.ts';

const namespaces = 'a pid namespace: the process is not there';
const filter = 'the system call filter';

/**
 * A call that the filter refuses with EPERM (1). Any other answer is the kernel's own: the call was reached.
 * The arguments are bad ones, so that reaching it does nothing.
 */
function refusedCall({
	script,
	reached,
	...about
}: Pick<SandboxAttack, 'id' | 'title' | 'source'> & {
	readonly script: string;
	readonly reached: RegExp;
}): SandboxAttack {
	return {
		kind: 'sandbox',
		...about,
		answer: filter,
		script: () => script,
		came: ({output}) => reached.test(output),
	};
}

/** A socket of the host's, in a folder that the sandbox does not have. */
function socket({
	name,
	...about
}: Pick<SandboxAttack, 'id' | 'title' | 'source'> & {readonly name: string}): SandboxAttack {
	return {
		kind: 'sandbox',
		...about,
		answer: 'no socket of the host is inside',
		prepare(box) {
			mkdirSync(path.join(box.folder, 'host'), {recursive: true});
			return socketBait(path.join(box.folder, 'host', name));
		},
		script: box =>
			`perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new("${box.folder}/host/${name}"); print $s ? <$s> : "no: $!"'`,
		came: ({output}, _box, bait) => output.includes('hello from the host') || bait.hits!() > 0,
	};
}

export const processAttacks: readonly SandboxAttack[] = [
	{
		kind: 'sandbox',
		id: 'processes-of-others',
		title: 'read the arguments and the environment of a process of the host',
		source: '/proc/*/cmdline and environ, where tokens usually are',
		answer: namespaces,
		prepare: () => processBait('token-of-the-host'),
		script: (_box, {pid}) => `sleep 0.1; cat /proc/${pid}/environ /proc/${pid}/cmdline`,
		came: ({output}) => output.includes('token-of-the-host'),
	},
	{
		kind: 'sandbox',
		id: 'scan-environments',
		title: 'look through every process for tokens',
		source: 'the usual loop of credential stealers',
		answer: namespaces,
		prepare: () => processBait('token-of-the-host'),
		script: () => 'sleep 0.1; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline /proc/[0-9]*/task/*/environ',
		came: ({output}) => output.includes('token-of-the-host'),
	},
	{
		kind: 'sandbox',
		id: 'signal-others',
		title: 'end a process of the host',
		source: 'agents that "clean up" with kill',
		answer: namespaces,
		prepare: () => processBait(),
		script: (_box, {pid}) => `sleep 0.1; kill -9 ${pid}; sleep 0.2`,
		came: (_result, _box, bait) => bait.hits!() > 0,
	},
	{
		kind: 'sandbox',
		id: 'trace-others',
		title: 'trace a process of the host',
		source: 'ptrace reads all of its memory',
		answer: namespaces,
		prepare: () => processBait(),
		// PTRACE_SEIZE, which does not stop it.
		script: (_box, {pid}) => `sleep 0.1; ${call(101, 117, 0x42_06, pid!, 0, 0)}`,
		came: ({output}) => output.includes('value 0'),
	},
	{
		kind: 'sandbox',
		id: 'first-environment',
		title: "read the sandbox's own first environment",
		source: 'bwrap --clearenv leaves the old environment in /proc/1/environ',
		answer: 'bwrap itself is started with a built environment',
		script: () => 'cat /proc/1/environ /proc/self/environ; env',
		came: ({output}) => output.includes('host-token') || /SSH_AUTH_SOCK|DBUS_SESSION|TMUX=|_TOKEN=|_KEY=/.test(output),
	},
	{
		kind: 'sandbox',
		id: 'launch-arguments',
		title: 'read how the sandbox was made',
		source: '--setenv and mount sources are readable as arguments',
		answer: 'arguments go by a descriptor',
		script: () => 'cat /proc/1/cmdline | tr "\\0" " "',
		came: ({output}) => /--(?:ro-)?bind|--setenv/.test(output),
	},
	{
		kind: 'sandbox',
		id: 'inherited-descriptors',
		title: 'use what the launch left open',
		source: 'a descriptor is access that no path check sees',
		answer: 'every inherited descriptor is closed',
		script: () =>
			'for d in /proc/self/fd/*; do n=${d##*/}; [ "$n" -gt 2 ] && [ -e "$d" ] && ' +
			'readlink "$d" | grep -v "^/proc/"; done; ( cat <&7 ) 2> /dev/null',
		came: ({output}) => /^\/(?!dev\/null)/m.test(output),
	},
	{
		kind: 'sandbox',
		id: 'session-keyring',
		title: "read the kernel's session keyring",
		source: 'keyrings are not namespaced; reachable in two other agent sandboxes',
		answer: filter,
		// KEYCTL_GET_KEYRING_ID of the session's.
		script: () => call(250, 219, 0, -3, 1),
		came: ({output}) => output.includes('value '),
	},
	refusedCall({
		id: 'add-key',
		title: 'leave a key for the next process of the same user',
		source: 'keyrings are not namespaced',
		script: call(248, 217, 0, 0, 0, 0, -3),
		reached: /errno (?!1$|1\b)/,
	}),
	refusedCall({
		id: 'request-key',
		title: 'ask for a key, which runs a program on the host',
		source: 'request_key runs /sbin/request-key outside every namespace',
		script: call(249, 218, 0, 0, 0, 0),
		reached: /errno (?!1$|1\b)/,
	}),
	refusedCall({
		id: 'io-uring',
		title: 'reach io_uring',
		source: 'it goes round system call filters, and had many holes',
		script: call(425, 425, 1, 1),
		reached: /errno (?:14|38)\b|value/,
	}),
	refusedCall({
		id: 'machine-wide-requests',
		title: "take the machine's asynchronous requests",
		source: 'fs.aio-max-nr is one number for everybody: then no database starts',
		script: call(206, 0, 100, 0),
		reached: /errno 14\b|value/,
	}),
	refusedCall({
		id: 'userfaultfd',
		title: 'reach userfaultfd',
		source: 'makes races in the kernel winnable',
		script: call(323, 282, 0x40_00_00_01),
		reached: /errno (?:22|38)\b|value/,
	}),
	refusedCall({
		id: 'perf-events',
		title: 'reach perf_event_open',
		source: 'measures other processes, and had many holes',
		script: call(298, 241, 0, 0, 0, -1, 0),
		reached: /errno (?:14|22|7|2)\b|value/,
	}),
	refusedCall({
		id: 'steal-descriptor',
		title: 'take a descriptor out of another process',
		source: 'pidfd_getfd',
		script: call(438, 438, -1, 0, 0),
		reached: /errno 9\b/,
	}),
	refusedCall({
		id: 'enter-namespace',
		title: 'enter another namespace',
		source: 'setns',
		script: call(308, 268, -1, 0),
		reached: /errno 9\b/,
	}),
	refusedCall({
		id: 'compare-kernel-objects',
		title: 'tell kernel addresses apart with kcmp',
		source: 'defeats address randomisation',
		script: call(312, 272, 1, 1, 99, 0, 0),
		reached: /errno (?:22|3|38)\b/,
	}),
	refusedCall({
		id: 'bpf',
		title: 'load a program into the kernel',
		source: 'bpf had many holes',
		script: call(321, 280, 0, 0, 0),
		reached: /errno (?!1$|1\b)|value/,
	}),
	refusedCall({
		id: 'x32-calls',
		title: 'reach refused calls under their other numbers',
		source: 'x32 has the same calls at other numbers',
		script: call(0x40_00_00_00 + 165, 0x40_00_00_00 + 40, 0, 0, 0, 0, 0),
		reached: /errno (?!38$|38\b)|value/,
	}),
	{
		kind: 'sandbox',
		id: 'clone3-namespace',
		title: 'make a namespace by clone3, whose flags no filter can read',
		source: 'filters that look only at clone',
		answer: 'clone3 is not there: libraries fall back to clone',
		// An argument of size 0: the kernel's own answer is EINVAL (22).
		script: () => call(435, 435, 0, 0),
		came: ({output}) => /errno 22\b/.test(output),
	},
	{
		kind: 'sandbox',
		id: 'user-namespace',
		title: "make a user namespace of one's own",
		source: 'the usual first step of kernel privilege escalations',
		answer: '--disable-userns and the system call filter',
		script: () => 'unshare --user --map-root-user id -u',
		came: ({output}) => /^0$/m.test(output),
	},
	{
		kind: 'sandbox',
		id: 'mount',
		title: 'mount a file system over what is there',
		source: 'without --cap-drop ALL, root inside unmounts masks',
		answer: 'no capabilities, and mount is refused by the system call filter',
		script: () => 'mkdir -p /tmp/m && mount -t tmpfs none /tmp/m && echo mounted',
		came: ({output}) => output.includes('mounted'),
	},
	{
		kind: 'sandbox',
		id: 'core-pattern',
		title: 'open core_pattern for writing',
		source: 'bubblewrap started by root, and two agent sandboxes: code execution on the host',
		answer: "root's uid is dropped before bwrap, and /proc/sys is read-only",
		// Opened and closed, never written.
		script: () => 'if ( : >> /proc/sys/kernel/core_pattern ) 2> /dev/null; then echo opened; fi',
		network: false,
		came: ({output}) => output.includes('opened'),
	},
	{
		kind: 'sandbox',
		id: 'core-dump',
		title: 'leave a core file with the memory of a process',
		source: 'core dumps hold secrets, and run what core_pattern names',
		answer: 'a limit of 0 that cannot be raised',
		script: () => 'ulimit -c unlimited 2> /dev/null; ulimit -c',
		came: ({output}) => !/^0$/m.test(output),
	},
	{
		kind: 'sandbox',
		id: 'shared-memory',
		title: 'read System V shared memory of the host',
		source: 'open in another agent sandbox',
		answer: 'an ipc namespace',
		prepare() {
			const id = /(\d+)/.exec(execFileSync('ipcmk', ['--shmem', '4096', '--mode', '0666'], {encoding: 'utf8'}))![1]!;
			return {text: id, close: () => execFileSync('ipcrm', ['--shmem-id', id])};
		},
		script: () => 'cat /proc/sysvipc/shm',
		came: ({output}, _box, {text}) => new RegExp(`^\\s*-?\\d+\\s+${text}\\s`, 'm').test(output),
	},
	socket({
		id: 'docker-socket',
		title: "connect to a control socket such as docker's",
		source: 'a control socket is as good as the account behind it',
		name: 'docker.sock',
	}),
	socket({
		id: 'ssh-agent',
		title: 'connect to ssh-agent or gpg-agent',
		source: 'signs and decrypts for whoever asks',
		name: 'agent.1',
	}),
	socket({
		id: 'tmux-socket',
		title: "connect to the person's tmux",
		source: 'send-keys types into every other terminal',
		name: 'default',
	}),
	{
		kind: 'sandbox',
		id: 'abstract-socket',
		title: 'connect to an abstract socket of the host, such as D-Bus',
		source: 'no mount hides abstract sockets',
		answer: 'a network namespace',
		network: false,
		async prepare(box) {
			const name = path.basename(box.folder);
			return {...(await socketBait(`\0${name}`)), text: name};
		},
		script: (_box, {text}) =>
			"perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0); " +
			`print connect(S, pack("S a*", AF_UNIX, "\\0${text}")) ? <S> : "no: $!"'`,
		came: ({output}) => output.includes('hello from the host'),
	},
	{
		kind: 'sandbox',
		id: 'host-name',
		title: 'tell the machine by its name',
		source: 'names of machines are names of people and customers',
		answer: 'a uts namespace',
		script: () => 'uname -n; cat /proc/sys/kernel/hostname',
		came: ({output}) => output.split('\n').some(line => line === hostName()),
	},
];

function hostName(): string {
	return process.getBuiltinModule('node:os').hostname();
}
