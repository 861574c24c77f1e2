import net, {type AddressInfo} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';
import {sandboxAttack, type Protection} from '../support/attack.ts';
import type {Box} from '../support/sandbox.ts';

let port = 0;
let ticks = 0;
let cutting = true;
const protection: Protection = {title: 'cutting open connections', box() {
	cutting = false;
}};

async function revokeLater(box: Box): Promise<void> {
	while (ticks < 3) {
		await sleep(20);
	}

	box.rules = [];
	if (cutting) {
		box.session.proxy.cut();
	}
}

sandboxAttack({
	title: 'keep using a tunnel after the grant is taken back',
	source: 'other proxies block new connections only',
	async prepare(box) {
		ticks = 0;
		const server = net.createServer(socket => {
			const timer = setInterval(() => {
				ticks++;
				socket.write(`tick ${ticks}\n`);
				if (ticks >= 60) {
					socket.end();
				}
			}, 20);
			socket.on('error', () => {});
			socket.on('close', () => clearInterval(timer));
		});
		await new Promise<void>(resolve => {
			server.listen(0, '127.0.0.1', resolve);
		});
		({port} = server.address() as AddressInfo);
		box.rules = [{host: '127.0.0.1', port, source: 'granted'}];
		box.privateHosts = box.rules;
		void revokeLater(box);
		return () => {
			cutting = true;
			server.close();
		};
	},
	script: () => `perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => 3128); print $s "CONNECT 127.0.0.1:${port} HTTP/1.1\\r\\n\\r\\n"; print while <$s>'`,
	succeeded: ({output}) => output.includes('tick 60'),
	without: protection,
});
