import net, {type AddressInfo} from 'node:net';
import {sandboxAttack, without} from '../support/attack.ts';

let hits = 0;
let port = 0;
sandboxAttack({
	title: 'dial a service of the host, past the proxy',
	source: '--noproxy, raw sockets, services on loopback',
	network: false,
	async prepare() {
		hits = 0;
		const server = net.createServer(socket => {
			hits++;
			socket.destroy();
		});
		await new Promise<void>(resolve => {
			server.listen(0, '127.0.0.1', resolve);
		});
		({port} = server.address() as AddressInfo);
		return () => server.close();
	},
	script: () => `perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => ${port}) ? "connected" : "no: $!"'`,
	succeeded: ({output}) => output === 'connected' && hits > 0,
	without: {title: 'a network namespace', arguments: argv => without(argv, '--unshare-net')},
});
