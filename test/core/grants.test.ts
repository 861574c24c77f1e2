import assert from 'node:assert/strict';
import {test} from 'node:test';
import {parseBoundary, tightest, type Boundary} from '../../source/core/grants/boundary.ts';
import {
	contains,
	overlaps,
	parsePattern,
	patternKinds,
	readScope,
	type ScopePattern,
} from '../../source/core/grants/pattern.ts';
import type {GrantRule} from '../../source/core/grants/rules.ts';
import {grantFault, grantText} from '../../source/core/grants/statement.ts';
import {lengthOf, termsOf, type Terms, type Wall} from '../../source/core/grants/terms.ts';
import {parsePolicy, type Policy} from '../../source/core/policy.ts';
import {Refusal} from '../../source/core/refusal.ts';
import {parseGrantable, scopeKinds} from '../../source/scopes/registry.ts';
import {Chance} from '../support/chance.ts';

/* Which rules count for a grant, and what all of them make of it. */

const pattern = (text: string): ScopePattern => {
	const read = parsePattern(text);
	assert.ok(!(read instanceof Refusal), `${text}: ${(read as Refusal).because}`);
	return read;
};

/** A scope in its one spelling, as it is granted. */
const scope = (text: string): string => {
	const read = parseGrantable(text);
	assert.ok(!(read instanceof Refusal), `${text}: ${(read as Refusal).because}`);
	return read.scope;
};

test('a pattern can be about every kind of scope that is not on by default', () => {
	assert.deepEqual(
		[...patternKinds].sort(),
		scopeKinds
			.filter(kind => !kind.byDefault)
			.map(kind => kind.id)
			.sort(),
	);
});

