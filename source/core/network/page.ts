import type {EgressRule} from './rules.ts';
import {hostName} from './target.ts';

/*
 * The rules of a page that a run serves and the person's browser shows: which requests are passed on to the run, and
 * what is changed in their headers and in those of the answers. Pure: host/page-server.ts carries it out.
 */

/** Where a page is for the browser, and where it is inside the run. */
export type PagePlace = {
	/** The host without its port, such as `fix-login.localhost`: a name for each run keeps cookies and storage apart. */
	readonly host: string;
	/** The port on this machine. */
	readonly hostPort: number;
	/** The port inside the run. */
	readonly port: number;
};

/** Headers by lower-case name. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A request as it came. `hosts`: every Host header. */
export type PageRequest = {
	readonly method: string;
	/** The request target, as it was sent. */
	readonly target: string;
	readonly hosts: readonly string[];
	readonly headers: Headers;
	readonly upgrade: boolean;
};

/** The parameter of the first address, which is exchanged for a cookie. */
export const ticketParameter = 'fleet-token';

/** Where browsers report what the page was denied. Below this name nothing is passed on to the run. */
export const reportPath = '/.fleet/denied';

/** The cookie's name: browsers keep cookies by host and not by port, and a run may have several ports open. */
export const cookieName = (place: PagePlace): string => `fleet-page-${place.hostPort}`;

/** The origin that the browser knows, and the one that the server inside takes for its own. */
export const outerOrigin = ({host, hostPort}: PagePlace): string => `http://${host}:${hostPort}`;
export const innerOrigin = ({port}: PagePlace): string => `http://localhost:${port}`;

const one = (value: string | readonly string[] | undefined): string | undefined =>
	typeof value === 'string' || value === undefined ? value : value.join(', ');

/** Why a request is not passed on; with the status that says so. */
export type PageRefusal = {readonly status: 400 | 403 | 421; readonly because: string};

/**
 * Whether a request is for this page, and from it. Anything else may be another website's, which had a name of its own
 * resolve to this machine, or the page of another run.
 */
export function checkRequest(place: PagePlace, request: PageRequest): PageRefusal | undefined {
	const {hosts, target, headers, method, upgrade} = request;
	if (hosts.length !== 1 || hosts[0]!.toLowerCase() !== `${place.host}:${place.hostPort}`) {
		return {status: 421, because: 'this address is not served here'};
	}

	if (!target.startsWith('/')) {
		return {status: 400, because: 'only a path may be asked for'};
	}

	const origin = one(headers['origin']);
	const site = one(headers['sec-fetch-site']);
	// A form of a page that sends no referrer has the origin "null"; a browser then says by this header whose it is.
	if (origin !== undefined && origin !== outerOrigin(place) && !(origin === 'null' && site === 'same-origin')) {
		return {status: 403, because: 'the request comes from another origin'};
	}

	const isOwn = site === undefined || site === 'same-origin' || site === 'none';
	const isVisit =
		!upgrade &&
		(method === 'GET' || method === 'HEAD') &&
		one(headers['sec-fetch-mode']) === 'navigate' &&
		one(headers['sec-fetch-dest']) === 'document';
	return isOwn || isVisit ? undefined : {status: 403, because: 'the request comes from another site'};
}

/** A path without the parameter of the first address, and what that was. */
export function takeTicket(target: string): {readonly target: string; readonly ticket: string | undefined} {
	const [path = '', ...rest] = target.split('?');
	const parts = rest.join('?').split('&');
	const isTicket = (part: string) => part.startsWith(`${ticketParameter}=`);
	const ticket = parts.find(part => isTicket(part))?.slice(ticketParameter.length + 1);
	if (ticket === undefined) {
		return {target, ticket};
	}

	const left = parts.filter(part => !isTicket(part)).join('&');
	// Two slashes at the beginning would be another host's address.
	return {target: path.replace(/^\/[/\\]+/, '/') + (left === '' ? '' : `?${left}`), ticket};
}

/** The value of a cookie; the first of that name. */
export function cookieOf(header: string | undefined, name: string): string | undefined {
	return cookies(header)
		.find(part => part.startsWith(`${name}=`))
		?.slice(name.length + 1);
}

const cookies = (header: string | undefined): string[] =>
	(header ?? '')
		.split(';')
		.map(part => part.trim())
		.filter(part => part !== '');

/** What holds for one connection only, and what a proxy would add. */
const hopHeaders = new Set([
	'connection',
	'keep-alive',
	'proxy-connection',
	'proxy-authenticate',
	'proxy-authorization',
	'te',
	'trailer',
	'transfer-encoding',
	'upgrade',
	'expect',
]);

function withoutHops(headers: Headers): Array<readonly [string, string | readonly string[]]> {
	const named = (one(headers['connection']) ?? '').split(',').map(name => name.trim().toLowerCase());
	return Object.entries(headers).flatMap(([name, value]) =>
		value === undefined || hopHeaders.has(name) || named.includes(name) ? [] : [[name, value] as const],
	);
}

/**
 * A request's headers as the server inside gets them: with its own Host and Origin, which development servers check,
 * and without fleet's cookies.
 */
