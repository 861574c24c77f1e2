import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import net, {type AddressInfo} from 'node:net';
import {test, type TestContext} from 'node:test';
import tls from 'node:tls';
import type {EgressRule} from '../../source/core/network/rules.ts';
import {makeBinding, type Binding} from '../../source/core/secrets/secret.ts';
import {readUpstreams} from '../../source/core/network/upstream.ts';
import {Broker} from '../../source/host/broker.ts';
import {Proxy} from '../../source/host/proxy.ts';
import {listenAs} from '../support/raw-proxy.ts';
import {pointer, serveTls, value, world} from '../support/tls.ts';

const login = 'Basic ' + Buffer.from('person:correct horse').toString('base64');

async function listen(t: TestContext, server: net.Server): Promise<number> {
	await new Promise<void>(resolve => {
		server.listen(0, '127.0.0.1', resolve);
	});
	t.after(() => {
		server.close();
		(server as http.Server).closeAllConnections?.();
	});
	return (server.address() as AddressInfo).port;
}

/** A company's proxy: every name leads to `port` of this machine. What it was asked is written down. */
async function company(
	t: TestContext,
	options: {port?: number; secure?: boolean; login?: string | undefined; echo?: boolean} = {},
) {
	const asked: string[] = [];
	const answer: http.RequestListener = (request, response) => {
		asked.push(`${request.method} ${request.url} ${request.headers.host}`);
		if (options.login !== undefined && request.headers['proxy-authorization'] !== options.login) {
			response.writeHead(407, {'proxy-authenticate': 'Basic realm="corp"'}).end('who are you?');
			return;
		}

		const header = String(request.headers['proxy-authorization']);
		const plain = Buffer.from(header.slice(6), 'base64').toString();
		response
			.writeHead(200, options.echo ? {'x-asked': header, 'x-read': plain, 'x-password': plain.split(':')[1]} : {})
			.end(options.echo ? JSON.stringify({...request.headers, plain: plain.split(':')}) : 'by the company!');
	};

	const server = options.secure ? https.createServer(world.leaf('localhost'), answer) : http.createServer(answer);
	server.on('connect', (request: http.IncomingMessage, client: net.Socket) => {
		asked.push(`CONNECT ${request.url} ${request.headers.host}`);
		client.on('error', () => {});
		if (options.login !== undefined && request.headers['proxy-authorization'] !== options.login) {
			client.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
		} else if (options.port === undefined) {
			client.end('HTTP/1.1 403 Forbidden by policy\r\nContent-Length: 4\r\n\r\nno!\n');
		} else {
			const upstream = net.connect(options.port, '127.0.0.1', () => {
				client.write('HTTP/1.1 200 Connection established\r\n\r\n');
				client.pipe(upstream).pipe(client);
			});
			upstream.on('error', () => client.destroy());
		}
	});
	return {port: await listen(t, server), asked};
}

/** A run's proxy that goes out by what the variables say. */
async function behind(
	t: TestContext,
	environment: Record<string, string>,
	more: {
		rules?: EgressRule[];
		privateHosts?: EgressRule[];
		broker?: Broker;
		resolve?: (host: string) => Promise<string[]>;
	} = {},
) {
	const denied: string[] = [];
	const looked: string[] = [];
	const proxy = new Proxy({
		state: () => ({
			rules:
				more.rules ??
				['pkg.corp.invalid', '10.1.2.3', '127.0.0.1', '169.254.169.254', 'metadata.google.internal'].map(host => ({
					host,
					source: 'grant',
				})),
			privateHosts: more.privateHosts ?? [],
		}),
		onDenied: (target, because) => denied.push(`${target}: ${because}`),
		onAllowed() {},
		onAsked() {},
		upstreams: readUpstreams(environment),
		broker: () => more.broker,
		async resolve(host) {
			looked.push(host);
			return more.resolve ? more.resolve(host) : Promise.reject(new Error('ENOTFOUND'));
		},
	});
	const {port, talk: exchange} = await listenAs(t, proxy);
	const talk = (text: string) => exchange(text, 3000);
	const get = (url: string, method = 'GET') =>
		talk(`${method} ${url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
	const tunnel = (target: string) => talk(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
	return {denied, looked, port, get, tunnel, proxy};
}

test('requests and tunnels go by the proxy of the network, which finds the name and gets its login', async t => {
	const echo = await listen(
		t,
		net.createServer(socket => {
			socket.on('error', () => {});
			socket.end('from the far end\n');
		}),
	);
	for (const secure of [false, true]) {
		const corp = await company(t, {port: echo, secure, login});
		const place = `${secure ? 'https' : 'http'}://person:correct%20horse@localhost:${corp.port}`;
		const {get, tunnel, denied} = await behind(t, {http_proxy: place, HTTPS_PROXY: place});
		assert.match(await get('http://pkg.corp.invalid/a?b'), /^HTTP\/1\.1 200 .*by the company/s);
		assert.match(await tunnel('pkg.corp.invalid:443'), /^HTTP\/1\.1 200 .*from the far end/s);
		assert.deepEqual(corp.asked, [
			'GET http://pkg.corp.invalid/a?b pkg.corp.invalid',
			'CONNECT pkg.corp.invalid:443 pkg.corp.invalid:443',
		]);
		// What is not granted, and what is an address of its own, never gets that far.
		for (const [answer, what] of [
			[await get('http://other.invalid/'), 'not granted'],
			[await tunnel('other.invalid:443'), 'not granted'],
			[await get('http://10.1.2.3/'), 'private'],
			[await tunnel('10.1.2.3:443'), 'private'],
			[await tunnel('169.254.169.254:80'), 'link-local'],
			[await get('http://metadata.google.internal/'), 'never asked'],
			[await get('http://127.0.0.1/'), 'own, inside'],
			[await tunnel('127.0.0.1:443'), 'own, inside'],
		] as const) {
			assert.match(answer, new RegExp(`^HTTP/1\\.1 403 .*${what}`, 's'));
		}

		assert.match(await get('http://pkg.corp.invalid/', 'TRACE'), /^HTTP\/1\.1 405/);
		assert.equal(corp.asked.length, 2);
		assert.ok(denied.length >= 6);
	}
});

