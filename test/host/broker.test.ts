import assert from 'node:assert/strict';
import {createHash, X509Certificate} from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import {test} from 'node:test';
import {encodings} from '../../source/core/secrets/encodings.ts';
import {Authority} from '../../source/host/authority.ts';
import {openBroker, pointer, serveTls, value} from '../support/tls.ts';

const echo: http.RequestListener = (request, response) => {
	response.end(`${request.method} ${request.url} ${request.headers.authorization ?? '-'}`);
};

test("the authority's certificates are ones that OpenSSL takes", () => {
	const authority = new Authority('a-run');
	const root = new X509Certificate(authority.certificate);
	assert.equal(root.ca, true);
	assert.ok(root.verify(root.publicKey));
	assert.ok(Date.parse(root.validTo) - Date.parse(root.validFrom) <= 2 * 86_400_000);
	for (const host of ['api.example.org', '127.0.0.1', '::1', 'xn--bcher-kva.example']) {
		const leaf = new X509Certificate(authority.leaf(host).cert);
		assert.ok(leaf.checkIssued(root) && leaf.verify(root.publicKey), host);
		assert.equal(leaf.ca, false);
		assert.equal(net.isIP(host) ? leaf.checkIP(host) : leaf.checkHost(host), host);
		assert.equal(leaf.checkHost('other.example.org'), undefined);
	}

	assert.equal(authority.leaf('a.example'), authority.leaf('a.example'), 'made once');
	assert.ok(
		!new X509Certificate(new Authority('b').leaf('a.example').cert).verify(root.publicKey),
		"another run's authority is another",
	);
});

test('the value arrives where the pointer was sent, and the pointer does not', async t => {
	const got: string[] = [];
	const port = await serveTls(t, (request, response) => {
		got.push(JSON.stringify(request.headers));
		response.end('fine');
	});
	const {ask, seen} = await openBroker(t, port);
	assert.match(
		await ask('/v1/x', {authorization: `Bearer ${pointer}`, 'accept-encoding': 'gzip', 'x-other': 'kept'}),
		/^HTTP\/1\.1 200 OK.*fine$/s,
	);
	const [headers = ''] = got;
	assert.ok(headers.includes(`Bearer ${value}`) && !headers.includes(pointer), headers);
	assert.equal(JSON.parse(headers)['accept-encoding'], 'identity');
	assert.equal(JSON.parse(headers)['x-other'], 'kept');
	assert.deepEqual(seen.used, ['secret:user/test']);
	assert.deepEqual([...seen.alarms, ...seen.refused, ...seen.denied], []);
});

