import net from 'node:net';
import {sandboxAttack, without} from '../support/attack.ts';

const name = `fleet-abstract-${process.pid}`;
sandboxAttack({
	title: 'connect to an abstract socket of the host',
	source: 'D-Bus and X11 listen on abstract sockets, which no mount hides',
	network: false,
	async prepare() {
		const server = net.createServer(socket => socket.end('hello from the host'));
		await new Promise<void>(resolve => {
			server.listen({path: `\0${name}`}, resolve);
		});
		return () => server.close();
	},
	script: () => `perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0); print connect(S, pack("S a*", AF_UNIX, "\\0${name}")) ? <S> : "no: $!"'`,
	succeeded: ({output}) => output.includes('hello from the host'),
	without: {title: 'a network namespace', arguments: argv => without(argv, '--unshare-net')},
});
