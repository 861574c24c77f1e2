import {proxyPort} from '../../core/plan.ts';

/* What a launch runs besides bubblewrap: scripts of the shell, and programs in Perl or, without it, Node. */

/** Where the launch finds the system call filter, and bwrap its arguments. The scripts below open them. */
export const filterDescriptor = '8';
export const argumentsDescriptor = '9';

// The scripts are constants; everything that varies is an argument of its own, never text in them.
/**
 * Opens the filter and the argument file, lets the keyboard's signals pass by the monitor (they are the
 * agent's), makes it all the kernel's first choice where memory is short, and joins the run's control groups.
 */
export const openScript =
	'echo 500 2> /dev/null > /proc/self/oom_score_adj; exec 8<"$1" 9<"$2" || exit 126; shift 2; ' +
	'while [ "$1" != -- ]; do echo $$ > "$1" || exit 126; shift; done; shift; ' +
	'trap "" INT QUIT TSTP; exec "$@"';
/** Joins the run's control groups. */
export const joinScript = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 126; shift; done; shift; exec "$@"';
/**
 * Inside, with the one capability that it takes, which then goes: how much of the account's the
 * sandbox's own user namespace may have. A kernel that does not let it keeps its own limits.
 */
export const narrowScript =
	'while [ "$1" != -- ]; do { echo "${1#*=}" > "/proc/sys/user/${1%%=*}"; } 2> /dev/null; shift; done; shift; exec "$@"';
/**
 * As root, in a mount namespace of its own: makes sources below closed
 * folders (such as /root) reachable for the uid that is dropped to.
 */
export const stageScript =
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
export const holderProgram = `
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
export const dialProgram = `
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
export const nodeHolderProgram = `
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
