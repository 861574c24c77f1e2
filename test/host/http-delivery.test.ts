import assert from 'node:assert/strict';
import type {Agent, IncomingMessage, ServerResponse} from 'node:http';
import net, {type AddressInfo} from 'node:net';
import {PassThrough, type Duplex} from 'node:stream';
import {test, type TestContext} from 'node:test';
import tls from 'node:tls';
import {deliver, type Delivery} from '../../source/host/http-delivery.ts';
import {guardIdle} from '../../source/host/http-forwarding.ts';
import {Proxy} from '../../source/host/proxy.ts';
import type {ProxyHooks} from '../../source/host/proxy-hooks.ts';
import {openBroker, pointer, value, world} from '../support/tls.ts';

/* What goes to a server is written anew from what was decided on: seen byte by byte, at the server's end. */

/** Where the first request of a text ends; undefined where it is not whole. */
function endOf(text: string): number | undefined {
	const head = text.indexOf('\r\n\r\n') + 4;
	if (head < 4) {
		return undefined;
	}

	const chunked = /\r\nTransfer-Encoding: chunked\r\n/.test(text.slice(0, head));
	const end = chunked
		? text.indexOf('0\r\n\r\n', head) + 5
		: head + Number(/\r\nContent-Length: (\d+)\r\n/.exec(text.slice(0, head))?.[1] ?? 0);
	return end > text.length || (chunked && end < head) ? undefined : end;
}

/**
 * A server that keeps what came on each of its connections,
 * and answers each request; or as `answer` says to each piece.
 */
async function rawServer(t: TestContext, secure: boolean, answer?: (text: string, socket: net.Socket) => void) {
	const connections: string[] = [];
	const sockets = new Set<net.Socket>();
	const serve = (socket: net.Socket) => {
		const at = connections.push('') - 1;
		sockets.add(socket);
		socket.on('error', () => {});
		let left = '';
		socket.on('data', bytes => {
			const text = bytes.toString('latin1');
			connections[at] += text;
			if (answer) {
				answer(text, socket);
				return;
			}

			left += text;
			for (let end = endOf(left); end !== undefined; end = endOf(left)) {
				left = left.slice(end);
				socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine');
			}
		});
	};

	const server = secure ? tls.createServer(world.leaf('localhost'), serve) : net.createServer(serve);
	server.on('tlsClientError', () => {});
	await new Promise<void>(resolve => {
		server.listen(0, '127.0.0.1', resolve);
	});
	t.after(() => {
		server.close();
		for (const socket of sockets) {
			socket.destroy();
		}
	});
	return {port: (server.address() as AddressInfo).port, connections, sockets};
}

async function openProxy(t: TestContext, port: number, hooks: Partial<ProxyHooks> = {}) {
	const denied: string[] = [];
	const rules = [{host: 'host.fleet.internal', port, source: 'grant'}];
	const proxy = new Proxy({
		state: () => ({rules, privateHosts: []}),
		onDenied() {},
		onRefused: (_target, because) => denied.push(because),
		onAllowed() {},
		onAsked() {},
		...hooks,
	});
	const own = await new Promise<number>(resolve => {
		const probe = net.createServer().listen(0, '127.0.0.1', () => {
			const {port} = probe.address() as AddressInfo;
			probe.close(() => resolve(port));
		});
	});
	await proxy.attach({port: own, host: '127.0.0.1'});
	t.after(() => proxy.close());
	return {denied, port: own};
}

/** Sends pieces, waits for an answer after each, and gives everything that came back. */
function converse(client: net.Socket, pieces: readonly string[]): Promise<string> {
	return new Promise(resolve => {
		let answer = '';
		const left = [...pieces];
		const next = () => {
			const piece = left.shift();
			if (piece === undefined) {
				setTimeout(() => client.destroy(), 150);
			} else {
				client.write(piece, 'latin1');
			}
		};

		client.on('error', () => {});
		client.on('data', bytes => {
			answer += bytes.toString('latin1');
			if (/(?:fine|fleet: [^\n]*\n(?:\r\n0\r\n\r\n)?)$/.test(answer)) {
				next();
			}
		});
		client.once('close', () => resolve(answer));
		setTimeout(() => client.destroy(), 20_000).unref();
		next();
	});
}

