import type {Agent as HttpsAgent, RequestOptions as HttpsOptions} from 'node:https';
import process from 'node:process';
import type {SecureContext} from 'node:tls';
import {writeHeaders, type HeaderPairs} from '../core/network/forward.ts';
import {formatTarget, hostName, type Target} from '../core/network/target.ts';
import type {BrokerHooks, Connection} from './broker-hooks.ts';
import {Pools} from './http-forwarding.ts';
import {addressOptions, connectingBy, openRoute, routeKey} from './route.ts';

// An import would load a whole client for the web: see http-forwarding.ts.
const https = process.getBuiltinModule('node:https');
const tls = process.getBuiltinModule('node:tls');
const {isIP} = process.getBuiltinModule('node:net');

/** What is asked, and the way there. */
type Way = Pick<Connection, 'target' | 'route'>;

/** How the broker asks servers: over TLS whose certificate is checked, by the way that was decided. */
export class BrokerUpstream {
	readonly #hooks: Pick<BrokerHooks, 'trust' | 'placeOf'>;
	// A handshake of TLS is dear, so connections wait longer for the next request than the plain proxy's.
	readonly #pools = new Pools<HttpsAgent>({idleTimeoutMs: 60_000});

	constructor(hooks: Pick<BrokerHooks, 'trust' | 'placeOf'>) {
		this.#hooks = hooks;
	}

	/** One pool for a host, since a check of the certificate that is set for a request would keep no connection alive. */
	pool(connection: Way): HttpsAgent {
		const {target, route} = connection;
		return this.#pools.get(routeKey(target, route), target, options =>
			this.#byRoute(new https.Agent(options), connection),
		);
	}

	/** For one request alone. */
	single(connection: Way): HttpsAgent {
		return this.#byRoute(new https.Agent({keepAlive: false}), connection);
	}

	/** Closes those to targets that may be asked no more. */
	cut(isOver: (target: Target) => boolean): void {
		this.#pools.cut(isOver);
	}

	close(): void {
		this.#pools.close();
	}

	/**
	 * Where a request goes, for Node's client. The person's own
	 * machine has no name that a certificate is for, but localhost.
	 */
	place({
		target,
		route,
	}: Way): HttpsOptions & {readonly ALPNProtocols: string[]; readonly secureContext?: SecureContext} {
		const secureContext = this.#hooks.trust?.();
		const servername = isIP(target.host) ? {} : {servername: target.host === hostName ? 'localhost' : target.host};
		return {
			...(this.#hooks.placeOf?.(target) ?? addressOptions(route.addresses ?? [target.host], target.port)),
			ALPNProtocols: ['http/1.1'],
			minVersion: 'TLSv1.2',
			...servername,
			...(secureContext === undefined ? {} : {secureContext}),
		};
	}

	/** Has an agent connect by the way that was decided, where that is more than an address. */
	#byRoute(agent: HttpsAgent, connection: Way): HttpsAgent {
		const {target, route} = connection;
		return route.proxy === undefined
			? agent
			: connectingBy(agent, async () => {
					const {servername, ALPNProtocols, minVersion, secureContext} = this.place(connection);
					const socket = tls.connect({
						socket: await openRoute(target, route),
						ALPNProtocols,
						...(minVersion ? {minVersion} : {}),
						...(servername ? {servername} : {host: target.host}),
						...(secureContext ? {secureContext} : {}),
					});
					return new Promise((resolve, reject) => {
						socket.once('error', reject);
						socket.once('secureConnect', () => {
							socket.off('error', reject);
							resolve(socket);
						});
					});
				});
	}

	/** The headers of a request as they go out: a compressed reply could not be looked into, so none is asked for. */
	headers(connection: Way, decided: Omit<Parameters<typeof writeHeaders>[0], 'host' | 'fixed'>): HeaderPairs {
		const {host, port} = connection.target;
		return writeHeaders({
			...decided,
			host: formatTarget(port === 443 ? {host} : {host, port}),
			fixed: [['Accept-Encoding', 'identity']],
		});
	}
}
