import net from 'node:net';
import {hostName} from '../core/network/target.ts';
import type {SandboxAttack} from './attack.ts';
import {get, httpBait, pause, rawBait, viaProxy} from './bait.ts';
import {grant, reached} from './network-rows.ts';

/* What the proxy is asked: requests that mean something else than was granted, and grants that are gone. */

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

export const requestAttacks: readonly SandboxAttack[] = [
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
		came: reached,
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
		came: reached,
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
		came: reached,
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
		came: reached,
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
		came: reached,
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
		came: reached,
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
		came: reached,
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
