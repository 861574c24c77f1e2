/* What may leave a run, decided in one order: canonicalise, match, and only then resolve and check the address. */

/**
 * A place that a run may reach. No port: 443 and 80. A host that begins with `*.` stands for exactly one label there.
 * `methods` and `path` narrow a rule to plain HTTP requests: a
 * path that ends with `*` is a beginning, any other is whole.
 */
export type EgressRule = {
	readonly host: string;
	readonly port?: number | undefined;
	readonly methods?: readonly string[] | undefined;
	readonly path?: string | undefined;
	readonly source: string;
};

/**
 * What a plain HTTP request asks for; a tunnel has none, since nobody
 * can look into it. `other`: what in it may mean another method or path.
 */
export type Asked = {readonly method: string; readonly path: string; readonly other?: string | undefined};

/** A canonical target: lower case, ASCII, IPv4 in dotted form, IPv6 without brackets. */
export type Target = {readonly host: string; readonly port: number};

export type Verdict = {readonly allow: boolean; readonly because: string};

export type AddressClass =
	| 'public'
	| 'loopback'
	| 'private'
	| 'link-local'
	| 'multicast'
	| 'metadata'
	| 'reserved'
	| 'unspecified'
	| 'unreadable';

/**
 * The person's own machine, as a run may name it: its loopback,
 * one granted port at a time. No other name ever leads there.
 */
export const hostName = 'host.fleet.internal';

/** Where that name leads: a server may listen on either. */
export const hostAddresses: readonly string[] = ['127.0.0.1', '::1'];

const defaultPorts = [443, 80];

/**
 * The one spelling of a host, or why it has none. Zone ids, user info, NUL, control bytes, percent
 * escapes and trailing dots have no place in a host; `127.1`, `0x7f000001` and `2130706433` are 127.0.0.1.
 */
export function canonicaliseHost(text: string): string | {because: string} {
	const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
	if (bare === '' || bare.length > 255) {
		return {because: 'the host is empty or too long'};
	}

	if (/[\u0000-\u0020\u007F%@/\\?#<>^|[\]]/.test(bare)) {
		return {because: 'the host holds a character that no host has'};
	}

	if (bare.endsWith('.')) {
		return {because: 'the host ends with a dot'};
	}

	try {
		const {hostname} = new URL(`http://${bare.includes(':') ? `[${bare}]` : bare}/`);
		const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
		const fault = isAddress(host) ? undefined : nameFault(host);
		return fault === undefined ? host : {because: fault};
	} catch {
		return {because: 'the host is not a host name'};
	}
}

const isAddress = (host: string) => host.includes(':') || /^\d+(?:\.\d+){3}$/.test(host);

/**
 * What is wrong with a host's name, in lower case and ASCII; undefined
 * where nothing is. An underscore is in names that are in use.
 */
function nameFault(host: string): string | undefined {
	if (host.length > 253) {
		return 'the host is empty or too long';
	}

	for (const label of host.split('.')) {
		if (label === '') {
			return 'the host has an empty label: two dots in a row, or one at an end';
		}

		if (label.length > 63) {
			return 'a label of the host has more than 63 characters';
		}

		if (!/^[\w-]+$/.test(label)) {
			return 'the host holds a character that no host has';
		}

		if (label.startsWith('-') || label.endsWith('-')) {
			return 'a label of the host begins or ends with a dash';
		}
	}

	return undefined;
}

/** `host:port` (the authority of a CONNECT, or of a scope) into a target; without a port, `defaultPort`. */
export function parseAuthority(text: string, defaultPort?: number): Target | {because: string} {
	const match = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(text);
	if (!match) {
		return {because: 'not a host and a port'};
	}

	const host = canonicaliseHost(match[1]!);
	if (typeof host !== 'string') {
		return host;
	}

	const port = match[2] === undefined ? defaultPort : Number(match[2]);
	if (port === undefined || port < 1 || port > 65_535) {
		return {because: 'the port is missing or out of range'};
	}

	return {host, port};
}

/**
 * Whether a rule's host is this one. `*.example.org` is
 * `a.example.org`, and neither `example.org` nor `a.b.example.org`.
 */
export function matchesHost(pattern: string, host: string): boolean {
	if (!pattern.startsWith('*.')) {
		return pattern === host;
	}

	const dot = host.indexOf('.');
	return dot > 0 && host.slice(dot) === pattern.slice(1) && !/^[\d.]+$/.test(host) && host !== hostName;
}

/** Whether a rule is about this host and port, whatever else it asks for. */
export function matchesTarget(rule: Pick<EgressRule, 'host' | 'port'>, target: Target): boolean {
	return (
		matchesHost(rule.host, target.host) &&
		(rule.port === undefined
			? defaultPorts.includes(target.port) && target.host !== hostName
			: rule.port === target.port)
	);
}

/** Whether a rule's path is this one: whole, or a beginning where it ends with `*`. */
export function matchesPath(pattern: string, path: string): boolean {
	return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
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
		return undefined;
	}
}

