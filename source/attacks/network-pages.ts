import net from 'node:net';
import {PageServer} from '../host/page-server.ts';
import type {SandboxAttack} from './attack.ts';
import {get, httpBait, tcpBait, viaProxy} from './bait.ts';
import type {Box} from './box.ts';

/* What a run does with the listener through which a browser sees what it serves. */

/** The listener in front of a port of the box's, as a run has it. */
function pageOf(box: Box, port: number): Promise<PageServer> {
	return PageServer.open({
		host: 'box.localhost',
		port,
		dial: () => box.session.dial(port),
		closed: () => undefined,
		hosts: () => [],
		onLoad() {},
		onDenied() {},
	});
}

/** What the person's browser gets, which was let in, for a request target. */
async function browse(page: PageServer, targets: readonly string[]): Promise<string> {
	const first = await exchange(page, new URL(page.ticketAddress()).search, '');
	const cookie = /^set-cookie: ([^;]+)/im.exec(first)?.[1] ?? '';
	const answers = [];
	for (const target of targets) {
		answers.push(await exchange(page, target, cookie));
	}

	return answers.join('\n');
}

function exchange(page: PageServer, target: string, cookie: string): Promise<string> {
	const {host, port} = new URL(page.address);
	return new Promise(resolve => {
		const socket = net.connect(Number(port), '127.0.0.1', () =>
			socket.write(
				`GET ${target.startsWith('?') ? '/' : ''}${target} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`,
			),
		);
		let text = '';
		socket.on('error', () => resolve(text));
		socket.on('data', bytes => {
			text += bytes.toString('latin1');
		});
		socket.on('close', () => resolve(text));
	});
}

export const pageAttacks: readonly SandboxAttack[] = [
	{
		kind: 'sandbox',
		id: 'page-to-host-port',
		title: 'have the listener for a page reach a port of the host',
		source: 'forwarders that dial from where they listen; a server inside that is gone, and one outside on its port',
		answer: "connections for a page are made inside the run's network namespace, whatever is asked for",
		prepare: () => tcpBait(),
		script: () => 'true',
		async came(_result, box, bait) {
			const page = await pageOf(box, bait.port!);
			try {
				const targets = [
					'/',
					`http://127.0.0.1:${bait.port}/`,
					`//127.0.0.1:${bait.port}/`,
					`/@127.0.0.1:${bait.port}`,
				];
				const answers = await browse(page, targets);
				return answers.includes('hello from the host') || bait.hits!() > 0;
			} finally {
				page.close();
			}
		},
	},
	{
		kind: 'sandbox',
		id: 'page-of-another-run',
		title: "ask for the page of another run, with that run's name and a cookie",
		source: 'a Host header is written by whoever asks; listeners on loopback that take any name',
		answer:
			"loopback is the namespace's own; a granted port is asked under its own name, which no page has; a cookie by chance",
		async prepare(box) {
			const other = await httpBait('the page of another run');
			const page = await PageServer.open({
				host: 'other.localhost',
				port: 3000,
				dial: async () => net.connect(other.port, '127.0.0.1'),
				closed: () => undefined,
				hosts: () => [],
				onLoad() {},
				onDenied() {},
			});
			const port = Number(new URL(page.address).port);
			box.rules = ['host.fleet.internal', 'other.localhost', '127.0.0.1'].map(host => ({
				host,
				port,
				source: 'granted',
			}));
			box.privateHosts = box.rules;
			return {
				port,
				hits: other.hits,
				close() {
					page.close();
					other.close?.();
				},
			};
		},
		script: (_box, {port}) =>
			[
				get(`http://other.localhost:${port}/`),
				get(`http://host.fleet.internal:${port}/`),
				viaProxy(
					`GET http://host.fleet.internal:${port}/ HTTP/1.1\\r\\nHost: other.localhost:${port}\\r\\nCookie: fleet-page-${port}=x\\r\\n\\r\\n`,
				),
				viaProxy(
					`CONNECT host.fleet.internal:${port} HTTP/1.1\\r\\n\\r\\nGET / HTTP/1.1\\r\\nHost: other.localhost:${port}\\r\\nCookie: fleet-page-${port}=x\\r\\n\\r\\n`,
				),
			].join('; '),
		came: ({output}, _box, bait) => output.includes('the page of another run') || bait.hits!() > 0,
	},
];
