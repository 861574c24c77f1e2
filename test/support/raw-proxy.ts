import net, {type AddressInfo} from 'node:net';
import type {TestContext} from 'node:test';
import type {Proxy} from '../../source/host/proxy.ts';

/**
 * Has a proxy listen on a port of loopback until the test ends.
 * @returns the port, and what writes a text to it and reads what
 * comes back: until it is closed, or so many milliseconds are over
 */
export async function listenAs(
	t: TestContext,
	proxy: Proxy,
): Promise<{port: number; talk(text: string, patience?: number): Promise<string>}> {
	const port = await new Promise<number>(resolve => {
		const probe = net.createServer().listen(0, '127.0.0.1', () => {
			const {port} = probe.address() as AddressInfo;
			probe.close(() => resolve(port));
		});
	});
	await proxy.attach({port, host: '127.0.0.1'});
	t.after(() => proxy.close());
	return {
		port,
		talk: (text, patience) =>
			new Promise(resolve => {
				const socket = net.connect(port, '127.0.0.1');
				let answer = '';
				socket.on('data', bytes => {
					answer += String(bytes);
				});
				socket.on('error', () => {});
				socket.on('close', () => resolve(answer));
				socket.write(text);
				if (patience !== undefined) {
					setTimeout(() => socket.destroy(), patience).unref();
				}
			}),
	};
}
