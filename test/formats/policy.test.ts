import assert from 'node:assert/strict';
import {test} from 'node:test';
import {limitsOfPerson, limitsOfPolicy} from '../../source/core/limits.ts';
import {emptyPolicy, parsePolicy, rulesOf} from '../../source/core/policy.ts';
import {parseSettings} from '../../source/core/settings-file.ts';
import {defaultLimits} from '../../source/core/plan.ts';
import {Refusal} from '../../source/core/refusal.ts';
import {priceOf} from '../../source/core/run/usage.ts';
import {parseGrantable, parseScope, rulesOfGrants, scopeKinds} from '../../source/scopes/registry.ts';
import {formatScope, type ScopeKind} from '../../source/core/scope.ts';

test('a policy', () => {
	assert.deepEqual(parsePolicy(''), emptyPolicy);
	assert.deepEqual(parsePolicy('# nothing yet\n'), emptyPolicy);
	assert.deepEqual(
		parsePolicy(
			'verify: [npm test]\nnetwork:\n  - a.test:8443\ndeploy:\n  prod:\n    command: ./deploy\n    credentials: [TOKEN]\n',
		),
		{
			...emptyPolicy,
			verify: {commands: ['npm test'], auto: true, retries: 2},
			network: ['a.test:8443'],
			deploy: {prod: {command: './deploy', credentials: ['TOKEN']}},
		},
	);
	assert.deepEqual(rulesOf(['a.test', 'b.test:81', '[::1]:80'], 's'), [
		{host: 'a.test', source: 's'},
		{host: 'b.test', port: 81, source: 's'},
		{host: '::1', port: 80, source: 's'},
	]);
});

test('a wrong policy is an error with a line number', () => {
	const cases: Array<[string, number, RegExp]> = [
		['verfy: [x]\n', 1, /"verfy" is not a key/],
		['verify:\n  - npm test\nnetwrok: []\n', 3, /"netwrok"/],
		['verify: npm test\n', 1, /verify/],
		['verify:\n  commands: [a]\n  retry: 1\n', 3, /"retry"/],
		['verify:\n  commands: [a]\n  retries: 11\n', 3, /at most 10/],
		['verify:\n  auto: false\n', 1, /commands/],
		['verify:\n  commands: [a]\n  auto: maybe\n', 3, /true or false/],
		['verify:\n  - 1\n', 2, /string/],
		['verify:\n  - ok\n  - ""\n', 3, /empty/],
		['deploy:\n  prod:\n    command: x\n    secrets: [A]\n', 4, /"secrets"/],
		['deploy:\n  Prod:\n    command: x\n', 2, /named/],
		['deploy:\n  a:\n    command: x\n    expires: 1\n', 4, /written like/],
		['deploy:\n  a:\n    command: x\n    wait: {every: 5s}\n', 4, /"command" is missing here/],
		['deploy:\n  a:\n    command: x\n    wait:\n      command: y\n      longest: 2d\n', 6, /at most 1d/],
		['deploy:\n  a:\n    command: x\n    health:\n      command: y\n      try: 2\n', 6, /"try" is not a key here/],
		['deploy:\n  a:\n    command: x\n    rollback: auto\n', 4, /needs health: beside it/],
		['deploy:\n  a:\n    command: x\n    lease: 15m\n', 4, /needs approve: beside it/],
		['deploy:\n  a:\n    command: x\n    approve: {from: [owners]}\n    lease: 2h\n', 5, /at most 1h/],
		['deploy:\n  a:\n    command: x\n    approve: {people: 1}\n', 4, /"from" is missing here/],
		['deploy:\n  a:\n    command: x\n    approve:\n      from: []\n', 5, /somebody has to be able/],
		['deploy:\n  a:\n    command: x\n    approve:\n      from: [a]\n      not: [pusher]\n', 6, /requester/],
		['deploy:\n  prod: {}\n', 2, /command/],
		['network:\n  - "a b"\n', 2, /HOST/],
		['network:\n  - "*.test"\n', 2, /HOST/],
		['a: [\n', 2, /./],
		['verify: [a]\nverify: [b]\n', 2, /unique/i],
		['x: &a [1]\nverify: *a\n', 1, /./],
		['- a\n', 1, /./],
	];
	for (const [text, line, pattern] of cases) {
		const result = parsePolicy(text);
		assert.ok(result instanceof Refusal, text);
		assert.match(result.because, new RegExp(`^\\.fleet/policy\\.yaml:${line}: `), `${text} → ${result.because}`);
		assert.match(result.because, pattern);
		assert.equal(result.exitCode, 2);
	}
});

