import {spawn} from 'node:child_process';
import dgram from 'node:dgram';
import net, {type AddressInfo} from 'node:net';
import http from 'node:http';
import process from 'node:process';
import {dropUidOf} from '../core/plan.ts';
import {boxId} from './box.ts';
import type {Bait} from './attack.ts';

/* What the host puts out to be reached: listeners that count, processes that can be watched. */

function listening(server: net.Server, where: net.ListenOptions): Promise<void> {
	return new Promise((resolve, reject) => {
		server.once('error', reject);
		server.listen(where, resolve);
	});
}

/** A TCP listener of the host's that greets whoever connects. */
export async function tcpBait(host = '127.0.0.1', greeting = 'hello from the host\n'): Promise<Bait & {port: number}> {
	let hits = 0;
	const server = net.createServer(socket => {
		hits++;
		socket.on('error', () => {});
		socket.end(greeting);
	});
	await listening(server, {host, port: 0});
	return {port: (server.address() as AddressInfo).port, hits: () => hits, close: () => server.close()};
}

/** A web server of the host's. `text` is its answer; what it was asked for is counted. */
export async function httpBait(
	answer = 'reached',
	asked: string[] = [],
	host = '127.0.0.1',
): Promise<Bait & {port: number}> {
	let hits = 0;
	const server = http.createServer((request, response) => {
		hits++;
		asked.push(`${request.method} ${request.url} ${request.headers.host}`);
		response.end(answer);
	});
	await listening(server, {host, port: 0});
	return {
		port: (server.address() as AddressInfo).port,
		hits: () => hits,
		close() {
			server.close();
			server.closeAllConnections();
		},
	};
}

/** A listener of the host's that reads bytes and never answers. */
export async function rawBait(onText: (text: string) => void): Promise<Bait & {port: number}> {
	const sockets = new Set<net.Socket>();
	const server = net.createServer(socket => {
		sockets.add(socket);
		socket.on('error', () => {});
		socket.on('data', bytes => onText(bytes.toString('latin1')));
	});
	await listening(server, {host: '127.0.0.1', port: 0});
	return {
		port: (server.address() as AddressInfo).port,
		close() {
			server.close();
			for (const socket of sockets) {
				socket.destroy();
			}
		},
	};
}

/** A socket in the file system, or an abstract one where the name begins with a NUL. */
export async function socketBait(place: string): Promise<Bait> {
	let hits = 0;
	const server = net.createServer(socket => {
		hits++;
		socket.on('error', () => {});
		socket.end('hello from the host\n');
	});
	await listening(server, place.startsWith('\0') ? {path: place} : {path: place, readableAll: true, writableAll: true});
	return {hits: () => hits, close: () => server.close()};
}

export async function udpBait(): Promise<Bait & {port: number}> {
	let hits = 0;
	const socket = dgram.createSocket('udp4');
	socket.on('message', () => hits++);
	await new Promise<void>(resolve => {
		socket.bind(0, '127.0.0.1', resolve);
	});
	return {port: socket.address().port, hits: () => hits, close: () => socket.close()};
}

/**
 * A process of the host with the sandbox's own uid, so that only namespaces protect it. `hits` is 1 once it is gone.
 */
export function processBait(word = ''): Bait & {pid: number} {
	const root = process.getuid?.() === 0;
	const child = spawn('/bin/sh', ['-c', 'sleep 60; exit', word], {
		env: {TOKEN: word},
		stdio: 'ignore',
		cwd: '/',
		...(root ? {uid: dropUidOf(boxId), gid: dropUidOf(boxId)} : {}),
	});
	let gone = 0;
	child.once('exit', () => {
		gone = 1;
	});
	return {pid: child.pid!, hits: () => gone, close: () => child.kill('SIGKILL')};
}

export const pause = (milliseconds: number) =>
	new Promise<void>(resolve => {
		setTimeout(resolve, milliseconds);
	});

/** Perl that sends a request to the run's proxy and prints the answer. Line ends are written `\r\n`. */
export function viaProxy(request: string): string {
	return (
		`perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => 3128, ` +
		`Timeout => 5) or print("no proxy"); if ($s) { print $s "${request.replaceAll('@', '\\@')}"; ` +
		"$SIG{ALRM} = sub { exit }; alarm 3; print while <$s>; }'"
	);
}

/** A GET through the proxy, as text that `viaProxy` takes. */
export const get = (url: string, host = 'x') =>
	viaProxy(`GET ${url} HTTP/1.1\\r\\nHost: ${host}\\r\\nConnection: close\\r\\n\\r\\n`);

/** Perl that makes one system call by its number on this processor, and prints `errno N` or `value N`. */
export function call(x64: number, arm64: number, ...values: Array<number | string>): string {
	return (
		`perl -e '$n = \`uname -m\` =~ /aarch64/ ? ${arm64} : ${x64}; ` +
		`$r = syscall($n${values.map(value => `, ${value}`).join('')}); ` +
		`print $r == -1 ? "errno " . ($! + 0) : "value $r"'`
	);
}