test('a pointer elsewhere, another credential, another host: nothing arrives', async t => {
	let arrived = 0;
	const port = await serveTls(t, (request, response) => {
		request.resume();
		arrived++;
		response.end('fine');
	});
	const {ask, talk, seen} = await openBroker(t, port, {paths: ['/v1/*'], methods: ['GET', 'POST']});
	const refused: Array<[number, () => Promise<string>]> = [
		[403, () => ask('/v1/x', {'x-other': pointer})],
		[403, () => ask(`/v1/x?t=${pointer}`, {})],
		[403, () => ask('/v1/x', {authorization: 'Bearer attacker'})],
		[403, () => ask('/v1/x', {cookie: 'a=b'})],
		...['X_Api_Key', 'X.Api.Key', 'authorization_', 'x_my-token', 'Ocp-Apim-Subscription-Key', 'X-Client-Secret'].map(
			(name): [number, () => Promise<string>] => [403, () => ask('/v1/x', {[name]: 'attacker'})],
		),
		...[
			'oauth_token',
			'refresh-token',
			'AWSAccessKeyId',
			'X-Amz-Credential',
			'api%5Fkey',
			'client_assertion',
			'x.secret',
		].map((name): [number, () => Promise<string>] => [403, () => ask(`/v1/x?page_token=1&${name}=attacker`)]),
		...[
			'X-HTTP-Method-Override: DELETE',
			'x_method_override: DELETE',
			'X-HTTP-Method: DELETE',
			'X-Original-URL: /v2/files',
			'X-Rewrite-Url: /v2/files',
			'Destination: /v2/files',
			'X-Forwarded-Host: evil.example',
			'Forwarded: host=evil.example',
			'X-Host: evil.example',
		].map((header): [number, () => Promise<string>] => [
			403,
			() => ask('/v1/x', Object.fromEntries([header.split(': ') as [string, string]])),
		]),
		[403, () => ask('/v1/x?_method=DELETE')],
		[403, () => ask('/v1/x?a=b;%5Fmethod=DELETE')],
		...[
			'/v1/%252e%252e/v2',
			'/v1/..;/v2',
			'/v1/x;/../v2',
			'/v1/x;a=b',
			'/v1/x%3b',
			'/v1/%c0%ae%c0%ae/v2',
			'/v1/%e0%80%ae/v2',
			'/v1/x%ef%bc%8fv2',
			'/v1/%ef%bc%8e%ef%bc%8e/v2',
			'/v1/.../v2',
			'/v1/%20../v2',
			'/v1/x%5cv2',
			'/v1/x%00',
			'/v1/x%0a',
			'/v1/x%ff',
			'/v1/x%3f',
			'/v1/x%23',
			'/v1/%u002e',
		].map((path): [number, () => Promise<string>] => [403, () => ask(path)]),
		[403, () => ask('/v1/..\\v2')],
		[400, () => ask('/v1/x#y')],
		[403, () => ask('/v2/files')],
		[403, () => ask('/v1/%2e%2e/v2')],
		[403, () => ask('/v1/x', undefined, {method: 'DELETE'})],
		[421, () => ask('/v1/x', undefined, {host: 'evil.example'})],
		[405, () => ask('/v1/x', undefined, {method: 'TRACE'})],
		[405, () => talk(`CONNECT evil.example:443 HTTP/1.1\r\nHost: host.fleet.internal:${port}\r\n\r\n`)],
		[
			400,
			() =>
				talk(
					`GET /v1/x HTTP/1.1\r\nHost: host.fleet.internal:${port}\r\nHost: host.fleet.internal:${port}\r\n` +
						'Connection: close\r\n\r\n',
				),
		],
		[400, () => talk('GET /v1/x HTTP/1.1\r\nConnection: close\r\n\r\n')],
		[
			400,
			() =>
				talk(
					`GET /v1/x HTTP/1.1\r\nHost: host.fleet.internal:${port}\r\nAuthorization: Bearer ${pointer}\r\n` +
						'Authorization: Bearer x\r\nConnection: close\r\n\r\n',
				),
		],
		[
			400,
			() =>
				talk(`GET https://evil.example/ HTTP/1.1\r\nHost: host.fleet.internal:${port}\r\nConnection: close\r\n\r\n`),
		],
		// Smuggling: two lengths, a length and chunks, a chunk that
		// is none, a NUL, a line that begins with a space, a bare CR.
		[
			400,
			() =>
				talk(
					`POST /v1/x HTTP/1.1\r\nHost: host.fleet.internal:${port}\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`,
				),
		],
		[
			400,
			() =>
				talk(
					`POST /v1/x HTTP/1.1\r\nHost: host.fleet.internal:${port}\r\nContent-Length: 4\r\n` +
						'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
				),
		],
		[
			400,
			() =>
				talk(
					`POST /v1/x HTTP/1.1\r\nHost: host.fleet.internal:${port}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
				),
		],
		[400, () => talk(`GET /v1/x HTTP/1.1\r\nHost: host.fleet.internal:${port}\r\nX-A: a\u0000b\r\n\r\n`)],
		[400, () => talk(`GET /v1/x HTTP/1.1\r\nHost: host.fleet.internal:${port}\rX-A: b\r\n\r\n`)],
		[400, () => talk('\u0000\u0001\u0002 /v1/x\r\n\r\n')],
	];
	for (const [status, attempt] of refused) {
		const answer = await attempt();
		assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), `${String(attempt)}: ${answer}`);
	}

	assert.equal(arrived, 0);
	assert.equal(seen.alarms.length, 3, seen.alarms.join('; '));
	const passed: Array<() => Promise<string>> = [
		() =>
			ask('/v1/x?page_token=1&nextToken=2&sort_key=3&max_tokens=4&continuation-token=5', {
				session_id: 'x',
				'idempotency-key': 'y',
				'x-client-request-token': 'z',
			}),
		() => ask('/v1/caf%C3%A9/a%20b/c+d/e%40f/@x/~y/.well-known/a.b'),
		() => ask('/v1/x?path=../../y&a=%252e%2f'),
	];
	for (const attempt of passed) {
		assert.match(await attempt(), /^HTTP\/1\.1 200 /, String(attempt));
	}
});

test('a pointer in a body goes no further, however it is cut or written', async t => {
	let body = '';
	const port = await serveTls(t, (request, response) => {
		request.on('data', part => {
			body += String(part);
		});
		request.on('error', () => {});
		request.on('end', () => response.end('fine'));
	});
	const {ask, connect, seen} = await openBroker(t, port);
	for (const written of [
		pointer,
		Buffer.from(pointer).toString('base64'),
		Buffer.from(`x${pointer}`).toString('base64'),
		Buffer.from(pointer).toString('hex'),
	]) {
		assert.match(
			await ask('/', {authorization: `Bearer ${pointer}`}, {method: 'POST', body: `{"a":"${written}"}`}),
			/^HTTP\/1\.1 403/,
			written,
		);
	}

	const client = await connect();
	const closed = new Promise(resolve => {
		client.once('close', resolve);
	});
	client.resume();
	client.write(`POST / HTTP/1.1\r\nHost: host.fleet.internal:${port}\r\nContent-Length: 100\r\n\r\n`);
	for (const character of pointer) {
		client.write(character);
		await new Promise(resolve => {
			setTimeout(resolve, 2);
		});
	}

	await closed;
	assert.ok(!body.includes(pointer.slice(0, 20)), body);
	assert.equal(seen.alarms.length, 5);
});

test("to a model's own host a pointer in a body is blanked, with an alarm: the agent goes on", async t => {
	let body = '';
	const port = await serveTls(t, (request, response) => {
		request.on('data', part => {
			body += String(part);
		});
		request.on('end', () => response.end('fine'));
	});
	const {ask, seen} = await openBroker(t, port, {class: 'model'});
	assert.match(
		await ask('/', {authorization: `Bearer ${pointer}`}, {method: 'POST', body: `{"env":"KEY=${pointer}"}`}),
		/^HTTP\/1\.1 200/,
	);
	assert.equal(body, `{"env":"KEY=${'*'.repeat(pointer.length)}"}`);
	assert.equal(seen.alarms.length, 1);
});

function statusFor(url: string): number {
	if (url.startsWith('/error')) {
		return 500;
	}

	return url.startsWith('/redirect') ? 302 : 200;
}

test('a reply that brings the value back is blanked: headers, bodies, errors, redirects, in every spelling, byte by byte', async t => {
	const port = await serveTls(t, (request, response) => {
		const form = Number(new URL(request.url!, 'https://x').searchParams.get('form'));
		const written = encodings(value)[form]!;
		if (request.url!.startsWith('/slow')) {
			response.writeHead(200, {'content-type': 'text/plain'});
			let at = 0;
			const timer = setInterval(() => {
				if (at < written.length) {
					response.write(written[at++]);
				} else {
					clearInterval(timer);
					response.end();
				}
			}, 1);
			return;
		}

		response.writeHead(statusFor(request.url!), {
			location: `https://evil.example/?k=${written}`,
			'x-echo': written,
			'set-cookie': 'session=1',
			'content-length': Buffer.byteLength(`[${written}]`),
		});
		response.end(`[${written}]`);
	});
	const {ask} = await openBroker(t, port);
	for (const [form, written] of encodings(value).entries()) {
		for (const place of ['/plain', '/error', '/redirect', '/slow']) {
			const answer = await ask(`${place}?form=${form}`);
			assert.ok(!answer.includes(written), `${place} ${written}: ${answer}`);
			assert.ok(answer.includes('*'.repeat(written.length - 2)), `${place} ${written}: ${answer}`);
			assert.ok(!/set-cookie/i.test(answer));
		}
	}
});

