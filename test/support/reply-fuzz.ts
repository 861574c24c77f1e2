// Random and mutated replies of a server through the broker, to a client: no value comes back, in any spelling, and
// what the client gets is one reply that can be read in one way.
import net, {type AddressInfo} from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {writeFileSync} from 'node:fs';
import tls from 'node:tls';
import {brotliCompressSync, gzipSync} from 'node:zlib';
import {encodings} from '../../source/core/secrets/encodings.ts';
import {openBroker, pointer, value, world} from './tls.ts';
import {Chance, shrink} from './chance.ts';
import {disguises, undisguised} from './disguises.ts';

export type Reply = {
	readonly status: number;
	readonly headers: ReadonlyArray<readonly [string, string]>;
	readonly body: string;
	readonly isWhole: boolean;
};

/** Reads the one reply that a text is, strictly. @returns it, or why it is none */
export function readReply(text: string, method: string): Reply | string {
	const end = text.indexOf('\r\n\r\n');
	if (end === -1) {
		return 'no end of the headers';
	}

	const [line = '', ...lines] = text.slice(0, end).split('\r\n');
	const match = /^HTTP\/1\.1 ([1-5]\d\d) [A-Za-z '-]+$/.exec(line);
	if (!match) {
		return `a status line of its own: ${line}`;
	}

	const headers: Array<readonly [string, string]> = [];
	for (const line of lines) {
		const header = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\t -~\u0080-\u00FF]*)$/.exec(line);
		if (!header) {
			return `a header that is none: ${line}`;
		}

		headers.push([header[1]!.toLowerCase(), header[2]!]);
	}

	const status = Number(match[1]);
	const rest = text.slice(end + 4);
	if (status === 100) {
		return readReply(rest, method);
	}

	const valuesOf = (name: string) => headers.filter(([other]) => other === name).map(([, value]) => value);
	const lengths = valuesOf('content-length');
	const codings = valuesOf('transfer-encoding');
	if (lengths.length + codings.length > 1) {
		return 'framed twice';
	}

	if (method === 'HEAD' || status === 204 || status === 304) {
		return rest === '' ? {status, headers, body: '', isWhole: true} : 'a body where there is none';
	}

	if (lengths.length === 1) {
		const length = Number(lengths[0]);
		if (!/^\d+$/.test(lengths[0]!)) {
			return 'a length';
		}

		return rest.length > length ? 'more than was said' : {status, headers, body: rest, isWhole: rest.length === length};
	}

	if (codings.length === 0) {
		return valuesOf('connection').join().toLowerCase() === 'close'
			? {status, headers, body: rest, isWhole: true}
			: 'no framing';
	}

	if (codings[0] !== 'chunked') {
		return 'a coding';
	}

	let body = '';
	for (let at = 0; ;) {
		const size = /^([0-9a-f]+)\r\n/i.exec(rest.slice(at, at + 20));
		if (!size) {
			return at >= rest.length || (rest.slice(at).length < 20 && !/[^0-9a-f\r]/i.test(rest.slice(at)))
				? {status, headers, body, isWhole: false}
				: "a chunk's size";
		}

		const length = Number.parseInt(size[1]!, 16);
		at += size[0].length;
		if (length === 0) {
			if (rest.slice(at) === '\r\n') {
				return {status, headers, body, isWhole: true};
			}

			return rest.slice(at).length < 2 ? {status, headers, body, isWhole: false} : 'something after the last chunk';
		}

		body += rest.slice(at, at + length);
		if (rest.length < at + length + 2) {
			return {status, headers, body, isWhole: false};
		}

		if (rest.slice(at + length, at + length + 2) !== '\r\n') {
			return "a chunk's end";
		}

		at += length + 2;
	}
}

const odd = [
	'\r\n',
	'\n',
	'\r',
	'\0',
	' ',
	'\t',
	':',
	'\r\n ',
	'\r\n\r\n',
	'\u0080',
	'ÿ',
	'0\r\n\r\n',
	'\r\nContent-Length: 5\r\n',
	'\r\nTransfer-Encoding: chunked\r\n',
	'HTTP/1.1 200 OK\r\n',
	value,
];

// oxfmt-ignore
const oddStatuses = ['000', '099', '100', '101', '102', '103', '199', '600', '999', '20', '2000', '-1', 'abc', ''];

