import assert from 'node:assert/strict';
import {test} from 'node:test';
import {forges} from '../../source/core/publish/forges.ts';
import type {ForgePlace} from '../../source/core/publish/place.ts';
import {growing, judge, needs, type Finding} from '../../source/core/publish/protection.ts';
import {
	classic,
	gitlabSettings,
	growingRules,
	maintainers,
	rulesets,
	type Settings,
} from '../support/forge-settings.ts';

/* What a forge's settings lack, one by one: each is left out of settings that lack nothing, and its own line alone changes. */

const places = {
	github: {forge: 'github', host: 'github.com', path: 'ada/project'},
	gitlab: {forge: 'gitlab', host: 'gitlab.com', path: 'ada/project'},
} satisfies Record<string, ForgePlace>;

/** Asks settings as an engine asks a forge. */
function find(
	forge: 'github' | 'gitlab',
	settings: Settings,
	branch = 'main',
	of = needs as typeof growing,
): Finding[] {
	const place = places[forge];
	const reading = forges[forge].protection(place, branch);
	let step = reading.next();
	while (!step.done) {
		assert.equal(step.value.method, 'GET');
		const path = step.value.path.split('?')[0]!.replace(/^\/(?:repos\/ada\/project|projects\/ada%2Fproject)/, '');
		const [status, json] = settings[path] ?? [404, {message: 'Not Found'}];
		step = reading.next({status, json: structuredClone(json), said: `${status}: ${json?.message ?? ''}`});
	}

	return judge(step.value, {of, places: forges[forge].places(place, branch)});
}

const states = (found: readonly Finding[]) =>
	Object.fromEntries(found.flatMap(({id, state}) => (state === 'ok' ? [] : [[id, state]])));

type Case = readonly [what: string, change: (settings: any) => void, wanted: Record<string, string>];

function tryAll(forge: 'github' | 'gitlab', make: () => Settings, cases: readonly Case[]): void {
	assert.deepEqual(states(find(forge, make())), {}, 'nothing is lacking before');
	for (const [what, change, wanted] of cases) {
		const settings = structuredClone(make());
		change(settings);
		const found = find(forge, settings);
		assert.deepEqual(states(found), wanted, what);
		for (const {state, because, hint} of found) {
			assert.ok(because !== '', what);
			assert.equal(hint === '', state === 'ok', what);
		}
	}
}

const protection = (settings: any) => settings['/branches/main/protection'][1];
const inconclusive = Object.fromEntries([...needs, 'administrators'].map(id => [id, 'inconclusive']));
const lacks = Object.fromEntries([...needs, 'administrators'].map(id => [id, 'lacks']));

