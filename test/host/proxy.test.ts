import assert from 'node:assert/strict';
import http from 'node:http';
import net, {type AddressInfo} from 'node:net';
import {test, type TestContext} from 'node:test';
import tls from 'node:tls';
import type {EgressRule} from '../../source/core/network/rules.ts';
import {Proxy} from '../../source/host/proxy.ts';
import {listenAs} from '../support/raw-proxy.ts';

async function listen(t: TestContext, server: net.Server): Promise<number> {
	await new Promise<void>(resolve => {
		server.listen(0, '127.0.0.1', resolve);
	});
	t.after(() => {
		server.close();
	});
	return (server.address() as AddressInfo).port;
}

async function setUp(t: TestContext) {
	const state: {rules: EgressRule[]; privateHosts: EgressRule[]} = {rules: [], privateHosts: []};
	const denied: string[] = [];
	const allowed: string[] = [];
	const asked: string[] = [];
	const proxy = new Proxy({
		state: () => state,
		onDenied: target => denied.push(target),
		onAllowed: target => allowed.push(target),
		onAsked: what => asked.push(what),
	});
	const {port, talk: exchange} = await listenAs(t, proxy);
	const talk = (text: string, keep = false) => exchange(text, keep ? undefined : 500);
	return {state, denied, allowed, asked, proxy, port, talk};
}

test('a request is forwarded only to what is granted, and Host is what was decided on', async t => {
	const {state, denied, allowed, talk} = await setUp(t);
	const hosts: string[] = [];
	const port = await listen(
		t,
		http.createServer((request, response) => {
			hosts.push(`${request.headers.host} ${request.url} ${request.headers['proxy-authorization'] ?? '-'}`);
			response.end('answer');
		}),
	);
	const request =
		`GET http://host.fleet.internal:${port}/path?q HTTP/1.1\r\nHost: evil.test\r\nProxy-Authorization: x\r\n` +
		'Connection: close\r\n\r\n';
	assert.match(await talk(request), /^HTTP\/1\.1 403 /);
	state.rules = [{host: 'host.fleet.internal', port, source: 'grant'}];
	assert.match(await talk(request), /200 OK.*answer/s);
	assert.deepEqual(hosts, [`host.fleet.internal:${port} /path?q -`]);
	assert.deepEqual([denied.length, allowed], [1, [`host.fleet.internal:${port}`]]);
	state.rules = [];
	assert.match(await talk(request), /^HTTP\/1\.1 403 /);
});

test('what is not a request to a proxy is refused', async t => {
	const {talk, denied} = await setUp(t);
	for (const text of [
		'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
		'GET ftp://a.test/ HTTP/1.1\r\nHost: x\r\n\r\n',
		'CONNECT a.test HTTP/1.1\r\nHost: x\r\n\r\n',
		'CONNECT a.test:443:80 HTTP/1.1\r\nHost: x\r\n\r\n',
		'CONNECT a%2e.test:443 HTTP/1.1\r\nHost: x\r\n\r\n',
		'CONNECT fe80::1%25eth0:443 HTTP/1.1\r\nHost: x\r\n\r\n',
		'GET http://user@a.test/ HTTP/1.1\r\nHost: x\r\n\r\n',
		'\u0016\u0003\u0001\r\n\r\n',
	]) {
		assert.match(await talk(text), /^HTTP\/1\.1 400 /, JSON.stringify(text));
	}

	assert.ok(denied.every(target => !/[^ -~]/.test(target)));
});

test('a name that does not resolve, and a host that does not answer, are told apart from a denial', async t => {
	const {state, denied, talk} = await setUp(t);
	state.rules = [
		{host: 'nowhere.invalid', source: 'grant'},
		{host: 'host.fleet.internal', port: 1, source: 'grant'},
	];
	assert.match(await talk('CONNECT nowhere.invalid:443 HTTP/1.1\r\nHost: x\r\n\r\n'), /403.*does not resolve/s);
	assert.match(await talk('CONNECT host.fleet.internal:1 HTTP/1.1\r\nHost: x\r\n\r\n'), /^HTTP\/1\.1 502 /);
	assert.deepEqual(denied, []);
});

test('an agent that asks for a decision is refused, and it is written down', async t => {
	const {asked, talk} = await setUp(t);
	assert.match(
		await talk('POST http://fleet.internal/deploy/production HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'),
		/403.*agents-decide-nothing/s,
	);
	assert.deepEqual(asked, ['deploy/production']);
});

