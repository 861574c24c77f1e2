import assert from 'node:assert/strict';
import {test} from 'node:test';
import {policyDiff} from '../../source/core/policy-diff.ts';
import {parsePeople} from '../../source/core/people/people.ts';
import {emptyPolicy, parsePolicy, type Policy} from '../../source/core/policy.ts';
import {Refusal} from '../../source/core/refusal.ts';
import {isExpected, outcomeOf, parseExpectations} from '../../source/core/grants/expectations.ts';

/* What a change of a policy opens and closes, and a project's own table of what it expects. */

const policy = (text: string): Policy => {
	const read = parsePolicy(text);
	assert.ok(!(read instanceof Refusal), (read as Refusal).because);
	return read;
};

const diff = (before: string, after: string) =>
	policyDiff({policy: policy(before), people: []}, {policy: policy(after), people: []}).map(
		({what, key, text}) => `${what} ${key} ${text}`,
	);

test('what a change opens and closes, key by key', () => {
	for (const [before, after, ...lines] of [
		['network: [a.test]', 'network: [b.test]', 'opens network + b.test', 'closes network - a.test'],
		['', 'privateHosts: [a.test]', 'opens privateHosts + a.test'],
		['verify: [npm test, lint]', 'verify: [npm test]', 'opens verify - lint'],
		['verify: [npm test]', 'verify: [npm test, lint]', 'closes verify + lint'],
		['verify: [a]', 'verify: {commands: [a], auto: false}', 'changes verify when it runs by itself, and how often'],
		['', 'grants: [{scope: "network:*", longest: 1h}]', 'closes grants + network:*: for 1h at most'],
		['grants: [{scope: "network:*", never: true}]', '', 'opens grants - network:*: never'],
		[
			'grants: [{scope: "network:*", longest: 1h}]',
			'grants: [{scope: "network:*", longest: 90m}]',
			'opens grants network:*: for 1h at most → for 90m at most',
		],
		[
			'grants: [{scope: "network:*", by: [a, b]}]',
			'grants: [{scope: "network:*", by: [a]}]',
			'closes grants network:*: by a or b → by a',
		],
		[
			'grants: [{scope: "network:*", by: [a]}]',
			'grants: [{scope: "network:*", by: [b]}]',
			'opens grants network:*: by a → by b',
		],
		[
			'grants: [{scope: "network:*", uses: 2, longest: 1h}]',
			'grants: [{scope: "network:*", uses: 3, longest: 30m}]',
			'opens grants network:*: for 1h at most, for 2 uses → for 30m at most, for 3 uses',
		],
		[
			'grants: [{scope: "network:*", never: true}]',
			'grants: [{scope: "network:*", by: [a]}]',
			'opens grants network:*: never → by a',
		],
		[
			'grants: [{scope: "network:*", by: [a]}]',
			'grants: [{scope: "network:*", never: true}]',
			'closes grants network:*: by a → never',
		],
		['approve: {word: ship}', '', 'opens approve.word ship → none'],
		['approve: {sign: true}', 'approve: {sign: false}', 'opens approve.sign true → false'],
		['', 'approve: {carry: patch-id}', 'opens approve.carry never → patch-id'],
		['approve: {people: 2}', '', 'opens approve.people 2 → 1'],
		['approve: {from: [a]}', 'approve: {from: [a, b]}', 'opens approve.from a → a, b'],
		['approve: {from: [a, b]}', 'approve: {from: [a]}', 'closes approve.from a, b → a'],
		['', 'approve: {breakGlass: [a]}', 'opens approve.breakGlass  → a'],
		['approve: {not: [requester]}', '', 'opens approve not as it was'],
		['', 'deploy: {x: {command: ./d}}', 'opens deploy.x + ./d'],
		['deploy: {x: {command: ./d}}', '', 'closes deploy.x - ./d'],
		[
			'deploy: {x: {command: ./d, window: "mon-fri 09:00-16:00"}}',
			'deploy: {x: {command: ./e, credentials: [T]}}',
			'opens deploy.x ./d → ./e',
			'opens deploy.x.credentials + T',
			'opens deploy.x not as it was',
		],
		['limits: {memory: 1GiB}', 'limits: {memory: 2GiB}', `opens limits.memory ${1024 ** 3} → ${2 * 1024 ** 3}`],
		['limits: {hours: 2}', '', 'opens limits.hours 2 → none'],
		['', 'limits: {hours: 2}', 'closes limits.hours none → 2'],
		['setup: [a]', 'setup: {commands: [b], secrets: [npm]}', 'opens setup.secrets + npm', 'changes setup what is run'],
		['teardown: [a]', '', 'changes teardown what is run'],
		['', 'preview: {command: x, port: 80}', 'changes preview not as it was'],
		['merge: {how: squash}', '', 'changes merge not as it was'],
		['network: [a.test]', 'network: [a.test]'],
	] as const) {
		assert.deepEqual(diff(before, after), lines, `${before} | ${after}`);
	}
});

