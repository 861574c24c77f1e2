import assert from 'node:assert/strict';
import {test} from 'node:test';
import {parsePolicy} from '../../source/core/policy.ts';
import {neutralBlock, neutralLine} from '../../source/core/publish/neutral.ts';
import {forges} from '../../source/core/publish/forges.ts';
import {apiOf, forgePlace, pageOf, type ForgePlace} from '../../source/core/publish/place.ts';
import {bodyOf, titleOf, withBody} from '../../source/core/publish/text.ts';
import {Refusal} from '../../source/core/refusal.ts';
import {needOf} from '../../source/core/run/attention.ts';
import {glanceAt} from '../../source/core/run/glance.ts';
import type {RunEvent} from '../../source/core/run/event.ts';
import {fresh} from '../../source/core/publish/state.ts';
import {decidePublish} from '../../source/core/publish/rules.ts';
import {approved, at, exited, run as runOf, started, verified} from '../tui/states.ts';

/* What is written to a forge, and read of it. Answers are made as docs.github.com/rest and docs.gitlab.com/api show them. */

test('an address of a remote names a project at a forge, or is refused', () => {
	for (const [url, forge, text, api] of [
		['git@github.com:ada/web.git', 'github', 'https://github.com/ada/web/pull/7', 'api.github.com:443'],
		['https://x:secret@github.com/ada/web', 'github', 'https://github.com/ada/web/pull/7', 'api.github.com:443'],
		[
			'ssh://git@GitHub.corp.example:2222/ada/web.git/',
			'github',
			'https://github.corp.example/ada/web/pull/7',
			'github.corp.example:443/api/v3',
		],
		['https://gitlab.com/a/b/c.git', 'gitlab', 'https://gitlab.com/a/b/c/-/merge_requests/7', 'gitlab.com:443/api/v4'],
		['https://code.example:8443/a/b', 'github', 'https://code.example:8443/a/b/pull/7', 'code.example:8443/api/v3'],
		['git@gitlab:a/b', 'gitlab', 'https://gitlab/a/b/-/merge_requests/7', 'gitlab:443/api/v4'],
	] as const) {
		const place = forgePlace(url);
		assert.ok(!(place instanceof Refusal), url);
		assert.equal(place.forge, forge);
		assert.equal(pageOf(place, 7), text);
		const {target, prefix} = apiOf(place);
		assert.equal(`${target.host}:${target.port}${prefix}`, api);
	}

	for (const url of [
		'/srv/a/b.git',
		'./a/b',
		'../b',
		'http://github.com/a/b',
		'git://github.com/a/b',
		'ext::sh -c x',
		'file:///a/b',
		'https://github.com/a',
		'https://github.com/a/b/c',
		'https://github.com/a/..',
		'git@github.com:a/b?x=1',
		'https://github.com/a/b%2Fc',
		'https://github.com\\@evil.example/a/b',
		'https://github.com/a/b#c',
		'',
	]) {
		const place = forgePlace(url);
		assert.ok(place instanceof Refusal, url);
		assert.doesNotMatch(place.because, /secret/);
	}

	const place = forgePlace('https://code.example/a/b/c', 'gitlab');
	assert.ok(!(place instanceof Refusal) && place.forge === 'gitlab');
});

const hostile = [
	'Fix it @ada and @org/team, mail a@b.example. Closes #2, fixes GH-3, resolves ada/web#4 and !5',
	'closes https://github.com/ada/web/issues/6',
	'/merge',
	'  /assign @eve',
	'```',
	'<!-- fleet: end --> <img src=x onerror=y> [skip ci] [ci skip] skip-checks: true',
	'`````',
	'\u001B[2J\u202Eevil\u200B',
].join('\n');