const smuggled = (host: string) =>
	`POST /v2/own-account HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer attacker\r\nContent-Length: 150\r\n\r\n`;

/**
 * Requests by which a client would have a say in how the next one
 * is read. Each with what comes after its request line and Host.
 */
function tricks(host: string): Array<readonly [method: string, rest: string]> {
	const inner = smuggled(host);
	const chunked = `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`;
	const length = `Content-Length: ${inner.length}\r\n`;
	return [
		...['GET', 'HEAD', 'OPTIONS', 'DELETE', 'POST', 'PUT'].map(
			method => [method, `Connection: keep-alive, content-length\r\n${length}\r\n${inner}`] as const,
		),
		...['GET', 'DELETE', 'POST'].map(
			method => [method, `Connection: Content-Length\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`] as const,
		),
		['POST', `Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`],
		['GET', `Proxy-Connection: keep-alive, content-length\r\n${length}\r\n${inner}`],
		['GET', `Connection: close, content-length\r\n${length}\r\n${inner}`],
		['GET', `Connection: keep-alive\r\nConnection: content-length\r\n${length}\r\n${inner}`],
		['GET', `Connection: host, authorization\r\n\r\n`],
		...['GET', 'HEAD', 'OPTIONS'].flatMap(
			method =>
				[
					[method, `${length}\r\n${inner}`],
					[method, `Transfer-Encoding: chunked\r\n\r\n${chunked}`],
				] as const,
		),
		['POST', `Transfer-Encoding: gzip, chunked\r\n\r\n${chunked}`],
		['POST', `Transfer-Encoding: identity\r\n${length}\r\n${inner}`],
		['POST', `Content_Length: 0\r\n${length}\r\n${inner}`],
		['POST', `Content-Length: 0\r\nX-A: b\r\nX_A: c\r\n\r\n`],
		['POST', `Content-Length: 0\r\nX.A: b\r\nX_A: c\r\n\r\n`],
		['POST', `Content-Length: 0\r\nTransfer_Encoding: chunked\r\n\r\n`],
		['POST', `Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd`],
		['POST', `Content-Length: +4\r\n\r\nabcd`],
		['POST', `Content-Length: 4, 4\r\n\r\nabcd`],
		['POST', `Content-Length: 4\r\nExpect: content-length\r\n\r\nabcd`],
	];
}

