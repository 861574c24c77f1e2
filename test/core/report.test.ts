import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {Entry, RunEvent} from '../../source/core/run/event.ts';
import {reportOf, type NotWhole} from '../../source/core/report/report.ts';
import type {JournalSource} from '../../source/core/report/source.ts';
import {reportMarkdown, sectionsOf} from '../../source/core/report/sections.ts';
import type {Actor} from '../../source/core/actor.ts';

/* What a report says of journals: who was given what, what was used of it, and what it does not claim to know. */

const begin = Date.parse('2026-01-05T10:00:00.000Z');
const time = (minutes: number) => new Date(begin + minutes * 60_000).toISOString();
const hex = (letter: string) => letter.repeat(40);
const grant = (scope: string, at: number, minutes?: number) => ({
	id: '1',
	scope,
	because: `for ${scope}`,
	by: 'person:ada' as const,
	at: time(at),
	until: minutes === undefined ? undefined : time(at + minutes),
});
const created = (...scopes: string[]): RunEvent => ({
	type: 'run.created',
	id: 'one',
	name: 'one',
	project: {id: 'web', name: 'web', root: '/web'},
	agent: 'codex',
	argv: ['x'],
	branch: 'fleet/one',
	base: hex('b'),
	target: 'refs/heads/main',
	worktree: '/w',
	grants: scopes.map(scope => grant(scope, 0)),
});
const started: RunEvent = {type: 'run.started', attempt: 1, pid: 1, sandbox: 's', notes: []};
const exited: RunEvent = {type: 'run.exited', code: 0, signal: null, because: 'finished'};
const given = (scope: string, at: number, minutes?: number): RunEvent => ({
	type: 'scope.granted',
	effect: 'now',
	grant: grant(scope, at, minutes),
});
const allowed = (target: string, rule: string): RunEvent => ({type: 'egress.allowed', target, rule});
const denied = (target: string, count: number): RunEvent => ({type: 'egress.denied', target, because: 'no', count});

type Line = readonly [minute: number, event: RunEvent, actor?: Actor];

function source(run: string, lines: readonly Line[], rest: Partial<JournalSource> = {}): JournalSource {
	const entries = lines.map(([minute, event, actor = 'person:ada'], index): Entry => {
		const own = event.type === 'run.created' ? {...event, id: run} : event;
		return {seq: index + 1, at: time(minute), actor, prev: '', ...own};
	});
	return {run, entries, isWhole: true, isLive: false, now: time(10_000), ...rest};
}

const report = (sources: readonly JournalSource[], since = 0, notWhole: readonly NotWhole[] = []) =>
	reportOf(sources, {since: time(since), until: time(10_000), project: null, notWhole});

test('what was used of a grant is told by kind, within its own time', () => {
	const {grants, proposals} = report([
		source('one', [
			[0, created('network:a.test:443', 'secret:project/key', 'mcp:docs', 'port:3000', 'files:/srv', 'model:codex')],
			[1, started, 'fleet'],
			[2, allowed('a.test:443', 'network:a.test:443'), 'fleet'],
			[3, allowed('a.test:443', 'network:a.test:443'), 'fleet'],
			[4, allowed('k.test:443', 'secret:project/key'), 'fleet'],
			[5, {type: 'secret.used', scope: 'secret:project/key', target: 'k.test:443'}, 'fleet'],
			[6, {type: 'mcp.called', server: 'docs', tool: 'look', outcome: 'refused', sent: 1, received: 0, ms: 1}, 'fleet'],
			[7, {type: 'port.used', port: 3000, count: 1}, 'fleet'],
			[8, given('network:b.test:443', 8, 60)],
			[20, {type: 'scope.revoked', scope: 'network:a.test:443', because: '', cut: 0}],
			[61, exited, 'fleet'],
		]),
	]);
	const told = Object.fromEntries(
		grants.map(({scope, use, uses, askedMs, heldMs, ended}) => [
			scope,
			[use, uses, askedMs === null ? null : askedMs / 60_000, heldMs / 60_000, ended],
		]),
	);
	assert.deepEqual(told, {
		'network:a.test:443': ['used', 2, null, 19, 'revoked'],
		'secret:project/key': ['used', 1, null, 60, null],
		'mcp:docs': ['never', 0, null, 60, null],
		'port:3000': ['used', 1, null, 60, null],
		'files:/srv': ['not-recorded', 0, null, 60, null],
		'model:codex': ['never', 0, null, 60, null],
		'network:b.test:443': ['never', 0, 60, 53, 'expired'],
	});
	assert.deepEqual(
		proposals.map(({what, scope, forMs, runs}) => [what, scope, forMs, runs.length]),
		[
			['take-away', 'network:b.test:443', null, 0],
			['take-away', 'mcp:docs', null, 1],
			['take-away', 'model:codex', null, 1],
			['shorten', 'secret:project/key', 15 * 60_000, 1],
			['shorten', 'port:3000', 15 * 60_000, 1],
		],
	);
});

