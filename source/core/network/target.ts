import {Refusal} from '../refusal.ts';
import {isAddress} from './addresses.ts';

/* Hosts, ports and paths in their one spelling: what rules are compared with. Pure. */

/** A canonical target: lower case, ASCII, IPv4 in dotted form, IPv6 without brackets. */
export type Target = {readonly host: string; readonly port: number};

/**
 * The person's own machine, as a run may name it: its loopback,
 * one granted port at a time. No other name ever leads there.
 */
export const hostName = 'host.fleet.internal';

const noHost = (because: string) =>
	new Refusal(because, 'write a host name or an address, such as api.example.org or [::1]');

/**
 * The one spelling of a host, or why it has none. Zone ids, user info, NUL, control bytes, percent
 * escapes and trailing dots have no place in a host; `127.1`, `0x7f000001` and `2130706433` are 127.0.0.1.
 */
export function canonicaliseHost(text: string): string | Refusal {
	const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
	if (bare === '' || bare.length > 255) {
		return noHost('the host is empty or too long');
	}

	if (/[\u0000-\u0020\u007F%@/\\?#<>^|[\]]/.test(bare)) {
		return noHost('the host holds a character that no host has');
	}

	if (bare.endsWith('.')) {
		return noHost('the host ends with a dot');
	}

	try {
		const {hostname} = new URL(`http://${bare.includes(':') ? `[${bare}]` : bare}/`);
		const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
		return (isAddress(host) ? undefined : refuseName(host)) ?? host;
	} catch {
		// What URL cannot read has no canonical spelling.
		return noHost('the host is not a host name');
	}
}

/**
 * What is wrong with a host's name, in lower case and ASCII; undefined
 * where nothing is. An underscore is in names that are in use.
 */
function refuseName(host: string): Refusal | undefined {
	if (host.length > 253) {
		return noHost('the host is empty or too long');
	}

	for (const label of host.split('.')) {
		if (label === '') {
			return noHost('the host has an empty label: two dots in a row, or one at an end');
		}

		if (label.length > 63) {
			return noHost('a label of the host has more than 63 characters');
		}

		if (!/^[\w-]+$/.test(label)) {
			return noHost('the host holds a character that no host has');
		}

		if (label.startsWith('-') || label.endsWith('-')) {
			return noHost('a label of the host begins or ends with a dash');
		}
	}

	return undefined;
}

/** `host:port` (the authority of a CONNECT, or of a scope) into a target; without a port, `defaultPort`. */
export function parseAuthority(text: string, defaultPort?: number): Target | Refusal {
	const match = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(text);
	if (!match) {
		return new Refusal('not a host and a port', 'write HOST:PORT');
	}

	const host = canonicaliseHost(match[1]!);
	if (host instanceof Refusal) {
		return host;
	}

	const port = match[2] === undefined ? defaultPort : Number(match[2]);
	if (port === undefined || port < 1 || port > 65_535) {
		return new Refusal('the port is missing or out of range', 'write HOST:PORT, with a port from 1 to 65535');
	}

	return {host, port};
}

/** `host` or `host:port`, as a grant and a denial write it. */
export function formatTarget(target: {host: string; port?: number | undefined}): string {
	const host = target.host.includes(':') ? `[${target.host}]` : target.host;
	return target.port === undefined ? host : `${host}:${target.port}`;
}

/**
 * What servers take for a separator, a parameter, a dot or the
 * beginning of another escape once they have read an escape.
 */
const turns = /[./\\;%?#\u0000-\u001F\u007F-\u009F]/;

/**
 * A path in its one spelling, without its query, or undefined where servers could read it in two ways: dots and what
 * stands for them, empty parts, parameters (`..;`), backslashes, and escapes of any of these, also twice, in more bytes
 * than needed, or as characters that some servers take for them.
 */
export function plainUrlPath(text: string): string | undefined {
	const [path = ''] = text.split(/[?#]/, 1);
	if (!/^\/(?:[\w\-.~!$&'()*+,=:@/]|%[0-9a-f]{2})*$/i.test(path) || path.includes('//')) {
		return undefined;
	}

	for (const [escapes] of path.matchAll(/(?:%[0-9a-f]{2})+/gi)) {
		const read = decoded(escapes);
		if (read === undefined || turns.test(read) || turns.test(read.normalize('NFKC'))) {
			return undefined;
		}
	}

	return path.split('/').some(part => /^[. ]*\.[. ]*$/.test((decoded(part) ?? '').replaceAll('+', ' ')))
		? undefined
		: path;
}

function decoded(text: string): string | undefined {
	try {
		return decodeURIComponent(text);
	} catch {
		// Escapes that are no UTF-8: servers differ in what they make of them.
		return undefined;
	}
}
