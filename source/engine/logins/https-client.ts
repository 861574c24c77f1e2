import type {IncomingMessage} from 'node:http';
import process from 'node:process';
import type {SecureContext} from 'node:tls';
import {formatTarget, type Target} from '../../core/network/target.ts';
import {readUpstreams} from '../../core/network/upstream.ts';
import type {BrokerHooks} from '../../host/broker-hooks.ts';
import {BrokerUpstream} from '../../host/broker-upstream.ts';
import {EgressDecider} from '../../host/proxy-decision.ts';
import type {ProxyHooks} from '../../host/proxy-hooks.ts';
import {RemoteFault} from './fault.ts';

const https = process.getBuiltinModule('node:https');

/** How long a server has to begin its answer, milliseconds: a tool may take its time before it says anything. */
const answerTimeoutMs = 600_000;

/** For tests: where hosts are. */
export type ClientHooks = Pick<ProxyHooks, 'resolve'> & Pick<BrokerHooks, 'placeOf'>;

export type HttpsRequest = {
	readonly method: string;
	readonly path: string;
	/** But for Host and Content-Length. */ readonly headers: ReadonlyArray<readonly [string, string]>;
	readonly body?: string;
	readonly signal?: AbortSignal;
};

/**
 * The host's own requests to servers at an address, for itself: by the same decisions as a run's, so that a name which leads to
 * this machine's network is not asked, and by the proxy of the person's network where there is one.
 */
export class HttpsClient {
	readonly #decider: EgressDecider;
	readonly #upstream: BrokerUpstream;

	/** @param targets what may be asked, and nothing else */
	constructor(
		targets: readonly Target[],
		{
			trust,
			hooks = {},
		}: {
			readonly trust: SecureContext;
			readonly hooks?: ClientHooks;
		},
	) {
		const rules = targets.map(({host, port}) => ({host, port, source: 'the definition'}));
		this.#decider = new EgressDecider({
			state: () => ({rules, privateHosts: rules}),
			onDenied() {},
			onAllowed() {},
			onAsked() {},
			upstreams: readUpstreams(process.env),
			trust: () => trust,
			...(hooks.resolve ? {resolve: hooks.resolve} : {}),
		});
		this.#upstream = new BrokerUpstream({trust: () => trust, ...(hooks.placeOf ? {placeOf: hooks.placeOf} : {})});
	}

	/** @returns the answer, whose body is still to be read. @throws RemoteFault where there is none */
	async ask(target: Target, {method, path, headers, body, signal}: HttpsRequest): Promise<IncomingMessage> {
		const decision = await this.#decider.decide(target, undefined);
		if (!('route' in decision)) {
			throw new RemoteFault(`${formatTarget(target)}: ${decision.because}`);
		}

		const way = {target, route: decision.route};
		const host = formatTarget(target.port === 443 ? {host: target.host} : target);
		return new Promise((resolve, reject) => {
			const request = https.request(
				{
					...this.#upstream.place(way),
					agent: this.#upstream.pool(way),
					method,
					path,
					setHost: false,
					headers: [
						'Host',
						host,
						'Accept-Encoding',
						'identity',
						...headers.flat(),
						...(body === undefined ? [] : ['Content-Length', String(Buffer.byteLength(body))]),
					],
					timeout: answerTimeoutMs,
					...(signal ? {signal} : {}),
				},
				resolve,
			);
			request.once('timeout', () => request.destroy(new Error('it did not answer')));
			request.once('error', (error: NodeJS.ErrnoException) =>
				reject(new RemoteFault(`${host} could not be reached: ${error.code ?? error.message}`)),
			);
			// A server that goes over to another protocol: nothing else is told of it.
			request.once('close', () => reject(new RemoteFault(`${host} gave no answer`)));
			request.end(body);
		});
	}

	close(): void {
		this.#upstream.close();
	}
}

/** The whole of a body as text. @throws RemoteFault where it is longer than that, bytes, or was cut off */
export async function textOf(answer: IncomingMessage, longest: number): Promise<string> {
	const pieces: Buffer[] = [];
	let size = 0;
	try {
		for await (const piece of answer as AsyncIterable<Buffer>) {
			size += piece.length;
			if (size > longest) {
				answer.destroy();
				throw new RemoteFault('the server sent more than is read');
			}

			pieces.push(piece);
		}
	} catch (error) {
		throw error instanceof RemoteFault ? error : new RemoteFault("the server's answer was cut off");
	}

	return Buffer.concat(pieces).toString('utf8');
}
