import assert from 'node:assert/strict';
import net, {type AddressInfo} from 'node:net';
import {test} from 'node:test';
import tls from 'node:tls';
import {readClientHello} from '../../source/core/client-hello.ts';

/** The first bytes of Node's own TLS client. */
function helloOf(servername: string | undefined, alpn: string[] = []): Promise<Uint8Array> {
	return new Promise(resolve => {
		const server = net.createServer(socket => {
			socket.on('error', () => {});
			socket.once('data', bytes => {
				socket.destroy();
				server.close();
				resolve(bytes);
			});
		}).listen(0, '127.0.0.1', () => {
			const client = tls.connect({host: '127.0.0.1', port: (server.address() as AddressInfo).port, ...(servername === undefined ? {} : {servername}), ALPNProtocols: alpn});
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
	const record = (part: Uint8Array) => Buffer.concat([Uint8Array.from([0x16, 3, 1, part.length >> 8, part.length & 255]), part]);
	for (const cut of [1, 3, 40, 100, message.length - 1]) {
		assert.deepEqual(readClientHello(Buffer.concat([record(message.subarray(0, cut)), record(message.subarray(cut))])), {kind: 'hello', name: 'names.example.org'}, String(cut));
	}
});

test('what is not TLS is not waited for, and nothing throws', () => {
	assert.equal(readClientHello(Buffer.from('GET / HTTP/1.1')).kind, 'other');
	assert.equal(readClientHello(Buffer.from('SSH-2.0-x')).kind, 'other');
	assert.equal(readClientHello(Uint8Array.from([0x16, 3, 1, 0, 4, 2, 0, 0, 0])).kind, 'other', 'another handshake message');
	let seed = 1;
	for (let round = 0; round < 2000; round++) {
		const bytes = Uint8Array.from({length: 200}, () => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) & 255);
		bytes.set([0x16, 3, 1, 0, 195, 1, 0, 0, 191]);
		readClientHello(bytes);
	}
});
