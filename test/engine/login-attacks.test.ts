import assert from 'node:assert/strict';
import type http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import {mkdtempSync, rmSync} from 'node:fs';
import {test, type TestContext} from 'node:test';
import {setTimeout} from 'node:timers/promises';
import tls from 'node:tls';
import {urlTarget} from '../../source/core/mcp/definition.ts';
import {RemoteFault} from '../../source/engine/logins/fault.ts';
import {HttpsClient} from '../../source/engine/logins/https-client.ts';
import {Refresher, type KeptLogin, type LoginPlace} from '../../source/engine/logins/refresher.ts';
import {askForTokens} from '../../source/engine/logins/token-request.ts';
import {keptBodies} from '../../source/host/http-delivery.ts';
import {openBroker, pointer, serveTls, world} from '../support/tls.ts';

/* Servers and agents that mean harm to a login: without a vault and a run, so that each case takes a moment. */

const refresh = 'refresh-0123456789abcdef';
const access = 'access-0123456789abcdef';

type Answer = (response: http.ServerResponse) => void;

const json =
	(status: number, value: unknown): Answer =>
	response =>
		response.writeHead(status).end(JSON.stringify(value));

/** A server of tokens that answers as it is told. */
async function openTokens(t: TestContext) {
	const server = {answer: json(500, {})};
	const port = await serveTls(t, (request, response) => {
		request.resume();
		request.on('end', () => server.answer(response));
	});
	const url = `https://host.fleet.internal:${port}/oauth/token`;
	const client = new HttpsClient([urlTarget(url)!], {
		trust: tls.createSecureContext({ca: [world.certificate]}),
		hooks: {resolve: async () => ['127.0.0.1'], placeOf: () => ({host: '127.0.0.1', port})},
	});
	t.after(() => client.close());
	const ask = () => askForTokens(client, {url, body: 'json', client: 'x'}, {refresh, title: 'Far', hint: 'far login'});
	return {server, ask};
}

test('a server of tokens that answers badly is a fault in words, in time, and without what was sent to it', async t => {
	const {server, ask} = await openTokens(t);
	const cases: Record<string, Answer> = {
		'cut off'(response) {
			response.writeHead(200, {'content-length': '500'}).write('{"access_token"');
			void setTimeout(20).then(() => response.destroy());
		},
		'another protocol': response =>
			response.socket!.end('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhello'),
		nothing: response => response.destroy(),
		'another place': response => response.writeHead(307, {location: 'https://evil.example/'}).end(),
		huge: response => response.writeHead(200).end('x'.repeat(2_000_000)),
		'large headers': response => response.writeHead(200, {x: 'x'.repeat(40_000)}).end('{}'),
		'wrong types': json(200, {access_token: [access], refresh_token: 5}),
		'a line end in it': json(200, {access_token: `${access}\r\nX: y`}),
		'an empty refresh token': json(200, {access_token: access, refresh_token: ''}),
		'what it was sent': json(400, {error: refresh, code: refresh}),
		'what it was sent, within': json(400, {error: {code: refresh}}),
		'a screen': json(500, {error: '\u001B[2J\u202E'}),
		'no object': json(400, null),
	};
	for (const [name, answer] of Object.entries(cases)) {
		server.answer = answer;
		const found = await Promise.race([
			ask().catch((error: unknown) => error),
			setTimeout(5000, 'it hangs', {ref: false}),
		]);
		assert.ok(found instanceof RemoteFault, `${name}: ${String(found)}`);
		assert.doesNotMatch(found.message, /refresh-|access-|evil|[^ -~]/, name);
	}

	server.answer = json(503, {error: 'temporarily_unavailable'});
	await assert.rejects(ask(), {message: 'the login of Far could not be refreshed: 503 temporarily_unavailable'});
	for (const seconds of [0.001, 1, -5, '3600', null]) {
		server.answer = json(200, {access_token: access, expires_in: seconds});
		const {until} = await ask();
		assert.ok(until > Date.now() + 9000, `${String(seconds)}: else each request would wait for a token of its own`);
	}
});