/** How a kind breaks the contract of core/scope.ts; empty where it keeps it. */
function breaches(kind: ScopeKind): string[] {
	const subject =
		{
			port: '3000',
			network: 'a.test',
			files: '/srv/data',
			secret: 'user/name',
			model: 'codex',
			mcp: 'memory',
			deploy: 'prod',
		}[kind.id] ?? '';
	const found: string[] = [];
	const parsed = kind.parse(subject);
	if (parsed instanceof Refusal || kind.parse(parsed) !== parsed) {
		found.push('its own result does not parse to itself');
	}

	if (kind.byDefault && !(kind.parse('x') instanceof Refusal)) {
		found.push('it is on by default and takes a subject');
	}

	for (const bad of kind.byDefault ? [] : ['', 'a\nb', '\0']) {
		if (!(kind.parse(bad) instanceof Refusal)) {
			found.push(`it takes ${JSON.stringify(bad)}`);
		}
	}

	if (kind.never !== undefined && !kind.available(subject)) {
		found.push('it can be granted although no run may hold it');
	}

	const opened = Object.values(kind.opens(subject)).filter(value => value !== undefined);
	if (opened.length > 0 !== (!kind.byDefault && kind.never === undefined)) {
		found.push('what it opens is not what can be granted');
	}

	return found;
}

test('scopes: every kind keeps the contract, and careless ones do not', () => {
	for (const kind of scopeKinds) {
		assert.deepEqual(breaches(kind), [], kind.id);
	}

	const kind = (id: string) => scopeKinds.find(kind => kind.id === id)!;
	for (const careless of [
		{...kind('deploy'), available: () => undefined},
		{...kind('network'), opens: () => ({})},
		{...kind('repo'), opens: () => ({files: {path: '/', mode: 'read' as const}})},
		{...kind('secret'), parse: (subject: string) => subject},
		{...kind('model'), parse: (subject: string) => subject},
		{...kind('network'), parse: (subject: string) => subject},
		{...kind('repo'), parse: () => ''},
		{...kind('files'), parse: (subject: string) => `${subject}/`},
	]) {
		assert.notDeepEqual(breaches(careless), [], careless.id);
	}
});

test('scopes: what can be granted, and what cannot', () => {
	for (const text of [
		'network:a.test',
		'files:/srv/data',
		'secret:user/a-name',
		'secret:project/a-name',
		'model:codex',
		'port:3000',
	]) {
		assert.ok(!(parseGrantable(text) instanceof Refusal), text);
		assert.equal(formatScope(parseScope(text) as {kind: string; subject: string}), text);
	}

	for (const text of [
		'',
		'x',
		'network',
		'network:',
		'network:*.test',
		'network:a b',
		'network:a.test:0',
		'network:a.test.',
		'files:',
		'files:relative',
		'files:/',
		'files:/a/../b',
		'files:/proc',
		'files:/etc',
		'files:/run/user/0',
		'files:/root',
		'secret:',
		'secret:name',
		'secret:other/name',
		'secret:user/../x',
		'model:',
		'model:A b',
		'port:',
		'port:0',
		'port:65536',
		'port:3128',
		'port:3000/x',
		'port:127.0.0.1:3000',
		'deploy:A',
		'deploy:prod',
		'repo',
		'build',
		'repo:x',
		'build:y',
		'NETWORK:a',
	]) {
		assert.ok(parseGrantable(text) instanceof Refusal, text);
	}

	assert.deepEqual(parseScope('network:EXAMPLE.com:443'), {kind: 'network', subject: 'example.com:443'});
	assert.deepEqual(parseScope('network:0x7f000001:80'), {kind: 'network', subject: '127.0.0.1:80'});
});

test('a grant is a rule while it is in force', () => {
	const grant = (scope: string, until?: string) => ({
		id: '',
		scope,
		because: '',
		by: 'person:a' as const,
		at: '',
		until,
	});
	const now = Date.parse('2026-01-01T00:00:00Z');
	assert.deepEqual(
		rulesOfGrants(
			[
				grant('network:a.test'),
				grant('network:b.test:81'),
				grant('network:c.test', '2025-12-31T23:59:59Z'),
				grant('files:/x'),
			],
			now,
		).map(({host, port}) => [host, port]),
		[
			['a.test', undefined],
			['b.test', 81],
		],
	);
});

