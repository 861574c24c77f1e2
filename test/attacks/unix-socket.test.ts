import {chmodSync, mkdirSync} from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import {bound, sandboxAttack} from '../support/attack.ts';

sandboxAttack({
	title: 'connect to a socket of the host, such as docker\'s or ssh-agent\'s',
	source: 'a control socket is as good as the account behind it',
	async prepare(box) {
		mkdirSync(path.join(box.folder, 'sockets'), {recursive: true});
		const file = path.join(box.folder, 'sockets', 's');
		const server = net.createServer(socket => socket.end('hello from the host'));
		await new Promise<void>(resolve => {
			server.listen(file, resolve);
		});
		chmodSync(file, 0o777);
		return () => server.close();
	},
	script: box => `perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new("${box.folder}/sockets/s"); print $s ? <$s> : "no: $!"'`,
	succeeded: ({output}) => output.includes('hello from the host'),
	without: bound('sockets'),
});