/** Pattern, scope, whether a restriction counts for it, whether a list that allows contains it. */
const pairs: ReadonlyArray<readonly [string, string, boolean, boolean]> = [
	['*', 'network:a.example.org', true, true],
	['*', 'files:/srv/data:rw', true, true],
	['network:*', 'network:a.example.org', true, true],
	['network:*', 'network:a.example.org:8443', true, false],
	['network:*:*', 'network:a.example.org:8443', true, true],
	['network:*', 'network:host.fleet.internal:5432', true, false],
	['network:*', 'network:192.0.2.1', true, true],
	['network:*', 'files:/srv', false, false],
	['network:example.org', 'network:example.org', true, true],
	['network:EXAMPLE.org', 'network:example.ORG', true, true],
	['network:bücher.example', 'network:xn--bcher-kva.example', true, true],
	['network:example.org', 'network:a.example.org', false, false],
	['network:*.example.org', 'network:example.org', false, false],
	['network:*.example.org', 'network:a.example.org', true, true],
	['network:*.example.org', 'network:a.b.example.org', true, false],
	['network:**.example.org', 'network:a.b.example.org', true, true],
	['network:**.example.org', 'network:*.b.example.org', true, true],
	['network:**.example.org', 'network:example.org', false, false],
	['network:*.org', 'network:*.example.org', true, false],
	['network:**.org', 'network:*.example.org', true, true],
	['network:*.a.example.org', 'network:*.example.org', true, false],
	['network:*.example.org', 'network:*.example.org', true, true],
	['network:a.example.org', 'network:*.example.org', true, false],
	['network:*.example.org', 'network:notexample.org', false, false],
	['network:*.example.org', 'network:example.org.evil.test', false, false],
	['network:example.org', 'network:example.org:8443', true, false],
	['network:example.org:22', 'network:example.org', false, false],
	['network:example.org:22', 'network:example.org:22', true, true],
	['network:example.org:443', 'network:example.org', true, false],
	['network:example.org', 'network:example.org:443', true, true],
	['network:example.org:*', 'network:example.org:22', true, true],
	['network:example.org', 'network:GET@example.org/x*', true, true],
	['network:POST@example.org', 'network:GET@example.org', false, false],
	['network:POST@example.org', 'network:example.org', true, false],
	['network:GET,HEAD@example.org', 'network:GET@example.org', true, true],
	['network:example.org/admin*', 'network:example.org', true, false],
	['network:example.org/admin*', 'network:GET@example.org/admin/users', true, true],
	['network:example.org/admin*', 'network:GET@example.org/%61dmin*', true, false],
	['network:example.org/admin*', 'network:GET@example.org/Admin*', true, false],
	['network:example.org/admin*', 'network:GET@example.org/a*', true, false],
	['network:example.org/admin', 'network:GET@example.org/admin/users', false, false],
	['network:192.0.2.1', 'network:0xc0000201', true, true],
	['network:[2001:db8::1]', 'network:[2001:DB8:0:0:0:0:0:1]', true, true],
	['network:192.0.2.1', 'network:[::ffff:192.0.2.1]', true, false],
	['network:[::ffff:192.0.2.1]', 'network:192.0.2.1', true, false],
	['network:192.0.2.1', 'network:[64:ff9b::c000:201]', true, false],
	['network:192.0.2.1', 'network:[::ffff:192.0.2.2]', false, false],
	['files:/', 'files:/srv/data:rw', true, false],
	['files:/:rw', 'files:/srv/data:rw', true, true],
	['files:/srv', 'files:/srv/data', true, true],
	['files:/srv/', 'files:/srv//data/', true, true],
	['files:/srv/data/secret', 'files:/srv/data', true, false],
	['files:/srv/data', 'files:/srv/database', false, false],
	['files:/srv:rw', 'files:/srv/data', false, true],
	['files:/srv:rw', 'files:/srv/data:rw', true, true],
	['files:/srv', 'files:/srv/data:rw', true, false],
	['secret:project/staging-*', 'secret:project/staging-db', true, true],
	['secret:project/staging-*', 'secret:user/staging-db', false, false],
	['secret:*', 'secret:user/staging-db', true, true],
	['secret:*/prod-*', 'secret:user/prod-db', true, true],
	['secret:user/*-prod-*', 'secret:user/a-prod-b', true, true],
	['secret:user/*ab*ba', 'secret:user/xaba', false, false],
	['mcp:*', 'mcp:issues', true, true],
	['mcp:is*', 'mcp:issues', true, true],
	['mcp:issues', 'mcp:issues-two', false, false],
	['model:*', 'model:codex', true, true],
	['port:3000', 'port:03000', true, true],
	['port:*', 'port:3000', true, true],
];

test('what restricts counts wherever it overlaps, and what allows only what it contains', () => {
	for (const [rule, granted, overlap, contained] of pairs) {
		const one = scope(granted);
		assert.equal(overlaps(pattern(rule), readScope(one)), overlap, `${rule} counts for ${one}`);
		assert.equal(contains(pattern(rule), readScope(one)), contained, `${rule} contains ${one}`);
	}
});

test('a pattern that no scope could match is refused', () => {
	for (const text of [
		'',
		'network:',
		'network:example.org.',
		'network:a*.example.org',
		'network:*example.org',
		'network:**',
		'network:*.192.0.2.1',
		'network:a b',
		'network:example.org:0',
		'network:example.org:99999',
		'network:example.org/a/../b',
		'files:data',
		'files:/srv/*',
		'files:/srv/../etc',
		'secret:staging/*',
		'secret:user/PROD-*',
		'secret:name',
		'port:03000',
		'repo',
		'build',
		'everything:*',
	]) {
		assert.ok(parsePattern(text) instanceof Refusal, text);
	}
});

const policyOf = (rules: string): Policy => {
	const read = parsePolicy(`verify: []\ngrants:\n${rules}`);
	assert.ok(!(read instanceof Refusal), (read as Refusal).because);
	return read;
};

const boundaryOf = (text: string): Boundary => {
	const read = parseBoundary(text, '/b.yaml');
	assert.ok(!(read instanceof Refusal), (read as Refusal).because);
	return read;
};

const project = (rules: string): Wall => ({names: 'project', rules: policyOf(rules).grants, file: 'p'});