test('an agent that has a good token refused on purpose gets a new one ever more seldom', async t => {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-login-'));
	t.after(() => rmSync(folder, {recursive: true}));
	t.mock.timers.enable({apis: ['Date'], now: 1_800_000_000_000});
	let kept: KeptLogin = {access: 'access-0', refresh, made: 0};
	let made = 0;
	const place: LoginPlace = {
		lock: path.join(folder, 'lock'),
		title: 'Far',
		read: async () => kept,
		exchange: async () => ({access: `access-${++made}`, refresh, until: Date.now() + 86_400_000}),
		async write(tokens) {
			kept = {...tokens, made: Date.now()};
		},
	};
	const refresher = new Refresher(place);
	for (let second = 0; second < 3600; second += 5) {
		refresher.refuse(kept.access!);
		await refresher.token().catch(() => {});
		t.mock.timers.tick(5000);
	}

	assert.ok(made >= 3 && made <= 8, `${made} in an hour`);
	// One that was good for long is made anew at once, as ever.
	t.mock.timers.tick(3 * 3_600_000);
	const before = made;
	refresher.refuse(kept.access!);
	await refresher.token();
	t.mock.timers.tick(40_000);
	refresher.refuse(kept.access!);
	await refresher.token();
	assert.equal(made, before + 2);

	// One that is short is used for half of its time, and not made for each request.
	kept = {access: 'access-short', refresh, made: Date.now(), until: Date.now() + 30_000};
	const short = new Refresher({...place, read: async () => kept});
	assert.equal(await short.token(), 'access-short');
	t.mock.timers.tick(16_000);
	assert.equal(await short.token(), `access-${before + 3}`);
});

test('a refusal that is cut off ends the request, and what is kept of bodies has an end', async t => {
	const open: http.ServerResponse[] = [];
	let isCut = true;
	const port = await serveTls(
		t,
		(request, response) => {
			request.resume();
			if (isCut) {
				response.writeHead(401, {'content-length': '100'}).write('x');
				void setTimeout(20).then(() => response.destroy());
				return;
			}

			request.on('end', () => open.push(response));
		},
		{
			upgrade(_request, socket) {
				socket.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\nx');
				void setTimeout(20).then(() => socket.destroy());
			},
		},
	);
	const hooks = {
		placeOf: () => ({host: '127.0.0.1', port}),
		renewable: () => async () => {
			await setTimeout(150);
			return false;
		},
	};
	const {ask, talk} = await openBroker(t, port, {}, hooks);
	assert.match(await ask('/x', undefined, {patience: 3000}), /^HTTP\/1\.1 502 [^]*in the middle of its reply/);
	const handshake =
		`GET /x HTTP/1.1\r\nHost: host.fleet.internal:${port}\r\nAuthorization: Bearer ${pointer}\r\nConnection: Upgrade\r\n` +
		'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
	assert.match(await talk(handshake, {patience: 3000}), /^HTTP\/1\.1 502 [^]*in the middle of its reply/);

	isCut = false;
	const {most} = keptBodies;
	keptBodies.most = 2_500_000;
	t.after(() => {
		keptBodies.most = most;
	});
	const body = 'x'.repeat(1_000_000);
	const asked = Array.from({length: 4}, () => ask('/x', undefined, {method: 'POST', body, patience: 10_000}));
	while (open.length < asked.length) {
		await setTimeout(20);
	}

	assert.ok(keptBodies.bytes > body.length && keptBodies.bytes < 2_500_000, String(keptBodies.bytes));
	for (const response of open) {
		response.end('fine');
	}

	for (const text of await Promise.all(asked)) {
		assert.match(text, /^HTTP\/1\.1 200 /);
	}

	assert.equal(keptBodies.bytes, 0);
});
