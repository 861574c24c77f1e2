import assert from 'node:assert/strict';
import {test} from 'node:test';
import {classifyAddress} from '../../source/core/network/addresses.ts';
import {decideAddress, decideEgress} from '../../source/core/network/egress.ts';
import {formatEgressRule, parseEgressRule, ruleFault, type EgressRule} from '../../source/core/network/rules.ts';
import {canonicaliseHost, parseAuthority} from '../../source/core/network/target.ts';
import {parsePolicy, rulesOf} from '../../source/core/policy.ts';
import {Refusal} from '../../source/core/refusal.ts';
import {parseGrantable, parseScope} from '../../source/scopes/registry.ts';

const rule = (host: string, port?: number) => ({host, port, source: 'test'});

test('an empty allow-list denies everything', () => {
	for (const host of ['example.com', 'localhost', '127.0.0.1', '']) {
		assert.equal(decideEgress({host, port: 443}, []).allow, false);
	}
});

test('a rule without a port is 443 and 80, one with a port is that port', () => {
	const cases: Array<[string, number, ReturnType<typeof rule>, boolean]> = [
		['a.test', 443, rule('a.test'), true],
		['a.test', 80, rule('a.test'), true],
		['a.test', 22, rule('a.test'), false],
		['a.test', 8080, rule('a.test', 8080), true],
		['a.test', 443, rule('a.test', 8080), false],
		['b.test', 443, rule('a.test'), false],
		['sub.a.test', 443, rule('a.test'), false],
		['a.test.evil', 443, rule('a.test'), false],
	];
	for (const [host, port, allowed, expected] of cases) {
		assert.equal(decideEgress({host, port}, [allowed]).allow, expected, `${host}:${port}`);
	}
});

test('hosts have one spelling', () => {
	const cases: Array<[string, string]> = [
		['EXAMPLE.com', 'example.com'],
		['127.1', '127.0.0.1'],
		['0x7f000001', '127.0.0.1'],
		['2130706433', '127.0.0.1'],
		['0177.0.0.1', '127.0.0.1'],
		['[::1]', '::1'],
		['[::ffff:127.0.0.1]', '::ffff:7f00:1'],
		['bücher.test', 'xn--bcher-kva.test'],
		['a_b._dmarc.test', 'a_b._dmarc.test'],
		['a--b.test', 'a--b.test'],
		[`${'x'.repeat(63)}.test`, `${'x'.repeat(63)}.test`],
		['db', 'db'],
		['9.test', '9.test'],
	];
	for (const [text, expected] of cases) {
		assert.equal(canonicaliseHost(text), expected, text);
	}
});

test('what no host is, is refused', () => {
	for (const text of [
		'',
		'a b',
		'a\0b',
		'a\nb',
		'a.test.',
		'user@a.test',
		'a.test/path',
		'a%2e.test',
		'fe80::1%eth0',
		'a\\b',
		'a?b',
		'a#b',
		'x'.repeat(300),
		'EXAMPLE..org',
		'.example.org',
		'a..b..c',
		`${'x'.repeat(64)}.test`,
		`${'x.'.repeat(127)}test`,
		'-a.test',
		'a-.test',
		'a.-b.test',
		'a.test-',
		'example.123',
		'a!b.test',
		'a,b.test',
		'..',
		'.',
	]) {
		assert.equal(typeof canonicaliseHost(text), 'object', JSON.stringify(text));
	}
});

test('authorities', () => {
	assert.deepEqual(parseAuthority('a.test:443'), {host: 'a.test', port: 443});
	assert.deepEqual(parseAuthority('[::1]:80'), {host: '::1', port: 80});
	assert.deepEqual(parseAuthority('a.test', 80), {host: 'a.test', port: 80});
	for (const text of [
		'a.test',
		'a.test:',
		'a.test:0',
		'a.test:70000',
		'a.test:80:80',
		':443',
		'a.test:-1',
		'::1:443',
	]) {
		assert.ok(parseAuthority(text) instanceof Refusal, text);
	}
});

