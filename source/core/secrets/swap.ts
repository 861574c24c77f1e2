import {matchesPath} from '../network/egress.ts';
import {formatTarget, parseAuthority, plainUrlPath, type Target} from '../network/target.ts';
import {readName, type HeaderPairs} from '../network/forward.ts';
import {isBoundTo, type Binding} from './secret.ts';
import {Refusal} from '../refusal.ts';

/*
 * What becomes of one request to a host that a secret is bound
 * to: the pointer goes, the value comes, or nothing goes. Pure.
 */

/** A secret that a run may use at this moment. */
export type HeldSecret = {
	/** The grant's scope, such as `secret:project/stripe`. */
	readonly scope: string;
	readonly pointer: string;
	readonly value: string;
	readonly binding: Binding;
};

/** A request inside an intercepted connection. Header names as they were written. */
export type BrokerRequest = {
	readonly method: string;
	readonly url: string;
	readonly headers: ReadonlyArray<readonly [name: string, value: string]>;
};

export type SwapVerdict =
	| {
			readonly allow: true;
			readonly headers: ReadonlyArray<readonly [name: string, value: string]>;
			/** The scopes whose value is in it. */ readonly used: readonly string[];
	  }
	| {
			readonly allow: false;
			readonly status: number;
			readonly because: string;
			/** A pointer was where it does not belong. */ readonly alarm: boolean;
	  };

const no = (status: number, because: string, alarm = false): SwapVerdict => ({allow: false, status, because, alarm});

/**
 * How the name of a header or of a parameter ends by which a
 * program says who it is; without what stands between its words.
 */
const credentialName =
	/^(?:key|auth|xauth|pass|pwd|sig|pat|hmac|jwt|cookie2?)$|(?:authorization|authentication|password|passwd|passphrase|secret|signature|credentials?|assertion|bearer|jwt|token|apikey|accesskey|accesskeyid|authkey|appkey|applicationkey|privatekey|secretkey|sessionkey|subscriptionkey|functionskey|consumerkey|rapidapikey)$/;

/** Tokens that say where a list goes on, or which request it is: not who asks. */
const otherToken =
	/(?:page|next|previous|prev|continuation|continue|sync|resume|start|starting|scroll|cursor|delta|client|request|idempotency)token$/;

/** Whether what has this name says who asks. */
function namesCredential(name: string): boolean {
	const words = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
	return credentialName.test(words) && !otherToken.test(words);
}

/** Headers by which some servers take a request for another one than its first line says. */
const otherMethod = /^(?:x-http-method(?:-override)?|x-method(?:-override)?)$/;
const otherPath =
	/^(?:x-(?:original|rewrite|override|forwarded)-ur[il]|x-forwarded-(?:path|prefix)|x-http-destinationurl|destination)$/;
const otherHost =
	/^(?:forwarded|x-forwarded-(?:host|server|port|proto)|x-(?:original|real|http)-host|x-host|x-http-host-override|host-override)$/;
const otherMethodParameter =
	/^(?:_method|_http_method|http_method|method_override|x-http-method(?:-override)?|x-method-override)$/i;

/** The names of an address's parameters, read. */
function parametersOf(url: string): string[] {
	return url
		.split('?')
		.slice(1)
		.join('?')
		.split(/[&;?]/)
		.map(part => readings(part.split('=')[0]!).at(-1)!);
}

/**
 * What in a request may make a server take it for one with another
 * method or path: what is limited to some must not have it.
 * @returns its name; undefined for nothing
 */
export function otherReading(url: string, headers: HeaderPairs): string | undefined {
	return (
		headers.map(([name]) => readName(name)).find(name => otherMethod.test(name) || otherPath.test(name)) ??
		parametersOf(url).find(name => otherMethodParameter.test(name))
	);
}

/** Values that name nobody, which clients send where they have no credential. */
const nobody = /^(?:|bearer|basic|token)$/i;

/** A text as it is, and with its percent escapes read. */
function readings(text: string): string[] {
	try {
		return [text, decodeURIComponent(text.replaceAll('+', ' '))];
	} catch {
		// Escapes that are no UTF-8 are read byte by byte.
		return [
			text,
			text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
		];
	}
}

/** Base64 as clients write it in Basic; undefined for anything else. */
function decodeBasic(text: string): string | undefined {
	if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) {
		return undefined;
	}

	try {
		return atob(text);
	} catch {
		// Of a length that no base64 has.
		return undefined;
	}
}

/**
 * The value of a header with the pointer's value in its place;
 * undefined where the header is not scheme plus pointer, whole.
 */
function swapIn(value: string, secret: HeldSecret): string | undefined {
	const [, scheme = '', rest = ''] = /^(?:([A-Za-z][A-Za-z0-9-]{0,19}) +)?(.*)$/.exec(value.trim()) ?? [];
	if (rest === secret.pointer) {
		return scheme === '' ? secret.value : `${scheme} ${secret.value}`;
	}

	if (scheme.toLowerCase() !== 'basic') {
		return undefined;
	}

	const [user, password, ...more] = (decodeBasic(rest) ?? '').split(':');
	if (more.length > 0 || password === undefined || (user !== secret.pointer && password !== secret.pointer)) {
		return undefined;
	}

	// A name beside the pointer is the login's; a second credential is not.
	const put = (part: string) => (part === secret.pointer ? secret.value : part);
	const bytes = new TextEncoder().encode(`${put(user!)}:${put(password)}`);
	return `${scheme} ${btoa(Array.from(bytes, byte => String.fromCodePoint(byte)).join(''))}`;
}

