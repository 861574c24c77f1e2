import assert from 'node:assert/strict';
import {test, type TestContext} from 'node:test';
import tls from 'node:tls';
import net, {type AddressInfo} from 'node:net';
import {brotliCompressSync, deflateSync, gzipSync} from 'node:zlib';
import {encodings} from '../../source/core/secrets/encodings.ts';
import {fuzzReplies, readReply} from '../support/reply-fuzz.ts';
import {openBroker, pointer, value, world} from '../support/tls.ts';

/*
 * What a server says, byte by byte: no value comes back in it,
 * nothing ends the supervisor, and what is no reply becomes a 502.
 */

async function saying(t: TestContext, reply: string | Uint8Array) {
	const sockets = new Set<net.Socket>();
	const server = tls.createServer(world.leaf('localhost'), socket => {
		sockets.add(socket);
		socket.on('error', () => {});
		socket.once('data', () => socket.end(reply));
	});
	await new Promise<void>(resolve => {
		server.listen(0, '127.0.0.1', resolve);
	});
	t.after(() => {
		server.close();
		for (const socket of sockets) {
			socket.destroy();
		}
	});
	return openBroker(t, (server.address() as AddressInfo).port);
}

const latin = (text: string) => Buffer.from(text, 'latin1');

test('what is no reply becomes a 502, and ends the connection', async t => {
	const head = 'HTTP/1.1 200 OK\r\n';
	const odd = [
		'HTTP/1.1 000 No\r\nContent-Length: 0\r\n\r\n',
		'HTTP/1.1 099 No\r\nContent-Length: 0\r\n\r\n',
		'HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n',
		'HTTP/1.1 600 No\r\nContent-Length: 0\r\n\r\n',
		'HTTP/1.1 20 No\r\n\r\n',
		'HTTP/1.1 2000 No\r\n\r\n',
		'HTTP/1.1 -20 No\r\n\r\n',
		'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
		'HTTP/1.1 101 x\r\n\r\n',
		`${'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n'.repeat(200)}${head}Content-Length: 0\r\n\r\n`,
		`${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
		`${head}Content-Length: 4\r\nContent-Length: 5\r\n\r\nfine`,
		`${head}Content-Length: x\r\n\r\n`,
		`${head}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
		`${head}Transfer-Encoding: identity\r\n\r\nfine`,
		`${head}X-A: a\u0000b\r\nContent-Length: 0\r\n\r\n`,
		`${head}X A: b\r\n\r\n`,
		`${head}: b\r\n\r\n`,
		'HTTP/9.9 200 OK\r\n\r\n',
		'nonsense\r\n\r\n',
		'',
		'\u0000\u0001',
		`${head}Content-Encoding: zstd\r\nContent-Length: 4\r\n\r\nfine`,
		`${head}Content-Encoding: gzip, gzip\r\nContent-Length: 4\r\n\r\nfine`,
		'HTTP/1.1 206 Partial Content\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nfine',
		`${head}${'X-A: b\r\n'.repeat(3000)}Content-Length: 0\r\n\r\n`,
	];
	for (const reply of odd) {
		const {talk, secret} = await saying(t, latin(reply));
		const answer = await talk(
			`GET / HTTP/1.1\r\nHost: ${secret.binding.hosts[0]}\r\nAuthorization: Bearer ${pointer}\r\n\r\n`,
		);
		assert.match(
			answer,
			/^HTTP\/1\.1 502 Bad Gateway\r\n(?:.*\r\n)*Connection: close\r\n/i,
			`${reply.slice(0, 100)}: ${answer}`,
		);
		assert.ok(typeof readReply(answer, 'GET') === 'object', answer);
	}
});

test('a handshake is not told more and more', async t => {
	const {talk, secret} = await saying(t, latin('HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n'.repeat(200)));
	const answer = await talk(
		`GET / HTTP/1.1\r\nHost: ${secret.binding.hosts[0]}\r\nAuthorization: Bearer ${pointer}\r\n` +
			'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
			'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
	);
	assert.match(answer, /^HTTP\/1\.1 502 [^]*told more and more/);
});

