import type {SandboxPlan} from '../../core/plan.ts';

/* Mounts that a person granted, as Perl, since Node makes no system calls: pure, as compile.ts is. */

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
	my ($fd, $set, $clear) = @_;
	my $value = pack('QQQQ', $set, $clear, 0, 0);
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

/** Stages what was granted as numbered places, and then becomes the command after the "--", if there is one. */
const program = `${mountProgram}
my ($place, $none, $processor, $holder, $user) = splice(@ARGV, 0, 5);
my %call = $processor eq 'arm64'
	? (setns => 268, mount => 40, prctl => 167)
	: (setns => 308, mount => 165, prctl => 157);
enter($holder, 'user', 0x10000000, $call{setns}) if $user;
enter($holder, 'mnt', 0x20000, $call{setns}) if $holder;
mkdir $place, 0755;
must('tmpfs', syscall($call{mount}, my $name = 'fleet', $place, my $type = 'tmpfs', 6, my $data = 'mode=0755,size=1m'));
for (my $number = 0; @ARGV && $ARGV[0] ne '--'; $number++) {
	my ($tree, $isFolder) = tree(splice(@ARGV, 0, 3), $none);
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
	const granted = plan.mounts.filter(mount => mount.identity !== undefined);
	if (granted.length === 0) {
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
		...granted.flatMap(({source, mode, identity}) => [source, mode, identity!]),
	];
}
