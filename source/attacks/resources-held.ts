import {readFileSync} from 'node:fs';
import type {Limits} from '../core/plan.ts';
import type {SandboxAttack} from './attack.ts';

/* What a run takes and holds where no limit of a process counts it: memory, descriptors, queues, connections. */

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
function kept({
	limits,
	program,
	...about
}: Pick<SandboxAttack, 'id' | 'title' | 'source'> & {
	readonly limits: Partial<Limits>;
	readonly program: string;
	readonly answer?: string;
}): SandboxAttack {
	return {
		kind: 'sandbox',
		answer: looked,
		...about,
		mayEnd: true,
		plan: plan => ({...plan, limits: {...plan.limits, ...limits}}),
		script: () => perl(`${program} select(undef, undef, undef, 4); print "kept\\n"`),
		came: ({output}) => output.includes('kept'),
	};
}

export const heldAttacks: readonly SandboxAttack[] = [
	kept({
		id: 'event-loops',
		title: 'have event loops wait for more than the account may',
		source: "the kernel counts it for the account: then no Node program of the person's starts any more, fleet neither",
		limits: {watches: 20_000},
		program:
			'my @e = map { syscall($n{epoll_create1}, 0) } 1 .. 80; ' +
			'my @f = map { syscall($n{eventfd2}, 0, 0) } 1 .. 500; my $event = pack("LQ", 1, 0); ' +
			'for my $e (@e) { for my $f (@f) { syscall($n{epoll_ctl}, $e, 1, $f, $event) == 0 or die "not taken" } }',
	}),
	kept({
		id: 'descriptors-of-all',
		title: 'take descriptors with many processes',
		source: 'a limit for one process is none for a thousand',
		limits: {descriptors: 2000},
		program:
			'for (1 .. 6) { if (fork() == 0) { my @f; for (1 .. 500) { open(my $f, "<", "/dev/null") or die; ' +
			'push @f, $f } sleep 10; exit } }',
	}),
	kept({
		id: 'descriptors-in-flight',
		title: 'leave descriptors in sockets',
		source: 'they are counted for the account: then nobody passes one any more, neither tmux nor a desktop',
		limits: {inFlight: 50},
		program:
			'socketpair(my $a, my $b, AF_UNIX, SOCK_DGRAM, 0); setsockopt($a, SOL_SOCKET, SO_SNDBUF, 1000000); ' +
			'my @pairs; for (1 .. 200) { if (pass(fileno($a), 1) < 0) { socketpair($a, $b, AF_UNIX, SOCK_DGRAM, 0); ' +
			'push @pairs, $a, $b; pass(fileno($a), 1) > 0 or die } push @pairs, $a, $b }',
	}),
	kept({
		id: 'memory-files',
		title: 'keep memory in files that are in no process',
		source: 'memfd: 9.3 GiB against a limit of 8',
		limits: {memory: 60 * mib},
		program: 'my @m = map { memfile(50) } 1 .. 4;',
	}),
	kept({
		id: 'memory-mapped',
		title: 'keep memory in a mapping whose file is closed, and that nobody touches',
		source: 'resident memory is what was touched',
		limits: {memory: 60 * mib},
		program: (
			'for (1 .. 8) { my $m = memfile(20); ' +
			'syscall($n{mmap}, 0, 20 * ${mib}, 3, 1, fileno($m), 0) > 0 or die; close $m }'
		).replace('${mib}', String(mib)),
	}),
	kept({
		id: 'memory-in-flight',
		title: 'keep memory in a file that is on its way in a socket',
		source: 'it is in no table of any process',
		limits: {memory: 60 * mib},
		program:
			'socketpair(my $a, my $b, AF_UNIX, SOCK_DGRAM, 0) or die; for (1 .. 8) { my $m = memfile(20); ' +
			'pass(fileno($a), fileno($m)) > 0 or die; close $m }',
	}),
	kept({
		id: 'memory-segments',
		title: 'keep memory in System V segments',
		source: 'they belong to no process',
		limits: {memory: 60 * mib},
		program: (
			'for (1 .. 4) { my $id = shmget(0, 50 * ${mib}, 0600 | 01000) // die; my $m = "a" x 4096; ' +
			'shmwrite($id, $m, 4096 * $_, 4096) or die for 0 .. 12799 }'
		).replaceAll('${mib}', String(mib)),
	}),
	kept({
		id: 'memory-messages',
		title: 'keep memory in System V messages',
		source: 'they belong to no process: 1 MB in a queue, and 32,000 queues',
		limits: {memory: 40 * mib},
		program:
			'for (1 .. 100) { my $id = msgget(0, 0600) // die; my $m = pack("l! a1", 1, "x"); ' +
			'for (1 .. 16000) { msgsnd($id, $m, 04000) or last } }',
	}),
	kept({
		id: 'memory-mappings',
		title: 'keep memory in mappings that nobody touches',
		source: "what the kernel keeps for a mapping is no process's",
		limits: {memory: 40 * mib},
		program:
			'for (1 .. 5) { if (fork() == 0) { for (1 .. 60000) { ' +
			'syscall($n{mmap}, 0, 4096, $_ & 1, 0x22, -1, 0) > 0 or die } sleep 10; exit } }',
	}),
	kept({
		id: 'memory-names',
		title: 'keep memory in files that are empty',
		source: 'the size of a scratch file system counts none of it',
		limits: {memory: 60 * mib},
		program: 'chdir "/tmp"; for (1 .. 80000) { open(my $f, ">", "f$_") or die }',
	}),
	kept({
		id: 'machine-connections',
		title: "leave bytes in connections of the sandbox's own loopback",
		source: "the kernel counts them for the machine: past it, everybody's connections are cut",
		limits: {queued: 20 * mib},
		program:
			'my @s; socket(my $l, PF_INET, SOCK_STREAM, 0); bind($l, sockaddr_in(0, INADDR_LOOPBACK)); ' +
			'listen($l, 20) or die; for (1 .. 10) { socket(my $c, PF_INET, SOCK_STREAM, 0); ' +
			'connect($c, getsockname($l)) or die; accept(my $a, $l) or die; push @s, $c, $a; ' +
			'fcntl($c, F_SETFL, O_NONBLOCK); for (1 .. 100) { 1 while syswrite($c, "a" x 65536); ' +
			'select(undef, undef, undef, 0.002) } }',
	}),
	kept({
		id: 'orphaned-connections',
		title: 'leave a byte in each of very many connections that nobody has open',
		source:
			'the kernel counts a page for each, and connections without an owner for the machine: past it, ' +
			"everybody's are cut at their end",
		limits: {queued: 3 * mib},
		program:
			'my @l; for (1 .. 30) { socket(my $l, PF_INET, SOCK_STREAM, 0); setsockopt($l, SOL_SOCKET, SO_RCVBUF, 1); ' +
			'bind($l, sockaddr_in(0, INADDR_LOOPBACK)); listen($l, 60) or die; push @l, $l; ' +
			'for (1 .. 50) { socket(my $c, PF_INET, SOCK_STREAM, 0); connect($c, getsockname($l)) or die; ' +
			'fcntl($c, F_SETFL, O_NONBLOCK); syswrite($c, "a" x $_) for 1152, 1 } }',
	}),
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
	kept({
		id: 'memory-in-sockets',
		title: 'keep memory in sockets that nobody reads',
		source: "it is the kernel's",
		limits: {memory: 60 * mib},
		program:
			'my @s; for (1 .. 700) { socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0) or die; ' +
			'fcntl($a, F_SETFL, O_NONBLOCK); syswrite($a, "a" x 65536); push @s, $a, $b }',
	}),
	kept({
		id: 'memory-in-pipes',
		title: 'keep memory in pipes that nobody reads',
		source: "it is the kernel's",
		limits: {memory: 60 * mib},
		program:
			'my @s; for (1 .. 1500) { pipe(my $a, my $b) or die; fcntl($b, F_SETFL, O_NONBLOCK); ' +
			'syswrite($b, "a" x 65536); push @s, $a, $b }',
	}),
	kept({
		id: 'many-files',
		title: 'make more files than the disk has room for',
		source: 'file systems have only so many, however small they are',
		limits: {files: 1000},
		program: 'for (1 .. 3000) { open(my $f, ">", "f$_") or die }',
		answer: "fleet counts what a run's folders grow by, sooner where the disk fills",
	}),
	kept({
		id: 'nameless-files',
		title: 'fill the disk with files that have no name',
		source: 'no folder shows them',
		limits: {growth: 30 * mib},
		program:
			'open(my $f, ">", "big") or die; unlink "big"; my $m = "a" x ${mib}; syswrite($f, $m) for 1 .. 80;'.replace(
				'${mib}',
				String(mib),
			),
		answer: "fleet counts what a run's folders grow by, and what it holds beside them",
	}),
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
];
