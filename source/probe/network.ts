import dgram from 'node:dgram';
import fs from 'node:fs';
import {isRefused} from '../core/probe.ts';
import {connect, report, request, wordsOf} from './attempts.ts';

/* Ways to the network: directly, and by the proxy. */

export async function network(): Promise<void> {
	for (const {host, port} of request.tcp) {
		const seen = await connect({host, port});
		report({id: `network.tcp.${host}`, blocked: seen !== 'connected', seen});
	}

	const udp = dgram.createSocket('udp4');
	const sent = await new Promise<string>(resolve => {
		udp.once('error', error => resolve(wordsOf(error)));
		udp.send(request.mark, request.udpPort, '127.0.0.1', error =>
			resolve(error ? wordsOf(error) : "sent into the sandbox's own loopback"),
		);
	});
	udp.close();
	// A datagram into nothing is not an error; the host's counter tells.
	report({id: 'network.udp', blocked: true, seen: sent});

	const interfaces = fs
		.readFileSync('/proc/net/dev', 'utf8')
		.split('\n')
		.slice(2)
		.map(line => line.split(':')[0]!.trim())
		.filter(name => name !== '');
	report({
		id: 'network.interfaces',
		blocked: interfaces.every(name => name === 'lo'),
		seen: `interfaces: ${interfaces.join(', ')}`,
		control: interfaces.length > 0,
	});

	const proxy = {host: '127.0.0.1', port: request.proxyPort};
	const alive = (await connect(proxy, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')).startsWith('HTTP/1.1 400');
	const port = request.tcp[0]!.port;
	const targets: Array<[string, string]> = [
		['ungranted', `${request.mark}.invalid:443`],
		['loopback', `127.0.0.1:${port}`],
		['short', `127.1:${port}`],
		['hex', `0x7f000001:${port}`],
		['decimal', `2130706433:${port}`],
		['zero', `0.0.0.0:${port}`],
		['mapped', `[::ffff:127.0.0.1]:${port}`],
		['v6', `[::1]:${port}`],
		['localhost', `localhost:${port}`],
		['dot', `localhost.:${port}`],
		['metadata', '169.254.169.254:80'],
	];
	for (const [id, target] of targets) {
		const seen = await connect(proxy, `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
		report({
			id: `network.proxy.${id}`,
			blocked: isRefused(seen),
			seen: `CONNECT ${target}: ${seen}`,
			control: alive,
		});
	}
}
