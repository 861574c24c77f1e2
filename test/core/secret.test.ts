import assert from 'node:assert/strict';
import {test} from 'node:test';
import {makePointer, shapeOf} from '../../source/core/secrets/pointer.ts';
import {Refusal} from '../../source/core/refusal.ts';
import {
	formatReference,
	isBoundTo,
	makeBinding,
	parseReference,
	widening,
	type Binding,
} from '../../source/core/secrets/secret.ts';
import {boundTo, decideRequest, type HeldSecret} from '../../source/core/secrets/swap.ts';

const binding = makeBinding({
	hosts: ['API.example.org', 'host.fleet.internal:8443'],
	headers: ['Authorization', 'X-Api-Key'],
	paths: ['/v1/*'],
	methods: ['get', 'post'],
}) as Binding;

test('references are names and nothing else', () => {
	assert.deepEqual(parseReference('fleet://user/anthropic'), {owner: 'user', name: 'anthropic'});
	assert.equal(formatReference({owner: 'project', name: 'stripe-test'}), 'fleet://project/stripe-test');
	for (const text of [
		'',
		'anthropic',
		'user/',
		'fleet://other/x',
		'user/A',
		'user/../x',
		'user/a/b',
		'user/a\n',
		`user/${'a'.repeat(80)}`,
	]) {
		assert.ok(parseReference(text) instanceof Refusal, text);
	}
});

test('bindings have one spelling, and bad ones are refused', () => {
	assert.deepEqual(binding, {
		class: 'task',
		hosts: ['api.example.org', 'host.fleet.internal:8443'],
		headers: ['authorization', 'x-api-key'],
		methods: ['GET', 'POST'],
		paths: ['/v1/*'],
		environment: undefined,
		longest: undefined,
	});
	assert.deepEqual(makeBinding(binding), binding);
	for (const raw of [
		{},
		{hosts: []},
		{hosts: ['a b']},
		{hosts: ['GET@a.example']},
		{hosts: ['a.example/x']},
		{hosts: ['a.example'], headers: ['host']},
		{hosts: ['a.example'], headers: ['a b']},
		{hosts: ['a.example'], methods: ['TRACE']},
		{hosts: ['a.example'], paths: ['v1']},
		{hosts: ['a.example'], paths: ['/a/../b']},
		{hosts: ['a.example'], class: 'x'},
		{hosts: ['a.example'], environment: 'A B'},
	]) {
		assert.ok(makeBinding(raw) instanceof Refusal, JSON.stringify(raw));
	}

	assert.ok(!(makeBinding({class: 'deploy'}) instanceof Refusal), 'a deploy secret is bound to no host');
	assert.equal(isBoundTo(binding, {host: 'api.example.org', port: 443}), true);
	for (const target of [
		{host: 'api.example.org', port: 80},
		{host: 'x.api.example.org', port: 443},
		{host: 'localhost', port: 443},
	]) {
		assert.equal(isBoundTo(binding, target), false, JSON.stringify(target));
	}
});

test('what a proposal opens beyond what was approved is said', () => {
	assert.deepEqual(widening(binding, binding), []);
	assert.deepEqual(widening(binding, {...binding, hosts: ['api.example.org'], paths: ['/v1/*']}), []);
	assert.deepEqual(widening(binding, {...binding, hosts: [...binding.hosts, 'evil.example']}), ['host evil.example']);
	assert.deepEqual(widening(binding, {...binding, paths: [], methods: ['GET', 'DELETE'], class: 'model'}), [
		'method DELETE',
		'every path',
		'class model',
	]);
	assert.deepEqual(widening({...binding, longest: 1000}, binding), ['longer grants']);
});

test("pointers have the vendor's shape, and are random in at least 128 bits", () => {
	const shapes: Array<[string, RegExp]> = [
		['sk-ant-api03-abc', /^sk-ant-api03-[\w-]{93}AA$/],
		['sk-ant-oat01-abc', /^sk-ant-oat01-/],
		['github_pat_abc', /^github_pat_11\w{20}_\w{59}$/],
		['ghp_abc', /^ghp_\w{36}$/],
		['AIzaabc', /^AIza\w{35}$/],
		['sk-proj-abc', /^sk-proj-/],
		['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc', /^eyJ[\w-]+\.[\w-]+\.\w{43}$/],
		['anything', /^fleet_\w{40}$/],
	];
	for (const [value, shape] of shapes) {
		const made = makePointer(
			shapeOf(value),
			Uint8Array.from({length: 256}, (_, index) => (index * 7) % 256),
		);
		const other = makePointer(
			shapeOf(value),
			Uint8Array.from({length: 256}, (_, index) => (index * 11) % 256),
		);
		assert.match(made, shape);
		const same = [...made].filter((character, index) => other[index] === character).length;
		assert.ok(Math.log2(62) * (made.length - same) >= 128, value);
		assert.ok(!made.includes('abc'), 'nothing of the value is in it');
	}
});

const pointer = 'fleet_0123456789abcdefghijklmnopqrstuvwxyzABCD';
const secret: HeldSecret = {scope: 'secret:project/x', pointer, value: 'the-real-value', binding};
const target = {host: 'api.example.org', port: 443};
const ask = (headers: Array<[string, string]>, options: {method?: string; url?: string; host?: string[]} = {}) =>
	decideRequest(
		{
			method: options.method ?? 'GET',
			url: options.url ?? '/v1/things',
			headers: [...(options.host ?? ['api.example.org']).map((host): [string, string] => ['Host', host]), ...headers],
		},
		target,
		{held: boundTo([secret], target), pointers: [pointer]},
	);
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

