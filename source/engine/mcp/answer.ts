import {codes, errorText, type Id, type JsonObject} from '../../core/mcp/message.ts';
import {forwarded} from '../../core/mcp/protocol.ts';
import {printable} from '../../core/names.ts';
import type {EventOf} from '../../core/run/event.ts';
import {holdsPointer} from '../../core/secrets/swap.ts';
import {RemoteFault} from '../logins/fault.ts';
import type {Served, Reply, ServerSetup} from './served.ts';

/* What becomes of one request of an agent's, and what is written down of it. */

export type GatewayHooks = {
	/** Whether the run may use a server now. Asked at each request. */
	granted(name: string): boolean;
	/** What is known of a server. @throws Error where it cannot be had */
	setup(name: string, tell: Pick<ServerSetup, 'onChanged'>): Promise<ServerSetup>;
	/** The run's pointers: none of them goes to a server. */
	pointers(): readonly string[];
	/** A call is about to be made. @returns false where the run may make no more */
	onCall?(server: string): boolean;
	onCalled(call: Omit<EventOf<'mcp.called'>, 'type'>): void;
	onAlarm(server: string, because: string): void;
};

/** Has a request answered, and writes a call down. @returns the answer as JSON-RPC */
export async function answerRequest(
	{
		hooks,
		served: find,
		server,
	}: {
		readonly hooks: Pick<GatewayHooks, 'pointers' | 'onCall' | 'onCalled' | 'onAlarm'>;
		served(): Promise<Served>;
		readonly server: string;
	},
	{
		id,
		method,
		params,
		body,
		progress,
		signal,
	}: {
		readonly id: Id;
		readonly method: string;
		readonly params: JsonObject;
		readonly body: string;
		readonly progress: ((told: JsonObject) => void) | undefined;
		readonly signal: AbortSignal;
	},
): Promise<string> {
	const began = performance.now();
	let reply: Reply;
	const kind = Object.hasOwn(forwarded, method) ? forwarded[method] : undefined;
	const pointers = hooks.pointers();
	try {
		const served = await find();
		if (kind === undefined || (kind === 'optional' && !served.resources)) {
			return errorText(id, codes.noMethod, `${printable(method)} is not served`);
		}

		if (pointers.length > 0 && holdsPointer(body, pointers)) {
			hooks.onAlarm(server, 'a pointer is in what was sent to a server outside');
			reply = {
				outcome: 'refused',
				because: 'a pointer of this run is in it',
				error: {code: codes.badParameters, message: 'a pointer of this run is in it, and means nothing there'},
				received: 0,
			};
		} else if (method === 'tools/list') {
			return rawResult(id, await served.list());
		} else if (hooks.onCall?.(server) === false) {
			const because = `mcp:${server} is not turned on any more`;
			reply = {outcome: 'refused', because, error: {code: codes.badParameters, message: because}, received: 0};
		} else if (method === 'tools/call') {
			reply = await served.call(params, {progress, signal});
		} else {
			reply = await served.other(method, params, signal);
		}
	} catch (error) {
		if (method !== 'tools/call') {
			return errorText(id, codes.noAnswer, faultText(error));
		}

		const because = faultText(error);
		reply = {outcome: 'failed', because, error: {code: codes.noAnswer, message: because}, received: 0};
	}

	hooks.onCalled({
		server,
		tool: method === 'tools/call' ? printable(String(params['name']), 128) : method,
		outcome: reply.outcome,
		because: reply.because,
		sent: Buffer.byteLength(body),
		received: reply.received,
		ms: Math.round(performance.now() - began),
	});
	return reply.result === undefined
		? errorText(id, reply.error!.code, reply.error!.message)
		: rawResult(id, reply.result);
}

/** A fault in words for an agent: of a server's own, its own words. */
export function faultText(error: unknown): string {
	const known = error instanceof RemoteFault || (error as Error).name === 'Refusal';
	return known ? `the server is not there: ${printable((error as Error).message, 300)}` : 'fleet failed at it';
}

const rawResult = (id: Id, result: string) => `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`;
