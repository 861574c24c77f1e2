import assert from 'node:assert/strict';
import {writeFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {Fleet} from '../support/fleet.ts';
import {commitFiles, commitPeople, makeKey} from '../support/people.ts';

/* What a policy lets be granted, asked before anything is: by the real program. */

const rules = `verify: [test -f a.txt]
network: [listed.test]
grants:
  - {scope: "network:*.example.org", by: [maintainers], longest: 1h}
  - {scope: "secret:project/prod-*", never: true}
  - {scope: "secret:user/*", uses: 2}
`;

function team(fleet: Fleet): void {
	const ada = makeKey(fleet.home, 'ada');
	commitPeople(fleet, {ada: {groups: ['maintainers'], keys: [ada]}});
}

test('who may, for how long and how often, and which line says so', t => {
	const fleet = new Fleet(t, {policy: rules});
	assert.match(fleet.run(['policy', 'explain', 'network:a.example.org']).stderr, /has no \.fleet\/people\.yaml/);
	team(fleet);
	const said = fleet.must('policy', 'explain', 'network:A.example.org');
	assert.match(said, /^network:a\.example\.org\n/);
	assert.match(said, /who +maintainers, by signature \(\.fleet\/policy\.yaml:4\): ada\n/);
	assert.match(said, /time +1h at most \(\.fleet\/policy\.yaml:4\)\n/);
	assert.match(said, /uses +any number\n/);
	assert.match(said, /rule +\.fleet\/policy\.yaml:4 {2}network:\*\.example\.org: by maintainers, for 1h at most\n/);
	assert.match(fleet.must('policy', 'explain', 'network:listed.test'), /every run has it/);
	assert.match(
		fleet.must('policy', 'explain', 'secret:project/prod-db'),
		/never +.*never granted \(\.fleet\/policy\.yaml:5\)/,
	);
	const json = fleet.json('policy', 'explain', 'secret:user/x');
	assert.deepEqual([json['granted'], json['uses'], json['by'], json['longestMs']], [true, 2, [], null]);
	for (const argv of [
		['explain'],
		['explain', 'network:a.test', 'b'],
		['explain', 'deploy:x'],
		['explain', 'nothing'],
		['show'],
	]) {
		const {code, stderr} = fleet.run(['policy', ...argv]);
		assert.equal(code, 2, argv.join(' '));
		assert.match(stderr, /hint: \S/);
	}
});

test("a project's own table is held against the policy as it lies in the checkout", t => {
	const fleet = new Fleet(t, {policy: rules});
	team(fleet);
	assert.match(fleet.run(['policy', 'test']).stderr, /there is no \.fleet\/policy-tests\.yaml/);
	const table = `- {scope: "network:a.example.org", expect: refused}
- {scope: "network:a.example.org", by: ada, expect: 1h}
- {scope: "network:a.example.org", by: ada, for: 2h, expect: refused}
- {scope: "secret:project/prod-db", by: ada, expect: refused}
- {scope: "secret:user/x", expect: run, uses: 2}
- {scope: "deploy:production", expect: refused}
`;
	writeFileSync(path.join(fleet.project, '.fleet', 'policy-tests.yaml'), table);
	assert.equal(fleet.must('policy', 'test'), '6 of 6 as expected\n');
	writeFileSync(path.join(fleet.project, '.fleet', 'policy.yaml'), rules.replace('longest: 1h', 'longest: 3h'));
	const {code, stdout} = fleet.run(['policy', 'test']);
	assert.equal(code, 3);
	assert.match(
		stdout,
		/policy-tests\.yaml:2: network:a\.example\.org by ada: expected 1h, and it is 3h: 3h \(\.fleet\/policy\.yaml:4\)/,
	);
	assert.match(stdout, /policy-tests\.yaml:3: .*expected refused, and it is 2h/);
	assert.match(stdout, /4 of 6 as expected/);
	const other = path.join(fleet.folder, 'other.yaml');
	writeFileSync(other, '- {scope: "network:a.test", expect: run}\n');
	assert.equal(fleet.must('policy', 'test', other), '1 of 1 as expected\n');
	writeFileSync(other, '- {scope: "network:a.test", expected: run}\n');
	assert.match(fleet.run(['policy', 'test', other]).stderr, /other\.yaml:1: "(?:expected|expect)" is/);
});

test('what a change of the policy opens is said, and so at a review', async t => {
	const fleet = new Fleet(t, {policy: rules});
	team(fleet);
	assert.equal(fleet.must('policy', 'diff'), 'no change\n');
	writeFileSync(path.join(fleet.project, '.fleet', 'policy.yaml'), rules.replace('listed.test', 'other.test'));
	assert.equal(fleet.must('policy', 'diff'), 'opens   network  + other.test\ncloses  network  - listed.test\n');
	fleet.git('checkout', '--quiet', '.fleet/policy.yaml');
	assert.match(fleet.must('policy', 'diff', 'HEAD~1', 'HEAD'), /^opens +people {2}\+ ada: ssh-ed25519 /m);
	assert.equal(fleet.run(['policy', 'diff', 'nothing']).code, 2);
	assert.deepEqual(fleet.json('policy', 'diff', 'HEAD', 'HEAD'), []);

	await fleet.agent('widens', `printf 'verify: []\\n' > .fleet/policy.yaml`);
	const shown = fleet.must('diff', 'widens');
	assert.match(shown, /^policy +opens +grants {2}- secret:project\/prod-\*: never\n/m);
	assert.match(shown, /^policy +opens +verify {2}- test -f a\.txt\n/m);
	await fleet.agent('breaks', `printf 'odd: 1\\n' > .fleet/policy.yaml`);
	assert.match(fleet.must('diff', 'breaks'), /^policy +cannot be read: \.fleet\/policy\.yaml:1/m);
});

test('what a rule forbids is proposed to nobody', async t => {
	const fleet = new Fleet(t, {policy: 'verify: []\ngrants: [{scope: "network:*.never.test", never: true}]\n'});
	commitFiles(fleet, {'b.txt': 'b\n'});
	const ask = (host: string) => `curl -s http://${host}/`;
	await fleet.agent('asks', `${ask('a.never.test')}; ${ask('a.ok.test')}; true`);
	const said = fleet.must('learn', 'asks');
	assert.match(said, /a\.never\.test is not proposed: .*never granted \(\.fleet\/policy\.yaml:2\)/);
	assert.match(said, /network:\n +- a\.ok\.test/);
	assert.doesNotMatch(said, /- a\.never\.test/);
	assert.match(fleet.run(['learn', 'asks', '--propose', 'a.never.test']).stderr, /never granted/);
	const {denials} = {denials: fleet.json('show', 'asks')['denied']};
	assert.match(
		denials.find(({target}: {target: string}) => target.startsWith('a.never'))?.terms.never,
		/never granted/,
	);
});
