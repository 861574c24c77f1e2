import type {Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import process from 'node:process';

// An import would load a whole client for the web: see http-forwarding.ts.
const http = process.getBuiltinModule('node:http');

/** Connections at one time, of all programs of this machine. */
const maxConnections = 256;

/** Ports that are tried until one is free on both loopback addresses. */
const maxTries = 20;

/**
 * Listens on one random port of 127.0.0.1 and, where there is one, ::1: a browser may take either address, and what
 * is not taken here another program could take.
 * @returns the servers, the first of them for 127.0.0.1
 */
export async function listenOnLoopback(): Promise<readonly Server[]> {
	for (let tries = 0; ; tries++) {
		const servers = [makeServer()];
		try {
			const port = await listen(servers[0]!, '127.0.0.1', 0);
			servers.push(makeServer());
			await listen(servers[1]!, '::1', port).catch((error: NodeJS.ErrnoException) => {
				if (!['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(error.code ?? '')) {
					throw error;
				}

				servers.pop();
			});
			return servers;
		} catch (error) {
			for (const server of servers) {
				server.close();
			}

			if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || tries >= maxTries) {
				throw error;
			}
		}
	}
}

function makeServer(): Server {
	const server = http.createServer({keepAlive: true});
	server.maxConnections = maxConnections;
	// A page that receives events for hours is as it should be; one that sends its request for minutes is not.
	server.headersTimeout = 20_000;
	server.requestTimeout = 0;
	return server;
}

async function listen(server: Server, host: string, port: number): Promise<number> {
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject);
		server.listen({host, port, exclusive: true, ipv6Only: true}, () => {
			server.off('error', reject);
			resolve();
		});
	});
	return (server.address() as AddressInfo).port;
}
