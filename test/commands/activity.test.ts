import assert from 'node:assert/strict';
import {appendFileSync} from 'node:fs';
import {test} from 'node:test';
import {Journal} from '../../source/host/journal.ts';
import {Fleet} from '../support/fleet.ts';

/* What happened, what was spent and what was written, over real runs, as it is typed. */

test('activity, spend and search tell of real runs, and pass nothing on that steers a terminal', async t => {
	const fleet = new Fleet(t, {policy: 'verify:\n  - echo "# pass 7"\n'});
	await fleet.agent(
		'writes',
		String.raw`echo x > b.txt; git add --all; git commit -qm work; printf 'first\n\033[31mNeed\033[0mle \033]0;title\007here\n'`,
	);
	await fleet.agent('asks', 'curl -s -m 5 https://evil.test/; curl -s -m 5 https://evil.test/; true');
	fleet.must('verify', 'writes');
	fleet.must('approve', 'writes', '--because', 'read \u001B[31mit');
	fleet.must('merge', 'writes');
	const activity = fleet.must('activity');
	for (const line of [
		/writes +project +\S+ started: “sh -c/,
		/asks +project +blocked evil\.test:443 ×2\n/,
		/verified: 7 tests passed\n/,
		/\S+ approved it, 0 of 1 file viewed: “read it”\n/,
		/merged as [\da-f]{7} into main\n/,
	]) {
		assert.match(activity, line);
	}

	assert.doesNotMatch(activity, /[^\n\P{Cc}]/u);
	assert.ok(activity.indexOf('started') < activity.indexOf('merged as'), 'the last thing is at the end');
	const kinds = (...argv: string[]) =>
		fleet.json<Array<{kind: string; run: string}>>('activity', ...argv).map(({kind, run}) => `${run} ${kind}`);
	assert.deepEqual(kinds('--kind', 'denial'), ['asks denial']);
	assert.deepEqual(kinds('--run', 'asks', '--search', 'EVIL blocked'), ['asks denial']);
	assert.equal(kinds('--project', 'project').length, kinds().length);
	assert.equal(kinds('--limit', '1').length, 1);
	assert.match(fleet.must('activity', '--kind', 'spend'), /^no activity\n$/);

	// Programs that report no cost did not cost nothing.
	assert.match(fleet.must('spend'), /not reported +- +- +2 +2 runs report no cost\ntotal: nothing was reported\n/);
	const journal = Journal.open(fleet.context().paths.run('writes'))!;
	journal.append(
		{type: 'usage.counted', usage: {requests: 3, input: 1500, cached: 0, output: 500, dollars: 0.25, model: 'm'}},
		'fleet',
	);
	journal.close();
	const [row] = fleet.json<{rows: Array<Record<string, unknown>>}>('spend', '--by', 'project').rows;
	assert.deepEqual(row, {key: 'project', requests: 3, tokens: 2000, dollars: 0.25, unpriced: 0, runs: 1, silent: 1});
	assert.match(fleet.must('spend', '--by', 'agent'), /command +~\$0\.25 +2\.0k +3 +2 +1 more run reports no cost/);
	assert.match(fleet.must('activity', '--kind', 'spend'), /spent ~\$0\.25, 2\.0k tokens/);

	assert.equal(fleet.must('search', 'needle'), 'writes output: Needle here\n');
	assert.equal(fleet.must('search', 'NEEDLE'), 'no match in 3 logs\n');
	assert.equal(fleet.must('search', '--', '-nowhere'), 'no match in 3 logs\n');
	assert.equal(
		fleet.must('search', 'pass', '--log', 'verify', '--run', 'writes').split('\n').at(-2),
		'writes verify: $ echo "# pass 7"',
	);
	appendFileSync(fleet.context().paths.run('asks').output, 'needle 2\nneedle 3\n');
	const search = fleet.json<{found: Array<Record<string, unknown>>; stopped: string | null}>(
		'search',
		'needle',
		'--limit',
		'2',
	);
	assert.deepEqual(
		search.found.map(({run, text}) => `${String(run)}: ${String(text)}`),
		['asks: needle 3', 'asks: needle 2'],
	);
	assert.equal(search.stopped, 'limit');

	for (const [argv, because] of [
		[['activity', '--since', '3q'], /invalid duration/],
		[['activity', '--kind', 'x'], /kind/],
		[['activity', '--limit', '0'], /not a number of lines/],
		[['activity', '--run', 'ghost'], /no run "ghost"/],
		[['activity', '--project', 'other'], /no project "other"/],
		[['spend', '--project', 'other'], /no project "other"/],
		[['search', 'x', '--project', 'other'], /no project "other"/],
		[['spend', '--by', 'x'], /by/],
		[['search'], /nothing to search for/],
		[['search', ' '], /nothing to search for/],
		[['search', 'x', '--log', 'y'], /log/],
	] as const) {
		const {code, stderr, stdout} = fleet.run(argv);
		assert.deepEqual([code, stdout], [2, ''], argv.join(' '));
		assert.match(stderr, /^fleet: [^\n]+\n {2}hint: [^\n]+\n$/, argv.join(' '));
		assert.match(stderr, because);
	}
});
