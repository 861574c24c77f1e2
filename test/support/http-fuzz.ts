// Random and mutated bytes of a client through the broker and the plain proxy, to a server that reads strictly and is
// of another make: what arrives are exactly the requests that were decided on, in order, and no value is in anything
// but its header.
import {spawn, type ChildProcess} from 'node:child_process';
import {createHash} from 'node:crypto';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import type {IncomingMessage, ServerResponse} from 'node:http';
import net, {type AddressInfo} from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {createInterface} from 'node:readline';
import {Proxy} from '../../source/host/proxy.ts';
import {openBroker, pointer, value, world} from './tls.ts';
import {Chance, shrink} from './chance.ts';

type Told = {
	connection?: number;
	method?: string;
	target?: string;
	headers?: Array<[string, string]>;
	body?: string;
	odd?: string;
	bytes?: string;
	left?: string;
	closed?: boolean;
	told?: string;
	port?: number;
};

const pause = (milliseconds: number) =>
	new Promise<void>(resolve => {
		setTimeout(resolve, milliseconds);
	});

/** The strict server, as a process of its own. */
export class StrictServer {
	readonly #child: ChildProcess;
	readonly #folder: string;
	/** What it told and nobody took yet. */
	told: Told[] = [];
	#asked = 0;
	#waiting = new Map<string, () => void>();
	port = 0;

