import assert from 'node:assert/strict';
import {test} from 'node:test';
import {
	isMetadataName,
	isNearby,
	proxyFault,
	readUpstreams,
	unreachableProxy,
	upstreamFor,
	type UpstreamProxy,
} from '../../source/core/network/upstream.ts';
import {Refusal} from '../../source/core/refusal.ts';

const proxyOf = (
	environment: Record<string, string>,
	host = 'example.org',
	kind: 'http' | 'tunnel' = 'tunnel',
	port = 443,
) => upstreamFor(readUpstreams(environment), kind, {host, port});
const shown = (...asked: Parameters<typeof proxyOf>) => {
	const proxy = proxyOf(...asked);
	return proxy && (proxy instanceof Refusal ? proxy.because : proxy.shown);
};

test('the proxy is the one that the variables name, small letters first', () => {
	assert.equal(shown({}), undefined);
	assert.equal(shown({HTTPS_PROXY: 'http://a:1', https_proxy: 'http://b:2'}), 'b:2');
	assert.equal(shown({HTTP_PROXY: 'http://a:1'}), undefined, 'it is for plain requests');
	assert.equal(shown({HTTP_PROXY: 'http://a:1'}, 'example.org', 'http', 80), 'a:1');
	assert.equal(shown({ALL_PROXY: 'proxy.corp:3128'}, 'example.org', 'http', 80), 'proxy.corp:3128');
	assert.equal(shown({https_proxy: ' ', HTTPS_PROXY: 'https://p.corp/'}), 'p.corp:443');
	assert.equal(shown({HTTPS_PROXY: 'http://[fd00::1]:8080'}), '[fd00::1]:8080');
	const {secure, authorization} = proxyOf({HTTPS_PROXY: 'https://us%40er:p%3Ass%C3%A9@p.corp:8443'}) as UpstreamProxy;
	assert.deepEqual([secure, authorization], [true, `Basic ${Buffer.from('us@er:p:ssé').toString('base64')}`]);
});

test('what cannot be followed is said, and nothing of it is repeated', () => {
	for (const text of [
		'socks5://user:hidden@p:1080',
		'socks5h://user:hidden@p',
		'ftp://user:hidden@p',
		'http://user:hidden@',
		'http://user:hidden@p:port',
	]) {
		const because = shown({ALL_PROXY: text});
		assert.match(because!, /^ALL_PROXY /, text);
		assert.doesNotMatch(because!, /hidden|user/, text);
	}

	const proxy = proxyOf({HTTPS_PROXY: 'http://user:hidden@p:1'}) as UpstreamProxy;
	for (const words of [
		proxyFault(proxy, 407, 'x'),
		proxyFault({...proxy, authorization: undefined}, 407, 'x'),
		proxyFault(proxy, 403, 'x'),
		unreachableProxy(proxy, 'ECONNREFUSED'),
	]) {
		assert.match(words, /HTTPS_PROXY|NO_PROXY/);
		assert.doesNotMatch(words, /hidden/);
	}
});

test('NO_PROXY is read as curl, Go and requests write it', () => {
	const free = (list: string, host: string, port = 443, name = 'NO_PROXY') =>
		shown({HTTPS_PROXY: 'http://p:1', [name]: list}, host, 'tunnel', port) === undefined;
	for (const [list, host, port] of [
		['*', 'anything.test'],
		['a.test,*', 'b.test'],
		['corp.test', 'corp.test'],
		['corp.test', 'a.b.corp.test'],
		['.corp.test', 'corp.test'],
		['.corp.test', 'a.corp.test'],
		['*.corp.test', 'a.corp.test'],
		['Corp.Test.', 'corp.test'],
		['x , corp.test', 'corp.test'],
		['x corp.test', 'corp.test'],
		['corp.test:8443', 'corp.test', 8443],
		['10.0.0.0/8', '10.9.8.7'],
		['10.1.2.3', '10.1.2.3'],
		['10.1.2.3/32', '10.1.2.3'],
		['[fd00::1]', 'fd00::1'],
		['fd00::/8', 'fd12::1'],
		['[fd00::1]:8080', 'fd00::1', 8080],
		['0.0.0.0/0', '8.8.8.8'],
	] as const) {
		assert.ok(free(list, host, port), `${list} frees ${host}`);
		assert.ok(free(list, host, port, 'no_proxy'), `${list} frees ${host}`);
	}

	for (const [list, host, port] of [
		['', 'corp.test'],
		['corp.test', 'notcorp.test'],
		['corp.test', 'corp.test.evil'],
		['corp.test:8443', 'corp.test', 443],
		['10.0.0.0/8', '11.0.0.1'],
		['10.0.0.0/8', '10.corp.test'],
		['1.2.3.4', 'a.1.2.3.4'],
		['fd00::/8', 'fe00::1'],
		['a.*.test', 'a.b.test'],
		['/8', '10.0.0.1'],
		['10.0.0.0/8', '::ffff'],
	] as const) {
		assert.ok(!free(list, host, port), `${list} does not free ${host}`);
	}

	assert.equal(
		shown({HTTPS_PROXY: 'http://p:1', no_proxy: 'a.test', NO_PROXY: '*'}, 'b.test'),
		'p:1',
		'small letters first',
	);
});

test('what a proxy must not be asked, and which one is on this machine', () => {
	assert.ok(
		['metadata.google.internal', 'metadata', 'instance-data'].every(isMetadataName) &&
			!isMetadataName('metadata.example.org'),
	);
	assert.deepEqual(
		['127.0.0.1', 'localhost', '[::1]', 'proxy.corp'].map(host =>
			isNearby(proxyOf({HTTPS_PROXY: `http://${host}:1`}) as UpstreamProxy),
		),
		[true, true, true, false],
	);
});