test('events of a stream are not delayed, whatever they end with', async t => {
	const port = await serveTls(t, (_request, response) => {
		response.writeHead(200, {'content-type': 'text/event-stream'});
		let count = 0;
		const timer = setInterval(() => {
			response.write(`data: ${Date.now()} sk-real\n\n`);
			if (++count === 10) {
				clearInterval(timer);
				response.end();
			}
		}, 20);
	});
	const {connect} = await openBroker(t, port);
	const client = await connect();
	const lags: number[] = [];
	client.on('data', bytes => {
		for (const [, sent] of String(bytes).matchAll(/data: (\d+)/g)) {
			lags.push(Date.now() - Number(sent));
		}
	});
	client.write(
		`GET / HTTP/1.1\r\nHost: host.fleet.internal:${port}\r\nAuthorization: Bearer ${pointer}\r\n` +
			'Connection: close\r\n\r\n',
	);
	await new Promise(resolve => {
		client.once('close', resolve);
	});
	assert.equal(lags.length, 10);
	// An event that waited for the next one would be late by as long as they are apart.
	assert.ok(lags.toSorted((a, b) => a - b)[5]! < 15, lags.join());
});

test('a hello for another host, no hello, plain HTTP: nothing arrives at a bound host', async t => {
	let arrived = 0;
	const port = await serveTls(t, (_request, response) => {
		arrived++;
		response.end();
	});
	const {connect, port: proxy, seen} = await openBroker(t, port);
	await assert.rejects(connect({servername: 'front.example.org'}));
	const plain = (text: string) =>
		new Promise<string>(resolve => {
			const socket = net.connect(proxy, '127.0.0.1');
			let answer = '';
			socket.on('data', part => {
				answer += String(part);
			});
			socket.on('error', () => {});
			socket.once('close', () => resolve(answer));
			socket.write(text);
		});
	assert.match(
		await plain(`CONNECT host.fleet.internal:${port} HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n`),
		/200 Connection Established/,
	);
	assert.match(
		await plain(`GET http://host.fleet.internal:${port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`),
		/^HTTP\/1\.1 403/,
	);
	assert.equal(arrived, 0);
	assert.equal(seen.denied.length, 3, seen.denied.join('; '));
});

