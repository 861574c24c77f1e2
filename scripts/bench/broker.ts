// What the broker costs: a server, a proxy with its broker, and a client, each a process of its own, on the loopback.
import {fork, type ChildProcess} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import https from 'node:https';
import net, {type AddressInfo} from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import tls from 'node:tls';
import {fileURLToPath} from 'node:url';
import {makeBinding, type Binding} from '../../source/core/secrets/secret.ts';
import {AgentOutput} from '../../source/engine/run/output.ts';
import {Authority} from '../../source/host/authority.ts';
import {Broker} from '../../source/host/broker.ts';
import {Proxy} from '../../source/host/proxy.ts';
import {openTerminal} from '../../source/host/pty.ts';
import {median, openTable, report} from './table.ts';

const pointer = 'fleet_POINTERpointer0123456789abcdefghijkl';
const value = 'sk-real-Q7zW3kP9vT2mX5bN8cR1';
const self = fileURLToPath(import.meta.url);
const block = Buffer.alloc(1024 ** 2, 'abcdefghijklmnopqrstuvwxyz sk-test 0123456789\n');

/** Answers: `/` shortly, `/bytes/N` with N MiB, `/events/N/MS` with N events, MS milliseconds apart. */
async function server(): Promise<void> {
	const world = new Authority('the bench');
	const own = https.createServer(world.leaf('localhost'), (request, response) => {
		const [, what, count = '0', pause = '0'] = request.url!.split('/');
		if (what === 'bytes') {
			let left = Number(count);
			response.writeHead(200, {'content-length': left * block.length});
			const push = () => {
				while (left > 0) {
					left--;
					if (!response.write(block)) {
						response.once('drain', push);
						return;
					}
				}

				response.end();
			};

			push();
		} else if (what === 'events') {
			response.writeHead(200, {'content-type': 'text/event-stream'});
			let left = Number(count);
			const timer = setInterval(() => {
				response.write(
					`data: {"at":${performance.timeOrigin + performance.now()},"text":"a token or two of a reply"}\n\n`,
				);
				if (--left <= 0) {
					clearInterval(timer);
					response.end();
				}
			}, Number(pause));
			request.socket.on('close', () => clearInterval(timer));
		} else {
			response.end('fine');
		}
	});
	own.keepAliveTimeout = 60_000;
	await new Promise<void>(resolve => {
		own.listen(0, '127.0.0.1', resolve);
	});
	process.send!({port: (own.address() as AddressInfo).port, ca: world.certificate});
}

/** A proxy whose broker can be switched on. */
async function broker(): Promise<void> {
	const {port, ca} = await new Promise<{port: number; ca: string}>(resolve => {
		process.once('message', message => resolve(message as {port: number; ca: string}));
	});
	tls.setDefaultCACertificates([ca]);
	const binding = makeBinding({hosts: [`localhost:${port}`]}) as Binding;
	let on = false;
	const rules = [{host: 'localhost', port, source: 'secret:user/bench'}];
	const own = new Broker('bench', {
		rules: () => rules,
		held: () => (on ? [{scope: 'secret:user/bench', pointer, value, binding}] : []),
		pointers: () => [pointer],
		values: () => [value],
		onUsed() {},
		onRefused() {},
	});
	const proxy = new Proxy({
		state: () => ({rules, privateHosts: rules}),
		onDenied() {},
		onAllowed() {},
		onAsked() {},
		broker: () => own,
		resolve: async () => ['127.0.0.1'],
	});
	const probe = net.createServer();
	await new Promise<void>(resolve => {
		probe.listen(0, '127.0.0.1', resolve);
	});
	const {port: free} = probe.address() as AddressInfo;
	await new Promise(resolve => {
		probe.close(resolve);
	});
	await proxy.attach({port: free, host: '127.0.0.1'});
	process.on('message', message => {
		if (message === 'measure') {
			const {user, system} = process.cpuUsage();
			process.send!({rss: process.memoryUsage().rss, cpu: user + system});
		} else {
			on = message === 'on';
			process.send!('done');
		}
	});
	process.send!({port: free, ca: own.authority.certificate});
}

