import net from 'node:net';
import type {Duplex} from 'node:stream';
import {longestHello, readClientHello, type ClientHello} from '../core/network/client-hello.ts';
import {canonicaliseHost, formatTarget, type Target} from '../core/network/target.ts';
import {Blanker} from '../core/secrets/patterns.ts';
import {PatternCache} from './pattern-cache.ts';
import type {EgressDecider} from './proxy-decision.ts';
import type {Interceptor, ProxyHooks} from './proxy-hooks.ts';
import {printableAuthority} from './proxy-request.ts';
import type {Route} from './route.ts';

/** A tunnel that was decided on: where to, and the client's connection with what it sent behind its request. */
type OpenTunnel = {readonly target: Target; readonly client: Duplex; readonly head: Buffer};

type Guarded = <Arguments extends unknown[]>(
	socket: Duplex,
	work: (...values: Arguments) => unknown,
) => (...values: Arguments) => void;

/** What passes through a tunnel is decided by the first bytes in it: a TLS hello names the host that is meant. */
export class TunnelHello {
	readonly #hooks: ProxyHooks;
	readonly #decider: EgressDecider;
	readonly #patterns: PatternCache;
	readonly #guarded: Guarded;

	/** @param parts.guarded see `Proxy` */
	constructor(parts: {hooks: ProxyHooks; decider: EgressDecider; patterns: PatternCache; guarded: Guarded}) {
		this.#hooks = parts.hooks;
		this.#decider = parts.decider;
		this.#patterns = parts.patterns;
		this.#guarded = parts.guarded;
	}

	/**
	 * Hands a tunnel to the broker once it began with a TLS hello
	 * for its own target: a bound host is asked in no other way.
	 */
	intercept(broker: Interceptor, route: Route, {target, client, head}: OpenTunnel & {client: net.Socket}): void {
		this.#readHello(client, head, (hello, seen) => {
			if (
				hello.kind !== 'hello' ||
				(hello.name === undefined ? net.isIP(target.host) === 0 : canonicaliseHost(hello.name) !== target.host)
			) {
				this.#decider.deny(
					hello.kind === 'hello' && hello.name !== undefined
						? {host: printableAuthority(hello.name), port: target.port}
						: target,
					hello.kind === 'hello'
						? `the TLS hello in a tunnel to ${formatTarget(target)} names another host`
						: `${formatTarget(target)} has a secret bound to it, and is asked over TLS alone`,
					'request',
				);
				client.destroy();
				return;
			}

			client.unshift(seen);
			broker.serve(client, target, route);
		});
	}

	/**
	 * Lets the client's bytes through once they are not a TLS hello that names another host: a shared front end would
	 * otherwise carry the run to every host behind it. What is not TLS passes as it is, unless it carries a pointer.
	 */
	checkHello(tunnel: OpenTunnel, upstream: net.Socket): void {
		const {target, client, head} = tunnel;
		const ended = this.#readHello(client, head, (hello, seen) => {
			if (hello.kind === 'odd') {
				this.#hooks.onRefused?.(formatTarget(target), 'the TLS hello in a tunnel can be read in two ways');
				client.destroy();
				upstream.destroy();
				return;
			}

			if (hello.kind === 'hello' && hello.name !== undefined && canonicaliseHost(hello.name) !== target.host) {
				this.#decider.deny(
					{host: printableAuthority(hello.name), port: target.port},
					`the TLS hello in a tunnel to ${formatTarget(target)} names another host`,
					'request',
				);
				client.destroy();
				upstream.destroy();
				return;
			}

			const pointers = hello.kind === 'hello' ? [] : (this.#hooks.pointers?.() ?? []);
			if (pointers.length > 0) {
				this.#watchPlain(tunnel, upstream, {seen, pointers});
				return;
			}

			upstream.write(seen);
			client.pipe(upstream);
		});
		client.once('end', () => {
			const seen = ended();
			if (seen) {
				upstream.end(seen);
			}
		});
	}

	/** A tunnel without TLS can be read: a pointer ends it. */
	#watchPlain(
		{target, client}: OpenTunnel,
		upstream: net.Socket,
		{seen, pointers}: {readonly seen: Buffer; readonly pointers: readonly string[]},
	): void {
		const blanker = new Blanker(this.#patterns.of(pointers));
		const look = this.#guarded(client, (bytes: Uint8Array) => {
			const passed = blanker.push(bytes);
			if (blanker.found > 0) {
				this.#hooks.onAlarm?.(formatTarget(target), 'a pointer is in a tunnel to a host that it is not bound to');
				client.destroy();
				upstream.destroy();
			} else if (!upstream.write(passed)) {
				client.pause();
			}
		});

		upstream.on('drain', () => client.resume());
		client.on('data', look);
		client.once('end', () => upstream.end(blanker.end()));
		look(seen);
		client.resume();
	}

	/**
	 * Reads a client's first bytes until they are a hello or clearly none.
	 * @param then gets them; the client is paused
	 * @returns for a client that ends before: what it sent so far; undefined once it was handed over
	 */
	#readHello(client: Duplex, head: Buffer, then: (hello: ClientHello, seen: Buffer) => void): () => Buffer | undefined {
		let seen: Buffer = Buffer.alloc(0);
		let waiting = true;
		const look = this.#guarded(client, (bytes: Buffer) => {
			seen = Buffer.concat([seen, bytes]);
			const hello = readClientHello(seen);
			if (hello.kind === 'wait' && seen.length <= longestHello) {
				return;
			}

			waiting = false;
			client.off('data', look);
			client.pause();
			then(hello, seen);
		});

		if (head.length > 0) {
			look(head);
		}

		if (waiting) {
			client.on('data', look);
		}

		return () => (waiting ? seen : undefined);
	}
}