for (const way of ['broker', 'proxy'] as const) {
	/** A client that asks through one of the two, for a server that keeps bytes. */
	const set = async (t: TestContext, answer?: Parameters<typeof rawServer>[2]) => {
		const server = await rawServer(t, way === 'broker', answer);
		if (way === 'broker') {
			const {connect, seen} = await openBroker(t, server.port, {paths: ['/v1/*']});
			return {
				...server,
				host: `host.fleet.internal:${server.port}`,
				connect,
				line: (method: string, path: string) =>
					`${method} ${path} HTTP/1.1\r\nHost: host.fleet.internal:${server.port}\r\nAuthorization: Bearer ${pointer}\r\n`,
				told: () => [...seen.refused, ...seen.alarms],
			};
		}

		const {port, denied} = await openProxy(t, server.port);
		return {
			...server,
			host: `host.fleet.internal:${server.port}`,
			connect: async () => net.connect(port, '127.0.0.1'),
			line: (method: string, path: string) =>
				`${method} http://host.fleet.internal:${server.port}${path} HTTP/1.1\r\n` +
				`Host: host.fleet.internal:${server.port}\r\n`,
			told: () => denied,
		};
	};

	test(`${way}: a client's headers frame no request of ours`, async t => {
		const {connect, line, connections, told, host} = await set(t);
		for (const [method, rest] of tricks(host)) {
			const before = told().length;
			const answer = await converse(await connect(), [
				`${line(method, '/v1/b')}${rest}`,
				`${line('GET', '/v1/c')}\r\n`,
			]);
			assert.match(answer, /^HTTP\/1\.1 400 /, `${method} ${rest}`);
			assert.equal(told().length, before + 1, `written down: ${method} ${rest}`);
		}

		assert.ok(
			connections.every(text => text === ''),
			connections.join('\n'),
		);
	});

	test(`${way}: what is passed on has one framing, and its connection carries on only after what is usual`, async t => {
		const {connect, line, connections, host} = await set(t);
		const credential = way === 'broker' ? `Authorization: Bearer ${value}\r\n` : '';
		const encoding = way === 'broker' ? 'Accept-Encoding: identity\r\n' : '';
		const asked: Array<readonly [string, string, string]> = [
			[
				'GET',
				'Connection: keep-alive, TE\r\nTE: trailers\r\nTrailer: X-A\r\nKeep-Alive: timeout=5\r\n' +
					'Proxy-Connection: keep-alive\r\nX-Kept: yes\r\nsession_id: 1\r\n\r\n',
				`X-Kept: yes\r\nsession_id: 1\r\n${encoding}Connection: keep-alive\r\n\r\n`,
			],
			['GET', 'Content-Length: 0\r\n\r\n', `${encoding}Connection: keep-alive\r\n\r\n`],
			[
				'POST',
				'Content-Length: 0004\r\n\r\nabcd',
				`${encoding}Content-Length: 4\r\nConnection: keep-alive\r\n\r\nabcd`,
			],
			['POST', '\r\n', `${encoding}Content-Length: 0\r\nConnection: keep-alive\r\n\r\n`],
			[
				'PUT',
				'Transfer-Encoding: Chunked\r\n\r\n2\r\nab\r\n2;x=y\r\ncd\r\n0\r\nX-Trailer: a\r\n\r\n',
				`${encoding}Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n`,
			],
			[
				'POST',
				'Content-Length: 4\r\nExpect: 100-continue\r\n\r\nabcd',
				`${encoding}Content-Length: 4\r\nConnection: close\r\n\r\nabcd`,
			],
			['DELETE', 'Content-Length: 4\r\n\r\nabcd', `${encoding}Content-Length: 4\r\nConnection: close\r\n\r\nabcd`],
			['DELETE', '\r\n', `${encoding}Connection: close\r\n\r\n`],
			[
				'GET',
				'Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n',
				`${encoding}Connection: keep-alive\r\n\r\n`,
			],
		];
		const text = (method: string, head: string) => `${method} /v1/b HTTP/1.1\r\nHost: ${host}\r\n${credential}${head}`;
		assert.equal(
			(
				await converse(
					await connect(),
					asked.map(([method, rest]) => `${line(method, '/v1/b')}${rest}`),
				)
			).match(/fine/g)?.length,
			asked.length,
		);
		const kept = asked
			.filter(([, , head]) => !head.includes('close'))
			.map(([method, , head]) => text(method, head))
			.join('');
		const alone = asked.filter(([, , head]) => head.includes('close')).map(([method, , head]) => text(method, head));
		assert.deepEqual(
			connections.map(text => text.replaceAll('2\r\nab\r\n2\r\ncd\r\n', '4\r\nabcd\r\n')),
			[kept.replaceAll('2\r\nab\r\n2\r\ncd\r\n', '4\r\nabcd\r\n'), ...alone],
		);
	});

	test(`${way}: after a request that was refused, none of the same connection is read`, async t => {
		const {connect, line, connections} = await set(t);
		const answer = await converse(await connect(), [
			`${line('GET', '/v1/b')}Connection: x-odd\r\n\r\n${line('GET', '/v1/c')}\r\n`,
		]);
		assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1, answer);
		assert.deepEqual(connections, []);
	});

	test(`${way}: requests that are sent at once go one after another`, async t => {
		const {connect, line, connections} = await set(t);
		const client = await connect();
		const all = new Promise<string>(resolve => {
			let answer = '';
			client.on('data', bytes => {
				answer += String(bytes);
				if (answer.match(/fine/g)?.length === 5) {
					resolve(answer);
					client.destroy();
				}
			});
		});
		client.write([1, 2, 3, 4, 5].map(count => `${line('GET', `/v1/${count}`)}\r\n`).join(''));
		await all;
		assert.deepEqual(
			connections.flatMap(text => [...text.matchAll(/GET \/v1\/(\d)/g)].map(([, count]) => count)),
			['1', '2', '3', '4', '5'],
		);
		assert.equal(connections.length, 1);
	});

	test(`${way}: a body that ends before it was said to takes its connection with it`, async t => {
		const {connect, line, connections, sockets} = await set(t, () => {});
		const client = await connect();
		client.on('error', () => {});
		client.write(`${line('POST', '/v1/b')}Content-Length: 100\r\n\r\nGET /v1/half!`);
		for (let tries = 0; tries < 100 && !connections[0]?.includes('half!'); tries++) {
			await new Promise(resolve => {
				setTimeout(resolve, 10);
			});
		}

		const closed = Promise.all(
			[...sockets].map(
				socket =>
					new Promise(resolve => {
						socket.once('close', resolve);
					}),
			),
		);
		client.destroy();
		await closed;
		assert.ok(connections[0]!.endsWith('GET /v1/half!'), connections[0]);
	});

	test(`${way}: a reply before the body's end, and one that nobody asked for, end the connection to the server`, async t => {
		let early = true;
		const {connect, line, connections, sockets} = await set(t, (text, socket) => {
			if (early ? text.includes('POST') : text.includes('GET')) {
				socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine');
				if (!early) {
					setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'), 20);
				}
			}
		});
		assert.match(
			await converse(await connect(), [`${line('POST', '/v1/b')}Content-Length: 100\r\n\r\nab`]),
			/connection: close.*fine$/is,
		);
		assert.ok([...sockets].every(socket => socket.destroyed || socket.readableEnded));
		early = false;
		const pause = () =>
			new Promise(resolve => {
				setTimeout(resolve, 80);
			});
		const first = await converse(await connect(), [`${line('GET', '/v1/c')}\r\n`]);
		await pause();
		const second = await converse(await connect(), [`${line('GET', '/v1/d')}\r\n`]);
		assert.ok(first.endsWith('fine') && second.endsWith('fine'), first + second);
		assert.equal(connections.length, 3, 'each on a connection of its own');
	});
}

