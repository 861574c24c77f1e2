import type {IncomingMessage, ServerResponse} from 'node:http';
import type net from 'node:net';
import type {SecureContext} from 'node:tls';
import type {EgressRule} from '../core/network/rules.ts';
import type {Target} from '../core/network/target.ts';
import type {Upstreams} from '../core/network/upstream.ts';
import type {DenialKind} from '../core/run/event.ts';
import type {Route} from './route.ts';

/* What the proxy of a run asks, and whom it tells. */

/** What a run may reach at this moment. Asked for at every request, so that a grant acts on the next one. */
export type EgressState = {readonly rules: readonly EgressRule[]; readonly privateHosts: readonly EgressRule[]};

export type ProxyHooks = {
	state(): EgressState;
	onDenied(target: string, because: string, kind: DenialKind): void;
	onAllowed(target: string, rule: string): void;
	/** A rule lets something through: called at once with the decision. What is thrown here keeps it from going on. */
	onTaken?(rule: string): void;
	/** A request that cannot be read in one way, or at which fleet itself failed: no grant would let it pass. */
	onRefused?(target: string, because: string): void;
	/**
	 * What is allowed did not answer: its name leads nowhere, or it is not there, or a proxy on the way is not.
	 * @param because names it
	 */
	onUnreached?(because: string): void;
	/**
	 * The agent asked fleet itself for something, at
	 * http://fleet.internal/<what>. The answer is always no; it is written down.
	 */
	onAsked(what: string): void;
	/** The addresses of a name; by default the system's answer. */
	resolve?(host: string): Promise<string[]>;
	/** What looks into tunnels to hosts that a secret is bound to; undefined while the run holds none. */
	broker?(): Interceptor | undefined;
	/** Every pointer of the run: nothing that can be read carries one past the broker. */
	pointers?(): readonly string[];
	onAlarm?(target: string, because: string): void;
	/** For tests: a request that was decided on, as it is about to go on. */
	onForwarded?(request: IncomingMessage, response: ServerResponse): void;
	/** The proxies of the person's network; by default there is none. */
	readonly upstreams?: Upstreams | undefined;
	/** Whom the connection to such a proxy trusts; by default whom Node does. */
	trust?(): SecureContext | undefined;
	/** What answers what is asked of this listener itself. */
	own?(): OwnService | undefined;
	/** Connects to the run's own loopback, for a client that asks for it here. @throws where nothing listens */
	loopback?(addresses: readonly string[], port: number): Promise<net.Socket>;
};

/**
 * What answers at the listener itself, in origin form, and not at a host: the way to MCP servers outside. Not there, the
 * proxy says that it is one.
 */
export type OwnService = {
	serve(request: IncomingMessage, response: ServerResponse): Promise<void>;
	/** Ends what is no longer granted. @returns how many connections */ cut(): number;
};

/** The proxy's side of the broker. */
export type Interceptor = {
	isBound(target: Target): boolean;
	serve(client: net.Socket, target: Target, route: Route): void;
	cut(): number;
	close(): void;
};

/** The name under which the proxy itself answers, so that an agent that asks for a decision gets a clear refusal. */
export const internalHost = 'fleet.internal';