export function innerHeaders(place: PagePlace, headers: Headers): Record<string, string | string[]> {
	const made: Record<string, string | string[]> = {};
	for (const [name, value] of withoutHops(headers)) {
		made[name] = typeof value === 'string' ? value : [...value];
	}

	const [outer, inner] = [outerOrigin(place), innerOrigin(place)];
	made['host'] = inner.slice('http://'.length);
	if (one(made['origin']) === outer) {
		made['origin'] = inner;
	}

	const referer = one(made['referer']);
	delete made['referer'];
	if (referer === outer || referer?.startsWith(`${outer}/`)) {
		made['referer'] = inner + referer.slice(outer.length);
	}

	const kept = cookies([made['cookie'] ?? []].flat().join('; ')).filter(part => !part.startsWith('fleet-page-'));
	delete made['cookie'];
	if (kept.length > 0) {
		made['cookie'] = kept.join('; ');
	}

	return made;
}

/** Headers by which a page would have the browser report to, or go to, a place of its choice without being seen. */
const reporting = new Set([
	'alt-svc',
	'nel',
	'report-to',
	'reporting-endpoints',
	'content-security-policy-report-only',
	'cross-origin-opener-policy-report-only',
	'cross-origin-embedder-policy-report-only',
	'permissions-policy-report-only',
	'document-policy-report-only',
]);

const withoutReports = (policy: string): string =>
	policy
		.split(';')
		.filter(directive => !/^\s*report-(?:uri|to)\b/i.test(directive))
		.join(';');

/** What of the machine a page may ask for: a run has none of it, so its page has not either. */
const permissions = [
	'bluetooth',
	'camera',
	'display-capture',
	'geolocation',
	'hid',
	'local-network-access',
	'microphone',
	'midi',
	'serial',
	'usb',
]
	.map(name => `${name}=()`)
	.join(', ');

/**
 * The hosts that a page may use: those that its run may. A rule for some methods or one path says less than a browser
 * can be told, and this machine's own ports are no page's.
 */
export function pageHosts(rules: ReadonlyArray<Omit<EgressRule, 'source'>>): string[] {
	return rules
		.filter(
			({host, methods, path}) =>
				methods === undefined && path === undefined && host !== hostName && /^(?:\*\.)?[a-z\d.-]+$/.test(host),
		)
		.map(({host, port}) => (port === undefined ? host : `${host}:${port}`));
}

/**
 * The policy that is added to a page's own; browsers obey both. A page loads from, sends to and posts to itself and the
 * hosts of its run. So what a run may not send anywhere, its page cannot send for it, and other ports of this machine
 * are not within reach.
 */
export function pagePolicy(place: PagePlace, hosts: readonly string[]): string {
	const from = ["'self'", `ws://${place.host}:${place.hostPort}`, ...hosts].join(' ');
	return [
		`default-src ${from} 'unsafe-inline' 'unsafe-eval' data: blob: mediastream:`,
		`form-action ${from}`,
		`base-uri ${from}`,
		"frame-ancestors 'self'",
		`report-uri ${reportPath}`,
	].join('; ');
}

/** An answer's headers as the browser gets them. @param options.hosts see `pageHosts` */
export function outerHeaders(
	place: PagePlace,
	headers: Headers,
	{hosts}: {readonly hosts: readonly string[]},
): Record<string, string | string[]> {
	const made: Record<string, string | string[]> = {};
	for (const [name, value] of withoutHops(headers)) {
		if (!reporting.has(name)) {
			made[name] = typeof value === 'string' ? value : [...value];
		}
	}

	const location = one(made['location']);
	if (location !== undefined) {
		made['location'] = outerLocation(place, location);
	}

	const list = (name: string) => [made[name] ?? []].flat();
	const set = list('set-cookie')
		.filter(cookie => !/^\s*fleet-page-/i.test(cookie))
		// A domain could only be localhost, which browsers refuse: without one it is the page's own.
		.map(cookie => cookie.replaceAll(/;\s*domain\s*=[^;]*/gi, ''));
	delete made['set-cookie'];
	if (set.length > 0) {
		made['set-cookie'] = set;
	}

	made['content-security-policy'] = [
		...list('content-security-policy').map(policy => withoutReports(policy)),
		pagePolicy(place, hosts),
	];
	made['permissions-policy'] = [...list('permissions-policy'), permissions];
	made['x-dns-prefetch-control'] = 'off';
	made['cross-origin-opener-policy'] ??= 'same-origin-allow-popups';
	made['cross-origin-resource-policy'] ??= 'same-origin';
	return made;
}

/** A redirect to the server itself, as it knows itself, leads to the page. */
function outerLocation(place: PagePlace, location: string): string {
	const match = /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\]|0\.0\.0\.0):(\d+)(?=[/?#]|$)/i.exec(location);
	return match && Number(match[1]) === place.port ? outerOrigin(place) + location.slice(match[0].length) : location;
}

/** What a browser reports that the page was denied: `host:port`, or undefined for what is no host. */
export function deniedTarget(report: string): string | undefined {
	try {
		const parsed = (JSON.parse(report) as {'csp-report'?: {'blocked-uri'?: unknown}})['csp-report']?.['blocked-uri'];
		const url = new URL(String(parsed).slice(0, 2000));
		const port = url.port || {'https:': '443', 'wss:': '443', 'http:': '80', 'ws:': '80'}[url.protocol];
		return port === undefined || !/^[a-z\d.-]{1,253}$/.test(url.hostname) ? undefined : `${url.hostname}:${port}`;
	} catch {
		// Not a report, or one about something that is no address, such as `inline`.
		return undefined;
	}
}