test('broker: more headers than a parser keeps hide nothing', async t => {
	const {port, connections} = await rawServer(t, true);
	const {talk, seen} = await openBroker(t, port);
	const many = Array.from({length: 2500}, (_, index) => `a${index}: 1\r\n`).join('');
	assert.match(
		await talk(
			`GET / HTTP/1.1\r\nHost: host.fleet.internal:${port}\r\n${many}Content-Length: 5\r\n` +
				'Authorization: Bearer attacker\r\n\r\nhello',
		),
		/^HTTP\/1\.1 40[03]/,
	);
	assert.deepEqual(connections, []);
	assert.equal(seen.refused.length, 1);
});

test('broker: a handshake for a websocket is ours, and so is what counts as its acceptance', async t => {
	const {port, connections} = await rawServer(t, true, (_text, socket) =>
		socket.write(
			'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
				'Sec-WebSocket-Accept: wrong\r\n\r\n',
		),
	);
	const {talk, seen} = await openBroker(t, port);
	const shake = (method: string, rest: string) =>
		talk(
			`${method} /s HTTP/1.1\r\nHost: host.fleet.internal:${port}\r\nAuthorization: Bearer ${pointer}\r\n` +
				`Connection: Upgrade\r\nUpgrade: websocket\r\n${rest}`,
		);
	const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
	for (const [method, rest] of [
		['POST', `${key}Content-Length: 4\r\n\r\nabcd`],
		['GET', `${key}Content-Length: 4\r\n\r\nabcd`],
		['GET', `${key}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
		['POST', `${key}\r\n`],
		['GET', 'Sec-WebSocket-Version: 13\r\n\r\n'],
		['GET', `${key}Connection: authorization\r\n\r\n`],
	] as const) {
		const before = seen.refused.length;
		assert.match(await shake(method, rest), /^HTTP\/1\.1 40[03] /, rest);
		assert.equal(seen.refused.length, before + 1, rest);
	}

	assert.deepEqual(connections, []);
	assert.match(
		await shake('GET', `${key}\r\nGET /smuggled HTTP/1.1\r\n\r\n`),
		/^HTTP\/1\.1 502 /,
		'an acceptance that does not fit the key',
	);
	assert.equal(
		connections.join(''),
		`GET /s HTTP/1.1\r\nHost: host.fleet.internal:${port}\r\nAuthorization: Bearer ${value}\r\n` +
			'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nAccept-Encoding: identity\r\n' +
			'Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
	);
});

test('of a client that is gone before it was decided nothing goes on', () => {
	let opened = 0;
	const delivery = {
		open() {
			opened++;
			throw new Error('opened');
		},
	} as unknown as Delivery;
	deliver(
		{socket: {destroyed: true}} as IncomingMessage,
		{destroyed: false, destroy() {}} as unknown as ServerResponse,
		delivery,
	);
	deliver(
		{socket: {destroyed: false}} as IncomingMessage,
		{destroyed: true, destroy() {}} as unknown as ServerResponse,
		delivery,
	);
	assert.equal(opened, 0);
});

test('proxy: what fails in it ends the one connection, and is written down', async t => {
	const {port: there} = await rawServer(t, false);
	let planted = true;
	const {port, denied} = await openProxy(t, there, {
		onAllowed() {
			if (planted) {
				throw new RangeError('planted');
			}
		},
	});
	const ask = async (first: string) => converse(net.connect(port, '127.0.0.1'), [`${first}\r\nHost: x\r\n\r\n`]);
	assert.equal(await ask(`GET http://host.fleet.internal:${there}/ HTTP/1.1`), '');
	assert.equal(await ask(`CONNECT host.fleet.internal:${there} HTTP/1.1`), '');
	assert.deepEqual(denied, ['fleet itself failed at it (RangeError)', 'fleet itself failed at it (RangeError)']);
	planted = false;
	assert.match(await ask(`GET http://host.fleet.internal:${there}/ HTTP/1.1`), /^HTTP\/1\.1 200/);
});

test('broker: what fails in it ends the one connection, and is written down', async t => {
	const {port} = await rawServer(t, true);
	for (const place of ['onUsed', 'onExchange', 'pointers'] as const) {
		let planted = true;
		const {ask, seen} = await openBroker(
			t,
			port,
			{},
			{
				[place]: () => {
					if (planted) {
						throw new RangeError('planted');
					}

					return place === 'pointers' ? [pointer] : undefined;
				},
			},
		);
		assert.equal(await ask(), '', place);
		assert.deepEqual(seen.refused, ['fleet itself failed at it (RangeError)'], place);
		planted = false;
		assert.match(await ask(), /^HTTP\/1\.1 200/, place);
	}
});

test('a connection that is kept is closed when its server speaks unasked, and only then', async () => {
	const agent = guardIdle({keepSocketAlive: () => true, reuseSocket() {}} as unknown as Agent) as unknown as {
		keepSocketAlive(socket: Duplex): boolean;
		reuseSocket(socket: Duplex, request: undefined): void;
	};
	const spoken = new PassThrough();
	assert.equal(agent.keepSocketAlive(spoken), true);
	spoken.write('HTTP/1.1 200 OK\r\n');
	await new Promise(resolve => {
		setImmediate(resolve);
	});
	assert.equal(spoken.destroyed, true);
	const reused = new PassThrough();
	agent.keepSocketAlive(reused);
	agent.reuseSocket(reused, undefined);
	reused.on('data', () => {}).write('HTTP/1.1 200 OK\r\n');
	await new Promise(resolve => {
		setImmediate(resolve);
	});
	assert.equal(reused.destroyed, false);
	const early = new PassThrough();
	early.write('HTTP/1.1 200 OK\r\n');
	assert.equal(agent.keepSocketAlive(early), false);
});