test('NO_PROXY goes past it, and then the address counts', async t => {
	const corp = await company(t);
	const {get, looked} = await behind(
		t,
		{http_proxy: `http://127.0.0.1:${corp.port}`, no_proxy: '.corp.invalid'},
		{resolve: async () => ['10.1.2.3']},
	);
	assert.match(await get('http://pkg.corp.invalid/'), /403 .*privateHosts: \["pkg\.corp\.invalid:80"\]/s);
	assert.deepEqual([corp.asked, looked], [[], ['pkg.corp.invalid']]);
});

test('a proxy on this machine would find a name as this machine does: one that leads here, or to a private address, is refused', async t => {
	const corp = await company(t);
	const place = {http_proxy: `http://127.0.0.1:${corp.port}`};
	for (const [address, words] of [
		['127.0.0.1', 'own: what is granted'],
		['169.254.169.254', 'link-local'],
		['10.1.2.3', 'privateHosts'],
	] as const) {
		const {get} = await behind(t, place, {resolve: async () => [address]});
		assert.match(await get('http://pkg.corp.invalid/'), new RegExp(`^HTTP/1\\.1 403 .*${words}`, 's'));
	}

	assert.deepEqual(corp.asked, []);
	const {get} = await behind(t, place, {
		resolve: async () => ['10.1.2.3'],
		privateHosts: [{host: 'pkg.corp.invalid', source: 'policy'}],
	});
	assert.match(await get('http://pkg.corp.invalid/'), /by the company/);
});

test('what is wrong with the proxy is one line that says what to do, without the login', async t => {
	const corp = await company(t, {login});
	const place = `127.0.0.1:${corp.port}`;
	const no = async (environment: Record<string, string>, words: RegExp) => {
		const {get, tunnel} = await behind(t, environment);
		for (const answer of [await get('http://pkg.corp.invalid/'), await tunnel('pkg.corp.invalid:443')]) {
			assert.match(answer, /^HTTP\/1\.1 502 /);
			assert.match(/^fleet: .*$/m.exec(answer)![0], words);
			assert.doesNotMatch(answer, /hidden|who are you/);
		}
	};

	const both = (text: string) => ({HTTP_PROXY: text, HTTPS_PROXY: text});
	await no(
		both(`http://${place}`),
		/^fleet: .*wants a login \(407\): set HTTPS?_PROXY to http:\/\/USER:PASSWORD@127\.0\.0\.1:\d+, and resume the run$/,
	);
	await no(both(`http://x:hidden@${place}`), /^fleet: .*does not take the login that HTTPS?_PROXY holds \(407\).*$/);
	await no(
		both('http://x:hidden@127.0.0.1:1'),
		/^fleet: .*127\.0\.0\.1:1, cannot be reached \(ECONNREFUSED\): set HTTPS?_PROXY.*$/,
	);
	await no(
		{ALL_PROXY: 'socks5://x:hidden@127.0.0.1:1080'},
		/^fleet: ALL_PROXY names a proxy that speaks socks5, which fleet does not: name an HTTP proxy in HTTPS_PROXY and HTTP_PROXY.*$/,
	);
	const shut = await company(t);
	const {tunnel} = await behind(t, {HTTPS_PROXY: `http://127.0.0.1:${shut.port}`});
	assert.match(
		await tunnel('pkg.corp.invalid:443'),
		/^HTTP\/1\.1 502 .*answered 403 to a tunnel to pkg\.corp\.invalid:443.*NO_PROXY/s,
	);
});

