import net, {type AddressInfo} from 'node:net';
import process from 'node:process';
import type {Duplex} from 'node:stream';
import {gzipSync} from 'node:zlib';
import {makeBinding, type Binding} from '../core/secrets/secret.ts';
import {Authority} from '../host/authority.ts';
import {Broker} from '../host/broker.ts';
import type {HostAttack} from './attack.ts';
import {pause} from './bait.ts';

/* What is tried against the broker, between a client that holds a pointer and a server that gets the value. */

const tls = process.getBuiltinModule('node:tls');
export const pointer = 'fleet_POINTERpointer0123456789abcdefghijkl';
export const value = 'sk-bait-Q7zW3kP9vT2mX5bN8cR1';

/** A server that keeps what came on each of its connections, and a way to it. */
export type BrokerScene = {
	readonly host: string;
	connect(): Promise<Duplex>;
	readonly received: readonly string[];
	close(): void;
};

/** A raw server. @param answer what it says to each piece that comes */
export async function rawServer(
	answer: (text: string) => string | Uint8Array,
	secure?: Authority,
): Promise<{port: number; received: string[]; close(): void}> {
	const received: string[] = [];
	const sockets = new Set<net.Socket>();
	const serve = (socket: net.Socket) => {
		const at = received.push('') - 1;
		sockets.add(socket);
		socket.on('error', () => {});
		socket.on('data', bytes => {
			received[at] += bytes.toString('latin1');
			socket.write(answer(bytes.toString('latin1')));
		});
	};

	const server = secure ? tls.createServer(secure.leaf('api.test'), serve) : net.createServer(serve);
	await new Promise<void>(resolve => {
		server.listen(0, '127.0.0.1', resolve);
	});
	return {
		port: (server.address() as AddressInfo).port,
		received,
		close() {
			server.close();
			for (const socket of sockets) {
				socket.destroy();
			}
		},
	};
}

async function openScene(answer: (text: string) => string | Uint8Array): Promise<BrokerScene> {
	const world = new Authority('a server');
	const server = await rawServer(answer, world);
	const target = {host: 'api.test', port: server.port};
	const binding = makeBinding({
		hosts: [`api.test:${server.port}`],
		headers: ['authorization'],
		paths: ['/v1/*'],
	}) as Binding;
	const trusted = tls.createSecureContext({ca: world.certificate});
	const broker = new Broker('attack', {
		rules: () => [{...target, source: 'granted'}],
		held: () => [{scope: 'secret:user/bait', pointer, value, binding}],
		pointers: () => [pointer],
		values: () => [value],
		onUsed() {},
		onRefused() {},
		trust: () => trusted,
	});
	const listener = net.createServer(client => broker.serve(client, target, {addresses: ['127.0.0.1']}));
	await new Promise<void>(resolve => {
		listener.listen(0, '127.0.0.1', resolve);
	});
	const {port} = listener.address() as AddressInfo;
	return {
		host: `api.test:${server.port}`,
		received: server.received,
		connect: () =>
			new Promise((resolve, reject) => {
				const client = tls.connect(
					{port, host: '127.0.0.1', servername: 'api.test', ca: [broker.authority.certificate]},
					() => resolve(client),
				);
				client.once('error', reject);
			}),
		close() {
			broker.close();
			listener.close();
			server.close();
		},
	};
}

/** Sends pieces, one after each answer. @returns what came back */
async function converse(client: Duplex, pieces: readonly string[]): Promise<string> {
	let answer = '';
	let closed = false;
	client.on('error', () => {});
	client.on('data', (bytes: Buffer) => {
		answer += bytes.toString('latin1');
	});
	client.once('close', () => {
		closed = true;
	});
	for (const piece of pieces) {
		const before = answer.length;
		client.write(piece);
		for (let tries = 0; tries < 100 && answer.length === before && !closed; tries++) {
			await pause(10);
		}

		await pause(20);
	}

	client.destroy();
	return answer;
}

/** What a server reads that goes by the lengths it is told: requests, one after another. */
function requestsOf(text: string): Array<{line: string; head: string; body: string}> {
	const found: Array<{line: string; head: string; body: string}> = [];
	for (let left = text; left.includes('\r\n\r\n');) {
		const head = left.slice(0, left.indexOf('\r\n\r\n') + 4);
		const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
		found.push({line: head.split('\r\n')[0]!, head, body: left.slice(head.length, head.length + length)});
		left = left.slice(head.length + length);
	}

	return found;
}

/** Whether a second request was smuggled in, with the value as its body. */
export async function smuggles(scene: BrokerScene): Promise<boolean> {
	try {
		const hidden =
			'POST /v2/own-account HTTP/1.1\r\nHost: api.test\r\nAuthorization: Bearer own\r\nContent-Length: 150\r\n\r\n';
		const host = `Host: ${scene.host}\r\n`;
		await converse(await scene.connect(), [
			`GET /v1/b HTTP/1.1\r\n${host}Connection: keep-alive, content-length\r\n` +
				`Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
			`GET /v1/c HTTP/1.1\r\n${host}Authorization: Bearer ${pointer}\r\n\r\n`,
		]);
		return scene.received.some(text =>
			requestsOf(text).some(({line, body}) => line.includes('/v2/') || body.includes(value)),
		);
	} finally {
		scene.close();
	}
}

const escaped = [...value].map(character => `%${character.charCodeAt(0).toString(16)}`).join('');
const packed = gzipSync(value);

/** What a server says that knows where values are not looked for. */
const echoes: ReadonlyArray<string | Uint8Array> = [
	`HTTP/1.1 200 ${value}\r\nContent-Length: 0\r\n\r\n`,
	`HTTP/1.1 200 OK\r\n${value}: x\r\nContent-Length: 0\r\n\r\n`,
	`HTTP/1.1 200 OK\r\nContent-Length: ${escaped.length}\r\n\r\n${escaped}`,
	Buffer.concat([
		Buffer.from(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${packed.length}\r\n\r\n`),
		packed,
	]),
	`HTTP/1.1 099 ${value}\r\nContent-Length: 0\r\n\r\n`,
];

/** Whether the value comes back in any of what a server says. */
export async function comesBack(open: (answer: () => string | Uint8Array) => Promise<BrokerScene>): Promise<boolean> {
	for (const echo of echoes) {
		const scene = await open(() => echo);
		try {
			const answer = await converse(await scene.connect(), [
				`GET /v1/x HTTP/1.1\r\nHost: ${scene.host}\r\nAuthorization: Bearer ${pointer}\r\n\r\n`,
			]);
			if (
				answer.includes(value) ||
				answer.includes(escaped) ||
				answer.includes(packed.subarray(10).toString('latin1'))
			) {
				return true;
			}
		} finally {
			scene.close();
		}
	}

	return false;
}

export const brokerAttacks: readonly HostAttack[] = [
	{
		kind: 'host',
		id: 'smuggling-past-broker',
		title: "have a secret's value sent to an account of one's own",
		source: 'a length that is named in the Connection header is left out, and the body is read as a request',
		answer: "a request's framing is written anew, and what could be read in two ways is refused",
		attempt: async () => smuggles(await openScene(() => 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine')),
	},
	{
		kind: 'host',
		id: 'value-in-odd-reply',
		title: 'have a server say a value where nobody looks',
		source: 'reason phrases, names of headers, escapes, compression that nobody asked for',
		answer: 'replies are written anew, unpacked, and searched as their reader would read them',
		attempt: () => comesBack(openScene),
	},
];
