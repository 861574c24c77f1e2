import http from 'node:http';
import net, {type AddressInfo} from 'node:net';
import {comesBack, pointer, rawServer, smuggles, value, type BrokerScene} from '../../source/attacks/broker.ts';
import {testArea} from '../support/attack.ts';

/** A proxy by the book that swaps a header: what Connection names is left out, and the rest goes on as it came. */
async function swapper(answer: (text: string) => string | Uint8Array): Promise<BrokerScene> {
	const server = await rawServer(answer);
	const agent = new http.Agent({keepAlive: true, maxSockets: 1});
	const proxy = http.createServer((request, response) => {
		const named = (request.headers.connection ?? '').split(',').map(name => name.trim().toLowerCase());
		const headers = Object.fromEntries(
			Object.entries(request.headers)
				.filter(([name]) => name !== 'connection' && !named.includes(name))
				.map(([name, text]) => [name, String(text).replace(pointer, value)]),
		);
		const upstream = http.request(
			{port: server.port, host: '127.0.0.1', method: request.method, path: request.url, headers, agent},
			reply => {
				response.writeHead(Math.max(200, reply.statusCode!), reply.statusMessage, reply.headers);
				reply.pipe(response);
			},
		);
		upstream.on('error', () => response.destroy());
		request.pipe(upstream);
	});
	await new Promise<void>(resolve => {
		proxy.listen(0, '127.0.0.1', resolve);
	});
	return {
		host: 'api.test',
		received: server.received,
		connect: () =>
			new Promise(resolve => {
				const client = net.connect((proxy.address() as AddressInfo).port, '127.0.0.1', () => resolve(client));
			}),
		close() {
			agent.destroy();
			proxy.close();
			proxy.closeAllConnections();
			server.close();
		},
	};
}

testArea('network', {
	'smuggling-past-broker': async () =>
		smuggles(await swapper(() => 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine')),
	'value-in-odd-reply': () => comesBack(swapper),
});