/** What a server says to one request. */
export function makeReply(chance: Chance): Buffer {
	const share = chance.once(0.5) ? 0.03 : 0.2;
	const either = (usual: string, odd: readonly string[]) => (chance.once(share) ? chance.pick(odd) : usual);
	const secret = () =>
		chance.once(0.5)
			? chance.pick(encodings(value))
			: [...value].map(character => (chance.once(0.5) ? character : chance.pick(disguises)(character))).join('');
	const version = either('HTTP/1.1', ['HTTP/1.0', 'HTTP/2.0', 'http/1.1', 'ICY', '']);
	const status = either(chance.pick(['200', '200', '404', '302', '500', '204', '304']), oddStatuses);
	const reason = either(' OK', ['', ' ', ` ${secret()}`, ' \u0000', ' ü']);
	const line = `${version} ${status}${reason}\r\n`;
	const headers: string[] = [];
	for (let count = chance.below(4); count > 0; count--) {
		headers.push(
			chance.pick([
				() => 'X-A: b',
				() => `X-Echo: ${secret()}`,
				() => `Location: https://evil.test/?k=${secret()}`,
				() => 'Set-Cookie: a=b',
				() => 'Content-Type: text/event-stream',
				() =>
					either('X-B: c', [
						`${value}: x`,
						`X-A: ${chance.pick(odd)}`,
						`X${chance.pick(odd)}: y`,
						` folded ${value}`,
						'Connection: close',
						'Connection: content-length',
						'Upgrade: websocket',
						'Trailer: X-A',
						`Keep-Alive: ${value}`,
					]),
			])(),
		);
	}

	let body: Uint8Array = Buffer.from(
		Array.from({length: chance.below(4)}, () =>
			chance.pick(['hello ', secret(), '{"a":"b"}', 'ÿ\0', value.slice(0, 12)]),
		).join(''),
		'latin1',
	);
	if (chance.once(0.15)) {
		const coding = chance.pick(['gzip', 'br', 'zstd', 'gzip, gzip', 'identity', 'GZIP']);
		headers.push(`Content-Encoding: ${coding}`);
		if (chance.once(0.85)) {
			if (coding.toLowerCase() === 'gzip') {
				body = gzipSync(body);
			} else if (coding === 'br') {
				body = brotliCompressSync(body);
			}
		}
	}

	const text = Buffer.from(body).toString('latin1');
	let rest = text;
	const kind = chance.below(10);
	if (kind < 5) {
		const length = either(String(text.length), [
			String(text.length + 3),
			String(Math.max(0, text.length - 3)),
			'0',
			'-1',
			'x',
			`${text.length}, ${text.length}`,
		]);
		headers.push(`Content-Length: ${length}`);
	} else if (kind < 9) {
		headers.push(`Transfer-Encoding: ${either('chunked', ['gzip, chunked', 'identity', 'xchunked'])}`);
		const cut = chance.below(text.length + 1);
		const chunk = (part: string) =>
			part === ''
				? ''
				: `${part.length.toString(16)}${either('', [`;x=${value}`, ' '])}\r\n${part}${either('\r\n', ['', '\n'])}`;
		const lastChunks = [`0\r\nX-T: ${value}\r\n\r\n`, '0\r\n', '', `0\r\n\r\n${value}`];
		rest = `${chunk(text.slice(0, cut))}${chunk(text.slice(cut))}${either('0\r\n\r\n', lastChunks)}`;
	}

	const before = either('', [
		'HTTP/1.1 100 Continue\r\n\r\n',
		`HTTP/1.1 103 ${value}\r\nLink: ${value}\r\n\r\n`,
		'HTTP/1.1 102 x\r\n\r\n'.repeat(40),
	]);
	let bytes = Buffer.from(`${before}${line}${headers.map(header => `${header}\r\n`).join('')}\r\n${rest}`, 'latin1');
	for (let count = chance.once(0.6) ? 0 : 1 + chance.below(3); count > 0; count--) {
		const at = chance.below(bytes.length + 1);
		const to = at + (chance.once(0.5) ? 1 : chance.below(30));
		bytes = Buffer.concat([
			bytes.subarray(0, at),
			chance.once(0.5) ? Buffer.from(chance.pick(odd), 'latin1') : new Uint8Array(),
			bytes.subarray(chance.once(0.5) ? at : to),
		]);
	}

	return bytes;
}