test('address classes', () => {
	const cases: Record<string, string[]> = {
		public: [
			'1.1.1.1',
			'8.8.8.8',
			'2606:4700::1',
			'172.32.0.1',
			'11.0.0.1',
			'192.0.1.1',
			'198.20.0.1',
			'2001:200::1',
			'2001:4860:4860::8888',
			'2620:4f:8001::1',
			'3fff:1000::1',
			'64:ff9b::8.8.8.8',
			'::ffff:8.8.8.8',
			'2606:4700::200:5efe:8.8.8.8',
		],
		loopback: [
			'127.0.0.1',
			'127.255.0.9',
			'::1',
			'::ffff:127.0.0.1',
			'::ffff:7f00:1',
			'64:ff9b::7f00:1',
			'2002:7f00:1::',
			'2606:4700::5efe:127.0.0.1',
		],
		private: [
			'10.1.2.3',
			'172.16.0.1',
			'172.31.255.255',
			'192.168.0.1',
			'100.64.0.1',
			'fd00::1',
			'::ffff:10.0.0.1',
			'64:ff9b::10.0.0.1',
			'2002:a00:1::1',
			'2606:4700::200:5efe:10.0.0.1',
		],
		'link-local': [
			'169.254.169.254',
			'fe80::1',
			'::ffff:169.254.169.254',
			'64:ff9b::169.254.169.254',
			'2002:a9fe:a9fe::',
		],
		multicast: ['224.0.0.1', 'ff02::1', '255.255.255.255'],
		metadata: ['100.100.100.200', '192.0.0.192', '168.63.129.16', 'fd00:ec2::254'],
		unreadable: ['nonsense', '1.2.3', '1.2.3.4.5', '::g'],
		unspecified: ['0.0.0.0', '0.1.2.3', '::'],
		reserved: [
			'240.0.0.1',
			'192.0.2.1',
			'198.18.0.1',
			'203.0.113.9',
			'192.0.0.9',
			'192.31.196.1',
			'192.52.193.1',
			'192.88.99.1',
			'192.175.48.1',
			'198.19.255.255',
			'198.51.100.1',
			'2001:db8::1',
			'2001::1',
			'2001:0:4136:e378:8000:63bf:3fff:fdd2',
			'2001:1::1',
			'2001:2::1',
			'2001:3::1',
			'2001:4:112::1',
			'2001:10::1',
			'2001:20::1',
			'2001:30::1',
			'2001:1ff::1',
			'2002:808:808::1',
			'2620:4f:8000::1',
			'3fff::1',
			'3fff:fff::1',
			'64:ff9b:1::8.8.8.8',
			'64:ff9b:0:1::1',
			'100::1',
			'100:0:0:1::1',
			'5f00::1',
			'fec0::1',
			'4000::1',
		],
	};
	for (const [expected, addresses] of Object.entries(cases)) {
		for (const address of addresses) {
			assert.equal(classifyAddress(address), expected, address);
		}
	}
});

test('an address that is not public needs the policy to name its host', () => {
	const target = {host: 'internal.test', port: 8080};
	assert.equal(decideAddress(target, '10.0.0.1', []).allow, false);
	assert.equal(decideAddress(target, '10.0.0.1', [rule('internal.test', 8080)]).allow, true);
	assert.equal(decideAddress(target, '10.0.0.1', [rule('internal.test', 9)]).allow, false);
	assert.equal(
		decideAddress(target, '169.254.169.254', [rule('internal.test', 8080)]).allow,
		false,
		'metadata addresses are never dialled',
	);
	assert.equal(decideAddress(target, '1.1.1.1', []).allow, true);
	assert.equal(
		decideAddress(target, '198.18.3.4', [rule('internal.test')]).allow,
		true,
		'where a proxy gives names addresses of its own',
	);
	for (const never of [
		'127.0.0.1',
		'::1',
		'::ffff:127.0.0.1',
		'0.0.0.0',
		'255.255.255.255',
		'100.100.100.200',
		'fd00:ec2::254',
		'nonsense',
	]) {
		assert.equal(decideAddress(target, never, [rule('internal.test')]).allow, false, never);
	}
});

test('each refusal of an address names what mends it', () => {
	for (const [host, address, port, line] of [
		['registry.corp', '10.1.2.3', 443, 'privateHosts: ["registry.corp:443"]'],
		['fd00::1', 'fd00::1', 8080, 'privateHosts: ["[fd00::1]:8080"]'],
	] as const) {
		const {because} = decideAddress({host, port}, address, []);
		assert.ok(because.includes(line), because);
		const policy = parsePolicy(line);
		assert.ok(
			!(policy instanceof Refusal) &&
				decideAddress({host, port}, address, rulesOf(policy.privateHosts, 'policy')).allow,
			line,
		);
	}

	assert.match(
		decideAddress({host: 'mine.test', port: 8124}, '127.0.0.1', []).because,
		/network:host\.fleet\.internal:8124/,
	);
});

test("loopback is no rule's, and a port of this machine is written out", () => {
	for (const [text, instead] of [
		['localhost:8124', 'host.fleet.internal:8124'],
		['app.localhost:3000', 'host.fleet.internal:3000'],
		['127.0.0.1', 'host.fleet.internal:80'],
		['127.1:8124', 'host.fleet.internal:8124'],
		['[::1]:8124', 'host.fleet.internal:8124'],
		['0.0.0.0:1', 'host.fleet.internal:1'],
		['[::ffff:127.0.0.1]:8124', 'host.fleet.internal:8124'],
		['2130706433:8124', 'host.fleet.internal:8124'],
		['*.dev.localhost:1', 'host.fleet.internal:1'],
		['GET@localhost:8124/a/*', 'GET@host.fleet.internal:8124/a/*'],
		['host.fleet.internal', 'host.fleet.internal:8080'],
		['*.fleet.internal:8124', 'host.fleet.internal:8080'],
		['fleet.internal', 'host.fleet.internal:8080'],
	] as const) {
		const rule = parseEgressRule(text);
		assert.ok(!(rule instanceof Refusal), text);
		assert.equal(ruleFault(rule)?.instead, instead, text);
		const again = parseEgressRule(instead);
		assert.ok(!(again instanceof Refusal) && ruleFault(again) === undefined, instead);
		const grant = parseGrantable(`network:${text}`);
		assert.ok(
			grant instanceof Refusal &&
				grant.hint.includes(`network:${instead}`) &&
				!(parseScope(`network:${text}`) instanceof Refusal),
			`${text} is refused as a grant, and an old one can be revoked`,
		);
		const policy = parsePolicy(`verify: []\nnetwork:\n  - ${JSON.stringify(text)}\n`);
		assert.ok(
			policy instanceof Refusal && policy.because.includes(`policy.yaml:3`) && policy.because.includes(instead),
			text,
		);
	}

	assert.equal(ruleFault({host: 'example.org'}), undefined);
	const granted = (text: string, port: number) =>
		decideEgress({host: 'host.fleet.internal', port}, rulesOf([text], 'grant')).allow;
	assert.deepEqual(
		[
			granted('host.fleet.internal:8124', 8124),
			granted('host.fleet.internal:8124', 8125),
			granted('host.fleet.internal', 80),
			granted('*.fleet.internal:8124', 8124),
		],
		[true, false, false, false],
	);
});

