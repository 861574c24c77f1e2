import assert from 'node:assert/strict';
import net, {type AddressInfo} from 'node:net';
import {test} from 'node:test';
import tls from 'node:tls';
import {longestHello, readClientHello} from '../../source/core/network/client-hello.ts';

/** The first bytes of Node's own TLS client. */
function helloOf(servername: string | undefined, alpn: string[] = []): Promise<Uint8Array> {
	return new Promise(resolve => {
		const server = net
			.createServer(socket => {
				socket.on('error', () => {});
				socket.once('data', bytes => {
					socket.destroy();
					server.close();
					resolve(bytes);
				});
			})
			.listen(0, '127.0.0.1', () => {
				const client = tls.connect({
					host: '127.0.0.1',
					port: (server.address() as AddressInfo).port,
					...(servername === undefined ? {} : {servername}),
					ALPNProtocols: alpn,
				});
				client.on('error', () => {});
			});
	});
}

test('the name of a real hello, whole or cut anywhere', async () => {
	const bytes = await helloOf('names.example.org', ['h2', 'http/1.1']);
	assert.deepEqual(readClientHello(bytes), {kind: 'hello', name: 'names.example.org'});
	for (let length = 0; length < bytes.length; length++) {
		assert.equal(readClientHello(bytes.subarray(0, length)).kind, 'wait', String(length));
	}

	assert.deepEqual(readClientHello(await helloOf(undefined)), {kind: 'hello', name: undefined});
});

test('a hello that is cut into records is put together', async () => {
	const bytes = await helloOf('names.example.org');
	const message = bytes.subarray(5);
	const record = (part: Uint8Array) =>
		Buffer.concat([Uint8Array.from([0x16, 3, 1, part.length >> 8, part.length & 255]), part]);
	for (const cut of [1, 3, 40, 100, message.length - 1]) {
		assert.deepEqual(
			readClientHello(Buffer.concat([record(message.subarray(0, cut)), record(message.subarray(cut))])),
			{kind: 'hello', name: 'names.example.org'},
			String(cut),
		);
	}
});

/** A hello: its extensions as they are, in records of a size and of a version. */
function made(
	extensions: readonly Uint8Array[],
	{size = 16_384, version = [3, 1], ciphers = 2}: {size?: number; version?: number[]; ciphers?: number} = {},
): Uint8Array {
	const two = (count: number) => [count >> 8, count & 255];
	const rest = Buffer.concat(extensions);
	const body = Buffer.concat([
		Uint8Array.from([3, 3]),
		Buffer.alloc(32),
		Uint8Array.from([0, ...two(ciphers)]),
		Buffer.alloc(ciphers, 0x13),
		Uint8Array.from([1, 0, ...two(rest.length)]),
		rest,
	]);
	const message = Buffer.concat([Uint8Array.from([1, body.length >> 16, ...two(body.length & 65_535)]), body]);
	const pieces = Array.from({length: Math.ceil(message.length / size)}, (_, index) =>
		message.subarray(index * size, (index + 1) * size),
	);
	return Buffer.concat(pieces.flatMap(piece => [Uint8Array.from([0x16, ...version, ...two(piece.length)]), piece]));
}

/** The extension that names a server: entries of a kind and a name. */
function names(...entries: ReadonlyArray<readonly [kind: number, name: string]>): Uint8Array {
	const list = Buffer.concat(entries.map(([kind, name]) => Buffer.from([kind, 0, name.length, ...Buffer.from(name)])));
	return Uint8Array.from([0, 0, 0, list.length + 2, 0, list.length, ...list]);
}

test('a hello that servers may read as another one is odd, and one that some servers take is read', () => {
	const own = names([0, 'a.example']);
	assert.deepEqual(readClientHello(made([own])), {kind: 'hello', name: 'a.example'});
	assert.deepEqual(
		readClientHello(made([own], {version: [0, 1]})),
		{kind: 'hello', name: 'a.example'},
		'any old version',
	);
	assert.deepEqual(
		readClientHello(Buffer.concat([Uint8Array.from([0x15, 3, 1, 0, 2, 1, 0]), made([own])])),
		{kind: 'hello', name: 'a.example'},
		'a warning before it',
	);
	for (const [what, bytes] of Object.entries({
		'another kind of name first': made([names([1, 'a.example'], [0, 'b.example'])]),
		'two names': made([names([0, 'a.example'], [0, 'b.example'])]),
		'two lists of names': made([own, names([0, 'b.example'])]),
		'an extension that is cut': made([own, Uint8Array.from([0, 0, 0, 90])]),
		'a list that is too short': made([Uint8Array.from([0, 0, 0, 3, 0, 1, 0])]),
		'one byte in each record': made([own], {size: 1}),
		'longer than is waited for': made([Uint8Array.from([0, 21, 0xf0, 0, ...Buffer.alloc(0xf0_00)]), own], {
			ciphers: 60_000,
		}).subarray(0, longestHello + 1),
	})) {
		assert.equal(readClientHello(bytes).kind, 'odd', what);
	}
});

test('what is not TLS is not waited for, and nothing throws', () => {
	assert.equal(readClientHello(Buffer.from('GET / HTTP/1.1')).kind, 'other');
	assert.equal(readClientHello(Buffer.from('SSH-2.0-x')).kind, 'other');
	assert.equal(
		readClientHello(Uint8Array.from([0x16, 3, 1, 0, 4, 2, 0, 0, 0])).kind,
		'other',
		'another handshake message',
	);
	let seed = 1;
	for (let round = 0; round < 2000; round++) {
		const bytes = Uint8Array.from({length: 200}, () => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) & 255);
		bytes.set([0x16, 3, 1, 0, 195, 1, 0, 0, 191]);
		readClientHello(bytes);
	}
});
