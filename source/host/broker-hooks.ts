import type {IncomingMessage, ServerResponse} from 'node:http';
import type {Duplex} from 'node:stream';
import type {SecureContext} from 'node:tls';
import type {EgressRule} from '../core/network/rules.ts';
import type {Target} from '../core/network/target.ts';
import type {HeldSecret} from '../core/secrets/swap.ts';
import type {Route} from './route.ts';

/* What the broker of a run asks, and whom it tells. */

export type BrokerHooks = {
	/** What the run may reach now; asked for at every request. */
	rules(): readonly EgressRule[];
	/** The secrets in force now. */
	held(): readonly HeldSecret[];
	/** Every pointer of the run, in force or not. */
	pointers(): readonly string[];
	/** Every value that the run could use since it started. */
	values(): readonly string[];
	onUsed(scope: string, target: string): void;
	/** `alarm`: a pointer was where it does not belong. */
	onRefused(target: string, because: string, alarm: boolean): void;
	/** Whom the connections to servers trust; by default whom Node does. */
	trust?(): SecureContext | undefined;
	/** For tests: where to dial for a target; where it was decided by default. */
	placeOf?(target: Target): {readonly host: string; readonly port: number};
	/** For tests: a request that was decided on, as it is about to go on; no response for a websocket's. */
	onForwarded?(request: IncomingMessage, response: ServerResponse | undefined): void;
	/** What a request is answered with here, in place of its server; undefined: it goes on. @param path without a query */
	answers?(target: Target, path: string): {readonly status: number; readonly json: string} | undefined;
	/**
	 * Called before a request to a target is decided on: what it waits for, such as a login that is refreshed. Rejects
	 * with a `Stopped` where there is nothing to go on with.
	 */
	ready?(target: Target): Promise<void> | undefined;
	/**
	 * What gets other values for scopes that a server did not take (401); undefined where these are all there are.
	 * Resolves to whether there are others, for one more try; rejects with a `Stopped` that is told in place of its answer.
	 */
	renewable?(scopes: readonly string[]): (() => Promise<boolean>) | undefined;
	/** A request that carries these scopes' values is on its way. @returns what wants to know how it goes on */
	onExchange?(scopes: readonly string[]): Exchange;
};

/** One request, its reply as it is passed on (after blanking), and its end, whichever that is. */
export type Exchange = {reply(contentType: string): ((piece: Uint8Array) => void) | undefined; end(): void};

/** A client's connection, and what was opened for its requests. */
export type Connection = {
	readonly target: Target;
	readonly route: Route;
	readonly client: Duplex;
	readonly used: Set<string>;
	readonly upstream: Set<Duplex>;
};
