import http from 'node:http';
import type {AddressInfo} from 'node:net';
import {sandboxAttack} from '../support/attack.ts';

let port = 0;
sandboxAttack({
	title: 'go anywhere when nothing is listed',
	source: 'CVE-2025-66479: an empty allow-list meant "allow all"',
	async prepare(box) {
		const server = http.createServer((_request, response) => {
			response.end('reached');
		});
		await new Promise<void>(resolve => {
			server.listen(0, '127.0.0.1', resolve);
		});
		({port} = server.address() as AddressInfo);
		box.privateHosts = [{host: '127.0.0.1', port, source: 'policy'}];
		return () => {
			server.close();
			server.closeAllConnections();
		};
	},
	script: () => `perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => 3128); print $s "GET http://127.0.0.1:${port}/ HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n"; print <$s>'`,
	succeeded: ({output}) => output.includes('reached'),
	without: {title: 'an empty list (one rule is enough)', box(box) {
		Object.defineProperty(box, 'rules', {get: () => [{host: '127.0.0.1', port, source: 'granted'}]});
	}},
});