test('a branch protection of GitHub: each thing that it lacks is told, and nothing else', () => {
	tryAll('github', classic, [
		[
			'no pull requests',
			all => delete protection(all).required_pull_request_reviews,
			{request: 'lacks', approvals: 'lacks', stale: 'lacks', 'last push': 'lacks'},
		],
		[
			'no approvals',
			all => (protection(all).required_pull_request_reviews.required_approving_review_count = 0),
			{approvals: 'lacks'},
		],
		[
			'stale approvals',
			all => (protection(all).required_pull_request_reviews.dismiss_stale_reviews = false),
			{stale: 'lacks'},
		],
		[
			'an answer of before there was that setting',
			all => delete protection(all).required_pull_request_reviews.require_last_push_approval,
			{'last push': 'lacks'},
		],
		['no checks', all => delete protection(all).required_status_checks, {checks: 'lacks', 'fleet check': 'lacks'}],
		[
			'another check',
			all => (protection(all).required_status_checks = {contexts: ['test'], checks: []}),
			{'fleet check': 'lacks'},
		],
		['administrators', all => (protection(all).enforce_admins.enabled = false), {administrators: 'lacks'}],
		[
			'an app that may bypass',
			all =>
				(protection(all).required_pull_request_reviews.bypass_pull_request_allowances = {
					users: [],
					teams: [],
					apps: [{slug: 'robot'}],
				}),
			{administrators: 'lacks'},
		],
		['force pushes', all => (protection(all).allow_force_pushes.enabled = true), {'force push': 'lacks'}],
		['deletion', all => (protection(all).allow_deletions.enabled = true), {deletion: 'lacks'}],
		['not told of force pushes', all => delete protection(all).allow_force_pushes, {'force push': 'lacks'}],
		['no protection at all', all => (all['/branches/main'] = [200, {name: 'main', protected: false}]), lacks],
		[
			'no permission',
			all => (all['/branches/main/protection'] = [403, {message: 'Resource not accessible by integration'}]),
			inconclusive,
		],
		[
			'a 404 that is no permission',
			all => (all['/branches/main/protection'] = [404, {message: 'Not Found'}]),
			inconclusive,
		],
		['another forge', all => Object.keys(all).forEach(path => (all[path] = [200, '<html>'])), inconclusive],
		['nothing is answered', all => Object.keys(all).forEach(path => (all[path] = [0, undefined])), inconclusive],
	] as Case[]);
	const [first] = find('github', {...classic(), '/branches/main/protection': [403, {message: 'no'}]});
	assert.match(first!.because, /branch protection could not be read: 403: no/);
	assert.match(first!.hint, /^a login that may read it; https:\/\/github\.com\/ada\/project\/settings\/rules/);
});

test('rulesets of GitHub: what they hold counts, and who may bypass them is told or inconclusive', () => {
	const rules = (all: any) => all['/rules/branches/main'][1] as Array<Record<string, any>>;
	const without = (type: string) => (all: any) =>
		(all['/rules/branches/main'][1] = rules(all).filter(rule => rule['type'] !== type));
	tryAll('github', rulesets, [
		['force pushes', without('non_fast_forward'), {'force push': 'lacks'}],
		['deletion', without('deletion'), {deletion: 'lacks'}],
		['checks', without('required_status_checks'), {checks: 'lacks', 'fleet check': 'lacks'}],
		[
			'who may bypass',
			all =>
				(all['/rulesets/42'][1].bypass_actors = [{actor_id: 5, actor_type: 'RepositoryRole', bypass_mode: 'always'}]),
			{administrators: 'lacks'},
		],
		['not told who may bypass', all => delete all['/rulesets/42'][1].bypass_actors, {administrators: 'inconclusive'}],
		['a ruleset that is not told', all => (all['/rulesets/42'] = [404, {}]), {administrators: 'inconclusive'}],
		[
			'parameters that are not documented',
			all => delete rules(all).find(rule => rule['type'] === 'pull_request')!['parameters'],
			{request: 'inconclusive', approvals: 'inconclusive', stale: 'inconclusive', 'last push': 'inconclusive'},
		],
		[
			'more rules than are read',
			all => (all['/rules/branches/main'][1] = Array.from({length: 100}, () => growingRules[0])),
			Object.fromEntries(
				needs.filter(need => need !== 'deletion' && need !== 'protected').map(need => [need, 'inconclusive']),
			),
		],
	] as Case[]);

	// Two that hold the same: it is enough that nobody is exempt from one.
	const both: Settings = {
		...classic(),
		...rulesets(),
		'/branches/main/protection': classic()['/branches/main/protection']!,
	};
	(both['/rulesets/42'] as any)[1].bypass_actors = [{actor_id: null, actor_type: 'DeployKey', bypass_mode: 'always'}];
	assert.deepEqual(states(find('github', both)), {});
	const exempt = find('github', {...rulesets(), '/rulesets/42': both['/rulesets/42']!}).at(-1)!;
	assert.match(exempt.because, /^DeployKey may do without: request, approvals, /);
});