test('a person says what models cost, and what may be spent in a day', () => {
	const settings = parseSettings(
		'prices:\n  - {model: "claude-opus-9*", input: 2, output: 8}\n  - {model: own.1, input: 0, cached: 0, output: 0}\n' +
			'budgets: {day: 20}\n',
	);
	assert.ok(!(settings instanceof Refusal));
	const usage = (model: string) => ({model, input: 1_000_000, cached: 1_000_000, output: 1_000_000});
	assert.equal(priceOf(usage('claude-opus-9-20270101'), settings.prices), 12, 'cached as input, where it is not said');
	assert.equal(priceOf(usage('own.1'), settings.prices), 0);
	assert.equal(priceOf(usage('ownX1'), settings.prices), undefined, 'a dot is a dot');
	assert.deepEqual(settings.budgets, {day: 20, projectDay: undefined});
	for (const [text, line] of [
		['prices:\n  - {model: "a b", input: 1, output: 1}\n', 2],
		['prices:\n  - {model: a, input: -1, output: 1}\n', 2],
		['prices:\n  - {model: a, input: 1}\n', 2],
		['budgets:\n  day: 0\n', 2],
		['budgets:\n  month: 3\n', 2],
	] as const) {
		const result = parseSettings(text);
		assert.ok(result instanceof Refusal && result.because.startsWith(`settings.yaml:${line}: `), text);
	}
});

test('a person makes limits wider or tighter; the policy what is left of them tighter', () => {
	const settings = parseSettings(
		'limits: {running: 3, memory: 32GiB, tmp: 12GiB, hours: 48, verifyMinutes: 90, files: 10}\n',
	);
	assert.ok(!(settings instanceof Refusal));
	const own = limitsOfPerson(settings.limits, defaultLimits);
	assert.deepEqual(own, {
		...defaultLimits,
		memory: 32 * 1024 ** 3,
		dataSize: 64 * 1024 ** 3,
		tmp: 12 * 1024 ** 3,
		wallClock: 48 * 3_600_000,
		command: 90 * 60_000,
		files: 10,
	});
	const policy = parsePolicy('limits: {memory: 64GiB, tmp: 1GiB, files: 20, shm: 64MiB, file: 1GiB, disk: 2GiB}\n');
	assert.ok(!(policy instanceof Refusal));
	assert.deepEqual(limitsOfPolicy(policy.limits, own), {
		...own,
		tmp: 1024 ** 3,
		shm: 64 * 1024 ** 2,
		fileSize: 1024 ** 3,
		growth: 2 * 1024 ** 3,
	});
	for (const [text, line] of [
		['limits:\n  tmp: big\n', 2],
		['theme: dark\nlimits:\n  memory: 0MiB\n', 3],
	] as const) {
		const result = parseSettings(text);
		assert.ok(result instanceof Refusal && result.because.startsWith(`settings.yaml:${line}: `), text);
	}
});

test('limits make a run smaller, never larger', () => {
	const policy = parsePolicy('limits:\n  processes: 50\n  memory: 512MiB\n  disk: 900TiB\n  files: 5000\n  hours: 2\n');
	assert.ok(!(policy instanceof Refusal));
	assert.deepEqual(limitsOfPolicy(policy.limits, defaultLimits), {
		...defaultLimits,
		processes: 50,
		memory: 512 * 1024 ** 2,
		dataSize: 512 * 1024 ** 2,
		files: 5000,
		wallClock: 2 * 3_600_000,
	});
	assert.deepEqual(limitsOfPolicy(emptyPolicy.limits, defaultLimits), defaultLimits);
	for (const [text, line] of [
		['limits:\n  memory: lots\n', 2],
		['limits:\n  memory: 0MiB\n', 2],
		['limits:\n  processes: 1.5\n', 2],
		['limits:\n  cpu: 1\n', 2],
	] as const) {
		const result = parsePolicy(text);
		assert.ok(result instanceof Refusal && result.because.startsWith(`.fleet/policy.yaml:${line}: `), text);
	}
});
