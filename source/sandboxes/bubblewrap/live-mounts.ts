import type {Invocation, Mount, SandboxPlan} from '../../core/plan.ts';
import type {Host} from './host.ts';
import {mountProgram} from './granted-mounts.ts';

/* Folders given to and taken from a sandbox that is running: pure, as compile.ts is. */

/**
 * Makes, or takes away, one mount in another process's mount namespace. In Perl, since Node makes no system calls.
 * The place is made in a clone of the sandbox's root that only this program can write; the sandbox itself sees it
 * read-only. The place is then looked up without following any link and without crossing a mount: below a folder
 * that the sandbox can write, nothing is ever mounted.
 */
const program = `${mountProgram}
my ($verb, $source, $target, $mode, $identity, $none, $pid, $uid, $holder, $processor) = @ARGV;
my %call = $processor eq 'arm64'
	? (setns => 268, umount2 => 39, setfsuid => 151, setfsgid => 152, mkdirat => 34, close => 57)
	: (setns => 308, umount2 => 166, setfsuid => 122, setfsgid => 123, mkdirat => 258, close => 3);
# An ordinary user is somebody only in the holder's user namespace, which lies above the sandbox's;
# a program that is started in it would be nobody again.
if ($holder) { enter($holder, 'user', 0x10000000, $call{setns}); enter($holder, 'mnt', 0x20000, $call{setns}) }
my ($tree, $isFolder);
($tree, $isFolder) = tree($source, $mode, $identity, $none) if $verb eq 'give';
enter($pid, 'mnt', 0x20000, $call{setns});
if ($verb eq 'take') {
	# Who stands in it, or holds it open, keeps it where it is gone for all others: then for looking at alone.
	my ($fd, $busy) = (plain($target), 0);
	my $value = pack('QQQQ', 1, 0, 0, 0);
	$busy = $fd >= 0 && syscall($setattr, $fd, $empty, 0x1000, $value, length $value) < 0 && $!{EBUSY};
	must('umount', syscall($call{umount2}, $target, 2 | 8));
	refuse('a program of the run holds a file of it open for changing, and where that program stands it goes on') if $busy;
	exit 0;
}
my $root = must('open_tree of the root', syscall($openTree, $here, my $slash = '/', 0x80001));
attributes($root, 0, 1);
if ($uid) { syscall($call{setfsgid}, $uid + 0); syscall($call{setfsuid}, $uid + 0) }
my @parts = grep { $_ ne '' } split('/', $target);
for my $index (0 .. $#parts) {
	my $path = join('/', @parts[0 .. $index]);
	if ($index == $#parts && !$isFolder) {
		my $how = pack('QQQ', 0x80041, 0644, 0x0C);
		my $file = syscall($openat2, $root, $path, $how, length $how);
		must("making $target", $file);
	} elsif (syscall($call{mkdirat}, $root, $path, 0755) < 0 && !$!{EEXIST}) {
		must("making $target", -1);
	}
}
my $how = pack('QQQ', 0x280000, 0, 0x01 | 0x04);
my $place = must("$target is below a mount of its own", syscall($openat2, $here, $target, $how, length $how));
if ($uid) { syscall($call{setfsuid}, 0); syscall($call{setfsgid}, 0) }
must('move_mount', syscall($moveMount, $tree, $empty, $place, $empty, 4 | 0x40));
`;

/** The sandbox that is running, by the host's ids of its first process and of its holder. */
type Running = {readonly initPid: number; readonly holderPid: number};

function invocation(
	plan: SandboxPlan,
	host: Host,
	{holderPid, argv}: {readonly holderPid: number; readonly argv: readonly string[]},
): Invocation | undefined {
	if (host.perl === undefined) {
		return undefined;
	}

	return {
		argv: [
			host.perl,
			'-e',
			program,
			'--',
			...argv,
			host.root ? String(plan.dropUid) : '',
			host.root ? '' : String(holderPid),
			plan.architecture,
		],
		cwd: '/',
		env: {PATH: '/usr/bin:/bin'},
	};
}

/** @param running.mount with an identity */
export function compileGive(
	plan: SandboxPlan,
	host: Host,
	{mount, initPid, holderPid}: Running & {readonly mount: Mount},
): Invocation | undefined {
	const argv = ['give', mount.source, mount.target, mount.mode, mount.identity ?? '', host.empty, String(initPid)];
	return invocation(plan, host, {holderPid, argv});
}

export function compileTake(
	plan: SandboxPlan,
	host: Host,
	{target, initPid, holderPid}: Running & {readonly target: string},
): Invocation | undefined {
	return invocation(plan, host, {holderPid, argv: ['take', '', target, '', '', '', String(initPid)]});
}
