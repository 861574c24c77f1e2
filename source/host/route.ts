import type {Agent, ClientRequest} from 'node:http';
import type net from 'node:net';
import process from 'node:process';
import type tls from 'node:tls';
import {formatTarget, type Target} from '../core/network/target.ts';
import {proxyFault, unreachableProxy, type UpstreamProxy} from '../core/network/upstream.ts';
import {dialTimeoutMs, Stopped} from './http-forwarding.ts';

/*
 * How the host's side of a run goes out: to an address that
 * was checked, or by way of the proxy of the person's network.
 */

// An import would load a whole client for the web: see http-forwarding.ts.
const http = process.getBuiltinModule('node:http');
const https = process.getBuiltinModule('node:https');
const {connect, isIPv6} = process.getBuiltinModule('node:net');

/** Where a connection to a target goes. */
export type Route =
	| {readonly addresses: readonly string[]; readonly proxy?: undefined}
	| {
			readonly addresses?: undefined;
			readonly proxy: UpstreamProxy;
			/** Whom this machine trusts, for a proxy that is asked over TLS. */ readonly context:
				| tls.SecureContext
				| undefined;
	  };

/** A route as text: connections of one may be used again by another that reads the same. */
export function routeKey(target: Target, route: Route): string {
	return `${formatTarget(target)} ${route.proxy ? `by ${route.proxy.shown}` : route.addresses.join(' ')}`;
}

/** Where to dial, for Node's clients: one address after another, none of which is looked up again. */
export function addressOptions(
	addresses: readonly string[],
	port: number,
): {host: string; port: number; lookup?: net.LookupFunction; autoSelectFamilyAttemptTimeout?: number} {
	const all = addresses.map(address => ({address, family: isIPv6(address) ? 6 : 4}));
	if (all.length === 1) {
		return {host: all[0]!.address, port};
	}

	return {
		host: 'checked.invalid',
		port,
		// Node's own 250 ms are over before a process on a busy machine looks whether it was connected.
		autoSelectFamilyAttemptTimeout: 1000,
		lookup(_host, options, done) {
			if (options.all) {
				done(null, all);
			} else {
				done(null, all[0]!.address, all[0]!.family);
			}
		},
	};
}

/** A connection to a proxy itself, for a request of its own or for a tunnel. */
export function proxyOptions(route: Extract<Route, {proxy: UpstreamProxy}>) {
	const {proxy, context} = route;
	return {
		host: proxy.host,
		port: proxy.port,
		...(proxy.secure
			? {
					servername: isIPv6(proxy.host) || /^[\d.]+$/.test(proxy.host) ? '' : proxy.host,
					...(context ? {secureContext: context} : {}),
				}
			: {}),
	};
}

/**
 * Opens a connection to a target. By a proxy, once it made the tunnel.
 * @throws Stopped (502) with words for the client where it cannot be had
 */
export function openRoute(target: Target, route: Route): Promise<net.Socket> {
	return route.proxy
		? openTunnel(target, route)
		: new Promise((resolve, reject) => {
				const socket = connect({...addressOptions(route.addresses, target.port), timeout: dialTimeoutMs});
				const fail = (error: NodeJS.ErrnoException) => {
					socket.destroy();
					reject(new Stopped(502, `${formatTarget(target)} could not be reached: ${error.code ?? error.message}`));
				};

				socket.once('error', fail);
				socket.once('timeout', () => fail(new Error('timed out')));
				socket.once('connect', () => {
					socket.setTimeout(0);
					socket.removeAllListeners('timeout');
					socket.off('error', fail);
					resolve(socket);
				});
			});
}

function openTunnel(target: Target, route: Extract<Route, {proxy: UpstreamProxy}>): Promise<net.Socket> {
	const {proxy} = route;
	const authority = formatTarget(target);
	return new Promise((resolve, reject) => {
		const request: ClientRequest = (proxy.secure ? https : http).request({
			...proxyOptions(route),
			method: 'CONNECT',
			path: authority,
			setHost: false,
			agent: false,
			timeout: dialTimeoutMs,
			insecureHTTPParser: false,
			headers: {
				host: authority,
				...(proxy.authorization === undefined ? {} : {'proxy-authorization': proxy.authorization}),
			},
		});
		request.once('timeout', () => request.destroy(new Error('ETIMEDOUT')));
		request.on('error', error =>
			reject(new Stopped(502, unreachableProxy(proxy, (error as NodeJS.ErrnoException).code ?? error.message))),
		);
		request.once('connect', (answer, socket: net.Socket, head: Buffer) => {
			socket.setTimeout(0);
			if (answer.statusCode === undefined || answer.statusCode < 200 || answer.statusCode > 299) {
				socket.destroy();
				reject(new Stopped(502, proxyFault(proxy, answer.statusCode ?? 0, `a tunnel to ${authority}`)));
				return;
			}

			if (head.length > 0) {
				socket.unshift(head);
			}

			resolve(socket);
		});
		// What is no tunnel: Node gives a reply to CONNECT in no other way.
		request.once('response', answer => {
			answer.destroy();
			reject(new Stopped(502, proxyFault(proxy, answer.statusCode ?? 0, `a tunnel to ${authority}`)));
		});
		request.end();
	});
}

/** Lets an agent open its connections by `open`, whenever that has one. */
export function connectingBy<T extends Agent>(agent: T, open: () => Promise<net.Socket>): T {
	(
		agent as unknown as {
			createConnection(options: unknown, done: (error: Error | null, socket?: net.Socket) => void): undefined;
		}
	).createConnection = (_options, done) => {
		open().then(
			socket => done(null, socket),
			(error: Error) => done(error),
		);
	};
	return agent;
}