test('a pointer that can be read on its way to an unbound host is refused, with an alarm', async t => {
	const bound = await serveTls(t, echo);
	let got = '';
	const other = http.createServer((request, response) => {
		request.on('data', part => {
			got += String(part);
		});
		request.on('error', () => {});
		got += request.url! + JSON.stringify(request.headers);
		request.on('end', () => response.end('fine'));
	});
	await new Promise<void>(resolve => {
		other.listen(0, '127.0.0.1', resolve);
	});
	t.after(() => {
		other.close();
		other.closeAllConnections();
	});
	const {port: there} = other.address() as net.AddressInfo;
	const {port: proxy, state, seen} = await openBroker(t, bound);
	state.rules.push({host: 'host.fleet.internal', port: there, source: 'grant'});
	const send = (text: string) =>
		new Promise<string>(resolve => {
			const socket = net.connect(proxy, '127.0.0.1');
			let answer = '';
			socket.on('data', part => {
				answer += String(part);
			});
			socket.on('error', () => {});
			socket.once('close', () => resolve(answer));
			socket.write(text);
		});
	assert.match(
		await send(
			`GET http://host.fleet.internal:${there}/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${pointer}\r\n` +
				'Connection: close\r\n\r\n',
		),
		/^HTTP\/1\.1 403/,
	);
	assert.match(
		await send(`GET http://host.fleet.internal:${there}/?${pointer} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`),
		/^HTTP\/1\.1 403/,
	);
	await send(
		`POST http://host.fleet.internal:${there}/ HTTP/1.1\r\nHost: x\r\nContent-Length: ${pointer.length}\r\n` +
			`Connection: close\r\n\r\n${pointer}`,
	);
	await send(
		`CONNECT host.fleet.internal:${there} HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\nHost: x\r\n` +
			`Content-Length: ${pointer.length}\r\nConnection: close\r\n\r\n${pointer}`,
	);
	assert.ok(!got.includes(pointer), got);
	assert.equal(seen.alarms.length, 4, seen.alarms.join('; '));
	assert.match(
		await send(
			`POST http://host.fleet.internal:${there}/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n` +
				'Connection: close\r\n\r\nhello',
		),
		/^HTTP\/1\.1 200.*fine/s,
		'what is no pointer passes',
	);
	assert.match(
		await send(
			`CONNECT host.fleet.internal:${there} HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n` +
				'Connection: close\r\n\r\nhello',
		),
		/200 OK.*fine/s,
	);
});

test("a server whose certificate is not the bound host's is not spoken to", async t => {
	let arrived = 0;
	const port = await serveTls(
		t,
		(_request, response) => {
			arrived++;
			response.end();
		},
		{host: 'other.example.org'},
	);
	const {ask} = await openBroker(t, port);
	assert.match(await ask(), /^HTTP\/1\.1 502.*ALTNAME/s);
	assert.equal(arrived, 0);
});