test('nothing is called unused that the journal may only have left out', () => {
	const lines: Line[] = [
		[0, created('network:a.test:443')],
		[1, started],
		[60, exited],
	];
	const useOf = (one: JournalSource) => report([one]).grants.map(({use}) => use);
	assert.deepEqual(useOf(source('one', lines)), ['never']);
	assert.deepEqual(useOf(source('one', lines, {isWhole: false})), ['not-known']);
	assert.deepEqual(report([source('one', lines, {isWhole: false})]).proposals, []);

	// From a hundred uses on, only every doubling is written: of a later grant the first use may be none of them.
	const many = Array.from({length: 100}, (): Line => [2, allowed('a.test:443', 'network:a.test:443')]);
	const again: Line[] = [[3, given('network:a.test:443', 3)]];
	assert.deepEqual(useOf(source('one', [...lines.slice(0, 2), ...many, ...again, [60, exited]])), [
		'not-known',
		'used',
	]);
	const anew: Line[] = [
		[2, exited],
		[3, started],
	];
	const other = [...lines.slice(0, 2), ...many, ...anew, ...again, [60, exited] as Line];
	assert.deepEqual(useOf(source('one', other)), ['never', 'used'], 'another attempt is counted anew');
	const hosts = Array.from({length: 2000}, (_, index): Line => [2, denied(`h${index}.test:443`, 1)]);
	assert.deepEqual(useOf(source('one', [...lines.slice(0, 2), ...hosts, [60, exited]])), ['not-known']);

	// One run that used it, and one of which it is not known: nothing is proposed of the scope.
	const used = source('two', [...lines.slice(0, 2), [2, allowed('a.test:443', 'network:a.test:443')], [600, exited]]);
	assert.deepEqual(
		report([used]).proposals.map(({what, forMs}) => [what, forMs]),
		[['shorten', 15 * 60_000]],
	);
	assert.deepEqual(report([used, source('one', lines, {isWhole: false})]).proposals, []);
	// An agent that has just begun, and one that never did, have shown nothing.
	const young = source('one', lines.slice(0, 2), {isLive: true, now: time(3)});
	assert.deepEqual(report([young]).proposals, []);
	assert.deepEqual(report([source('one', lines.slice(0, 1))]).proposals, []);
});

test('denials are counted once over attempts and runs, and only since the moment that was asked for', () => {
	const lines = (...counts: ReadonlyArray<readonly [number, number]>): Line[] => [
		[0, created()],
		...counts.map(([minute, count]): Line => [minute, denied('evil.test:443', count)]),
	];
	const {denials} = report([source('one', lines([1, 1], [2, 2], [30, 4], [31, 1])), source('two', lines([40, 3]))], 20);
	assert.deepEqual(
		denials.map(({target, count, runs, last}) => [target, count, runs, last]),
		[['evil.test:443', 2 + 1 + 3, 2, time(40)]],
	);
});

test('decisions, deploys and what broke off are told with who it was', () => {
	const base = {base: hex('b'), head: hex('c'), tree: hex('d'), policy: 'p', verify: 'v'};
	const found = report([
		source('one', [
			[0, created()],
			[1, {type: 'review.approved', ...base, because: 'read', viewed: {files: 3, unviewed: 1}}, 'person:bob'],
			[2, {type: 'review.rejected', because: 'not so'}],
			[3, {type: 'merge.finished', target: 'refs/heads/main', commit: hex('e'), checkout: 'updated'}],
			[
				4,
				{type: 'deploy.started', target: 'prod', commit: hex('e'), command: 'x', credentials: [], outside: 'Mon-Fri'},
			],
			[5, {type: 'deploy.finished', target: 'prod', commit: hex('e'), outcome: 'failed', because: 'exit 1'}, 'fleet'],
			[6, {type: 'deploy.started', target: 'prod', commit: hex('e'), command: 'x', credentials: []}],
			[7, {type: 'alarm.raised', target: 'x.test', because: 'a pointer', count: 2}, 'fleet'],
			[8, {type: 'limit.hit', limit: 'tmp', because: '/tmp is full'}, 'fleet'],
			[9, {type: 'run.frozen', because: 'over its budget', whole: true}, 'fleet'],
			[10, {type: 'run.frozen', because: 'by ada', whole: true}],
		]),
	]);
	assert.deepEqual(
		found.decisions.map(({what, by, own, viewed}) => [what, by, own, viewed?.unviewed ?? null]),
		[
			['merged', 'ada', true, null],
			['rejected', 'ada', true, null],
			['approved', 'bob', false, 1],
		],
	);
	assert.deepEqual(
		found.deploys.map(({target, outcome, by, outside}) => [target, outcome, by, outside]),
		[
			['prod', null, 'ada', null],
			['prod', 'failed', 'ada', 'Mon-Fri'],
		],
	);
	assert.deepEqual(
		found.breakOffs.map(({what, because, count}) => [what, because, count]),
		[
			['paused', 'over its budget', 1],
			['limit', 'tmp: /tmp is full', 1],
			['alarm', 'a pointer, x.test', 2],
		],
	);
});

test("others' words steer neither a terminal nor a page", () => {
	const evil = 'a|b `x` ``y`` [l](https://evil.test) <img src=x> @team\u001B]0;t\u0007\u202E\n# Head';
	const found = report(
		[
			source('one', [
				[0, created()],
				[1, given(`network:${evil}`, 1)],
				[2, {...denied(evil, 1), because: evil} as RunEvent],
			]),
		],
		0,
		[{run: 'two', project: null, status: 'broken', line: 3, because: evil}],
	);
	for (const {columns, rows} of sectionsOf(found)) {
		for (const cells of rows) {
			assert.equal(cells.length, columns.length);
			assert.doesNotMatch(cells.join(''), /[\p{Cc}\u202E]/u);
		}
	}

	const markdown = reportMarkdown(found);
	const cells = markdown.split('\n').filter(line => line.includes('evil'));
	assert.ok(cells.length >= 3);
	for (const line of cells) {
		// What is outside of spans of code, as a page reads them.
		const outside = line.replaceAll(/(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)/g, '');
		assert.match(outside, /^[| ]+$/, line);
	}

	assert.ok(!markdown.includes('\n# Head'));
	assert.match(markdown, /line 3: a/);
});