test('others’ words neither call people, close issues, command, nor leave their block', () => {
	const block = neutralBlock(hostile, 10_000);
	const [first] = block.split('\n');
	assert.equal(first, '``````');
	assert.equal(block.split('\n').filter(line => line === first).length, 2, 'nothing in it ends the block');
	for (const text of [block, neutralLine(hostile, 10_000)]) {
		assert.doesNotMatch(text, /@[\p{L}\p{N}]|[#!]\d|gh-\d|issues\/\d|\[skip ci|\[ci skip|skip-checks:/iu);
		assert.doesNotMatch(text, /[\u001B\u202E\u200B]/);
	}

	assert.doesNotMatch(block, /^\s*\/[a-z]/m);
	assert.equal(neutralLine('x'.repeat(300), 120).length, 120);
	assert.equal(titleOf({id: 'fix', task: '\n  Closes #2\nmore'}), 'Closes # 2');
	assert.equal(titleOf({id: 'fix', task: undefined}), 'fix');
});

test('a body has the evidence, and what a person writes around it stays', () => {
	const run = {...runOf('fix', started, exited, ...verified, approved), task: hostile};
	const evidence = {
		files: [{path: 'a`b\n```\n@ada #1', added: '1', removed: '0'}],
		used: ['secret:user/npm'],
		approvedBy: 'ada',
	};
	const body = bodyOf(
		{...run, grants: [{id: '1', scope: 'files:/home/ada/secret-plans', because: 'x', by: 'person:ada', at: ''}]},
		evidence,
	);
	assert.doesNotMatch(body, /secret-plans/);
	assert.match(body, /secret:user\/npm/);
	assert.match(body, /\nfleet check b{12}\.\.main\n/);
	// Outside of blocks nothing of others is left.
	const lines: string[] = [];
	let fence: string | undefined;
	for (const line of body.split('\n')) {
		if (fence === undefined && /^`{3,}$/.test(line)) {
			fence = line;
		} else if (fence === line) {
			fence = undefined;
		} else if (fence === undefined && line !== '') {
			lines.push(line);
		}
	}

	assert.equal(fence, undefined);
	assert.deepEqual(
		lines.map(line => line.slice(0, 12)),
		['<!-- fleet: ', 'What was ask', 'What was don', 'Files:', 'Once it is m', '<!-- fleet: '],
	);
	assert.ok(body.length < 60_000);
	assert.equal(withBody(`Mine.\r\n${body}\nAlso mine.`, 'NEW'), 'Mine.\r\nNEW\nAlso mine.');
	assert.equal(withBody('All mine.', 'NEW'), undefined);
});

test('answers are read as documented, and anything else is none', () => {
	const place: ForgePlace = {forge: 'github', host: 'github.com', path: 'ada/web'};
	const sha = 'b'.repeat(40);
	const pull = {
		number: 3,
		state: 'open',
		draft: true,
		merged_at: null,
		title: 'x',
		body: null,
		head: {ref: 'fleet/r', sha, repo: {full_name: 'Ada/web'}},
	};
	const fork = {...pull, number: 4, head: {...pull.head, repo: {full_name: 'eve/web'}}};
	const gone = {...pull, number: 5, head: {...pull.head, repo: null}};
	assert.deepEqual(
		forges.github
			.readFound([pull, fork, gone, {...pull, head: {...pull.head, ref: 'other'}}], place, 'fleet/r')
			?.map(({number}) => number),
		[3],
	);
	const ask = {iid: 3, state: 'opened', sha, source_branch: 'fleet/r', source_project_id: 1, target_project_id: 1};
	assert.deepEqual(
		forges.gitlab
			.readFound(
				[ask, {...ask, iid: 4, source_project_id: 2}, {...ask, iid: 5, source_branch: 'other'}],
				{...place, forge: 'gitlab'},
				'fleet/r',
			)
			?.map(({number}) => number),
		[3],
	);
	for (const json of [
		undefined,
		null,
		1,
		'x',
		{},
		[1],
		[{...pull, number: '3'}],
		[{...pull, head: {...pull.head, sha: 'x; rm'}}],
		{message: 'no'},
	]) {
		assert.equal(forges.github.readFound(json, place, 'fleet/r'), undefined);
		assert.equal(forges.gitlab.readFound(json, place, 'fleet/r'), undefined);
		if (!Array.isArray(json)) {
			assert.equal(forges.github.readOne(json), undefined);
			assert.equal(forges.gitlab.readOne(json), undefined);
			assert.equal(forges.github.readChecks([json, json]), undefined);
			assert.equal(forges.gitlab.readChecks([json]), undefined);
			assert.equal(forges.github.readRemarks(json, 0), undefined);
			assert.equal(forges.gitlab.readRemarks(json, 0), undefined);
		}
	}

	const merged = forges.github.readOne({
		...pull,
		state: 'closed',
		merged_at: '2026-01-05T10:00:00Z',
		merge_commit_sha: sha,
	});
	assert.deepEqual([merged?.state, merged?.commit], ['merged', sha]);
});

test('the policy says where, when and whose words count', () => {
	const policy = parsePolicy('publish:\n  from: [ada, "dependabot[bot]"]\n  when: approved\n');
	assert.ok(!(policy instanceof Refusal));
	assert.deepEqual(policy.publish, {remote: 'origin', when: 'approved', from: ['ada', 'dependabot[bot]']});
	for (const text of [
		'publish: {remot: x}',
		'publish: {remote: "--upload-pack=x"}',
		'publish: {from: ["@ada"]}',
		'publish: {when: always}',
		'publish: {forge: gitea}',
	]) {
		assert.ok(parsePolicy(text) instanceof Refusal, text);
	}
});

const head = 'a'.repeat(40);
const place: ForgePlace = {forge: 'github', host: 'github.com', path: 'ada/web'};
const finished = (draft: boolean): RunEvent => ({
	type: 'publish.finished',
	place,
	number: 12,
	url: pageOf(place, 12),
	head,
	draft,
	via: 'rest',
	how: 'made',
});
const seen = (more: Partial<Extract<RunEvent, {type: 'publish.state'}>>): RunEvent => ({
	type: 'publish.state',
	...fresh({head, draft: false}),
	...more,
});

test('a row says how it stands at the forge, and what is next', () => {
	const published = (...events: RunEvent[]) =>
		runOf('fix', started, exited, ...verified, approved, finished(false), ...events);
	for (const [events, group, next, text] of [
		[[], 'active', 'look', /not looked at/],
		[[seen({checks: {passed: 0, failed: [], running: 2}})], 'active', 'look', /2 checks running, not reviewed/],
		[[seen({checks: {passed: 1, failed: ['test'], running: 0}})], 'needs you', 'comments', /check test failed/],
		[[seen({comments: 1})], 'needs you', 'comments', /1 comment/],
		[[seen({comments: 1}), {type: 'publish.told', ids: ['x']}], 'active', 'look', /no checks/],
		[[seen({mergeable: false})], 'needs you', 'rebase', /conflicts/],
		[[seen({draft: true})], 'needs you', 'review', /draft/],
		[[seen({approvedBy: ['bob']})], 'ready', 'look', /approved by bob/],
		[[seen({state: 'closed'})], 'done', 'retry', /pull request 12 was closed/],
		[[seen({state: 'merged', merged: {commit: head, how: 'other'}})], 'done', undefined, /not what was verified/],
		[[{type: 'prompt.sent', prompt: 'x'}, started, exited], 'needs you', 'verify', /finished/],
	] as const) {
		const run = published(...(events as readonly RunEvent[]));
		const glance = glanceAt(run);
		assert.deepEqual([glance.group, glance.next], [group, next], String(text));
		assert.match(glance.text, text);
		assert.equal(needOf(run) !== undefined, group === 'needs you', String(text));
	}

	const begun = runOf('fix', started, exited, ...verified, {
		type: 'publish.started',
		head,
		remote: 'origin',
		place,
		ref: 'refs/heads/fleet/fix',
		expected: null,
		draft: true,
		via: 'gh',
	});
	assert.equal(glanceAt(begun).next, 'publish');
	assert.equal(glanceAt(runOf('fix', started, exited, ...verified, approved), {hasPublish: true}).next, 'publish');
});

test('what becomes of it there ends the run as it was published, and nothing that was decided here since', () => {
	const published = [started, exited, ...verified, approved, finished(false)];
	const merged: RunEvent = {
		type: 'merge.finished',
		target: 'refs/heads/main',
		commit: 'f'.repeat(40),
		checkout: 'updated',
	};
	const gone = seen({state: 'merged', merged: {commit: head, how: 'tree'}});
	assert.equal(runOf('fix', ...published, gone).stage, 'merged');
	const again: RunEvent = {type: 'run.started', attempt: 2, pid: 1, sandbox: 's', notes: []};
	const newer = runOf('fix', ...published, {type: 'prompt.sent', prompt: 'x'}, again, exited, gone);
	assert.notEqual(newer.stage, 'merged', 'the run went on');
	assert.equal(newer.merge, undefined);
	const here = runOf('fix', ...published, merged);
	const after = runOf('fix', ...published, merged, gone);
	assert.deepEqual([after.stage, after.merge], [here.stage, here.merge], 'a merge here goes on to count');
	const closed = runOf('fix', ...published, seen({state: 'closed'}));
	assert.deepEqual([closed.stage, closed.approval], ['rejected', undefined]);
});

test('only a person publishes, and only what was verified', () => {
	const run = runOf('fix', started, exited, ...verified);
	const by = {actor: 'person:ada' as const, now: Date.parse(at)};
	const usual = {head, when: 'verified' as const};
	assert.equal(decidePublish(run, usual, by), undefined);
	assert.ok(decidePublish(run, usual, {...by, actor: 'agent:fix'}));
	assert.ok(decidePublish(run, usual, {...by, actor: 'fleet'}));
	for (const [of, asked, when, words] of [
		[run, {...usual, head: 'b'.repeat(40)}, by, /branch moved/],
		[run, usual, {...by, now: by.now + 86_400_001}, /older than 24 hours/],
		[run, {...usual, when: 'approved' as const}, by, /only what is approved/],
		[runOf('fix', started), usual, by, /is running/],
		[runOf('fix', started, exited), usual, by, /is not verified/],
		[
			runOf(
				'fix',
				started,
				exited,
				...verified.map(event => (event.type === 'verify.finished' ? {...event, passed: false} : event)),
			),
			usual,
			by,
			/is not verified/,
		],
		[runOf('fix', started, exited, ...verified, {type: 'review.rejected', because: 'no'}), usual, by, /was rejected/],
		[
			runOf('fix', started, exited, ...verified, {type: 'run.discarded', because: '', kept: []}),
			usual,
			by,
			/is discarded/,
		],
		[
			runOf('fix', started, exited, ...verified, {
				type: 'suspects.found',
				suspects: [{rule: 'r', file: 'f', line: 1, span: '***', fingerprint: 'p'}],
			}),
			usual,
			by,
			/possible secret/,
		],
	] as const) {
		assert.match(decidePublish(of, asked, when)?.because ?? 'allowed', words);
	}

	assert.equal(
		decidePublish(runOf('fix', started, exited, ...verified, approved), {...usual, when: 'approved'}, by),
		undefined,
	);
});