test('revoking destroys what uses the secret, and stale streams with it', async t => {
	const sockets = new Set<net.Socket>();
	const port = await serveTls(t, (request, response) => {
		sockets.add(request.socket);
		request.socket.on('close', () => sockets.delete(request.socket));
		response.writeHead(200, {'content-type': 'text/event-stream'});
		response.write('data: one\n\n');
	});
	const {connect, proxy, state, ask, seen} = await openBroker(t, port);
	const client = await connect();
	const first = new Promise(resolve => {
		client.once('data', resolve);
	});
	client.write(`GET / HTTP/1.1\r\nHost: host.fleet.internal:${port}\r\nAuthorization: Bearer ${pointer}\r\n\r\n`);
	await first;
	assert.equal(proxy.cut(), 0, 'nothing is cut that is in force');
	state.held = [];
	const closed = new Promise(resolve => {
		client.once('close', resolve);
	});
	assert.equal(proxy.cut(), 1);
	await closed;
	await new Promise(resolve => {
		setTimeout(resolve, 50);
	});
	assert.equal(sockets.size, 0, "the server's end is closed, too");
	state.rules = [];
	await assert.rejects(ask());
	assert.deepEqual(seen.alarms, []);
});

test('a kept connection is refused once the secret is gone', async t => {
	let arrived = 0;
	const port = await serveTls(t, (_request, response) => {
		arrived++;
		response.setHeader('content-length', 4);
		response.end('fine');
	});
	const {connect, state} = await openBroker(t, port);
	const client = await connect();
	const ask = () =>
		new Promise<string>(resolve => {
			let answer = '';
			const hear = (part: Buffer) => {
				answer += String(part);
				if (/fine$|granted\n/.test(answer)) {
					client.off('data', hear);
					resolve(answer);
				}
			};

			client.on('data', hear);
			client.write(`GET / HTTP/1.1\r\nHost: host.fleet.internal:${port}\r\nAuthorization: Bearer ${pointer}\r\n\r\n`);
		});
	assert.match(await ask(), /200/);
	state.held = [];
	assert.match(await ask(), /403/);
	assert.equal(arrived, 1);
	client.destroy();
});

/** A frame of a websocket; a client's are masked. */
function frame(text: string, mask?: Buffer, opcode = 1): Buffer {
	const payload = Buffer.from(text);
	const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 0xff];
	const head = Buffer.from([0x80 | opcode, (mask ? 0x80 : 0) | length[0]!, ...length.slice(1), ...(mask ?? [])]);
	return Buffer.concat([head, mask ? Buffer.from(payload.map((byte, index) => byte ^ mask[index & 3]!)) : payload]);
}

async function websocket(
	t: Parameters<typeof serveTls>[0],
	more: Parameters<typeof openBroker>[2],
	onFrame: (text: Buffer, send: (bytes: Buffer) => void) => void,
) {
	const hello: http.IncomingHttpHeaders[] = [];
	const port = await serveTls(
		t,
		(_request, response) => {
			response.writeHead(426, {upgrade: 'other', 'x-echo': value}).end(`no: ${value}`);
		},
		{
			upgrade(request, socket) {
				hello.push(request.headers);
				socket.on('error', () => {});
				const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
				socket.write(
					'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
						`X-Echo: ${value}\r\n` +
						`Sec-WebSocket-Accept: ${createHash('sha1').update(key).digest('base64')}\r\n\r\n`,
				);
				socket.on('data', bytes => onFrame(bytes, out => socket.write(out)));
			},
		},
	);
	const opened = await openBroker(t, port, more);
	const client = await opened.connect();
	let received = Buffer.alloc(0);
	client.on('data', part => {
		received = Buffer.concat([received, part]);
	});
	client.write(
		`GET /socket HTTP/1.1\r\nHost: host.fleet.internal:${port}\r\nAuthorization: Bearer ${pointer}\r\n` +
			'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
			'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n',
	);
	const sees = async (pattern: RegExp) => {
		for (let tries = 0; tries < 200 && !pattern.test(received.toString('latin1')); tries++) {
			await new Promise(resolve => {
				setTimeout(resolve, 10);
			});
		}

		assert.match(received.toString('latin1'), pattern);
	};

	await sees(/101 Switching Protocols.*\r\n\r\n/s);
	return {...opened, client, hello, received: () => received.toString('latin1'), sees, server: port};
}

