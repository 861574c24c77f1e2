import https from 'node:https';
import http from 'node:http';
import net, {type AddressInfo} from 'node:net';
import type {TestContext} from 'node:test';
import tls from 'node:tls';
import {makeBinding, type Binding} from '../../source/core/secrets/secret.ts';
import type {HeldSecret} from '../../source/core/secrets/swap.ts';
import {Authority} from '../../source/host/authority.ts';
import {Broker} from '../../source/host/broker.ts';
import type {BrokerHooks} from '../../source/host/broker-hooks.ts';
import {Proxy} from '../../source/host/proxy.ts';
import type {EgressRule} from '../../source/core/network/rules.ts';

/** An authority that this process trusts as it trusts the system's: what signs for servers in tests. */
export const world = new Authority('the world');
tls.setDefaultCACertificates([...tls.getCACertificates('default'), world.certificate]);

/** A TLS server on a free port of the loopback, which a run reaches as `host.fleet.internal`. */
export async function serveTls(
	t: Pick<TestContext, 'after'>,
	listener: http.RequestListener,
	options: {host?: string; upgrade?(request: http.IncomingMessage, socket: net.Socket): void} = {},
): Promise<number> {
	const server = https.createServer(
		{
			...world.leaf(options.host ?? 'localhost'),
			SNICallback: (name, done) => done(null, tls.createSecureContext(world.leaf(options.host ?? name))),
		},
		listener,
	);
	if (options.upgrade) {
		server.on('upgrade', (request, socket) => options.upgrade!(request, socket as net.Socket));
	}

	server.on('clientError', (_error, socket) => socket.destroy());
	await new Promise<void>(resolve => {
		server.listen(0, '127.0.0.1', resolve);
	});
	t.after(() => {
		server.close();
		server.closeAllConnections();
	});
	return (server.address() as AddressInfo).port;
}

export const pointer = 'fleet_POINTERpointer0123456789abcdefghijkl';
export const value = 'sk-real-Q7zW3kP9vT2mX5bN8cR1';

/** A proxy with a broker, as a supervisor has them, on a port of the loopback. */
export async function openBroker(
	t: Pick<TestContext, 'after'>,
	port: number,
	more: Partial<Binding> = {},
	hooks: Partial<BrokerHooks> = {},
) {
	const binding = makeBinding({
		hosts: [`host.fleet.internal:${port}`],
		headers: ['authorization', 'x-api-key'],
		...more,
	}) as Binding;
	const secret: HeldSecret = {scope: 'secret:user/test', pointer, value, binding};
	const state: {rules: EgressRule[]; privateHosts: EgressRule[]; held: HeldSecret[]} = {
		rules: [{host: 'host.fleet.internal', port, source: secret.scope}],
		privateHosts: [],
		held: [secret],
	};
	const seen = {
		denied: [] as string[],
		used: [] as string[],
		refused: [] as string[],
		alarms: [] as string[],
		replies: [] as string[],
		ended: 0,
	};
	const broker = new Broker('test', {
		rules: () => state.rules,
		held: () => state.held,
		pointers: () => [pointer],
		values: () => [value],
		onUsed: scope => seen.used.push(scope),
		onRefused: (_target, because, alarm) => (alarm ? seen.alarms : seen.refused).push(because),
		onExchange: () => ({
			reply: () => piece => {
				seen.replies.push(Buffer.from(piece).toString('latin1'));
			},
			end() {
				seen.ended++;
			},
		}),
		...hooks,
	});
	const proxy = new Proxy({
		state: () => state,
		onDenied: (target, because) => seen.denied.push(`${target}: ${because}`),
		onAllowed() {},
		onAsked() {},
		broker: () => broker,
		pointers: () => [pointer],
		onAlarm: (_target, because) => seen.alarms.push(because),
		resolve: async () => ['127.0.0.1'],
	});
	const free = await new Promise<number>(resolve => {
		const probe = net.createServer().listen(0, '127.0.0.1', () => {
			const {port} = probe.address() as AddressInfo;
			probe.close(() => resolve(port));
		});
	});
	await proxy.attach({port: free, host: '127.0.0.1'});
	t.after(() => proxy.close());

	/** A TLS connection through the proxy's tunnel; `servername` is what its hello names. */
	const connect = (options: {host?: string; servername?: string; port?: number} = {}) =>
		new Promise<tls.TLSSocket>((resolve, reject) => {
			const target = `${options.host ?? 'host.fleet.internal'}:${options.port ?? port}`;
			const socket = net.connect(free, '127.0.0.1');
			socket.once('error', reject);
			socket.once('data', bytes => {
				if (!String(bytes).startsWith('HTTP/1.1 200')) {
					socket.destroy();
					reject(new Error(String(bytes).split('\r\n')[0]));
					return;
				}

				const client = tls.connect({
					socket,
					servername: options.servername ?? options.host ?? 'host.fleet.internal',
					ca: [broker.authority.certificate, world.certificate],
				});
				client.once('error', reject);
				client.once('secureConnect', () => {
					client.removeAllListeners('error');
					client.on('error', () => {});
					resolve(client);
				});
				client.once('close', () => reject(new Error('closed')));
			});
			socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
		});

	/** Sends raw bytes through the broker, and reads until the other side ends. */
	const talk = async (
		text: string | Uint8Array,
		options: Parameters<typeof connect>[0] & {patience?: number} = {},
	): Promise<string> => {
		const client = await connect(options);
		return new Promise(resolve => {
			const parts: Buffer[] = [];
			client.on('data', part => parts.push(part));
			client.once('close', () => resolve(Buffer.concat(parts).toString('latin1')));
			client.write(text);
			setTimeout(() => client.destroy(), options.patience ?? 5000).unref();
		});
	};

	/** One request, ended by the server. */
	const ask = (
		path = '/',
		headers: Record<string, string> = {authorization: `Bearer ${pointer}`},
		options: {method?: string; body?: string; host?: string; patience?: number} = {},
	) =>
		talk(
			[
				`${options.method ?? 'GET'} ${path} HTTP/1.1`,
				`Host: ${options.host ?? `host.fleet.internal:${port}`}`,
				...Object.entries(headers).map(([name, text]) => `${name}: ${text}`),
				...(options.body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(options.body)}`]),
				'Connection: close',
				'',
				options.body ?? '',
			].join('\r\n'),
			options.patience === undefined ? {} : {patience: options.patience},
		);
	return {broker, proxy, state, seen, port: free, connect, talk, ask, secret};
}