test('cutting destroys what is open and no longer granted, and nothing else', async t => {
	const {state, proxy, talk} = await setUp(t);
	const sockets: net.Socket[] = [];
	const server = () =>
		net.createServer(socket => {
			sockets.push(socket);
			socket.on('error', () => {});
			socket.write('open');
		});
	const kept = await listen(t, server());
	const revoked = await listen(t, server());
	state.rules = [kept, revoked].map(port => ({host: 'host.fleet.internal', port, source: 'grant'}));
	const ends: string[] = [];
	const tunnels = [
		['kept', kept],
		['revoked', revoked],
	].map(([name, port]) =>
		talk(`CONNECT host.fleet.internal:${port} HTTP/1.1\r\nHost: x\r\n\r\n`, true).then(() => ends.push(String(name))),
	);
	while (sockets.length < 2) {
		await new Promise(resolve => {
			setTimeout(resolve, 10);
		});
	}

	state.rules = state.rules.filter(rule => rule.port === kept);
	assert.equal(proxy.cut(), 1);
	await tunnels[1];
	assert.deepEqual(ends, ['revoked']);
	state.rules = [];
	assert.equal(proxy.cut(), 1);
	await tunnels[0];
});

test('a tunnel whose TLS hello names another host is cut, and written down', async t => {
	const {state, denied, port} = await setUp(t);
	let hellos = 0;
	const target = await listen(
		t,
		net.createServer(socket => {
			socket.on('error', () => {});
			socket.on('data', () => {
				hellos++;
				socket.destroy();
			});
		}),
	);
	state.rules = [{host: 'host.fleet.internal', port: target, source: 'grant'}];
	const through = (servername: string) =>
		new Promise<void>(resolve => {
			const socket = net.connect(port, '127.0.0.1');
			socket.once('data', () => {
				const client = tls.connect({socket, servername});
				client.on('error', () => {});
				client.on('close', () => resolve());
			});
			socket.write(`CONNECT host.fleet.internal:${target} HTTP/1.1\r\n\r\n`);
		});
	await through('host.fleet.internal');
	assert.equal(hellos, 1);
	await through('front.example.org');
	assert.equal(hellos, 1, 'the other hello never arrived');
	assert.ok(denied.includes(`front.example.org:${target}`), denied.join());
});

test('methods and paths hold for plain requests', async t => {
	const {state, talk} = await setUp(t);
	const seen: string[] = [];
	const port = await listen(
		t,
		http.createServer((request, response) => {
			seen.push(`${request.method} ${request.url}`);
			response.end('answer');
		}),
	);
	state.rules = [{host: 'host.fleet.internal', port, methods: ['GET'], path: '/open/*', source: 'grant'}];
	const ask = (method: string, path: string) =>
		talk(
			`${method} http://host.fleet.internal:${port}${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n` +
				'Connection: close\r\n\r\n',
		);
	assert.match(await ask('GET', '/open/a'), /200 OK/);
	for (const [method, path] of [
		['POST', '/open/a'],
		['GET', '/closed'],
		['GET', '/open/../closed'],
		['GET', '/open/%2e%2e/closed'],
	] as const) {
		assert.match(await ask(method, path), /^HTTP\/1\.1 403/, `${method} ${path}`);
	}

	assert.match(await talk(`CONNECT host.fleet.internal:${port} HTTP/1.1\r\n\r\n`), /^HTTP\/1\.1 403/);
	assert.deepEqual(seen, ['GET /open/a']);
});

test('a connection that is kept for the next request is gone with the grant, and one that its server closed does no harm', async t => {
	const {state, talk, proxy} = await setUp(t);
	const sockets = new Set<net.Socket>();
	let connections = 0;
	const server = http.createServer((_request, response) => response.end('answer'));
	server.keepAliveTimeout = 60_000;
	server.on('connection', socket => {
		connections++;
		sockets.add(socket);
		socket.on('close', () => sockets.delete(socket));
	});
	const port = await listen(t, server);
	state.rules = [{host: 'host.fleet.internal', port, source: 'grant'}];
	const ask = () => talk(`GET http://host.fleet.internal:${port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
	assert.match(await ask(), /200 OK/);
	assert.match(await ask(), /200 OK/);
	assert.equal(connections, 1, 'it is used again');
	for (const socket of sockets) {
		socket.resetAndDestroy();
	}

	assert.match(await ask(), /200 OK/);
	state.rules = [];
	proxy.cut();
	await new Promise(resolve => {
		setTimeout(resolve, 50);
	});
	assert.equal(sockets.size, 0);
	assert.match(await ask(), /403/);
});