test('the value comes back in no part of a reply', async t => {
	const parts = [
		`HTTP/1.1 200 ${value}\r\nContent-Length: 0\r\n\r\n`,
		`HTTP/1.1 401 Unauthorized ${value}\r\nContent-Length: 0\r\n\r\n`,
		`HTTP/1.1 200 OK\r\n${value}: x\r\nContent-Length: 0\r\n\r\n`,
		`HTTP/1.1 200 OK\r\n${value.toUpperCase()}: x\r\nContent-Length: 0\r\n\r\n`,
		`HTTP/1.1 200 OK\r\nX-Echo: a${value}\r\n ${value}\r\nContent-Length: 0\r\n\r\n`,
		`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n4;x=${value}\r\nfine\r\n0;${value}\r\n` +
			`X-A: ${value}\r\n\r\n`,
		`HTTP/1.1 103 ${value}\r\nLink: ${value}\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine`,
		`HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine${value}`,
		`HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n${value}`,
		`HTTP/1.0 200 OK\r\n\r\n${value}`,
		`HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n${value}`,
		`HTTP/1.1 204 No Content\r\nContent-Length: 28\r\n\r\n${value}`,
		`${value}\r\n\r\n`,
		`HTTP/1.1 999 ${value}\r\n\r\n`,
		`HTTP/1.1 200 OK\r\nContent-Length: ${value}\r\n\r\n`,
		`HTTP/1.1 200 OK\r\nContent-Type: text/${value}\r\nConnection: ${value}\r\nKeep-Alive: ${value}\r\n` +
			`Proxy-Authenticate: ${value}\r\nContent-Length: 0\r\n\r\n`,
	];
	for (const upgrade of [
		'',
		'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
			'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
	]) {
		for (const reply of parts) {
			const {talk, secret} = await saying(t, latin(reply));
			const answer = await talk(
				`GET / HTTP/1.1\r\nHost: ${secret.binding.hosts[0]}\r\nAuthorization: Bearer ${pointer}\r\n` +
					`${upgrade}${upgrade === '' ? 'Connection: close\r\n' : ''}\r\n`,
			);
			assert.ok(answer !== '' && !answer.toLowerCase().includes(value.toLowerCase()), `${reply}: ${answer}`);
		}
	}
});

test('a compression that was not asked for is undone, so that what is in it is blanked', async t => {
	const text = `{"key":"${value}"}`;
	for (const [coding, bytes] of [
		['gzip', gzipSync(text)],
		['x-gzip', gzipSync(text)],
		['deflate', deflateSync(text)],
		['br', brotliCompressSync(text)],
		['identity', Buffer.from(text)],
	] as const) {
		const {ask, seen} = await saying(
			t,
			Buffer.concat([
				latin(
					`HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\nContent-Type: application/json\r\n` +
						`Content-Length: ${bytes.length}\r\n\r\n`,
				),
				bytes,
			]),
		);
		const answer = readReply(await ask(), 'GET');
		assert.ok(typeof answer === 'object', String(answer));
		assert.equal(answer.body, `{"key":"${'*'.repeat(value.length)}"}`, coding);
		assert.ok(!answer.headers.some(([name]) => name.toLowerCase() === 'content-encoding'));
		assert.ok(seen.replies.join('').includes('"key"'), 'and what it costs can be read');
	}

	const {ask} = await saying(t, latin(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nfine`));
	assert.match(await ask(), /^HTTP\/1\.1 200/, 'what does not unpack ends with its connection');
	const {ask: askHead} = await saying(
		t,
		latin(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n`),
	);
	assert.match(await askHead('/', {authorization: `Bearer ${pointer}`}, {method: 'HEAD'}), /^HTTP\/1\.1 200 OK/);
});

test('random and mutated replies: no value, no crash, and to the client one reply that can be read in one way', async t => {
	const seed = 1;
	const {inputs, passed, wrong} = await fuzzReplies(300, seed);
	t.diagnostic(`seed ${seed}: ${inputs} replies, ${passed} passed on`);
	assert.deepEqual(wrong, []);
	assert.ok(passed > inputs / 10 && passed < inputs, `${passed} of ${inputs}`);
	assert.ok(encodings(value).length > 5);
});