/** Whether a pointer is anywhere in a text, also behind percent escapes or base64. */
export function holdsPointer(text: string, pointers: readonly string[]): boolean {
	const texts = readings(text);
	const decoded = (text.match(/[A-Za-z0-9+/]{24,}={0,2}/g) ?? []).map(part => decodeBasic(part) ?? '');
	return pointers.some(pointer => [...texts, ...decoded].some(text => text.includes(pointer)));
}

/**
 * Decides a request to a bound host, in this order: one Host that is the authority, a path in origin form, no method
 * that echoes, no header twice, no pointer but where it belongs, the swap, no other credential, a path and method that
 * the secret's binding lists.
 * @param secrets.held those in force that are bound to the target
 * @param secrets.pointers every pointer of the run, in force or not
 *
 * One function, since the order is the protection: it is read from the top to the bottom.
 */
// oxlint-disable-next-line max-lines-per-function -- the reason is above
export function decideRequest(
	request: BrokerRequest,
	target: Target,
	{held, pointers}: {readonly held: readonly HeldSecret[]; readonly pointers: readonly string[]},
): SwapVerdict {
	const method = request.method.toUpperCase();
	const named = (name: string) => request.headers.filter(([other]) => other.toLowerCase() === name);
	const hosts = named('host');
	if (hosts.length !== 1) {
		return no(400, hosts.length === 0 ? 'the request names no host' : 'the request names two hosts');
	}

	const authority = parseAuthority(hosts[0]![1], 443);
	if (authority instanceof Refusal || authority.host !== target.host || authority.port !== target.port) {
		return no(421, `the request in a connection to ${formatTarget(target)} names another host`);
	}

	if (!request.url.startsWith('/') || request.url.startsWith('//')) {
		return no(400, 'the request does not name a path of this host');
	}

	if (method === 'TRACE' || method === 'TRACK' || method === 'CONNECT') {
		return no(405, `${method} is not passed on`);
	}

	const twice = request.headers
		.map(([name]) => name.toLowerCase())
		.find(
			(name, index, names) =>
				names.indexOf(name) !== index &&
				(namesCredential(name) ||
					[
						'content-length',
						'transfer-encoding',
						'content-type',
						'expect',
						'upgrade',
						...held.flatMap(secret => secret.binding.headers),
					].includes(name)),
		);
	if (twice !== undefined) {
		return no(
			400,
			`the header ${twice} is there twice`,
			named(twice).some(([, value]) => holdsPointer(value, pointers)),
		);
	}

	const elsewhere = request.headers.map(([name]) => readName(name)).find(name => otherHost.test(name));
	if (elsewhere !== undefined) {
		return no(
			403,
			`${elsewhere} may mean another host`,
			named(elsewhere).some(([, value]) => holdsPointer(value, pointers)),
		);
	}

	if (holdsPointer(request.url, pointers)) {
		return no(403, 'a pointer is in the address', true);
	}

	const used: HeldSecret[] = [];
	const headers: Array<readonly [string, string]> = [];
	for (const [name, value] of request.headers) {
		const lower = name.toLowerCase();
		const secret = held.find(secret => secret.binding.headers.includes(lower) && swapIn(value, secret) !== undefined);
		if (secret) {
			used.push(secret);
			headers.push([name, swapIn(value, secret)!]);
			continue;
		}

		if (holdsPointer(value, pointers) || holdsPointer(name, pointers)) {
			return no(403, `a pointer is in the header ${lower.slice(0, 40)}, where it does not belong`, true);
		}

		// A server may read `x_my_key` as `x-my-key`.
		const read = readName(name);
		if (
			(namesCredential(lower) || held.some(secret => secret.binding.headers.includes(read))) &&
			!nobody.test(value.trim())
		) {
			return no(403, `${lower} holds a credential that is not a pointer of this run`);
		}

		headers.push([name, value]);
	}

	const parameter = parametersOf(request.url).find(name => namesCredential(name));
	if (parameter !== undefined) {
		return no(
			403,
			`the address holds a credential (${parameter.slice(0, 40)}), which belongs in a header, as a pointer`,
		);
	}

	const fits = (secret: HeldSecret) => limitOf(secret.binding, method, request);
	const limits = (used.length > 0 ? used : held).map(secret => fits(secret));
	// Every secret that is used must list the path; where none is used, one that does is enough.
	let limit: string | undefined;
	if (used.length > 0) {
		limit = limits.find(limit => limit !== undefined);
	} else if (limits.every(limit => limit !== undefined)) {
		limit = limits[0];
	}

	return limit === undefined ? {allow: true, headers, used: used.map(secret => secret.scope)} : no(403, limit);
}

/** Why a binding does not cover a request; undefined where it does. */
function limitOf(binding: Binding, method: string, {url, headers}: BrokerRequest): string | undefined {
	const other = binding.methods.length > 0 || binding.paths.length > 0 ? otherReading(url, headers) : undefined;
	if (other !== undefined) {
		return `${other} may mean another method or path than the secret is bound to`;
	}

	if (binding.methods.length > 0 && !binding.methods.includes(method)) {
		return `${method} is not a method that the secret is bound to`;
	}

	if (binding.paths.length === 0) {
		return undefined;
	}

	const path = plainUrlPath(url);
	if (path === undefined) {
		return 'the path can be read in two ways';
	}

	return binding.paths.some(pattern => matchesPath(pattern, path))
		? undefined
		: `${path.slice(0, 80)} is not a path that the secret is bound to`;
}

/** Those of the secrets that are bound to a target. */
export function boundTo(held: readonly HeldSecret[], target: Target): HeldSecret[] {
	return held.filter(secret => isBoundTo(secret.binding, target));
}