function start(role: string): ChildProcess {
	return fork(self, [role], {execArgv: process.execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc']});
}

function say<Answer>(child: ChildProcess, message: unknown): Promise<Answer> {
	return new Promise(resolve => {
		child.once('message', answer => resolve(answer as Answer));
		if (message !== undefined) {
			child.send(message as string);
		}
	});
}

async function main(): Promise<void> {
	const {rows, add} = openTable();
	const far = start('server');
	const there = await say<{port: number; ca: string}>(far, undefined);
	const middle = start('broker');
	const between = say<{port: number; ca: string}>(middle, undefined);
	middle.send(there);
	const here = await between;
	const ca = [there.ca, here.ca];

	/** A TLS connection: straight, or through the proxy. */
	const connect = (straight: boolean) =>
		new Promise<tls.TLSSocket>((resolve, reject) => {
			const secure = (socket: net.Socket) => {
				const client = tls.connect({socket, servername: 'localhost', ca}, () => resolve(client));
				client.once('error', reject);
			};

			const socket = net.connect(straight ? there.port : here.port, '127.0.0.1', () => {
				socket.setNoDelay(true);
				if (straight) {
					secure(socket);
					return;
				}

				socket.once('data', () => secure(socket));
				socket.write(`CONNECT localhost:${there.port} HTTP/1.1\r\n\r\n`);
			});
			socket.once('error', reject);
		});
	const head = (path: string, key: boolean) =>
		`GET ${path} HTTP/1.1\r\nHost: localhost:${there.port}\r\n${key ? `Authorization: Bearer ${pointer}\r\n` : ''}\r\n`;

	/** Milliseconds of one request after another on one connection. */
	const latencies = async (straight: boolean, key: boolean, count: number) => {
		const client = await connect(straight);
		const laps: number[] = [];
		for (let number = 0; number < count; number++) {
			const began = performance.now();
			await new Promise<void>(resolve => {
				let answer = '';
				const hear = (part: Buffer) => {
					answer += String(part);
					if (answer.includes('fine')) {
						client.off('data', hear);
						resolve();
					}
				};

				client.on('data', hear);
				client.write(head('/', key));
			});
			laps.push(performance.now() - began);
		}

		client.destroy();
		return laps.slice(Math.floor(count / 5));
	};

	const throughput = async (straight: boolean, key: boolean, mebibytes: number) => {
		const client = await connect(straight);
		const began = performance.now();
		let count = 0;
		await new Promise<void>(resolve => {
			client.on('data', part => {
				count += part.length;
				if (count >= mebibytes * block.length) {
					resolve();
				}
			});
			client.write(head(`/bytes/${mebibytes}`, key));
		});
		client.destroy();
		return (mebibytes * 1.048_576) / ((performance.now() - began) / 1000);
	};

	/** How late events are, milliseconds, over several streams at once. */
	const lags = async (straight: boolean, streams: number, count: number, pause: number) => {
		const found: number[] = [];
		await Promise.all(
			Array.from({length: streams}, async () => {
				const client = await connect(straight);
				await new Promise<void>(resolve => {
					let left = count;
					client.on('data', part => {
						const now = performance.timeOrigin + performance.now();
						for (const [, at] of String(part).matchAll(/"at":([\d.]+)/g)) {
							found.push(now - Number(at));
							if (--left === 0) {
								resolve();
							}
						}
					});
					client.write(head(`/events/${count}/${pause}`, !straight));
				});
				client.destroy();
			}),
		);
		return found.sort((a, b) => a - b);
	};

	const ways: Array<[string, boolean, boolean, string]> = [
		['direct', true, false, 'off'],
		['tunnel', false, false, 'off'],
		['interception', false, false, 'on'],
		['interception, swap and scan', false, true, 'on'],
	];
	const laps = new Map<string, number[]>(ways.map(([name]) => [name, []]));
	const speeds = new Map<string, number[]>(ways.map(([name]) => [name, []]));
	// In turns, so that what else the machine does falls on all of them.
	for (let round = 0; round < 5; round++) {
		for (const [name, straight, key, state] of ways) {
			await say(middle, state);
			laps.get(name)!.push(...(await latencies(straight, key, 300)));
			speeds.get(name)!.push(await throughput(straight, key, 128));
		}
	}

	const base = median(laps.get('direct')!);
	for (const [name] of ways) {
		const own = median(laps.get(name)!);
		const speed = median(speeds.get(name)!);
		const goal = name.includes('scan') ? '+1 ms, 100 MB/s' : '';
		add(
			`a request, ${name}`,
			`${own.toFixed(2)} ms, ${speed.toFixed(0)} MB/s`,
			name === 'direct'
				? ''
				: `+${(own - base).toFixed(2)} ms, throughput 1 : ${(median(speeds.get('direct')!) / speed).toFixed(1)}`,
			goal,
		);
	}

	await say(middle, 'on');
	const at = (values: number[], share: number) => values[Math.floor(values.length * share)]!;
	const straightLags = await lags(true, 1, 200, 10);
	const ownLags = await lags(false, 1, 200, 10);
	add(
		'an event of a stream is late by',
		`${at(ownLags, 0.5).toFixed(2)} ms (p95 ${at(ownLags, 0.95).toFixed(2)} ms)`,
		`direct ${at(straightLags, 0.5).toFixed(2)} ms (p95 ${at(straightLags, 0.95).toFixed(2)} ms)`,
	);
	type Measure = {rss: number; cpu: number};
	const before = await say<Measure>(middle, 'measure');
	for (let round = 0; round < 8; round++) {
		await throughput(false, true, 128);
	}

	const after = await say<Measure>(middle, 'measure');
	add(
		'memory of the proxy after 1 GiB more',
		`${(after.rss / 1e6).toFixed(0)} MB`,
		`${((after.rss - before.rss) / 1e6).toFixed(0)} MB more than before`,
		'flat',
	);
	const fifty = await say<Measure>(middle, 'measure');
	const began = performance.now();
	const many = await lags(false, 50, 100, 50);
	const busy = await say<Measure>(middle, 'measure');
	add(
		'50 streams at once, 20 events a second each',
		`late by ${at(many, 0.5).toFixed(2)} ms (p95 ${at(many, 0.95).toFixed(2)} ms)`,
		`${((busy.cpu - fifty.cpu) / 10 / (performance.now() - began)).toFixed(1)} % of a core`,
	);
	far.kill();
	middle.kill();

	// The log: what an agent writes to its terminal, on its way to
	// disk and to a viewer, with and without values to look for.
	const folder = mkdtempSync(path.join(os.tmpdir(), 'bench-'));
	const text =
		'\u001B[32m✔\u001B[0m a line of what an agent writes, with words, numbers 12345 and paths/like/this.ts\n'.repeat(
			10_000,
		);
	writeFileSync(path.join(folder, 'text'), text);
	const size = (Buffer.byteLength(text) * 60) / 1e6;
	const write = (values: readonly string[]) =>
		new Promise<number>(resolve => {
			const file = path.join(folder, 'output.log');
			let shown = 0;
			const output = new AgentOutput({
				file,
				values,
				onBytes: bytes => {
					shown += JSON.stringify({output: Buffer.from(bytes).toString('base64')}).length;
				},
				onNews() {},
			});
			const began = performance.now();
			openTerminal(
				{
					argv: [
						'/bin/sh',
						'-c',
						`for i in ${Array.from({length: 60}, (_, index) => index).join(' ')}; do cat text; done`,
					],
					cwd: folder,
					env: {PATH: '/usr/bin:/bin'},
				},
				{columns: 100, rows: 30},
				{
					onData: bytes => output.push(bytes),
					onExit() {
						output.end();
						rmSync(file, {force: true});
						rmSync(`${file}.1`, {force: true});
						resolve(shown === 0 ? 0 : size / ((performance.now() - began) / 1000));
					},
				},
			);
		});

	const logs: [number[], number[]] = [[], []];
	for (let round = 0; round < 9; round++) {
		logs[0].push(await write([]));
		logs[1].push(await write([value, 'another-Value4Of8A5Secret', 'github_pat_11ABCDEFGHIJKLMNOPQRST_more']));
	}

	const [plain, blanked] = [median(logs[0]), median(logs[1])];
	add(
		"the log from the agent's terminal to disk and a viewer, with three values blanked out of it",
		`${blanked.toFixed(0)} MB/s`,
		`${((1 - blanked / plain) * 100).toFixed(0)} % less than without (${plain.toFixed(0)} MB/s)`,
		'at most 10 % less',
	);
	rmSync(folder, {recursive: true, force: true});
	report(rows, process.argv.slice(2));
	process.exit(0);
}

await ({server, broker}[process.argv[2]!] ?? main)();
