import {isPlaced, type SandboxPlan} from '../../core/plan.ts';

/*
 * Mounts that bubblewrap cannot make: what a person granted, and folders that are laid over others. As Perl, since Node
 * makes no system calls: pure, as compile.ts is.
 */

/**
 * The beginning of every program here. `tree` opens what was granted without following any link, holds it against what
 * it was at the grant, and makes a mount of it that is nowhere yet. A folder to read is laid under an overlay: in it,
 * sockets and FIFOs are the overlay's own, so that no process of the host listens behind them; a read-only bind mount
 * stops no connect().
 */
export const mountProgram = `
use strict;
my ($openTree, $moveMount, $fsopen, $fsconfig, $fsmount, $openat2, $setattr) = (428, 429, 430, 431, 432, 437, 442);
my ($here, $empty) = (-100, '');
sub must { my ($what, $result) = @_; if ($result < 0) { print STDERR "$what: $!\\n"; exit 1 } return $result + 0 }
sub refuse { print STDERR "$_[0]\\n"; exit 1 }
sub attributes {
	my ($fd, $set, $clear, $users) = @_;
	my $value = pack('QQQQ', $set, $clear, 0, $users // 0);
	must('mount_setattr', syscall($setattr, $fd, $empty, 0x1000, $value, length $value))
}
sub enter {
	my ($id, $name, $type, $setns) = @_;
	open(my $namespace, '<', "/proc/$id/ns/$name") or must("namespace of $id", -1);
	must("setns $name", syscall($setns, fileno($namespace), $type))
}
sub plain {
	my ($path) = @_;
	my $how = pack('QQQ', 0x280000, 0, 0x02 | 0x04);
	return syscall($openat2, $here, $path, $how, length $how)
}
sub tree {
	my ($source, $mode, $identity, $none) = @_;
	my $fd = plain($source);
	refuse($!{ELOOP} ? "$source is, or lies behind, a link now" : "$source: $!") if $fd < 0;
	my @status = stat("/proc/self/fd/$fd");
	refuse("$source is not what was granted any more") if !@status || "$status[0]:$status[1]" ne $identity;
	my $isFolder = -d _;
	refuse("$source is neither a folder nor a file") if !$isFolder && !-f _;
	if ($mode eq 'read' && $isFolder) {
		my $context = must('fsopen', syscall($fsopen, my $type = 'overlay', 1));
		my $under = must('the empty folder', plain($none));
		must("$source cannot be given without its sockets",
			syscall($fsconfig, $context, 1, my $key = 'lowerdir', my $value = "/proc/self/fd/$fd:/proc/self/fd/$under", 0));
		must("$source cannot be given without its sockets", syscall($fsconfig, $context, 6, 0, 0, 0));
		return (must('fsmount', syscall($fsmount, $context, 1, 1 | 2 | 4)), 1);
	}
	my $tree = must($source, syscall($openTree, $fd, $empty, 0x81001));
	attributes($tree, 2 | 4 | ($mode eq 'read' ? 1 : 0), 0);
	return ($tree, $isFolder);
}
`;

/**
 * `over` lays a folder over another one. Where the files of the lower one are another user's, a mount that shows them as
 * the run's own is made first, at a place that nobody else sees: a mount that is nowhere cannot be a lower folder on
 * kernels before 6.15.
 */