test('all rules that overlap count: never wins, the shortest wins, each has to be signed for', () => {
	const walls = [
		boundaryOf('grants: [{scope: "network:**.org", longest: 2h}, {scope: "secret:*", uses: 3}]\n').wall,
		project(
			'  - {scope: "network:*.example.org", by: [maintainers], longest: 1h}\n' +
				'  - {scope: "network:a.example.org", by: [ada], longest: 4h, uses: 5}\n' +
				'  - {scope: "secret:project/prod-*", never: true}\n',
		),
	];
	const terms = termsOf(['network:a.example.org'], walls) as Terms;
	assert.deepEqual(terms.longest, {value: 3_600_000, at: '.fleet/policy.yaml:3'});
	assert.deepEqual(terms.uses, {value: 5, at: '.fleet/policy.yaml:4'});
	assert.deepEqual(
		terms.by.map(({value}) => value),
		[['maintainers'], ['ada']],
	);
	assert.equal((termsOf(['network:other.org'], walls) as Terms).longest?.at, '/b.yaml:1');
	assert.deepEqual(termsOf(['network:other.test'], walls), {by: []});
	// What restricts counts wherever it overlaps: deeper names, other ports, a pattern around it.
	for (const scope of ['network:x.y.example.org', 'network:b.example.org:8443', 'network:*.y.example.org']) {
		assert.equal((termsOf([scope], walls) as Terms).longest?.value, 3_600_000, scope);
	}

	const never = termsOf(['secret:project/prod-db'], walls);
	assert.ok(never instanceof Refusal);
	assert.match(never.because, /never granted \(\.fleet\/policy\.yaml:5\)/);
	// What a secret opens counts, too, and so do its other names.
	assert.ok(termsOf(['secret:user/x', 'network:a.example.org:443'], walls) instanceof Refusal === false);
	assert.equal((termsOf(['secret:user/x', 'network:a.example.org:443'], walls) as Terms).longest?.value, 3_600_000);
	assert.ok(termsOf(['model:codex'], walls, ['secret:project/prod-db']) instanceof Refusal);
});

test('what a boundary does not list cannot be granted', () => {
	const {wall} = boundaryOf('only:\n  - network:**.corp.example\n  - model:*\n');
	assert.deepEqual(termsOf(['network:a.b.corp.example'], [wall]), {by: []});
	const out = termsOf(['network:example.org'], [wall]);
	assert.ok(
		out instanceof Refusal && /not among what can be granted on this machine \(\/b\.yaml:1\)/.test(out.because),
	);
	const through = termsOf(['model:codex', 'network:api.test:443'], [wall], ['secret:user/x']);
	assert.ok(through instanceof Refusal && through.because.startsWith('model:codex opens network:api.test:443, which'));
	assert.deepEqual(termsOf(['model:codex', 'network:api.corp.example:443'], [wall], ['secret:user/x']), {by: []});
});

test('a grant lasts as long as was asked, or as long as it may', () => {
	const terms = termsOf(['network:a.test'], [project('  - {scope: "network:a.test", longest: 90m}\n')]) as Terms;
	const minute = 60_000;
	assert.equal(lengthOf('s', terms, {asked: undefined}), 90 * minute);
	assert.equal(lengthOf('s', terms, {asked: 90 * minute}), 90 * minute);
	assert.equal(lengthOf('s', terms, {asked: undefined, own: 30 * minute}), 30 * minute);
	assert.equal(lengthOf('s', {by: []}, {asked: undefined}), undefined);
	const refusal = lengthOf('s', terms, {asked: 2 * 60 * minute});
	assert.ok(refusal instanceof Refusal);
	assert.deepEqual(
		[refusal.because, refusal.hint],
		['s is granted for 90m at most (.fleet/policy.yaml:3)', '--for 90m'],
	);
});