test('a proxy that shows what it was asked does not show its login to a run', async t => {
	const corp = await company(t, {login, echo: true});
	const {get} = await behind(t, {HTTP_PROXY: `http://person:correct%20horse@127.0.0.1:${corp.port}`});
	const answer = await get('http://pkg.corp.invalid/');
	assert.match(answer, /^HTTP\/1\.1 200 .*proxy-authorization/s);
	for (const part of [login.slice(6), 'person:correct horse', 'correct horse']) {
		assert.ok(!answer.includes(part), answer);
	}
});

test('a tunnel by the proxy is cut with its grant', async t => {
	const far = await listen(
		t,
		net.createServer(socket => {
			socket.on('error', () => {});
			socket.write('open\n');
		}),
	);
	const corp = await company(t, {port: far});
	const rules: EgressRule[] = [{host: 'pkg.corp.invalid', source: 'grant'}];
	const {port, proxy} = await behind(t, {HTTPS_PROXY: `http://127.0.0.1:${corp.port}`}, {rules});
	const socket = net.connect(port, '127.0.0.1');
	socket.on('error', () => {});
	const closed = new Promise(resolve => {
		socket.once('close', resolve);
	});
	socket.on('data', bytes => {
		if (String(bytes).includes('open')) {
			rules.length = 0;
			assert.equal(proxy.cut(), 1);
		}
	});
	socket.write('CONNECT pkg.corp.invalid:443 HTTP/1.1\r\n\r\n');
	await closed;
});

test('a secret goes by the proxy in a tunnel of its own: verified for its host, kept for the next request', async t => {
	const seen: string[] = [];
	const server = await serveTls(
		t,
		(request, response) => {
			seen.push(`${request.headers.host} ${request.headers.authorization}`);
			response.end('well');
		},
		{host: 'api.corp.invalid'},
	);
	const other = await serveTls(t, (_request, response) => response.end('the wrong one'), {host: 'other.corp.invalid'});
	for (const [far, expected] of [
		[server, /well$/],
		[other, /^HTTP\/1\.1 502 .*ERR_TLS_CERT_ALTNAME_INVALID/s],
	] as const) {
		const corp = await company(t, {port: far, login});
		const binding = makeBinding({hosts: ['api.corp.invalid']}) as Binding;
		const rules = [{host: 'api.corp.invalid', port: 443, source: 'secret:user/x'}];
		const broker = new Broker('test', {
			rules: () => rules,
			held: () => [{scope: 'secret:user/x', pointer, value, binding}],
			pointers: () => [pointer],
			values: () => [value],
			onUsed() {},
			onRefused() {},
		});
		const {port} = await behind(
			t,
			{HTTPS_PROXY: `http://person:correct%20horse@127.0.0.1:${corp.port}`},
			{rules, broker},
		);
		for (let times = 0; times < 2; times++) {
			const answer = await new Promise<string>((resolve, reject) => {
				const socket = net.connect(port, '127.0.0.1');
				socket.once('data', () => {
					const client = tls.connect({socket, servername: 'api.corp.invalid', ca: [broker.authority.certificate]});
					let text = '';
					client.on('data', bytes => {
						text += String(bytes);
					});
					client.on('error', reject);
					client.on('close', () => resolve(text));
					client.write(`GET /v1 HTTP/1.1\r\nHost: api.corp.invalid\r\nAuthorization: Bearer ${pointer}\r\n\r\n`);
					setTimeout(() => client.end(), 400);
				});
				socket.write('CONNECT api.corp.invalid:443 HTTP/1.1\r\n\r\n');
			});
			assert.match(answer, expected);
		}

		assert.deepEqual([...new Set(corp.asked)], ['CONNECT api.corp.invalid:443 api.corp.invalid:443']);
		assert.equal(corp.asked.length, far === server ? 1 : 2, 'a connection that is well is used again');
	}

	assert.deepEqual(seen, [`api.corp.invalid Bearer ${value}`, `api.corp.invalid Bearer ${value}`]);
});