const mask = Buffer.from([0x12, 0x34, 0x56, 0x78]);

test("a websocket's handshake is swapped, its frames pass, and a value that comes back is blanked", async t => {
	const {client, hello, sees, received, seen} = await websocket(t, {}, (_bytes, send) => {
		send(frame(`echo ${value} end`));
	});
	assert.equal(hello[0]?.authorization, `Bearer ${value}`);
	assert.equal(hello[0]?.['sec-websocket-extensions'], undefined);
	client.write(frame('hello', mask));
	await sees(/echo \*{28} end/);
	assert.ok(!received().includes(value), "also not in the handshake's headers");
	assert.deepEqual(seen.alarms, []);
	client.destroy();
});

test('a value that a websocket brings back in pieces ends it before it is whole', async t => {
	const {client, received, seen} = await websocket(t, {}, (_bytes, send) => {
		for (const character of value) {
			send(frame(character));
		}
	});
	const closed = new Promise(resolve => {
		client.once('close', resolve);
	});
	client.write(frame('hello', mask));
	await closed;
	const letters = received()
		.split('\r\n\r\n')[1]!
		.replaceAll(/[^\w-]/g, '');
	assert.ok(letters.length < value.length * 0.7, letters);
	assert.equal(seen.alarms.length, 1);
});

test("a pointer in a websocket's message ends it; to a model it is blanked", async t => {
	let got = '';
	const task = await websocket(t, {}, bytes => {
		got += bytes.toString('latin1');
	});
	const closed = new Promise(resolve => {
		task.client.once('close', resolve);
	});
	task.client.write(frame(`x ${pointer}`, mask));
	await closed;
	assert.equal(task.seen.alarms.length, 1);
	const unmasked: string[] = [];
	const model = await websocket(t, {class: 'model'}, (bytes, send) => {
		const key = bytes.subarray(2, 6);
		unmasked.push(Buffer.from(bytes.subarray(6).map((byte, index) => byte ^ key[index & 3]!)).toString());
		send(frame('fine'));
	});
	model.client.write(frame(`x ${pointer}`, mask));
	await model.sees(/fine/);
	assert.deepEqual(unmasked, [`x ${'*'.repeat(pointer.length)}`]);
	assert.equal(model.seen.alarms.length, 1);
	model.client.destroy();
});

test('frames that would be compressed, and an upgrade to something else, do not pass', async t => {
	const {client, seen, ask} = await websocket(t, {}, (_bytes, send) => {
		send(Buffer.from([0xc1, 0x02, 0x00, 0x00]));
	});
	const closed = new Promise(resolve => {
		client.once('close', resolve);
	});
	client.write(frame('hello', mask));
	await closed;
	const answer = await ask('/', {upgrade: 'h2c', connection: 'Upgrade', authorization: `Bearer ${pointer}`});
	assert.match(answer, /^HTTP\/1\.1 (?:403|426)/);
	assert.ok(!answer.includes(value));
	assert.equal(seen.alarms.length, 0);
});

test('a body of many megabytes passes whole, and memory stays flat', async t => {
	const size = 64 * 1024 ** 2;
	const block = Buffer.alloc(1024 ** 2, 'abcdefghijklmnopqrstuvwxyz\n');
	const port = await serveTls(t, (_request, response) => {
		response.writeHead(200, {'content-length': size});
		let sent = 0;
		const push = () => {
			while (sent < size) {
				sent += block.length;
				if (!response.write(block)) {
					response.once('drain', push);
					return;
				}
			}

			response.end();
		};

		push();
	});
	const {connect} = await openBroker(t, port);
	const client = await connect();
	const hash = createHash('sha1');
	let count = 0;
	let head = true;
	client.on('data', part => {
		const body = head ? part.subarray(part.indexOf('\r\n\r\n') + 4) : part;
		head = false;
		hash.update(body);
		count += body.length;
	});
	client.write(
		`GET / HTTP/1.1\r\nHost: host.fleet.internal:${port}\r\nAuthorization: Bearer ${pointer}\r\n` +
			'Connection: close\r\n\r\n',
	);
	await new Promise(resolve => {
		client.once('close', resolve);
	});
	const expected = createHash('sha1');
	for (let sent = 0; sent < size; sent += block.length) {
		expected.update(block);
	}

	assert.equal(count, size);
	assert.equal(hash.digest('hex'), expected.digest('hex'));
});