test('no key of a policy can change without a line', () => {
	for (const key of [...Object.keys(emptyPolicy), 'publish', 'preview', 'verifyDepth']) {
		const odd: Record<string, unknown> = {
			network: ['odd'],
			privateHosts: ['odd'],
			verifyInclude: ['odd'],
			teardown: ['odd'],
			grants: [{scope: 'x', pattern: {kind: 'all'}, at: '', never: true}],
			approve: {sign: true},
			limits: {hours: 1},
			deploy: {odd: {command: 'odd', credentials: []}},
		};
		const after = {...emptyPolicy, [key]: odd[key] ?? {commands: ['odd'], secrets: ['odd']}};
		assert.notEqual(policyDiff({policy: emptyPolicy, people: []}, {policy: after, people: []}).length, 0, key);
	}
});

test('one more key, and one more group, opens', () => {
	const key = (last: string) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAdaAdaAdaAda${last}`;
	const people = (text: string) => {
		const read = parsePeople(`people:\n${text}`);
		assert.ok(!(read instanceof Refusal), (read as Refusal).because);
		return {policy: emptyPolicy, people: read};
	};

	const changes = policyDiff(
		people(`  ada: {keys: ["${key('a')}"], groups: [owners]}\n`),
		people(`  ada: {keys: ["${key('b')}"], groups: [owners, maintainers]}\n`),
	);
	assert.deepEqual(
		changes.map(({what, text}) => `${what} ${text}`),
		[`opens + ada: ${key('b')}`, 'opens + ada in maintainers', `closes - ada: ${key('a')}`],
	);
});

test('a table says what comes of a grant, by whom and for how long', () => {
	const read = parseExpectations('- {scope: "network:a.test", by: ada, for: 2h, expect: refused}\n', 'f');
	assert.ok(!(read instanceof Refusal));
	assert.deepEqual(read, [
		{scope: 'network:a.test', by: 'ada', for: 7_200_000, expect: 'refused', uses: undefined, at: 'f:1'},
	]);
	for (const text of [
		'- {scope: x}\n',
		'- {scope: x, expect: maybe}\n',
		'- {scope: x, expect: 1h, odd: 1}\n',
		'x: 1\n',
	]) {
		assert.ok(parseExpectations(text, 'f') instanceof Refusal, text);
	}

	const ada = [{name: 'ada', keys: [], groups: ['owners']}];
	const terms = {
		longest: {value: 3_600_000, at: 'p:1'},
		uses: {value: 2, at: 'p:2'},
		by: [{value: ['owners'], at: 'p:3', names: 'project' as const}],
	};
	const came = (by: string | undefined, asked?: number) =>
		outcomeOf({scope: 's', by, for: asked}, terms, () => ada).outcome;
	assert.deepEqual(
		[came(undefined), came('bo'), came('ada'), came('ada', 60_000), came('ada', 7_200_000)],
		['refused', 'refused', '1h', '1m', 'refused'],
	);
	const outcome = outcomeOf({scope: 's', by: 'ada', for: undefined}, terms, () => ada);
	assert.ok(isExpected({expect: '60m', uses: 2}, outcome));
	assert.ok(!isExpected({expect: '60m', uses: 1}, outcome));
	assert.ok(!isExpected({expect: 'run', uses: undefined}, outcome));
});
