import {readdirSync, readFileSync, statSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type {Limits} from '../core/plan.ts';
import type {SandboxAttack} from './attack.ts';
import {pause} from './bait.ts';

const size = (file: string): number => statSync(file, {throwIfNoEntry: false})?.size ?? 0;

/** Processes of the host whose arguments are these. */
function findProcesses(...argv: string[]): number[] {
	return readdirSync('/proc')
		.filter(name => /^\d+$/.test(name))
		.filter(pid => {
			try {
				return readFileSync(`/proc/${pid}/cmdline`, 'utf8') === `${argv.join('\0')}\0`;
			} catch {
				return false;
			}
		})
		.map(Number);
}

/** Ends what an attack of these left, and says how many it were. */
function endAll(pids: number[]): number {
	for (const pid of pids) {
		try {
			process.kill(pid, 'SIGKILL');
		} catch {
			// The process has ended since.
		}
	}

	return pids.length;
}

const mib = 1024 ** 2;

/** Perl with the numbers of system calls by name, and a few that Perl has not: each for both processors. */
function perl(program: string): string {
	return `perl -e 'use strict; use Socket; use POSIX; my $arm = (uname())[4] eq "aarch64";
my %n = $arm
	? (epoll_create1 => 20, epoll_ctl => 21, eventfd2 => 19, memfd_create => 279, mmap => 222, sendmsg => 211,
		unshare => 97, inotify_init1 => 26, mq_open => 180, rt_sigprocmask => 135, vmsplice => 75)
	: (epoll_create1 => 291, epoll_ctl => 233, eventfd2 => 290, memfd_create => 319, mmap => 9, sendmsg => 46,
		unshare => 272, inotify_init1 => 294, mq_open => 240, rt_sigprocmask => 14, vmsplice => 278);
sub at { unpack("Q", pack("P", $_[0])) }
sub memfile {
	my $name = "x";
	open(my $f, "+<&=", syscall($n{memfd_create}, $name, 0)) or die;
	my $m = "a" x ${mib};
	syswrite($f, $m) for 1 .. $_[0];
	return $f
}
sub pass {
	my ($socket, $what) = @_;
	my $byte = "x";
	my $part = pack("QQ", at($byte), 1);
	my $control = pack("QiiiI", 20, SOL_SOCKET, 1, $what, 0);
	my $message = pack("QQQQQQQ", 0, 0, at($part), 1, at($control), length $control, 0);
	return syscall($n{sendmsg}, $socket, $message, 0x40)
}
$| = 1;
${program}'`;
}

const looked = 'fleet looks at what a run holds, also where it is in no process, and ends it';
const ofAccount = "a part of what the account has, set in the sandbox's own user namespace and by limits of processes";

/** Something that a run takes and keeps for a while; what a look finds too much ends it. */
function kept(
	id: string,
	title: string,
	source: string,
	limits: Partial<Limits>,
	program: string,
	answer = looked,
): SandboxAttack {
	return {
		kind: 'sandbox',
		id,
		title,
		source,
		answer,
		mayEnd: true,
		plan: plan => ({...plan, limits: {...plan.limits, ...limits}}),
		script: () => perl(`${program} select(undef, undef, undef, 4); print "kept\\n"`),
		came: ({output}) => output.includes('kept'),
	};
}

const tmpfs = 'a size for every scratch file system';

export const resourceAttacks: readonly SandboxAttack[] = [
	{
		kind: 'sandbox',
		id: 'fork-bomb',
		title: 'start more and more processes',
		source: 'no neighbour limits processes by default',
		answer: 'a limit of processes for each sandbox, inside its user namespace',
		plan: plan => ({...plan, limits: {...plan.limits, processes: 40}}),
		script: () => '( n=0; while [ $n -lt 100 ]; do sleep 3 & n=$((n+1)); done; echo all of them ) 2> /dev/null',
		came: ({output}) => output.includes('all of them'),
	},
	{
		kind: 'sandbox',
		id: 'memory-hog',
		title: "take the machine's memory with one process",
		source: 'no neighbour limits memory by default',
		answer: 'a limit of memory for each process',
		plan: plan => ({...plan, limits: {...plan.limits, dataSize: 100 * 1024 ** 2}}),
		script: () => 'perl -e \'$x = "a" x (200 * 1024 * 1024); print length($x)\'',
		came: ({output}) => output.includes('209715200'),
	},
	{
		kind: 'sandbox',
		id: 'endless-file',
		title: 'fill the disk with one file',
		source: 'no neighbour limits disk by default',
		answer: 'a limit of file size',
		plan: plan => ({...plan, limits: {...plan.limits, fileSize: 4 * 1024 ** 2}}),
		script: () => 'head -c 8388608 /dev/zero > big',
		came: (_result, box) => size(path.join(box.work, 'big')) === 8 * 1024 ** 2,
	},
	{
		kind: 'sandbox',
		id: 'open-files',
		title: "take the machine's file descriptors",
		source: 'the table of open files is shared by all',
		answer: 'a limit of descriptors',
		plan: plan => ({...plan, limits: {...plan.limits, openFiles: 64}}),
		script: () =>
			'perl -e \'for (1 .. 200) { open(my $f, "<", "/dev/null") or last; push @f, $f } print scalar(@f), " open"\'',
		came: ({output}) => output.includes('200 open'),
	},
	{
		kind: 'sandbox',
		id: 'raise-limits',
		title: "raise one's own limits",
		source: 'soft limits are suggestions',
		answer: 'hard limits, and no capability to raise them',
		plan: plan => ({...plan, limits: {...plan.limits, openFiles: 64}}),
		script: () => 'ulimit -n 1024 && ulimit -n; ulimit -u unlimited && ulimit -u; ulimit -f unlimited && ulimit -f',
		came: ({output}) => /^(?:1024|unlimited)$/m.test(output),
	},
	{
		kind: 'sandbox',
		id: 'fill-root',
		title: "fill memory through the sandbox's own root folder",
		source: 'what bwrap makes to hang mounts on is a tmpfs without a size',
		answer: 'the root folder is read-only',
		script: () => 'for folder in / /dev /run /etc; do touch "$folder/big" && echo written; done',
		came: ({output}) => output.includes('written'),
	},
	{
		kind: 'sandbox',
		id: 'fill-shm',
		title: 'fill memory through /dev/shm',
		source: "tmpfs without a size is half of the machine's memory",
		answer: tmpfs,
		script: () => 'head -c 300000000 /dev/zero > /dev/shm/big; stat -c %s /dev/shm/big',
		came: ({output}) => output.includes('300000000'),
	},
	...['/tmp', '/home/agent'].map((target, index): SandboxAttack => ({
		kind: 'sandbox',
		id: ['fill-tmp', 'fill-home'][index]!,
		title: `fill memory through ${target}`,
		source: "tmpfs without a size is half of the machine's memory",
		answer: tmpfs,
		plan: plan => ({
			...plan,
			scratch: plan.scratch.map(scratch => (scratch.target === target ? {...scratch, size: 4 * 1024 ** 2} : scratch)),
		}),
		script: () => `head -c 8388608 /dev/zero > ${target}/big; stat -c %s ${target}/big`,
		came: ({output}) => output.includes('8388608'),
	})),
	kept(
		'event-loops',
		'have event loops wait for more than the account may',
		"the kernel counts it for the account: then no Node program of the person's starts any more, fleet neither",
		{watches: 20_000},
		'my @e = map { syscall($n{epoll_create1}, 0) } 1 .. 80; ' +
			'my @f = map { syscall($n{eventfd2}, 0, 0) } 1 .. 500; my $event = pack("LQ", 1, 0); ' +
			'for my $e (@e) { for my $f (@f) { syscall($n{epoll_ctl}, $e, 1, $f, $event) == 0 or die "not taken" } }',
	),
	kept(
		'descriptors-of-all',
		'take descriptors with many processes',
		'a limit for one process is none for a thousand',
		{descriptors: 2000},
		'for (1 .. 6) { if (fork() == 0) { my @f; for (1 .. 500) { open(my $f, "<", "/dev/null") or die; ' +
			'push @f, $f } sleep 10; exit } }',
	),
	kept(
		'descriptors-in-flight',
		'leave descriptors in sockets',
		'they are counted for the account: then nobody passes one any more, neither tmux nor a desktop',
		{inFlight: 50},
		'socketpair(my $a, my $b, AF_UNIX, SOCK_DGRAM, 0); setsockopt($a, SOL_SOCKET, SO_SNDBUF, 1000000); ' +
			'my @pairs; for (1 .. 200) { if (pass(fileno($a), 1) < 0) { socketpair($a, $b, AF_UNIX, SOCK_DGRAM, 0); ' +
			'push @pairs, $a, $b; pass(fileno($a), 1) > 0 or die } push @pairs, $a, $b }',
	),
	kept(
		'memory-files',
		'keep memory in files that are in no process',
		'memfd: 9.3 GiB against a limit of 8',
		{memory: 60 * mib},
		'my @m = map { memfile(50) } 1 .. 4;',
	),
	kept(
		'memory-mapped',
		'keep memory in a mapping whose file is closed, and that nobody touches',
		'resident memory is what was touched',
		{memory: 60 * mib},
		(
			'for (1 .. 8) { my $m = memfile(20); ' +
			'syscall($n{mmap}, 0, 20 * ${mib}, 3, 1, fileno($m), 0) > 0 or die; close $m }'
		).replace('${mib}', String(mib)),
	),
	kept(
		'memory-in-flight',
		'keep memory in a file that is on its way in a socket',
		'it is in no table of any process',
		{memory: 60 * mib},
		'socketpair(my $a, my $b, AF_UNIX, SOCK_DGRAM, 0) or die; for (1 .. 8) { my $m = memfile(20); ' +
			'pass(fileno($a), fileno($m)) > 0 or die; close $m }',
	),
	kept(
		'memory-segments',
		'keep memory in System V segments',
		'they belong to no process',
		{memory: 60 * mib},
		(
			'for (1 .. 4) { my $id = shmget(0, 50 * ${mib}, 0600 | 01000) // die; my $m = "a" x 4096; ' +
			'shmwrite($id, $m, 4096 * $_, 4096) or die for 0 .. 12799 }'
		).replaceAll('${mib}', String(mib)),
	),
	kept(
		'memory-messages',
		'keep memory in System V messages',
		'they belong to no process: 1 MB in a queue, and 32,000 queues',
		{memory: 40 * mib},
		'for (1 .. 100) { my $id = msgget(0, 0600) // die; my $m = pack("l! a1", 1, "x"); ' +
			'for (1 .. 16000) { msgsnd($id, $m, 04000) or last } }',
	),
	kept(
		'memory-mappings',
		'keep memory in mappings that nobody touches',
		"what the kernel keeps for a mapping is no process's",
		{memory: 40 * mib},
		'for (1 .. 5) { if (fork() == 0) { for (1 .. 60000) { ' +
			'syscall($n{mmap}, 0, 4096, $_ & 1, 0x22, -1, 0) > 0 or die } sleep 10; exit } }',
	),
	kept(
		'memory-names',
		'keep memory in files that are empty',
		'the size of a scratch file system counts none of it',
		{memory: 60 * mib},
		'chdir "/tmp"; for (1 .. 80000) { open(my $f, ">", "f$_") or die }',
	),
	kept(
		'machine-connections',
		"leave bytes in connections of the sandbox's own loopback",
		"the kernel counts them for the machine: past it, everybody's connections are cut",
		{queued: 20 * mib},
		'my @s; socket(my $l, PF_INET, SOCK_STREAM, 0); bind($l, sockaddr_in(0, INADDR_LOOPBACK)); ' +
			'listen($l, 20) or die; for (1 .. 10) { socket(my $c, PF_INET, SOCK_STREAM, 0); ' +
			'connect($c, getsockname($l)) or die; accept(my $a, $l) or die; push @s, $c, $a; ' +
			'fcntl($c, F_SETFL, O_NONBLOCK); for (1 .. 100) { 1 while syswrite($c, "a" x 65536); ' +
			'select(undef, undef, undef, 0.002) } }',
	),
	kept(
		'orphaned-connections',
		'leave a byte in each of very many connections that nobody has open',
		'the kernel counts a page for each, and connections without an owner for the machine: past it, ' +
			"everybody's are cut at their end",
		{queued: 3 * mib},
		'my @l; for (1 .. 30) { socket(my $l, PF_INET, SOCK_STREAM, 0); setsockopt($l, SOL_SOCKET, SO_RCVBUF, 1); ' +
			'bind($l, sockaddr_in(0, INADDR_LOOPBACK)); listen($l, 60) or die; push @l, $l; ' +
			'for (1 .. 50) { socket(my $c, PF_INET, SOCK_STREAM, 0); connect($c, getsockname($l)) or die; ' +
			'fcntl($c, F_SETFL, O_NONBLOCK); syswrite($c, "a" x $_) for 1152, 1 } }',
	),
	{
		kind: 'sandbox',
		id: 'memory-semaphores',
		title: 'keep memory in System V semaphores',
		source: 'they belong to no process: 2 MB in a set, and 32,000 sets',
		answer: 'the system call filter: no large sets',
		script: () =>
			perl(
				'my $count = 0; for (1 .. 20) { my $id = semget(0, 32000, 0600) // last; semctl($id, 0, 0, 0); ' +
					'$count++ } print "$count sets";',
			),
		came: ({output}) => output.includes('20 sets'),
	},
	{
		kind: 'sandbox',
		id: 'memory-in-large-sockets',
		title: 'keep more memory in a socket than sockets usually have',
		source: 'where the machine allows 4 MiB, 40 sockets held 325 MB, and were taken for 9',
		answer: 'the system call filter: a socket keeps the size it has',
		script: () =>
			perl(
				'socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0) or die; ' +
					'setsockopt($a, SOL_SOCKET, SO_SNDBUF, 1000000) or die; fcntl($a, F_SETFL, O_NONBLOCK); ' +
					'my ($sum, $count) = (0); $sum += $count while $count = syswrite($a, "x" x 30000); print "$sum bytes";',
			),
		came: ({output}) => Number(/(\d+) bytes/.exec(output)?.[1] ?? 0) > 250_000,
	},
	{
		kind: 'sandbox',
		id: 'uncounted-connections',
		title: 'leave bytes in connections of protocols that nobody looks at',
		source: 'MPTCP and UDP-Lite: 493 MB of what the machine has for all UDP, and none of it stood in /proc/net/udp',
		answer: 'the system call filter: TCP, UDP and ICMP only',
		script: () =>
			perl(
				'print socket(my $s, AF_INET, $$_[1], $$_[0]) ? ' +
					'"a socket" : "errno " . ($! + 0), "; " for [262, SOCK_STREAM], [136, SOCK_DGRAM];',
			),
		came: ({output}) => output.includes('a socket'),
	},
	{
		kind: 'sandbox',
		id: 'memory-behind-pipes',
		title: 'keep large pages of memory in pipes',
		source: 'vmsplice: a byte of a page in a pipe keeps 2 MiB, so that a pipe of 64 KiB holds 32 MiB, in no process',
		answer: 'the system call filter: a pipe holds copies only',
		script: () =>
			perl(
				'pipe(my $r, my $w) or die; my $byte = "x"; my $part = pack("QQ", unpack("Q", pack("P", $byte)), 1); ' +
					'print syscall($n{vmsplice}, fileno($w), $part, 1, 0) == 1 ? "it is kept" : "errno " . ($! + 0);',
			),
		came: ({output}) => output.includes('it is kept'),
	},
	kept(
		'memory-in-sockets',
		'keep memory in sockets that nobody reads',
		"it is the kernel's",
		{memory: 60 * mib},
		'my @s; for (1 .. 700) { socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0) or die; ' +
			'fcntl($a, F_SETFL, O_NONBLOCK); syswrite($a, "a" x 65536); push @s, $a, $b }',
	),
	kept(
		'memory-in-pipes',
		'keep memory in pipes that nobody reads',
		"it is the kernel's",
		{memory: 60 * mib},
		'my @s; for (1 .. 1500) { pipe(my $a, my $b) or die; fcntl($b, F_SETFL, O_NONBLOCK); ' +
			'syswrite($b, "a" x 65536); push @s, $a, $b }',
	),
	kept(
		'many-files',
		'make more files than the disk has room for',
		'file systems have only so many, however small they are',
		{files: 1000},
		'for (1 .. 3000) { open(my $f, ">", "f$_") or die }',
		"fleet counts what a run's folders grow by, sooner where the disk fills",
	),
	kept(
		'nameless-files',
		'fill the disk with files that have no name',
		'no folder shows them',
		{growth: 30 * mib},
		'open(my $f, ">", "big") or die; unlink "big"; my $m = "a" x ${mib}; syswrite($f, $m) for 1 .. 80;'.replace(
			'${mib}',
			String(mib),
		),
		"fleet counts what a run's folders grow by, and what it holds beside them",
	),
	{
		kind: 'sandbox',
		id: 'second-table',
		title: 'hide descriptors in a table that a thread has for itself',
		source: 'unshare(CLONE_FILES): whoever looks at a process sees one table',
		answer: 'the system call filter: threads share one table',
		script: () => perl('print syscall($n{unshare}, 0x400) == 0 ? "hidden" : "refused";'),
		came: ({output}) => output.includes('hidden'),
	},
	{
		kind: 'sandbox',
		id: 'file-watchers',
		title: "take the account's watchers of files",
		source: "inotify: then neither an editor nor fleet's screen sees changes",
		answer: ofAccount,
		script: () =>
			perl(
				'my $count = 0; $count++ while $count < 1000 && syscall($n{inotify_init1}, 0) >= 0; print "$count watchers";',
			),
		came: ({output}) =>
			Number(/(\d+) watchers/.exec(output)?.[1] ?? 0) >
			Number(readFileSync('/proc/sys/user/max_inotify_instances', 'utf8')) / 4,
	},
	{
		kind: 'sandbox',
		id: 'queued-signals',
		title: "queue the account's signals",
		source: "then timers of every program of the person's fail",
		answer: ofAccount,
		script: () =>
			perl(
				'sigprocmask(SIG_BLOCK, POSIX::SigSet->new(34)); kill(34, $$) for 1 .. 8000; ' +
					'open(my $f, "<", "/proc/self/status"); print grep { /^SigQ/ } <$f>;',
			),
		came: ({output}) => Number(/SigQ:\s+(\d+)/.exec(output)?.[1] ?? 0) > 5000,
	},
	{
		kind: 'sandbox',
		id: 'message-queues',
		title: "take the account's message queues",
		source: 'POSIX queues are counted for the account',
		answer: ofAccount,
		script: () =>
			perl(
				'my $count = 0; for (1 .. 9) { my $name = "fleet$_"; ' +
					'$count++ if syscall($n{mq_open}, $name, 0102, 0600, 0) >= 0 } print "$count queues";',
			),
		came: ({output}) => Number(/(\d+) queues/.exec(output)?.[1] ?? 0) > 4,
	},
	{
		kind: 'sandbox',
		id: 'last-choice',
		title: "be the kernel's last choice where memory is short",
		source: "oom_score_adj can be set back: then the person's own programs go first",
		answer: '/proc is read-only',
		script: () => '{ echo 0 > /proc/self/oom_score_adj; } 2> /dev/null; cat /proc/self/oom_score_adj',
		came: ({output}) => Number(/^-?\d+$/m.exec(output)?.[0] ?? 500) < 500,
	},
	{
		kind: 'sandbox',
		id: 'take-priority',
		title: "crowd out the person's own programs",
		source: 'fifty agents on two cores',
		answer: 'everything inside runs at a lower priority, which it cannot raise',
		script: () => 'nice -n -5 true; nice',
		came: ({output}) => Number(/^-?\d+$/m.exec(output)?.[0]) < 5,
	},
	{
		kind: 'sandbox',
		id: 'surviving-daemon',
		title: 'leave a process behind',
		source: 'daemons that survive the agent',
		answer: 'a pid namespace that ends with its first process',
		script: box => `setsid sleep ${seconds(box.folder)} > /dev/null 2>&1 < /dev/null & sleep 0.2`,
		async came(_result, box) {
			await pause(300);
			return endAll(findProcesses('sleep', seconds(box.folder))) > 0;
		},
	},
	{
		kind: 'sandbox',
		id: 'surviving-double-fork',
		title: 'leave a process behind that ignores signals and has no parent',
		source: 'nohup, setsid, double fork',
		answer: 'a pid namespace that ends with its first process',
		script: box =>
			`( trap "" HUP TERM INT; setsid sh -c 'trap "" HUP TERM INT; ` +
			`setsid sleep ${seconds(box.folder)} & ' > /dev/null 2>&1 < /dev/null & ); sleep 0.3`,
		async came(_result, box) {
			await pause(300);
			return endAll(findProcesses('sleep', seconds(box.folder))) > 0;
		},
	},
	{
		kind: 'sandbox',
		id: 'flood-proxy',
		title: 'hold more connections to the proxy than a process may have',
		source: 'the proxy is one process for one run',
		answer: 'a limit of connections for each run',
		script: () =>
			'perl -MIO::Socket::INET -e \'for (1 .. 1400) { my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", ' +
			'PeerPort => 3128, Timeout => 1) or last; push @s, $s } select(undef, undef, undef, 0.5); my $n = 0; ' +
			'for (@s) { $_->blocking(0); my $r = sysread($_, my $b, 1); $n++ unless defined($r) } print "$n held"\'',
		came: ({output}) => Number(/(\d+) held/.exec(output)?.[1] ?? 0) > 1100,
	},
];

/** A length of sleep that nobody else sleeps: a name for a process. */
function seconds(folder: string): string {
	let sum = 0;
	for (const character of path.basename(folder)) {
		sum = (sum * 31 + character.codePointAt(0)!) % 900_000;
	}

	return String(100_000 + sum);
}
