import {lookup} from 'node:dns/promises';
import net from 'node:net';
import {hostAddresses, loopbackAddresses} from '../core/network/addresses.ts';
import {decideAddress, decideEgress, type Asked} from '../core/network/egress.ts';
import {formatTarget, hostName, type Target} from '../core/network/target.ts';
import {isMetadataName, isNearby, upstreamFor} from '../core/network/upstream.ts';
import {proxyPort} from '../core/plan.ts';
import {Refusal} from '../core/refusal.ts';
import type {DenialKind} from '../core/run/event.ts';
import type {ProxyHooks} from './proxy-hooks.ts';
import type {Route} from './route.ts';

async function systemResolve(host: string): Promise<string[]> {
	return (await lookup(host, {all: true, verbatim: false})).map(({address}) => address);
}

/** Where a run's request may go: the rules of this moment, the addresses of the name, the proxy of the person's network. */
export class EgressDecider {
	readonly #hooks: ProxyHooks;

	constructor(hooks: ProxyHooks) {
		this.#hooks = hooks;
	}

	/**
	 * @returns the way to a target, or why there is none; every no
	 * is reported. `status` is for a fault that no grant mends.
	 */
	async decide(
		target: Target,
		asked: Asked | undefined,
	): Promise<{route: Route; rule: string} | {because: string; status?: number}> {
		const {rules} = this.#hooks.state();
		const verdict = decideEgress(target, rules, asked);
		if (!verdict.allow) {
			return this.deny(target, verdict.because, 'not-granted');
		}

		const route = await this.#route(target, asked);
		if ('because' in route) {
			return route;
		}

		// The grant may have gone while the name was looked up.
		const again = decideEgress(target, this.#hooks.state().rules, asked);
		if (!again.allow) {
			return this.deny(target, again.because, 'not-granted');
		}

		this.#hooks.onTaken?.(again.because);
		return {route, rule: again.because};
	}

	async #route(target: Target, asked: Asked | undefined): Promise<Route | {because: string; status?: number}> {
		if (target.host === hostName) {
			return {addresses: hostAddresses};
		}

		const {upstreams} = this.#hooks;
		const proxy = upstreams && upstreamFor(upstreams, asked ? 'http' : 'tunnel', target);
		if (proxy instanceof Refusal) {
			return this.#unreached(target, {because: proxy.because, status: 502});
		}

		if (proxy && isMetadataName(target.host)) {
			return this.deny(target, `${target.host} hands out a cloud's credentials, and is never asked`, 'address');
		}

		let addresses: string[] = [];
		// A proxy elsewhere finds the address itself, and what this machine would find means nothing there.
		if (net.isIP(target.host)) {
			addresses = [target.host];
		} else if (!proxy || isNearby(proxy)) {
			try {
				addresses = await (this.#hooks.resolve ?? systemResolve)(target.host);
			} catch {
				// Behind a proxy, names of the world often do not.
			}

			if (addresses.length === 0 && !proxy) {
				return this.#unreached(target, {because: 'the name does not resolve'});
			}
		}

		// One address that must not be dialled spoils the answer: a name that is half public is a rebinding attempt.
		const {privateHosts} = this.#hooks.state();
		for (const address of addresses) {
			const check = decideAddress(target, address, privateHosts);
			if (!check.allow) {
				return this.deny(target, check.because, 'address');
			}
		}

		return proxy ? {proxy, context: this.#hooks.trust?.()} : {addresses: addresses.slice(0, 1)};
	}

	#unreached<Answer extends {readonly because: string}>(target: Target, answer: Answer): Answer {
		this.#hooks.onUnreached?.(`${formatTarget(target)}: ${answer.because}`);
		return answer;
	}

	deny(target: {host: string; port?: number}, because: string, kind: DenialKind): {because: string} {
		this.#hooks.onDenied(formatTarget(target), because, kind);
		return {because};
	}

	/**
	 * A connection to the run's own loopback: what a client means that asks a
	 * proxy for it. Nothing of this machine's is ever meant by those names.
	 */
	async own(target: Target): Promise<net.Socket | {because: string}> {
		const inside = `${formatTarget(target)} is the run's own, inside`;
		if (!this.#hooks.loopback || target.port === proxyPort) {
			return {because: `${inside}: ask it without a proxy`};
		}

		try {
			const socket = await this.#hooks.loopback(loopbackAddresses(target.host), target.port);
			socket.on('error', () => socket.destroy());
			return socket;
		} catch {
			return {
				because:
					`${inside}, and nothing listens there; a port of the person's machine is ${hostName}:${target.port}, ` +
					`once network:${hostName}:${target.port} is granted`,
			};
		}
	}
}