test('the pointer becomes the value in a bound header, whole, and in Basic', () => {
	const swapped: Array<[string, string, string]> = [
		['Authorization', `Bearer ${pointer}`, 'Bearer the-real-value'],
		['authorization', `token ${pointer}`, 'token the-real-value'],
		['X-Api-Key', pointer, 'the-real-value'],
		['Authorization', basic(`user:${pointer}`), basic('user:the-real-value')],
		['Authorization', basic(`${pointer}:`), basic('the-real-value:')],
	];
	for (const [name, written, expected] of swapped) {
		const verdict = ask([
			[name, written],
			['accept', 'x'],
		]);
		assert.deepEqual(
			verdict,
			{
				allow: true,
				headers: [
					['Host', 'api.example.org'],
					[name, expected],
					['accept', 'x'],
				],
				used: ['secret:project/x'],
			},
			written,
		);
	}

	assert.deepEqual(
		ask([['accept', 'x']]),
		{
			allow: true,
			headers: [
				['Host', 'api.example.org'],
				['accept', 'x'],
			],
			used: [],
		},
		'a request without a credential passes',
	);
});

test('a pointer anywhere else is refused and raises an alarm', () => {
	const places: Array<[Array<[string, string]>, Parameters<typeof ask>[1]?]> = [
		[[['x-other', pointer]]],
		[[['user-agent', `x ${pointer}`]]],
		[[['authorization', `Bearer ${pointer}x`]]],
		[[['authorization', `Bearer x${pointer}`]]],
		[[['authorization', `Bearer ${pointer}, ${pointer}`]]],
		[[['authorization', basic(`${pointer}:other:${pointer}`)]]],
		[[['x-data', Buffer.from(`a ${pointer}`).toString('base64')]]],
		[[['cookie', `session=${pointer}`]]],
		[[], {url: `/v1/things?x=${pointer}`}],
		[[], {url: `/v1/${pointer}`}],
		[[], {url: `/v1/things?x=${[...pointer].map(character => `%${character.charCodeAt(0).toString(16)}`).join('')}`}],
		[[[pointer, 'x']]],
		[
			[
				['authorization', `Bearer ${pointer}`],
				['authorization', `Bearer ${pointer}`],
			],
		],
	];
	for (const [headers, options] of places) {
		const verdict = ask(headers, options);
		assert.ok(!verdict.allow && verdict.alarm, JSON.stringify([headers, options, verdict]));
	}
});

test('other credentials, other hosts, other paths and echoes are refused, without an alarm', () => {
	const refused: Array<[number, Array<[string, string]>, Parameters<typeof ask>[1]?]> = [
		[403, [['authorization', 'Bearer attacker']]],
		[403, [['x-api-key', 'attacker']]],
		[403, [['cookie', 'a=b']]],
		[403, [['x-goog-api-key', 'attacker']]],
		[403, [['authorization', basic('a:b')]]],
		[403, [['private-token', 'x']]],
		[403, [], {url: '/v1/things?api_key=attacker'}],
		[403, [], {url: '/v1/things?x=1&access%5Ftoken=attacker'}],
		[403, [], {url: '/v1/things?X-Amz-Signature=x'}],
		[421, [], {host: ['other.example.org']}],
		[421, [], {host: ['api.example.org:8443']}],
		[421, [], {host: ['api.example.org@evil.example']}],
		[400, [], {host: []}],
		[400, [], {host: ['api.example.org', 'api.example.org']}],
		[405, [], {method: 'TRACE'}],
		[405, [], {method: 'track'}],
		[405, [], {method: 'CONNECT'}],
		[400, [], {url: 'https://evil.example/v1/'}],
		[400, [], {url: '//evil.example/v1/'}],
		[400, [], {url: '*'}],
		[403, [['authorization', `Bearer ${pointer}`]], {url: '/v2/files'}],
		[403, [['authorization', `Bearer ${pointer}`]], {url: '/v1/../v2'}],
		[403, [['authorization', `Bearer ${pointer}`]], {url: '/v1/%2e%2e/v2'}],
		[403, [['authorization', `Bearer ${pointer}`]], {url: '/v1//x'}],
		[403, [['authorization', `Bearer ${pointer}`]], {method: 'DELETE'}],
		[403, [], {url: '/v2/files'}],
		[
			400,
			[
				['content-length', '1'],
				['content-length', '2'],
			],
		],
		[
			400,
			[
				['authorization', 'Bearer a'],
				['Authorization', 'Bearer b'],
			],
		],
	];
	for (const [status, headers, options] of refused) {
		const verdict = ask(headers, options);
		assert.deepEqual(
			verdict.allow ? verdict : {status: verdict.status, alarm: verdict.alarm},
			{status, alarm: false},
			JSON.stringify([headers, options, verdict]),
		);
	}

	assert.equal(ask([['authorization', 'Bearer ']]).allow, true, 'an empty credential is none');
});

test('a secret that is not in force is not swapped', () => {
	const verdict = decideRequest(
		{
			method: 'GET',
			url: '/v1/x',
			headers: [
				['host', 'api.example.org'],
				['authorization', `Bearer ${pointer}`],
			],
		},
		target,
		{held: [], pointers: [pointer]},
	);
	assert.ok(!verdict.allow && verdict.alarm);
});