function withinLimits(rule: EgressRule, asked: Asked | undefined): string | undefined {
	if (rule.methods === undefined && rule.path === undefined) {
		return undefined;
	}

	if (!asked) {
		const limits = [rule.methods?.join(','), rule.path].filter(part => part !== undefined).join(' ');
		return `${rule.source} is limited to ${limits}, which cannot be seen inside an encrypted tunnel`;
	}

	if (asked.other !== undefined) {
		return `${asked.other} may mean another method or path`;
	}

	if (rule.methods && !rule.methods.includes(asked.method)) {
		return `${asked.method} is not granted`;
	}

	const path = plainUrlPath(asked.path);
	if (rule.path !== undefined && (path === undefined || !matchesPath(rule.path, path))) {
		return path === undefined ? 'the path can be read in two ways' : 'the path is not granted';
	}

	return undefined;
}

/**
 * Whether any rule names the target, and what is asked of it. No rule at all: no. `asked` is undefined for a tunnel.
 */
export function decideEgress(target: Target, rules: readonly EgressRule[], asked?: Asked): Verdict {
	if (rules.length === 0) {
		return {allow: false, because: 'no network scope is on'};
	}

	const sameHost = rules.filter(rule => matchesHost(rule.host, target.host));
	if (sameHost.length === 0) {
		return {allow: false, because: 'the host is not granted'};
	}

	const samePort = sameHost.filter(rule => matchesTarget(rule, target));
	if (samePort.length === 0) {
		return {allow: false, because: `port ${target.port} is not granted`};
	}

	let because = '';
	for (const rule of samePort) {
		const limit = withinLimits(rule, asked);
		if (limit === undefined) {
			return {allow: true, because: rule.source};
		}

		because ||= limit;
	}

	return {allow: false, because};
}

/**
 * Reads `[METHOD,…@]HOST[:PORT][/PATH]`, where HOST may begin with
 * `*.` and PATH may end with `*`, as a rule without its source.
 */
export function parseEgressRule(text: string): Omit<EgressRule, 'source'> | {because: string} {
	const match = /^(?:([A-Za-z]+(?:,[A-Za-z]+)*)@)?(\[[^\]]*\]|[^:/@]*)(?::(\d{1,5}))?(\/.*)?$/.exec(text);
	if (!match) {
		return {because: 'not a host'};
	}

	const [, methods, written = '', port, path] = match;
	const wild = written.startsWith('*.');
	const name = wild ? written.slice(2) : written;
	const target = parseAuthority(port === undefined ? name : `${name}:${port}`, 443);
	if ('because' in target || name.includes('*')) {
		return {because: name.includes('*') ? 'only the first label may be *' : (target as {because: string}).because};
	}

	if (wild && (!target.host.includes('.') || /^[\d.]+$/.test(target.host) || target.host.includes(':'))) {
		return {because: 'a pattern needs two labels after the *'};
	}

	const beginning = path?.endsWith('*') ? path.slice(0, -1) : path;
	if (beginning !== undefined && (plainUrlPath(beginning) !== beginning || beginning.includes('*'))) {
		return {because: 'the path is not a plain one, with * only at its end'};
	}

	return {
		host: wild ? `*.${target.host}` : target.host,
		...(port === undefined ? {} : {port: target.port}),
		...(methods === undefined ? {} : {methods: [...new Set(methods.toUpperCase().split(','))].sort()}),
		...(path === undefined ? {} : {path}),
	};
}

/** Why no rule may be about this place, and what to write in its stead; undefined where one may. */
export function ruleFault(
	rule: Omit<EgressRule, 'source'>,
): {readonly because: string; readonly instead: string} | undefined {
	const name = rule.host.replace(/^\*\./, '');
	if (isLoopback(name)) {
		return {
			because: `${name} is the run's own, inside; a port of this machine is ${hostName}:PORT`,
			instead: formatEgressRule({...rule, host: hostName, port: rule.port ?? 80}),
		};
	}

	if (rule.host === hostName) {
		return rule.port === undefined
			? {
					because: `${hostName} is this machine, of which one port is opened at a time`,
					instead: formatEgressRule({...rule, port: 8080}),
				}
			: undefined;
	}

	return name === 'fleet.internal' || name.endsWith('.fleet.internal')
		? {because: `${name} is a name of fleet's own`, instead: `${hostName}:8080`}
		: undefined;
}