	private constructor(secure: boolean) {
		this.#folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-fuzz-'));
		const {cert, key} = world.leaf('localhost');
		writeFileSync(path.join(this.#folder, 'cert.pem'), cert);
		writeFileSync(path.join(this.#folder, 'key.pem'), key);
		this.#child = spawn(
			'/usr/bin/python3',
			[path.join(import.meta.dirname, 'strict_server.py'), ...(secure ? ['cert.pem', 'key.pem'] : [])],
			{cwd: this.#folder, stdio: ['pipe', 'pipe', 'inherit']},
		);
	}

	static async start(secure: boolean): Promise<StrictServer> {
		const server = new StrictServer(secure);
		await new Promise<void>((resolve, reject) => {
			server.#child.once('error', reject);
			server.#child.once('exit', code => reject(new Error(`the strict server ended with ${code}`)));
			createInterface({input: server.#child.stdout!}).on('line', line => {
				const told = JSON.parse(line) as Told;
				if (told.port !== undefined) {
					server.port = told.port;
					resolve();
				} else if (told.told === undefined) {
					server.told.push(told);
				} else {
					server.#waiting.get(told.told)?.();
				}
			});
		});
		return server;
	}

	/** Everything it read so far is told once this resolves. */
	async settle(): Promise<void> {
		const word = String(this.#asked++);
		await new Promise<void>(resolve => {
			this.#waiting.set(word, resolve);
			this.#child.stdin!.write(`${word}\n`);
		});
		this.#waiting.delete(word);
	}

	async close(): Promise<void> {
		const ended = new Promise(resolve => {
			this.#child.once('exit', resolve);
		});
		this.#child.stdin!.end();
		await ended;
		rmSync(this.#folder, {recursive: true, force: true});
	}
}

const methods = ['GET', 'GET', 'GET', 'POST', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];
const oddMethods = ['TRACE', 'CONNECT', 'get', 'PRI', 'M-SEARCH', 'PROPFIND', 'GET\t', ''];
const oddVersions = ['HTTP/1.0', 'HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', 'http/1.1', 'HTTP/1.1 ', '', 'HTTP/1.2'];
const names = [
	'content-length',
	'Content-Length',
	'transfer-encoding',
	'Transfer-Encoding',
	'host',
	'authorization',
	'Authorization',
	'x-api-key',
	'connection',
	'upgrade',
	'te',
	'trailer',
	'expect',
	'keep-alive',
	'close',
	'x-a',
	'accept-encoding',
	'proxy-connection',
	'http2-settings',
	'cookie',
	'X_Api_Key',
	'Content_Length',
	'X.Y',
	'content-type',
	'x-original-url',
	'x-http-method-override',
	'Proxy-Authorization',
];
const odd = [
	'\r\n',
	'\n',
	'\r',
	'\0',
	' ',
	'\t',
	'\u000B',
	':',
	',',
	';',
	'%0d%0a',
	'\r\n ',
	'\r\n\r\n',
	'\u0080',
	'ÿ',
	'0\r\n\r\n',
	'chunked',
	'\r\nContent-Length: 5\r\n',
	'\r\nTransfer-Encoding: chunked\r\n',
	'/../',
	'//',
	'#',
	'\\',
	'?',
	'%2e',
	'%252e',
];

/** What one client sends, in the pieces in which it sends them. */
export function makeInput(
	chance: Chance,
	tag: string,
	{absolute, host, credential}: {readonly absolute: string; readonly host: string; readonly credential: string},
): {bytes: Buffer; cuts: number[]} {
	let text = '';
	for (let count = 1 + (chance.once(0.4) ? chance.below(3) : 0); count > 0; count--) {
		text += makeRequest(chance, `${tag}-${count}`, absolute, host, credential);
	}

	let bytes = Buffer.from(text, 'latin1');
	// Most of them stay as the grammar made them.
	for (let count = chance.once(0.7) ? 0 : 1 + chance.below(4); count > 0; count--) {
		bytes = mutate(chance, bytes);
	}

	const cuts = chance.once(0.5)
		? []
		: Array.from({length: 1 + chance.below(4)}, () => chance.below(bytes.length + 1)).sort((a, b) => a - b);
	return {bytes, cuts};
}

function makeRequest(chance: Chance, tag: string, absolute: string, host: string, credential: string): string {
	// Most requests have little that is odd, so that they come far.
	const share = chance.once(0.6) ? 0.02 : 0.2;
	const either = (usual: string, odd: readonly string[]) => (chance.once(share) ? chance.pick(odd) : usual);
	const method = chance.once(share)
		? chance.pick([...oddMethods, `GET /v1/${tag} HTTP/1.1\r\nX:`])
		: chance.pick(methods);
	const place = either(`/v1/${tag}`, [
		`/v2/${tag}`,
		`/v1/../v2/${tag}`,
		`/v1/%2e%2e/${tag}`,
		`/v1/%252e%252e/${tag}`,
		`/v1/..;/${tag}`,
		`//${tag}`,
		`/v1/${tag}?key=attacker`,
		`/v1/${tag}?t=${pointer}`,
		`/v1/${tag}#x`,
		`/v1/ ${tag}`,
		`/v1/${tag}\\x`,
		'*',
		'',
		`http://evil.test/${tag}`,
		`/v1/ü${tag}`,
	]);
	const headers: string[] = [];
	if (!chance.once(share / 2)) {
		headers.push(`Host: ${either(host, ['evil.test', `${host}, evil.test`, `${host}:1`, `a@${host}`, ` ${host}`])}`);
	}

	if (chance.once(0.7)) {
		headers.push(
			either(`Authorization: Bearer ${credential}`, [
				`Authorization: Bearer ${pointer}`,
				`Authorization: Basic ${Buffer.from(`user:${pointer}`).toString('base64')}`,
				'Authorization: Bearer attacker',
				`authorization : Bearer ${pointer}`,
				`X-Api-Key: ${pointer}`,
				`X_Api_Key: ${pointer}`,
				`Cookie: k=${pointer}`,
			]),
		);
	}

	const inner = chance.once(0.5)
		? `POST /v1/smuggled-${tag} HTTP/1.1\r\nHost: ${host}\r\nX-Api-Key: attacker\r\nContent-Length: 150\r\n\r\n`
		: chance.pick(['', 'abcd', 'a=b&c=d', '0\r\n\r\n', 'ÿ\0', ...(chance.once(share) ? [`x${pointer}`] : [])]);
	let kind = 9;
	if (['POST', 'PUT', 'PATCH', 'DELETE'].includes(method)) {
		kind = chance.below(9);
	} else if (chance.once(share)) {
		kind = chance.below(8);
	}

	let body = '';
	if (kind < 4) {
		const length = either(String(inner.length), [
			`+${inner.length}`,
			`0x${inner.length.toString(16)}`,
			`${inner.length}, ${inner.length}`,
			`00${inner.length}`,
			'',
			'-1',
			`${inner.length} `,
			'99999999999999999999',
			'0',
			String(inner.length + 1),
			String(inner.length + 5),
			String(Math.max(0, inner.length - 1)),
		]);
		headers.push(`Content-Length: ${length}`);
		body = inner;
	} else if (kind < 7) {
		const coding = either('chunked', [
			'Chunked',
			' chunked',
			'chunked, chunked',
			'gzip, chunked',
			'xchunked',
			'chunked;q=1',
			'identity',
			'chunked, identity',
			'\u000Bchunked',
		]);
		headers.push(`Transfer-Encoding: ${coding}`);
		const cut = chance.below(inner.length + 1);
		const chunk = (part: string) => {
			if (part === '') {
				return '';
			}

			const usual = part.length.toString(16);
			const odd = [
				`0${usual}`,
				`${usual};a=b`,
				`${usual} `,
				`0x${usual}`,
				(part.length + 1).toString(16),
				`1${'0'.repeat(16)}`,
			];
			return `${either(usual, odd)}\r\n${part}${either('\r\n', ['', '\n', '\r'])}`;
		};

		const lastChunks = [
			'0\r\nX-Trailer: a\r\n\r\n',
			'0\r\nContent-Length: 5\r\n\r\n',
			'00\r\n\r\n',
			'0;x\r\n\r\n',
			'0\r\n',
			'',
		];
		body = `${chunk(inner.slice(0, cut))}${chunk(inner.slice(cut))}${either('0\r\n\r\n', lastChunks)}`;
	} else if (kind === 7) {
		body = inner;
	}

	for (let count = chance.once(0.5) ? 0 : 1 + chance.below(3); count > 0; count--) {
		const name = chance.pick(names);
		headers.push(
			chance.once(share * 2)
				? chance.pick([
						() => `Connection: ${chance.pick(['Upgrade', `keep-alive, ${name}`, name])}`,
						() => `${chance.pick(['Connection', 'Proxy-Connection'])}: ${name}`,
						() => `X-A: a${chance.pick(odd)}b`,
						() => `${name}: ${chance.pick(['x', '0', 'chunked', '5', '100-continue', 'trailers', name])}`,
						() => `${name}${chance.pick(odd)}: x`,
						() => `Expect: ${name}`,
						() =>
							`Upgrade: ${chance.pick(['websocket', 'h2c', 'TLS/1.0'])}\r\nConnection: Upgrade\r\n` +
							'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
						() => ` folded: ${name}`,
						() => `${'A'.repeat(chance.pick([1, 100, 5000]))}: x`,
					])()
				: chance.pick([
						'Connection: keep-alive',
						'Connection: TE',
						'TE: trailers',
						'Trailer: X-A',
						'Keep-Alive: timeout=5',
						'Proxy-Connection: keep-alive',
						'X-A: b',
						'X-A:',
						'X-A: b\tc ',
						'X-A: ü',
						'Accept: */*',
						'Accept-Encoding: gzip',
						'Expect: 100-continue',
						...(chance.once(0.2)
							? [
									'Connection: close',
									'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
										'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
								]
							: []),
					]),
		);
	}

	if (chance.once(0.3)) {
		headers.sort(() => chance.next() - 0.5);
	}

	return (
		`${method} ${absolute}${place} ${either('HTTP/1.1', oddVersions)}\r\n` +
		`${headers.map(header => `${header}\r\n`).join('')}\r\n${body}`
	);
}

function mutate(chance: Chance, bytes: Buffer): Buffer<ArrayBuffer> {
	const at = chance.below(bytes.length + 1);
	const length = chance.once(0.5) ? 1 : chance.below(40);
	const part = bytes.subarray(at, at + length);
	const join = (...parts: Uint8Array[]) => Buffer.concat(parts);
	switch (chance.below(6)) {
		case 0:
			return join(bytes.subarray(0, at), bytes.subarray(at + length));
		case 1:
			return join(bytes.subarray(0, at), part, bytes.subarray(at));
		case 2:
			return join(bytes.subarray(0, at), Buffer.from(chance.pick(odd), 'latin1'), bytes.subarray(at));
		case 3:
			return join(bytes.subarray(0, at), Buffer.from([chance.below(256)]), bytes.subarray(at + 1));
		case 4:
			return join(bytes.subarray(0, at), Buffer.from(chance.pick(odd), 'latin1'), bytes.subarray(at + length));
		default: {
			const to = chance.below(bytes.length + 1);
			return join(bytes.subarray(0, to), part, bytes.subarray(to));
		}
	}
}

type Decided = {
	readonly method: string;
	readonly target: string;
	body: string;
	complete: boolean;
	finished: boolean;
	isHandshake: boolean;
};
export type Outcome = {
	readonly inputs: number;
	readonly decided: number;
	readonly arrived: number;
	readonly wrong: string[];
};

/** One way to a strict server of its own. */
class Way {
	readonly server: StrictServer;
	readonly host: string;
	readonly absolute: string;
	/** What clients write into their credential's header. */
	readonly credential: string;
	readonly connect: () => Promise<net.Socket>;
	readonly #secure: boolean;
	readonly #after: Array<() => unknown>;
	/** Decided on, and not seen to arrive. */
	open: Decided[] = [];
	decided = 0;
	arrived = 0;
	/** Requests of which more may come. */
	#going = new Set<IncomingMessage>();
	#newest = new Map<number, number>();
	#order = new Map<Decided, number>();

	private constructor(
		secure: boolean,
		server: StrictServer,
		connect: () => Promise<net.Socket>,
		after: Array<() => unknown>,
	) {
		this.#secure = secure;
		this.server = server;
		this.connect = connect;
		this.#after = after;
		this.host = `host.fleet.internal:${server.port}`;
		this.absolute = secure ? '' : `http://${this.host}`;
		this.credential = secure ? pointer : 'own';
	}

	static async open(kind: 'broker' | 'proxy'): Promise<Way> {
		const server = await StrictServer.start(kind === 'broker');
		const after: Array<() => unknown> = [];
		let way: Way;
		const onForwarded = (request: IncomingMessage, response: ServerResponse | undefined) =>
			way.forwarded(request, response);
		if (kind === 'broker') {
			const {connect} = await openBroker(
				{after: (end: () => unknown) => after.push(end)},
				server.port,
				{paths: ['/v1/*']},
				{onForwarded},
			);
			way = new Way(true, server, connect, after);
		} else {
			const rules = [{host: 'host.fleet.internal', port: server.port, source: 'grant', path: '/v1/*'}];
			const proxy = new Proxy({
				state: () => ({rules, privateHosts: []}),
				onDenied() {},
				onAllowed() {},
				onAsked() {},
				pointers: () => [pointer],
				onForwarded,
			});
			const port = await new Promise<number>(resolve => {
				const probe = net.createServer().listen(0, '127.0.0.1', () => {
					const {port} = probe.address() as AddressInfo;
					probe.close(() => resolve(port));
				});
			});
			await proxy.attach({port, host: '127.0.0.1'});
			after.push(() => proxy.close());
			way = new Way(
				false,
				server,
				() =>
					new Promise((resolve, reject) => {
						const socket = net.connect(port, '127.0.0.1', () => resolve(socket));
						socket.once('error', reject);
					}),
				after,
			);
		}

		return way;
	}

	forwarded(request: IncomingMessage, response: ServerResponse | undefined): void {
		const target = this.#secure ? request.url! : request.url!.replace(/^http:\/\/[^/?#]*/i, '');
		const decided: Decided = {
			method: request.method!,
			target: target.startsWith('/') ? target : `/${target}`,
			body: '',
			complete: false,
			finished: false,
			isHandshake: response === undefined,
		};
		this.open.push(decided);
		this.#order.set(decided, this.decided++);
		this.#going.add(request);
		if (!response) {
			return;
		}

		const hash = createHash('sha1');
		request.on('data', (part: Buffer) => hash.update(part));
		request.once('end', () => {
			decided.complete = true;
			decided.body = hash.digest('hex');
		});
		response.once('close', () => {
			this.#going.delete(request);
			decided.finished = response.writableFinished && response.statusCode === 200;
		});
	}

	/** Sends an input, and ends once nothing more comes of it. */
	async send({bytes, cuts}: {bytes: Uint8Array; cuts: readonly number[]}): Promise<void> {
		const client = await this.connect();
		let closed = false;
		client.on('error', () => {});
		client.on('data', () => {
			idle = 0;
		});
		client.once('close', () => {
			closed = true;
		});
		let idle = 0;
		const edges = [0, ...cuts, bytes.length];
		for (let index = 0; index + 1 < edges.length && !closed; index++) {
			if (edges[index]! < edges[index + 1]!) {
				client.write(bytes.subarray(edges[index], edges[index + 1]));
				if (index + 2 < edges.length) {
					await pause(1);
				}
			}
		}

		for (let looks = 0; !closed && idle < 2 && looks < 500; looks++) {
			await pause(2);
			idle = [...this.#going].some(request => request.complete) ? 0 : idle + 1;
		}

		this.#going = new Set([...this.#going].filter(request => !request.socket.destroyed));
		client.destroy();
	}

	/** Holds what the server was told against what was decided on. @returns what is wrong */
	async check(isLast = false): Promise<string[]> {
		await this.server.settle();
		const wrong: string[] = [];
		const told = this.server.told.splice(0);
		for (const event of told) {
			if (event.odd !== undefined) {
				wrong.push(`the server cannot read it (${event.odd}): ${JSON.stringify(event.bytes ?? '').slice(0, 400)}`);
			} else if (event.left !== undefined) {
				const at = this.open.findIndex(
					({method, target, finished}) => method === event.method && target === event.target && !finished,
				);
				if (at === -1) {
					wrong.push(`half a request that nobody decided on: ${JSON.stringify(event.left).slice(0, 400)}`);
				} else {
					this.open.splice(at, 1);
				}
			} else if (event.method !== undefined) {
				wrong.push(...this.#arrival(event));
			}
		}

		const missing = this.open.filter(({finished}) => finished);
		wrong.push(...missing.map(({method, target}) => `${method} ${target} was answered and did not arrive`));
		this.open = this.open.filter(({finished}) => !finished);
		if (isLast) {
			this.open = [];
		}

		return wrong;
	}

	#arrival({connection, method, target, headers = [], body = ''}: Told): string[] {
		const what = `${method} ${target}`;
		const wrong: string[] = [];
		this.arrived++;
		const hash = createHash('sha1').update(Buffer.from(body, 'latin1')).digest('hex');
		const fits = (decided: Decided) =>
			decided.method === method &&
			decided.target === target &&
			(decided.isHandshake ? body === '' : decided.body === hash || !decided.complete);
		const answered = this.open.findIndex(decided => decided.finished && fits(decided));
		const at = answered === -1 ? this.open.findIndex(fits) : answered;
		if (at === -1) {
			wrong.push(`${what} arrived, and nobody decided on it`);
		} else {
			const [decided] = this.open.splice(at, 1);
			const order = this.#order.get(decided!)!;
			if ((this.#newest.get(connection!) ?? -1) > order) {
				wrong.push(`${what} arrived out of its turn`);
			}

			this.#newest.set(connection!, order);
			this.#order.delete(decided!);
		}

		if (
			!/^\/v1\/[\w-]*(?:[^\\#;%]*)$/.test(target!.split('?')[0]!) ||
			/\/\.\.?(?:\/|$)|\/\//.test(target!.split('?')[0]!)
		) {
			wrong.push(`${what} is no path of the binding`);
		}

		for (const [name, text] of headers) {
			const isCredential = name === 'authorization' || name === 'x-api-key';
			if (name === 'host' && text !== this.host) {
				wrong.push(`${what} went to the host ${text}`);
			}

			const read = name.replaceAll(/[^a-z0-9]/g, '-');
			if (
				(text.includes('attacker') &&
					this.#secure &&
					['authorization', 'proxy-authorization', 'x-api-key', 'cookie'].includes(read)) ||
				text.includes(pointer)
			) {
				wrong.push(`${what} has ${name}: ${text}`);
			}

			if (text.includes(value) && !(isCredential && this.#secure)) {
				wrong.push(`${what} has the value in ${name}`);
			}
		}

		if ([target!, body].some(text => text.includes(value) || text.includes(pointer))) {
			wrong.push(`${what} has the value, or the pointer, outside a header`);
		}

		return wrong;
	}

	async close(): Promise<void> {
		for (const end of this.#after) {
			end();
		}

		await this.server.close();
	}
}

/**
 * Tries inputs, and makes the first that fails smaller.
 * @param report told from time to time how many were tried
 */
export async function fuzzHttp(
	count: number,
	seed: number,
	report: (done: number) => void = () => {},
): Promise<Record<'broker' | 'proxy', Outcome>> {
	const results: Partial<Record<'broker' | 'proxy', Outcome>> = {};
	for (const kind of ['broker', 'proxy'] as const) {
		const way = await Way.open(kind);
		const found: string[] = [];
		const inputs = Math.ceil(count / 2);
		try {
			for (let from = 0; from < inputs && found.length === 0; from += 40) {
				const batch = Array.from({length: Math.min(40, inputs - from)}, (_, index) =>
					makeInput(
						new Chance(seed * 1_000_003 + (from + index) * 2 + (kind === 'broker' ? 0 : 1)),
						`${seed}-${from + index}`,
						way,
					),
				);
				const queue = [...batch];
				await Promise.all(
					Array.from({length: 12}, async () => {
						for (let input = queue.shift(); input; input = queue.shift()) {
							await way.send(input);
						}
					}),
				);
				const wrong = await way.check();
				if (wrong.length > 0) {
					found.push(...wrong, ...(await explain(kind, batch)));
				}

				report(from + batch.length + (kind === 'broker' ? 0 : inputs));
			}

			await pause(50);
			found.push(...(await way.check(true)));
		} finally {
			await way.close();
		}

		results[kind] = {inputs, decided: way.decided, arrived: way.arrived, wrong: found};
	}

	return results as Record<'broker' | 'proxy', Outcome>;
}

/** Which input of a batch it was, made smaller and saved. */
async function explain(
	kind: 'broker' | 'proxy',
	batch: ReadonlyArray<{bytes: Buffer; cuts: number[]}>,
): Promise<string[]> {
	const way = await Way.open(kind);
	// Ports differ from one server to the next: inputs name theirs.
	const fails = async (input: {bytes: Uint8Array; cuts: readonly number[]}, from: string) => {
		await way.send({
			bytes: Buffer.from(Buffer.from(input.bytes).toString('latin1').replaceAll(from, way.host), 'latin1'),
			cuts: input.cuts,
		});
		await pause(10);
		return (await way.check(true)).length > 0;
	};

	try {
		for (const {bytes, cuts} of batch) {
			const from = /host\.fleet\.internal:\d+/.exec(bytes.toString('latin1'))?.[0] ?? 'none';
			if (await fails({bytes, cuts}, from)) {
				const small = await shrink(bytes, less => fails({bytes: less, cuts: []}, from));
				const file = path.join(os.tmpdir(), `fleet-fuzz-http-${process.pid}.bin`);
				writeFileSync(file, small);
				return [`an input that does it, in ${file}: ${JSON.stringify(Buffer.from(small).toString('latin1'))}`];
			}
		}
	} finally {
		await way.close();
	}

	return [
		`no input of the batch does it alone; all of them: ${batch
			.map(({bytes}) => bytes.toString('base64'))
			.join(' ')
			.slice(0, 4000)}`,
	];
}
