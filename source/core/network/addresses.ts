/* What an IP address is: public, this machine's, a private network's, or one that is never dialled. Pure. */

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

/** The loopback of the machine: a server may listen on either. */
export const hostAddresses: readonly string[] = ['127.0.0.1', '::1'];

/** Whether a canonical host is an IP address, and no name. */
export const isAddress = (host: string) => host.includes(':') || /^\d+(?:\.\d+){3}$/.test(host);

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