/** A rule in its one spelling, which `parseEgressRule` reads back. */
export function formatEgressRule(rule: Omit<EgressRule, 'source'>): string {
	return `${rule.methods ? `${rule.methods.join(',')}@` : ''}${formatTarget(rule)}${rule.path ?? ''}`;
}

/** `host` or `host:port`, as a grant and a denial write it. */
export function formatTarget(target: {host: string; port?: number | undefined}): string {
	const host = target.host.includes(':') ? `[${target.host}]` : target.host;
	return target.port === undefined ? host : `${host}:${target.port}`;
}

function parseV4(address: string): number | undefined {
	const parts = address.split('.');
	if (parts.length !== 4 || !parts.every(part => /^\d{1,3}$/.test(part) && Number(part) < 256)) {
		return undefined;
	}

	return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

/**
 * Of the IANA's special-purpose addresses, those that have no class of their
 * own here: protocols, documentation, benchmarks, relays, sinks for queries.
 */
const reservedV4: ReadonlyArray<readonly [base: string, bits: number]> = [
	['240.0.0.0', 4],
	['192.0.0.0', 24],
	['192.0.2.0', 24],
	['192.31.196.0', 24],
	['192.52.193.0', 24],
	['192.88.99.0', 24],
	['192.175.48.0', 24],
	['198.18.0.0', 15],
	['198.51.100.0', 24],
	['203.0.113.0', 24],
];

/**
 * As `reservedV4`, within 2000::/3, outside of which nothing is public:
 * protocols with Teredo and ORCHID, documentation, 6to4, a sink for queries.
 */
const reservedV6: ReadonlyArray<readonly [base: string, bits: number]> = [
	['2001::', 23],
	['2001:db8::', 32],
	['2002::', 16],
	['2620:4f:8000::', 48],
	['3fff::', 20],
];

function withinV6(groups: readonly number[], base: string, bits: number): boolean {
	return parseV6(base)!.every((group, index) => {
		const left = Math.max(0, Math.min(16, bits - index * 16));
		return groups[index]! >> (16 - left) === group >> (16 - left);
	});
}

function classifyV4(value: number): AddressClass {
	const within = (base: string, bits: number) =>
		Math.floor(value / 2 ** (32 - bits)) === Math.floor(parseV4(base)! / 2 ** (32 - bits));
	// What clouds answer with credentials at, besides 169.254.169.254.
	if (value === parseV4('100.100.100.200') || value === parseV4('192.0.0.192') || value === parseV4('168.63.129.16')) {
		return 'metadata';
	}

	if (within('0.0.0.0', 8)) {
		return 'unspecified';
	}

	if (within('127.0.0.0', 8)) {
		return 'loopback';
	}

	if (within('169.254.0.0', 16)) {
		return 'link-local';
	}

	if (within('10.0.0.0', 8) || within('172.16.0.0', 12) || within('192.168.0.0', 16) || within('100.64.0.0', 10)) {
		return 'private';
	}

	if (within('224.0.0.0', 4) || value === parseV4('255.255.255.255')) {
		return 'multicast';
	}

	return reservedV4.some(([base, bits]) => within(base, bits)) ? 'reserved' : 'public';
}

function parseV6(address: string): number[] | undefined {
	let text = address.toLowerCase();
	const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
	if (tail) {
		const v4 = parseV4(tail[2]!);
		if (v4 === undefined) {
			return undefined;
		}

		text = `${tail[1]}${Math.floor(v4 / 65_536).toString(16)}:${(v4 % 65_536).toString(16)}`;
	}

	const halves = text.split('::');
	if (halves.length > 2) {
		return undefined;
	}

	const groups = halves.map(half => (half === '' ? [] : half.split(':')));
	const missing = 8 - groups.flat().length;
	const all =
		halves.length === 2
			? [...groups[0]!, ...Array.from({length: Math.max(0, missing)}, () => '0'), ...groups[1]!]
			: groups[0]!;
	return all.length === 8 && all.every(group => /^[0-9a-f]{1,4}$/.test(group))
		? all.map(group => Number.parseInt(group, 16))
		: undefined;
}

/**
 * The class of an IP address; IPv4 inside IPv6 (mapped, NAT64, 6to4, ISATAP) has the class
 * of the IPv4 address where that is not public. What cannot be read is `unreadable`.
 */
export function classifyAddress(address: string): AddressClass {
	const v4 = parseV4(address);
	if (v4 !== undefined) {
		return classifyV4(v4);
	}

	const groups = parseV6(address);
	if (!groups) {
		return 'unreadable';
	}

	const [first = 0, second = 0] = groups;
	const embedded = (high: number, low: number) => classifyV4(high * 65_536 + low);
	if (groups.slice(0, 7).every(group => group === 0)) {
		if (groups[7] === 0) {
			return 'unspecified';
		}

		return groups[7] === 1 ? 'loopback' : embedded(groups[6]!, groups[7]!);
	}

	if (groups.slice(0, 5).every(group => group === 0) && (groups[5] === 0xff_ff || groups[5] === 0)) {
		return embedded(groups[6]!, groups[7]!);
	}

	// The one prefix by which every translator reaches IPv4; others are a network's own.
	if (withinV6(groups, '64:ff9b::', 96)) {
		return embedded(groups[6]!, groups[7]!);
	}

	// A relay at either end could take it anywhere; where it says that it is this machine or a private one, it is that.
	let inside: AddressClass = 'public';
	if (first === 0x20_02) {
		inside = embedded(second, groups[2]!);
	} else if ((groups[4]! & ~0x2_00) === 0 && groups[5] === 0x5e_fe) {
		inside = embedded(groups[6]!, groups[7]!);
	}

	if (inside !== 'public') {
		return inside;
	}

	if ((first & 0xff_c0) === 0xfe_80) {
		return 'link-local';
	}

	if ((first & 0xfe_00) === 0xfc_00) {
		return first === 0xfd_00 && second === 0x0e_c2 ? 'metadata' : 'private';
	}

	if ((first & 0xff_00) === 0xff_00) {
		return 'multicast';
	}

	return (first & 0xe0_00) === 0x20_00 && !reservedV6.some(([base, bits]) => withinV6(groups, base, bits))
		? 'public'
		: 'reserved';
}

/**
 * Whether a host, in its one spelling, means the machine that says it: inside a run, that is the run's own loopback.
 */
export function isLoopback(host: string): boolean {
	return (
		/^(?:(?:.+\.)?localhost|localhost\.localdomain|ip6-localhost|ip6-loopback)$/.test(host) ||
		(isAddress(host) && ['loopback', 'unspecified'].includes(classifyAddress(host)))
	);
}

/** The addresses that such a host has. */
export function loopbackAddresses(host: string): readonly string[] {
	if (!isAddress(host)) {
		return hostAddresses;
	}

	if (host === '::1' || host === '::') {
		return ['::1'];
	}

	return [host.startsWith('127.') ? host : '127.0.0.1'];
}

/**
 * Whether a resolved address may be dialled for a target that was already matched.
 * An address that is not public needs the project's policy to name the
 * host. This machine's loopback has one name, and no other leads there.
 */
export function decideAddress(target: Target, address: string, privateHosts: readonly EgressRule[]): Verdict {
	const addressClass = classifyAddress(address);
	if (target.host === hostName) {
		return {allow: hostAddresses.includes(address), because: 'this machine'};
	}

	switch (addressClass) {
		case 'public': {
			return {allow: true, because: 'public address'};
		}

		case 'loopback':
		case 'unspecified': {
			return {
				allow: false,
				because:
					`the address of ${target.host} is this machine's own: ` +
					`what is granted of it is network:${hostName}:${target.port}, and asked for by that name`,
			};
		}

		case 'private':
		case 'reserved': {
			const named = privateHosts.some(
				rule => matchesHost(rule.host, target.host) && (rule.port === undefined || rule.port === target.port),
			);
			return named
				? {allow: true, because: `${addressClass} address, named in the policy`}
				: {
						allow: false,
						because:
							`the address of ${target.host} is ${addressClass} (${address}), which takes the policy besides: ` +
							`commit the line privateHosts: ["${formatTarget(target)}"] in .fleet/policy.yaml, and start a new run`,
					};
		}

		default: {
			return {
				allow: false,
				because: `the address of ${target.host} (${address}) is ${addressClass}, and never dialled`,
			};
		}
	}
}
