import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Fleet} from '../support/fleet.ts';
import {classic, gitlabSettings, growingRules, rulesets} from '../support/forge-settings.ts';
import {addToken, login, speak, withForge} from '../support/forge.ts';

/* `fleet doctor --forge` against a forge on the loopback, whose answers are written from its documentation. */

type Report = {ok: boolean; branch: string; rules: Array<{id: string; state: string; because: string; hint: string}>};

test('fleet doctor --forge says what a branch at GitHub lacks, and changes nothing there', async t => {
	const fleet = new Fleet(t);
	const {forge, env} = await withForge(t, fleet);
	addToken(fleet, forge);
	const doctor = (...argv: string[]) => speak(fleet, ['doctor', '--forge', ...argv], env);

	const unread = await doctor();
	assert.equal(unread.code, 4, unread.stderr);
	assert.match(unread.stdout, /^inconclusive {2}request +its rulesets could not be read: 404: Not Found; /m);
	assert.match(unread.stdout, /^main of host\.fleet\.internal:\d+\/ada\/project: 0 hold, 0 lacking, 10 inconclusive$/m);

	forge.settings = {...classic(), '/branches/main': [200, {name: 'main', protected: false}]};
	const bare = await doctor();
	assert.equal(bare.code, 3);
	assert.match(bare.stdout, /^lacks {9}force push +it can be pushed over\n +hint: https:.*: Block force pushes$/m);
	assert.doesNotMatch(bare.stdout, /^ok/m);

	forge.settings = classic();
	const done = await doctor('main', '--json');
	assert.equal(done.code, 0, done.stdout);
	const {ok, branch, rules} = JSON.parse(done.stdout) as Report;
	assert.deepEqual([ok, branch], [true, 'main']);
	assert.equal(rules.find(({id}) => id === 'approvals')!.because, '2 approvals (branch protection)');
	assert.ok(rules.every(({hint}) => hint === ''));

	// Words of the forge paint nothing.
	forge.settings = {...rulesets(), '/rulesets/42': [200, {name: '\u001B[2Jx\n', bypass_actors: []}]};
	const {stdout} = await doctor();
	assert.match(stdout, /^ok {12}request +pull requests alone \(ruleset .*x⏎\)$/m);
	// eslint-disable-next-line no-control-regex
	assert.doesNotMatch(stdout, /\u001B/);
	assert.ok(forge.asked.every(one => one.startsWith('GET ')));
	assert.deepEqual(
		forge.seen.filter(({to}) => to === 'git'),
		[],
	);

	const none = await doctor('nothing');
	assert.equal(none.code, 2);
	assert.match(none.stderr, /^fleet: there is no branch "nothing"\n {2}hint: fleet doctor --forge BRANCH\n$/);
	forge.instead = (_request, response) => {
		response.socket!.destroy();
		return true;
	};
	assert.equal((await doctor()).code, 4);
	fleet.git('remote', 'set-url', 'origin', '/elsewhere');
	assert.match((await doctor()).stderr, /a place of this machine, and a forge is reached by https or ssh/);
});

test('fleet doctor --forge asks by the real gh, and about the log where the policy has one', async t => {
	const fleet = new Fleet(t, {policy: 'verify: ["true"]\njournal: {push: origin}\n'});
	const {forge, env} = await withForge(t, fleet, {host: 'localhost'});
	forge.settings = rulesets();
	const own = {...env, GH_ENTERPRISE_TOKEN: login.token};
	const before = await speak(fleet, ['doctor', '--forge', '--with', 'gh', '--json'], own);
	assert.equal(before.code, 4, before.stderr);
	const {rules} = JSON.parse(before.stdout) as Report;
	const log = rules.filter(({id}) => id.startsWith('fleet-log/'));
	assert.deepEqual(
		log.map(({id, state}) => [id.replace(/^\S+ /, ''), state]),
		[
			['force push', 'inconclusive'],
			['deletion', 'inconclusive'],
			['administrators', 'inconclusive'],
		],
	);
	assert.match(log[0]!.hint, /a branch ruleset for fleet-log\/\*: Block force pushes$/);
	const path = decodeURIComponent(forge.asked.find(one => one.includes('/rules/branches/fleet-log'))!.split(' ')[1]!);
	const name = path.replace(/^.*\/rules\/branches\//, '');
	forge.settings = {...rulesets(), [`/rules/branches/${encodeURIComponent(name)}`]: [200, growingRules]};
	const after = await speak(fleet, ['doctor', '--forge', '--with', 'gh'], own);
	assert.equal(after.code, 0, `${after.stdout}${after.stderr}`);
	const wrong = await speak(fleet, ['doctor', '--forge'], {...env, GH_ENTERPRISE_TOKEN: 'another'});
	assert.equal(wrong.code, 4);
	assert.match(wrong.stdout, /could not be read: 401: Bad credentials/);
});

test('fleet doctor --forge reads the settings of GitLab', async t => {
	const fleet = new Fleet(t, {policy: 'verify: ["true"]\npublish: {forge: gitlab}\n'});
	const {forge, env} = await withForge(t, fleet);
	addToken(fleet, forge);
	forge.settings = gitlabSettings();
	const done = await speak(fleet, ['doctor', '--forge'], env);
	assert.equal(done.code, 0, `${done.stdout}${done.stderr}`);
	assert.match(done.stdout, /^ok {12}fleet check +in \.gitlab-ci\.yml \(settings of merges\)$/m);
	forge.settings = {...gitlabSettings(), '/approval_rules': [200, []]};
	const less = await speak(fleet, ['doctor', '--forge'], env);
	assert.equal(less.code, 3);
	assert.match(
		less.stdout,
		/^lacks {9}approvals +nobody has to approve\n +hint: https:.*\/-\/settings\/merge_requests, /m,
	);
});
