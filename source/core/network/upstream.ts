import {classifyAddress, isLoopback} from './addresses.ts';
import {canonicaliseHost, type Target} from './target.ts';
import {Refusal} from '../refusal.ts';

/*
 * The proxy that the person's network asks for, as the variables of
 * their shell name it: how the host's own side of a run goes out. Pure.
 */

/**
 * `authorization`: the header's value, which never enters a run. `source`:
 * the variable that named it. `shown`: host and port, without the login.
 */
export type UpstreamProxy = {
	readonly secure: boolean;
	readonly host: string;
	readonly port: number;
	readonly authorization: string | undefined;
	readonly source: string;
	readonly shown: string;
};

/** A place that is reached without the proxy. `bits`: how many of an address's first bits count. */
type Exception = {readonly host: string; readonly port: number | undefined; readonly bits: number | undefined};

type Named = UpstreamProxy | Refusal | undefined;

/** `http` is for plain requests, `tunnel` for everything else. */
export type Upstreams = {
	readonly http: Named;
	readonly tunnel: Named;
	readonly everywhere: boolean;
	readonly exceptions: readonly Exception[];
};

/** Variables that say how this machine reaches the world. */
export const proxyVariables = [
	'http_proxy',
	'HTTP_PROXY',
	'https_proxy',
	'HTTPS_PROXY',
	'all_proxy',
	'ALL_PROXY',
	'no_proxy',
	'NO_PROXY',
] as const;

function decoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		// A login that is not escaped is meant as it is written.
		return text;
	}
}

/** Reads a proxy's address. Nothing of it is repeated in what is said: it may hold a password. */
function readProxy(source: string, text: string): UpstreamProxy | Refusal {
	let url: URL;
	try {
		url = new URL(/^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`);
	} catch {
		// Nothing of what URL says is repeated: it holds the text.
		return new Refusal(
			`${source} cannot be read as the address of a proxy: write it as http://HOST:PORT, and resume the run`,
			`export ${source}=http://HOST:PORT`,
		);
	}

	if (url.protocol !== 'http:' && url.protocol !== 'https:') {
		return new Refusal(
			`${source} names a proxy that speaks ${url.protocol.slice(0, -1)}, which fleet does not: ` +
				'name an HTTP proxy in HTTPS_PROXY and HTTP_PROXY, and resume the run',
			'export HTTPS_PROXY=http://HOST:PORT HTTP_PROXY=http://HOST:PORT',
		);
	}

	const secure = url.protocol === 'https:';
	const host = url.hostname.replace(/^\[|\]$/g, '');
	const usual = secure ? 443 : 80;
	const port = url.port === '' ? usual : Number(url.port);
	const login =
		url.username === '' && url.password === '' ? undefined : `${decoded(url.username)}:${decoded(url.password)}`;
	return {
		secure,
		host,
		port,
		source,
		shown: `${url.hostname}:${port}`,
		authorization:
			login === undefined
				? undefined
				: `Basic ${btoa(Array.from(new TextEncoder().encode(login), byte => String.fromCodePoint(byte)).join(''))}`,
	};
}

/** An address as bits, for ranges; undefined for a name. */
function bitsOf(host: string): string | undefined {
	if (/^\d+(?:\.\d+){3}$/.test(host)) {
		return host
			.split('.')
			.map(part => Number(part).toString(2).padStart(8, '0'))
			.join('');
	}

	const halves = host.split('::').map(half => (half === '' ? [] : half.split(':')));
	if (!host.includes(':') || classifyAddress(host) === 'unreadable') {
		return undefined;
	}

	const [head = [], tail] = halves;
	const groups =
		tail === undefined ? head : [...head, ...Array.from({length: 8 - head.length - tail.length}, () => '0'), ...tail];
	return groups.map(group => Number.parseInt(group, 16).toString(2).padStart(16, '0')).join('');
}