/**
 * Sends replies to a client, and looks at what it gets.
 * @returns how many came with the server's own status, and what is wrong
 */
export async function fuzzReplies(
	count: number,
	seed: number,
	report: (done: number) => void = () => {},
): Promise<{inputs: number; passed: number; wrong: string[]}> {
	const after: Array<() => unknown> = [];
	const replies = new Map<string, {bytes: Uint8Array; cut: number}>();
	const sockets = new Set<net.Socket>();
	const server = tls.createServer(world.leaf('localhost'), socket => {
		sockets.add(socket);
		socket.once('close', () => sockets.delete(socket));
		socket.on('error', () => {});
		socket.on('data', (asked: Buffer) => {
			const reply = replies.get(/^\w+ \/(\S+) /.exec(asked.toString('latin1'))?.[1] ?? '');
			if (reply) {
				socket.write(reply.bytes.subarray(0, reply.cut));
				setImmediate(() => {
					socket.end(reply.bytes.subarray(reply.cut));
				});
			}
		});
	});
	await new Promise<void>(resolve => {
		server.listen(0, '127.0.0.1', resolve);
	});
	const {port} = server.address() as AddressInfo;
	const {connect} = await openBroker({after: (end: () => unknown) => after.push(end)}, port);
	const patterns = encodings(value).map(text => text.toLowerCase());
	let passed = 0;
	let asked = 0;
	const faults: string[] = [];
	const onFault = (error: unknown) => {
		faults.push(`an exception that nothing caught: ${(error as Error).stack}`);
	};

	process.on('uncaughtException', onFault);
	const look = async (bytes: Uint8Array, cut: number, method: string): Promise<string | undefined> => {
		const name = String(asked++);
		replies.set(name, {bytes, cut});
		const client = await connect();
		const answer = await new Promise<string>(resolve => {
			const parts: Buffer[] = [];
			const timer = setTimeout(() => client.destroy(), 5000);
			client.on('data', part => parts.push(part));
			client.on('error', () => {});
			client.once('close', () => {
				clearTimeout(timer);
				resolve(Buffer.concat(parts).toString('latin1'));
			});
			client.write(
				`${method} /${name} HTTP/1.1\r\nHost: host.fleet.internal:${port}\r\nAuthorization: Bearer ${pointer}\r\n` +
					'Connection: close\r\n\r\n',
			);
		});
		replies.delete(name);
		const plain = undisguised(answer);
		const pattern = patterns.find(pattern => plain.includes(pattern) || answer.toLowerCase().includes(pattern));
		const reply = readReply(answer, method);
		if (typeof reply === 'object' && reply.status !== 502) {
			passed++;
		}

		return (
			faults.shift() ??
			(pattern === undefined ? undefined : `the value came back: ${JSON.stringify(answer)}`) ??
			(typeof reply === 'string' ? `${reply}: ${JSON.stringify(answer)}` : undefined)
		);
	};

	const wrong: string[] = [];
	let next = 0;
	try {
		await Promise.all(
			Array.from({length: 12}, async () => {
				while (next < count && wrong.length === 0) {
					const chance = new Chance(seed * 1_000_003 + next++);
					const method = chance.pick(['GET', 'GET', 'GET', 'HEAD']);
					const bytes = makeReply(chance);
					const cut = chance.below(bytes.length + 1);
					const fault = await look(bytes, cut, method);
					if (fault !== undefined) {
						wrong.push(fault);
						const small = await shrink(bytes, async less => (await look(less, less.length, method)) !== undefined);
						const file = path.join(os.tmpdir(), `fleet-fuzz-replies-${process.pid}.bin`);
						writeFileSync(file, small);
						wrong.push(
							`${method}, seed ${seed}: a reply that does it, in ${file}: ` +
								`${JSON.stringify(Buffer.from(small).toString('latin1'))}`,
						);
					}

					report(next);
				}
			}),
		);
	} finally {
		process.off('uncaughtException', onFault);
		for (const end of after) {
			end();
		}

		server.close();
		for (const socket of sockets) {
			socket.destroy();
		}
	}

	return {inputs: next, passed, wrong};
}
