import http from 'node:http';
import net, {type AddressInfo} from 'node:net';
import {mcpAttempts, type McpMessage, type OpenMcp} from '../../source/attacks/mcp.ts';
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

/** What forwards between an agent and a server, and looks at nothing. */
const pipe: OpenMcp = async server => {
	const heard: McpMessage[] = [];
	const waiting = new Map<unknown, (text: string) => void>();
	let id = 0;
	const tell = (message: McpMessage) => {
		heard.push(message);
		const send = (value: McpMessage) => {
			if (value.method === undefined) {
				waiting.get(value.id)?.(JSON.stringify(value));
			} else {
				// The agent's own client serves what it is asked for.
				tell({id: value.id!, result: {}});
			}
		};

		const result = server(message, send);
		if (result && message.id !== undefined) {
			send({id: message.id, result});
		}
	};

	return {
		ask: (method, params = {}) =>
			new Promise(resolve => {
				waiting.set(++id, resolve);
				tell({id, method, params});
			}),
		heard,
		async close() {},
	};
};

testArea('network', {
	...Object.fromEntries(Object.entries(mcpAttempts).map(([name, attempt]) => [name, () => attempt(pipe)])),
	'smuggling-past-broker': async () =>
		smuggles(await swapper(() => 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine')),
	'value-in-odd-reply': () => comesBack(swapper),
});
