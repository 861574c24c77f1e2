import http from 'node:http';
import type {AddressInfo} from 'node:net';
import {sandboxAttack} from '../support/attack.ts';

let port = 0;
let hits = 0;
sandboxAttack({
	title: 'reach a private address under a name that was granted',
	source: 'DNS rebinding, localhost in disguise, metadata services',
	async prepare(box) {
		hits = 0;
		const server = http.createServer((_request, response) => {
			hits++;
			response.end('inside');
		});
		await new Promise<void>(resolve => {
			server.listen(0, '127.0.0.1', resolve);
		});
		({port} = server.address() as AddressInfo);
		box.rules = ['localhost', '127.0.0.1'].map(host => ({host, port, source: 'granted'}));
		return () => {
			server.close();
			server.closeAllConnections();
		};
	},
	script: () => ['localhost', '127.0.0.1', '127.1', '0x7f000001', '2130706433'].map(host => `perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => 3128); print $s "GET http://${host}:${port}/ HTTP/1.1\\r\\nHost: ${host}\\r\\nConnection: close\\r\\n\\r\\n"; print <$s>'`).join('\n'),
	succeeded: ({output}) => hits > 0 || output.includes('inside'),
	without: {title: 'the check of the address\' class', box(box) {
		Object.defineProperty(box, 'privateHosts', {get: () => box.rules});
	}},
});