/**
 * One entry of NO_PROXY, as curl, Go and requests write them: a name for itself and all
 * below it, with or without a dot or `*.`, an address, a range, each with a port or without.
 */
function readException(text: string): Exception | undefined {
	const range = /^\[?([^\]/]+)\]?\/(\d{1,3})$/.exec(text);
	if (range) {
		const host = canonicaliseHost(range[1]!);
		return typeof host === 'string' && bitsOf(host) !== undefined
			? {host, port: undefined, bits: Number(range[2])}
			: undefined;
	}

	const [, name = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(text) ?? [undefined, text];
	const host = canonicaliseHost(name.replace(/^\*?\./, '').replace(/\.$/, ''));
	return typeof host === 'string'
		? {host, port: port === undefined ? undefined : Number(port), bits: undefined}
		: undefined;
}

/** Reads the variables, small letters before capital ones. Total. */
export function readUpstreams(environment: Readonly<Record<string, string | undefined>>): Upstreams {
	const read = (...names: string[]): Named => {
		const name = names.find(name => (environment[name] ?? '').trim() !== '');
		return name === undefined ? undefined : readProxy(name, environment[name]!.trim());
	};

	const listed = (environment['no_proxy'] || environment['NO_PROXY'] || '').split(/[\s,]+/).filter(text => text !== '');
	return {
		http: read('http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'),
		tunnel: read('https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'),
		everywhere: listed.includes('*'),
		exceptions: listed.map(text => readException(text)).filter(exception => exception !== undefined),
	};
}

function matches({host, port, bits}: Exception, target: Target): boolean {
	if (port !== undefined && port !== target.port) {
		return false;
	}

	const own = bitsOf(target.host);
	if (bits !== undefined) {
		const base = bitsOf(host)!;
		return own?.length === base.length && own.startsWith(base.slice(0, bits));
	}

	return target.host === host || (own === undefined && bitsOf(host) === undefined && target.host.endsWith(`.${host}`));
}

/**
 * The proxy by which this machine reaches a target; undefined:
 * none. A refusal: what the variables say cannot be followed.
 */
export function upstreamFor(upstreams: Upstreams, kind: 'http' | 'tunnel', target: Target): Named {
	return upstreams.everywhere || upstreams.exceptions.some(exception => matches(exception, target))
		? undefined
		: upstreams[kind];
}

/** Whether the proxy is on this machine: then it finds names as this machine does. */
export function isNearby(proxy: UpstreamProxy): boolean {
	const host = canonicaliseHost(proxy.host);
	return typeof host === 'string' && isLoopback(host);
}

/**
 * What is wrong with what a proxy answered to a request for a tunnel, or to a request, in words that say what to do.
 */
export function proxyFault(proxy: UpstreamProxy, status: number, what: string): string {
	const login =
		proxy.authorization === undefined
			? `wants a login (407): set ${proxy.source} to http://USER:PASSWORD@${proxy.shown}, and resume the run`
			: `does not take the login that ${proxy.source} holds (407): set it anew, and resume the run`;
	const answer =
		`answered ${status} to ${what}: what it lets through is for who runs it to say, ` +
		'and NO_PROXY names what needs no proxy';
	return `the proxy of this machine's network, ${proxy.shown}, ${status === 407 ? login : answer}`;
}

/** The same for a proxy that is not reached. @param code such as ECONNREFUSED */
export function unreachableProxy(proxy: UpstreamProxy, code: string): string {
	return (
		`the proxy of this machine's network, ${proxy.shown}, cannot be reached (${code}): ` +
		`set ${proxy.source} to one that runs, and resume the run`
	);
}

/** Names at which clouds hand out credentials. A proxy that finds addresses by itself would ask there. */
export function isMetadataName(host: string): boolean {
	return /^(?:metadata|metadata\.goog|metadata\.google\.internal|instance-data|instance-data\.ec2\.internal)$/.test(
		host,
	);
}