test('settings of GitLab: each thing that they lack is told, and what may not be read is inconclusive', () => {
	const branch = (all: any) => all['/protected_branches'][1][0];
	const approvals = (all: any) => all['/approvals'][1];
	tryAll('gitlab', gitlabSettings, [
		['who may push', all => branch(all).push_access_levels.push(maintainers), {request: 'lacks'}],
		[
			'a deploy key that may push',
			all => branch(all).push_access_levels.push({access_level: 0, deploy_key_id: 7}),
			{request: 'lacks'},
		],
		['force pushes', all => (branch(all).allow_force_push = true), {'force push': 'lacks'}],
		[
			'another protected branch that matches, and allows more',
			all => (all['/protected_branches'][1][1].name = '*'),
			{request: 'lacks', 'force push': 'lacks'},
		],
		[
			'no protected branch',
			all => (branch(all).name = 'mainly'),
			{protected: 'lacks', request: 'lacks', 'force push': 'lacks', deletion: 'lacks'},
		],
		['stale approvals', all => (approvals(all).reset_approvals_on_push = false), {stale: 'lacks'}],
		['authors', all => (approvals(all).merge_requests_author_approval = true), {'last push': 'lacks'}],
		['committers', all => (approvals(all).merge_requests_disable_committers_approval = false), {'last push': 'lacks'}],
		[
			'rules that whoever asks may edit',
			all => (approvals(all).disable_overriding_approvers_per_merge_request = false),
			{administrators: 'lacks'},
		],
		[
			'a rule for another branch',
			all => (all['/approval_rules'][1][1].protected_branches = [{name: 'other'}]),
			{approvals: 'lacks'},
		],
		[
			'pipelines',
			all => (all[''][1].only_allow_merge_if_pipeline_succeeds = false),
			{checks: 'lacks', 'fleet check': 'lacks'},
		],
		[
			'skipped pipelines',
			all => (all[''][1].allow_merge_on_skipped_pipeline = true),
			{checks: 'lacks', 'fleet check': 'lacks'},
		],
		[
			'another pipeline',
			all => (all['/repository/files/.gitlab-ci.yml'][1].content = Buffer.from('test: {}').toString('base64')),
			{'fleet check': 'lacks'},
		],
		[
			'a pipeline of other files',
			all => (all['/repository/files/.gitlab-ci.yml'][1].content = Buffer.from('include: x.yml\n').toString('base64')),
			{'fleet check': 'inconclusive'},
		],
		[
			'a pipeline from elsewhere',
			all => (all[''][1].ci_config_path = 'x.yml@ada/other'),
			{'fleet check': 'inconclusive'},
		],
		[
			'a tier without approvals',
			all => (all['/approvals'] = all['/approval_rules'] = [404, {message: '404 Not found'}]),
			{approvals: 'inconclusive', stale: 'inconclusive', 'last push': 'inconclusive'},
		],
		[
			'no permission for branches',
			all => (all['/protected_branches'] = [403, {message: '403 Forbidden'}]),
			{protected: 'inconclusive', request: 'inconclusive', 'force push': 'inconclusive', deletion: 'inconclusive'},
		],
		['no permission', all => Object.keys(all).forEach(path => (all[path] = [401, {}])), inconclusive],
	] as Case[]);
});

test('a branch that only has to grow needs no more than that, and need not be there yet', () => {
	const log = 'fleet-log/desk';
	const path = `/rules/branches/${encodeURIComponent(log)}`;
	const own: Settings = {[path]: [200, growingRules], '/rulesets/42': rulesets()['/rulesets/42']!};
	assert.deepEqual(states(find('github', own, log, growing)), {});
	assert.deepEqual(states(find('github', {[path]: [200, []]}, log, growing)), {
		'force push': 'inconclusive',
		deletion: 'inconclusive',
		administrators: 'inconclusive',
	});
	const settings = gitlabSettings();
	settings['/protected_branches']![1][0].name = 'fleet-log/*';
	assert.deepEqual(states(find('gitlab', settings, log, growing)), {});
	assert.deepEqual(Object.keys(states(find('gitlab', gitlabSettings(), log, growing))), [...growing, 'administrators']);
});
