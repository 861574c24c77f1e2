import type {IncomingMessage} from 'node:http';
import {pairsOf, readShape, type HeaderPairs, type RequestShape} from '../core/network/forward.ts';
import type {Asked} from '../core/network/egress.ts';
import {formatTarget, parseAuthority, type Target} from '../core/network/target.ts';
import type {UpstreamProxy} from '../core/network/upstream.ts';
import {Refusal} from '../core/refusal.ts';
import {patternsOf} from '../core/secrets/encodings.ts';
import type {Patterns} from '../core/secrets/patterns.ts';
import {holdsPointer, otherReading} from '../core/secrets/swap.ts';
import type {EgressDecider} from './proxy-decision.ts';
import {internalHost, type ProxyHooks} from './proxy-hooks.ts';

/** A request to a proxy that can be read in one way, and asks for nothing that is never passed on. */
export type ReadRequest = {
	readonly target: Target;
	readonly asked: Asked;
	readonly headers: HeaderPairs;
	readonly shape: RequestShape;
	/** The pointers of the run. None is in the address or the headers. */
	readonly pointers: readonly string[];
};

type Refused = {readonly status: number; readonly because: string};

/** Reads a request that is not encrypted. Nothing is looked up or asked for; every no is reported. */
export function readRequest(
	request: IncomingMessage,
	hooks: ProxyHooks,
	decider: EgressDecider,
): ReadRequest | Refused {
	const match = /^http:\/\/([^/?#]*)([/?].*)?$/i.exec(request.url ?? '');
	if (!match) {
		return {status: 400, because: 'this is a proxy: ask with an absolute http:// address, or CONNECT'};
	}

	const target = parseAuthority(match[1]!, 80);
	if (target instanceof Refusal) {
		hooks.onDenied(printableAuthority(match[1]), target.because, 'request');
		return {status: 400, because: target.because};
	}

	const given = match[2] ?? '/';
	const pathname = given.startsWith('?') ? `/${given}` : given;
	if (target.host === internalHost) {
		const what = pathname.slice(1, 61).replaceAll(/[^a-z0-9/-]/gi, '');
		hooks.onAsked(what);
		return {status: 403, because: 'agents-decide-nothing'};
	}

	const pointers = hooks.pointers?.() ?? [];
	if (
		pointers.length > 0 &&
		(holdsPointer(request.url!, pointers) || request.rawHeaders.some(text => holdsPointer(text, pointers)))
	) {
		hooks.onAlarm?.(formatTarget(target), 'a pointer is in a request that is not encrypted');
		return {status: 403, because: 'a pointer goes over TLS, to the host it is bound to'};
	}

	if (hooks.broker?.()?.isBound(target)) {
		decider.deny(target, 'a secret is bound to it, so it is asked over TLS alone', 'request');
		return {status: 403, because: 'a secret is bound to this host, so it is asked over TLS alone'};
	}

	const parsed = {
		method: request.method ?? '',
		url: pathname,
		version: request.httpVersion,
		headers: pairsOf(request.rawHeaders),
	};
	const shape = readShape(parsed);
	if (shape instanceof Refusal) {
		hooks.onRefused?.(formatTarget(target), shape.because);
		return {status: 400, because: shape.because};
	}

	// A proxy on the way would answer with what it was asked, its own credential among it.
	if (parsed.method === 'TRACE' || parsed.method === 'TRACK') {
		decider.deny(target, `${parsed.method} is not passed on`, 'request');
		return {status: 405, because: `${parsed.method} is not passed on`};
	}

	const asked = {method: parsed.method, path: pathname, other: otherReading(pathname, parsed.headers)};
	return {target, asked, headers: parsed.headers, shape, pointers};
}

/** Characters from which on a password by itself is blanked: a shorter one may be any word. */
const minPasswordLength = 8;

/** What finds the login of a proxy in what comes back: one that shows what it was asked would show it to the run. */
export function loginOf({authorization}: UpstreamProxy): Patterns | undefined {
	if (authorization === undefined) {
		return undefined;
	}

	const header = authorization.slice('Basic '.length);
	const login = Buffer.from(header, 'base64').toString('utf8');
	const password = login.slice(login.indexOf(':') + 1);
	return patternsOf([header, login, ...(password.length >= minPasswordLength ? [password] : [])]);
}

/** What was asked for, for the journal: it comes from outside. */
export function printableAuthority(text: string | undefined): string {
	return (text ?? '').replaceAll(/[^ -~]/g, '?').slice(0, 100);
}