const overProgram = `
sub namespaceOf {
	my ($from, $to, $unshare) = @_;
	pipe(my $made, my $makes) or must('pipe', -1);
	pipe(my $ends, my $ended) or must('pipe', -1);
	my $child = fork // must('fork', -1);
	if ($child == 0) {
		close $ended;
		must('unshare', syscall($unshare, 0x10000000));
		syswrite($makes, 'x');
		sysread($ends, my $nothing, 1);
		exit 0;
	}
	close $makes;
	sysread($made, my $ready, 1) or must('user namespace', -1);
	for my $kind ('uid', 'gid') {
		open(my $map, '>', "/proc/$child/\${kind}_map") or must('map', -1);
		syswrite($map, "$from $to 1\\n") or must('map', -1);
		close $map;
	}
	open(my $namespace, '<', "/proc/$child/ns/user") or must('user namespace', -1);
	close $ended;
	waitpid $child, 0;
	return $namespace;
}
sub over {
	my ($source, $mode, $lower, $work, $owner, $own, $spot, $unshare, $isRoot) = @_;
	my $top = must($source, plain($source));
	my $under = must($lower, plain($lower));
	my $below = "/proc/self/fd/$under";
	if ($owner ne '' && $owner != $own) {
		my $tree = must($lower, syscall($openTree, $under, $empty, 0x81001));
		my $users = namespaceOf($owner, $own, $unshare);
		attributes($tree, 0x100000, 0, fileno($users));
		mkdir $spot, 0755 or must($spot, -1);
		must('move_mount', syscall($moveMount, $tree, $empty, $here, $spot, 4));
		$below = $spot;
	}
	my $context = must('fsopen', syscall($fsopen, my $type = 'overlay', 1));
	my $set = sub { my ($key, $value) = @_; must("$key of $source", syscall($fsconfig, $context, 1, $key, $value, 0)) };
	$set->('lowerdir', $mode eq 'read' ? "/proc/self/fd/$top:$below" : $below);
	if ($mode ne 'read') {
		my $kernels = must($work, plain($work));
		$set->('upperdir', "/proc/self/fd/$top");
		$set->('workdir', "/proc/self/fd/$kernels");
	}
	must('userxattr', syscall($fsconfig, $context, 0, my $flag = 'userxattr', 0, 0)) if !$isRoot;
	must("$source over $lower", syscall($fsconfig, $context, 6, 0, 0, 0));
	# The kernel closes its own folder even to its owner, who has to clear it away, and to mount here again.
	chmod 0700, "$work/work" if $mode ne 'read';
	return (must('fsmount', syscall($fsmount, $context, 1, 2 | 4 | ($mode eq 'read' ? 1 : 0))), 1);
}
`;

/** Makes the mounts at numbered places, and then becomes the command after the "--", if there is one. */
const program = `${mountProgram}${overProgram}
my ($place, $none, $processor, $holder, $user, $own, $isRoot) = splice(@ARGV, 0, 7);
my %call = $processor eq 'arm64'
	? (setns => 268, mount => 40, prctl => 167, unshare => 97)
	: (setns => 308, mount => 165, prctl => 157, unshare => 272);
enter($holder, 'user', 0x10000000, $call{setns}) if $user;
enter($holder, 'mnt', 0x20000, $call{setns}) if $holder;
mkdir $place, 0755;
must('tmpfs', syscall($call{mount}, my $name = 'fleet', $place, my $type = 'tmpfs', 6, my $data = 'mode=0755,size=1m'));
for (my $number = 0; @ARGV && $ARGV[0] ne '--'; $number++) {
	my ($source, $mode, $identity, $lower, $work, $owner) = splice(@ARGV, 0, 6);
	my ($tree, $isFolder) = $lower eq ''
		? tree($source, $mode, $identity, $none)
		: over($source, $mode, $lower, $work, $owner, $own, "$place/lower-$number", $call{unshare}, $isRoot);
	my $target = "$place/$number";
	if ($isFolder) { mkdir $target, 0755 or must($target, -1) } else { open(my $file, '>', $target) or must($target, -1) }
	must('move_mount', syscall($moveMount, $tree, $empty, $here, $target, 4));
}
shift @ARGV;
exit 0 if !@ARGV;
# What the staging needed is not for what comes after it.
syscall($call{prctl}, 47, 4, 0, 0, 0);
exec { $ARGV[0] } @ARGV or must($ARGV[0], -1);
`;

/**
 * @param options.holderPid whose mount namespace it is done in; undefined: the one it is started in
 * @returns undefined where nothing is granted
 */
export function stageArguments(
	plan: SandboxPlan,
	host: {readonly perl: string | undefined; readonly root: boolean; readonly granted: string; readonly empty: string},
	options: {holderPid?: number},
): string[] | undefined {
	const placed = plan.mounts.filter(mount => isPlaced(mount));
	if (placed.length === 0) {
		return undefined;
	}

	const holder = options.holderPid === undefined ? '' : String(options.holderPid);
	return [
		host.perl ?? '/usr/bin/perl',
		'-e',
		program,
		'--',
		host.granted,
		host.empty,
		plan.architecture,
		holder,
		holder === '' || host.root ? '' : 'user',
		String(plan.dropUid),
		host.root ? '1' : '',
		...placed.flatMap(({source, mode, identity = '', over}) => [
			source,
			mode,
			identity,
			over?.folder ?? '',
			over?.work ?? '',
			String(over?.owner ?? ''),
		]),
	];
}