test('a mistake in a rule names its line', () => {
	for (const [rule, because] of [
		['{scope: "secret:staging/*", never: true}', /policy\.yaml:2: .*can match no secret scope/],
		['{scope: "network:*"}', /policy\.yaml:2: .*by, longest, uses or never/],
		['{scope: "network:*", never: true, longest: 1h}', /stands alone/],
		['{scope: "network:*", never: false}', /true, or the key left out/],
		['{scope: "files:/srv", uses: 2}', /uses are counted of network, secret, mcp/],
		['{scope: "*", uses: 2}', /uses are counted/],
		['{scope: "deploy:production", by: [ada]}', /of a deploy/],
		['{scope: "network:*", by: []}', /names somebody/],
		['{scope: "network:*", longest: soon}', /a time is/],
		['{scope: "network:*", longest: 1h, people: 2}', /"people" is not a key here/],
		['{longest: 1h}', /"scope" is missing here/],
	] as const) {
		const read = parsePolicy(`grants:\n  - ${rule}\n`);
		assert.ok(read instanceof Refusal, rule);
		assert.match(read.because, because, rule);
	}

	for (const [text, because] of [
		['grants: [{scope: "network:*", by: [ada]}]\n', /b\.yaml:1: ada is nobody of its people/],
		['only: []\n', /names something/],
		['network: {never: [x]}\n', /"network" is not a key here/],
	] as const) {
		const read = parseBoundary(text, '/b.yaml');
		assert.ok(read instanceof Refusal, text);
		assert.match(read.because, because);
	}

	assert.deepEqual(
		tightest([boundaryOf('limits: {memory: 2GiB, hours: 3}\n'), boundaryOf('limits: {memory: 1GiB}\n')]),
		{
			memory: 1024 ** 3,
			hours: 3,
		},
	);
});

test('a grant that says less of itself than its rules want does not count', () => {
	const at = '2026-01-01T10:00:00.000Z';
	const now = Date.parse(at) + 60_000;
	const terms: Terms = {longest: {value: 3_600_000, at: 'p:1'}, uses: {value: 2, at: 'p:2'}, by: []};
	const grant = {scope: 'network:a.test', at, until: '2026-01-01T11:00:00.000Z', uses: 2};
	assert.equal(grantFault(grant, terms, now), undefined);
	for (const odd of [
		{...grant, until: undefined},
		{...grant, until: '2026-01-01T11:00:01.000Z'},
		{...grant, until: 'never'},
		{...grant, at: 'some day'},
		// A beginning that is still to come would lengthen it.
		{...grant, at: '2026-06-01T10:00:00.000Z', until: '2026-06-01T11:00:00.000Z'},
		{...grant, uses: undefined},
		{...grant, uses: 3},
	]) {
		assert.ok(grantFault(odd, terms, now) instanceof Refusal, JSON.stringify(odd));
	}
});

test('nothing of a grant can pose as another part of what is signed', () => {
	const run = {id: 'r', project: {id: 'p'}, base: 'b'};
	const grant = {id: '0123abcd', scope: 's', because: 'x\nscope "all"', by: 'person:me', at: 'now'} as const;
	assert.equal(grantText(run, grant).split('\n').length, 13);
	const texts = new Set(
		[
			grant,
			{...grant, scope: 't'},
			{...grant, because: 'y'},
			{...grant, id: '0123abce'},
			{...grant, at: 'later'},
			{...grant, until: 'then'},
			{...grant, uses: 1},
			{...grant, identity: '1:2'},
		].map(one => grantText(run, one)),
	);
	assert.equal(texts.size, 8);
	assert.notEqual(grantText({...run, base: 'c'}, grant), grantText(run, grant));
});

/** Hosts, ports, folders and names of which rules and scopes are made by chance, so that they meet. */
const parts = {
	host: ['example.org', 'a.example.org', 'b.a.example.org', 'org', 'test', 'a.test', '192.0.2.1'],
	folder: ['/srv', '/srv/data', '/srv/data/x', '/home/me/x', '/'],
	name: ['prod-a', 'prod-b', 'dev', 'staging'],
};