test('a pattern stands for one label, and only the first', () => {
	const rules = (text: string): EgressRule[] => {
		const rule = parseEgressRule(text);
		return rule instanceof Refusal ? assert.fail(rule.because) : [{...rule, source: text}];
	};

	const allows = (text: string, host: string, port = 443) => decideEgress({host, port}, rules(text)).allow;
	assert.ok(allows('*.example.org', 'a.example.org'));
	assert.ok(!allows('*.example.org', 'example.org'));
	assert.ok(!allows('*.example.org', 'a.b.example.org'));
	assert.ok(!allows('*.example.org', 'evil-example.org'));
	assert.ok(!allows('*.example.org', '.example.org'));
	assert.ok(!allows('*.example.org', 'a.example.org', 8443));
	assert.ok(allows('*.example.org:8443', 'a.example.org', 8443));
	for (const bad of [
		'*',
		'*.org',
		'*.*.org',
		'a.*.org',
		'*.0.0.1',
		'*.[::1]',
		'*example.org',
		'a b',
		'',
		'GET@',
		'@a.test',
		'a.test/x/../y',
		'a.test/%2e%2e/',
		'a.test/*x',
		'a.test//x',
		'a.test/x?y',
		'a.test:0',
		'a.test:70000',
	]) {
		assert.ok(parseEgressRule(bad) instanceof Refusal, bad);
	}
});

test('methods and paths limit plain requests, and close tunnels', () => {
	const rule = parseEgressRule('head,GET@api.example.org/repos/*');
	assert.ok(!(rule instanceof Refusal));
	assert.equal(formatEgressRule(rule), 'GET,HEAD@api.example.org/repos/*');
	const rules = [{...rule, source: 'grant'}];
	const asked = (method: string, path: string, port = 80) =>
		decideEgress({host: 'api.example.org', port}, rules, {method, path}).allow;
	assert.ok(asked('GET', '/repos/a?q=../x'));
	assert.equal(
		decideEgress({host: 'a.test', port: 80}, [{host: 'a.test', source: 'grant', methods: ['GET']}], {
			method: 'GET',
			path: '/',
			other: 'x-http-method-override',
		}).allow,
		false,
	);
	assert.equal(
		decideEgress({host: 'a.test', port: 80}, [{host: 'a.test', source: 'grant'}], {
			method: 'GET',
			path: '/',
			other: 'x-http-method-override',
		}).allow,
		true,
	);
	assert.ok(!asked('POST', '/repos/a'));
	assert.ok(!asked('get', '/repos/a'));
	for (const path of [
		'/',
		'/repo',
		'/repos/../admin',
		'/repos/%2e%2e/admin',
		'/repos/%2E./admin',
		'/repos/a%2fb',
		'/repos//admin',
		'/repos/%252e%252e/admin',
		'/repos/..;/admin',
		'/repos/a;b',
		'/repos/%c0%ae./admin',
		'/repos/.%20./admin',
		'/repos/%ef%bc%8e%ef%bc%8e/admin',
		'/repos/\\..\\admin',
		'/repos/a\u0000',
		'/Repos/a',
	]) {
		assert.ok(!asked('GET', path), path);
	}

	assert.ok(!decideEgress({host: 'api.example.org', port: 443}, rules).allow, 'nobody can look into a tunnel');
	assert.match(decideEgress({host: 'api.example.org', port: 443}, rules).because, /encrypted tunnel/);
	assert.ok(
		decideEgress({host: 'api.example.org', port: 443}, [...rules, {host: 'api.example.org', source: 'whole'}]).allow,
		'another rule may open the whole host',
	);
});

test('a rule in its one spelling is read back as itself', () => {
	for (const text of ['a.test', 'A.Test:81', '*.a.test', '[::1]:80', 'POST@127.1:8080/x*', 'get@a.test/']) {
		const rule = parseEgressRule(text);
		assert.ok(!(rule instanceof Refusal), text);
		assert.deepEqual(parseEgressRule(formatEgressRule(rule)), rule);
	}
});
