import assert from 'node:assert/strict';
import net from 'node:net';
import {test} from 'node:test';
import {fuzzHttp, StrictServer} from '../support/http-fuzz.ts';

test('random and mutated requests: what arrives are the requests that were decided on, in order, and nothing else', async t => {
	const seed = 1;
	const results = await fuzzHttp(1000, seed);
	for (const [kind, {inputs, decided, arrived, wrong}] of Object.entries(results)) {
		t.diagnostic(`seed ${seed}, ${kind}: ${inputs} inputs, ${decided} requests decided on, ${arrived} arrived whole`);
		assert.deepEqual(wrong, [], kind);
		// Neither all nor none: else the inputs would try nothing.
		assert.ok(arrived > inputs / 4, `${kind}: ${arrived} of ${inputs}`);
	}
});

test('the strict server tells what a careless proxy would send', async t => {
	const server = await StrictServer.start(false);
	t.after(() => server.close());
	const head = 'Host: x\r\nConnection: keep-alive\r\n';
	const inner = `POST /smuggled HTTP/1.1\r\n${head}\r\n`;
	const sent: Array<readonly [string, RegExp]> = [
		[`GET / HTTP/1.1\r\n${head}Content-Length: ${inner.length}\r\n\r\n${inner}`, /"odd":"a body where there is none"/],
		[`GET / HTTP/1.1\r\n${head}\r\n${inner}`, /"target":"\/smuggled"/],
		[
			`POST / HTTP/1.1\r\n${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
			/"odd":"framed twice"/,
		],
		[`POST / HTTP/1.1\r\n${head}Content-Length: 4\r\n\r\nab`, /"left":/],
		[`GET / HTTP/1.1\r\n${head}Content_Length: 5\r\n\r\n`, /"odd":"a name that can be read in two ways"/],
		[`GET / HTTP/1.1\r\n${head}X A: b\r\n\r\n`, /"odd":"a header"/],
		['GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n', /"odd":"not one Host"/],
		['GET / HTTP/1.1\nHost: x\n\n', /"odd":"a line that ends with LF alone"/],
	];
	for (const [text, pattern] of sent) {
		await new Promise<void>(resolve => {
			const client = net.connect(server.port, '127.0.0.1', () => {
				client.end(text);
			});
			client.resume();
			client.on('error', () => {});
			client.once('close', () => resolve());
		});
		await server.settle();
		assert.match(JSON.stringify(server.told.splice(0)), pattern, text);
	}
});