function anyPattern(chance: Chance): string {
	const star = chance.pick(['', '*.', '**.']);
	switch (chance.below(5)) {
		case 0: {
			return chance.pick(['*', 'network:*', 'network:*:*', 'secret:*', 'mcp:*', 'model:*', 'port:*']);
		}

		case 1: {
			return `files:${chance.pick(parts.folder)}${chance.pick(['', ':rw'])}`;
		}

		case 2: {
			return `secret:${chance.pick(['user', 'project', '*'])}/${chance.pick([...parts.name, 'prod-*', '*'])}`;
		}

		default: {
			const host = chance.pick(star === '' ? parts.host : parts.host.slice(0, -1));
			const path = chance.once(0.2) ? chance.pick(['/x*', '/x/y', '/']) : '';
			return `network:${chance.pick(['', '', 'GET@'])}${star}${host}${chance.pick(['', '', ':22', ':*'])}${path}`;
		}
	}
}

function anyScope(chance: Chance): string {
	switch (chance.below(4)) {
		case 0: {
			return `files:${chance.pick(parts.folder.slice(0, -1))}${chance.pick(['', ':rw'])}`;
		}

		case 1: {
			return `secret:${chance.pick(['user', 'project'])}/${chance.pick(parts.name)}`;
		}

		default: {
			const path = chance.once(0.2) ? chance.pick(['/x*', '/x/y', '/']) : '';
			const star = chance.once(0.2) ? '*.' : '';
			const host = chance.pick(star === '' ? parts.host : parts.host.slice(0, 3));
			return `network:${chance.pick(['', '', 'GET@'])}${star}${host}${chance.pick(['', '', ':22'])}${path}`;
		}
	}
}

const anyRule = (chance: Chance): GrantRule => {
	const text = anyPattern(chance);
	return {
		scope: text,
		pattern: pattern(text),
		at: `f:${chance.below(99)}`,
		...chance.pick([
			{never: true as const},
			{longest: chance.pick([60_000, 3_600_000])},
			{uses: chance.pick([1, 5])},
			{by: [chance.pick(['ada', 'bo'])]},
		]),
	};
};

const anyWall = (chance: Chance): Wall => ({
	names: chance.pick(['project', 'boundary']),
	file: 'f',
	rules: Array.from({length: chance.below(4)}, () => anyRule(chance)),
	only: chance.once(0.3)
		? {at: 'f:1', patterns: Array.from({length: 1 + chance.below(3)}, () => pattern(anyPattern(chance)))}
		: undefined,
});

/** Whether one answer allows no more than another. */
function isWithin(more: Terms | Refusal, less: Terms | Refusal): boolean {
	if (more instanceof Refusal || less instanceof Refusal) {
		return more instanceof Refusal;
	}

	const most = (said: {value: number} | undefined) => said?.value ?? Number.POSITIVE_INFINITY;
	return (
		most(more.longest) <= most(less.longest) &&
		most(more.uses) <= most(less.uses) &&
		less.by.every(one => more.by.some(other => other.value.join() === one.value.join()))
	);
}

test('one more rule, and one more boundary, never widens anything', () => {
	for (let seed = 0; seed < 4000; seed++) {
		const chance = new Chance(seed);
		const walls = Array.from({length: chance.below(3)}, () => anyWall(chance));
		const opened = Array.from({length: 1 + chance.below(2)}, () => anyScope(chance));
		const before = termsOf(opened, walls);
		const at = chance.below(walls.length + 1);
		const wall = anyWall(chance);
		const added =
			walls.length > at && chance.once(0.5)
				? walls.map((one, index) => (index === at ? {...one, rules: [...one.rules, anyRule(chance)]} : one))
				: walls.toSpliced(at, 0, wall);
		assert.ok(isWithin(termsOf(opened, added), before), `seed ${seed}: ${opened.join(' ')}`);
		// What contains a scope overlaps it: a boundary cannot both list it and miss it, but for what is only changed.
		const one = pattern(anyPattern(chance));
		const [any] = opened;
		if (contains(one, readScope(any!)) && !(one.kind === 'files' && one.write)) {
			assert.ok(overlaps(one, readScope(any!)), `seed ${seed}`);
		}
	}
});
