import assert from 'node:assert/strict';
import {appendFileSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {test} from 'node:test';
import type {Report} from '../../source/core/report/report.ts';
import {Fleet} from '../support/fleet.ts';
import {openScreen} from '../support/screen.ts';

/* What fleet report says of real runs, a discarded one and broken journals with them. */

test('fleet report tells of real runs who was given what, what was used, and which journals do not tell all', async t => {
	const fleet = new Fleet(t);
	const server = createServer((_request, response) => response.end('here'));
	await new Promise<void>(resolve => {
		server.listen(0, '127.0.0.1', resolve);
	});
	t.after(() => server.close());
	const place = `host.fleet.internal:${(server.address() as AddressInfo).port}`;
	const why = ['--because', 'to look\u001B[31m'];
	const asks = `curl -s -m 5 http://${place}/; curl -s -m 5 https://evil.test/; curl -s -m 5 https://evil.test/`;
	const work = 'echo x > b.txt; git add --all; git commit -qm work';
	await fleet.agent('one', `${asks}; ${work}`, '--allow', `network:${place}`, '--allow', 'network:never.test', ...why);
	await fleet.agent('gone', 'true', '--allow', 'network:never.test', ...why);
	fleet.must('verify', 'one');
	fleet.must('approve', 'one', '--because', 'read it');
	fleet.must('merge', 'one');
	fleet.must('discard', 'gone');

	const {grants, denials, decisions, journals, proposals} = fleet.json<Report>('report');
	assert.deepEqual(
		new Set(grants.map(({run, scope, use, uses, ended}) => `${run} ${scope} ${use} ${uses} ${ended}`)),
		new Set([
			'gone network:never.test never 0 discarded',
			`one network:${place} used 1 null`,
			'one network:never.test never 0 null',
		]),
	);
	assert.ok(grants.every(({by, because, heldMs}) => by !== '' && because.startsWith('to look') && heldMs > 0));
	assert.deepEqual(
		denials.map(({target, count, runs}) => [target, count, runs]),
		[['evil.test:443', 2, 1]],
	);
	assert.deepEqual(
		decisions.map(({what, own}) => [what, own]),
		[
			['merged', true],
			['approved', true],
		],
	);
	assert.deepEqual(decisions[1]!.viewed, {files: 1, unviewed: 1});
	assert.deepEqual(
		proposals.map(({what, scope, grants: count, runs}) => [what, scope, count, runs]),
		[['take-away', 'network:never.test', 2, ['one']]],
	);
	assert.deepEqual(journals, {whole: 2, notWhole: []});

	const {paths} = fleet.context();
	const {journal} = paths.run('gone');
	writeFileSync(journal, readFileSync(journal, 'utf8').replace('to look', 'to loot'));
	appendFileSync(paths.run('one').journal, '{"cut');
	mkdirSync(`${paths.state}/runs/lost`);
	const now = fleet.json<Report>('report', '--since', '1h', '--project', 'project');
	assert.deepEqual(
		new Set(now.journals.notWhole.map(({run, status}) => `${run} ${status}`)),
		new Set(['gone broken', 'lost missing', 'one torn']),
	);
	assert.equal(now.journals.whole, 0);
	assert.deepEqual(now.proposals, [], 'what a journal lacks may have happened');
	const lines = fleet.must('report');
	assert.match(lines, /^3 runs from \S+ \S+ to \S+ \S+, 3 of them not whole\n\nJournals that do not tell all\n/);
	assert.match(lines, /^gone +project +broken +line \d+: does not follow/m);
	const unknown =
		/one +network:never\.test +\S+ +while it runs; had \d+s +not known: its journal does not tell all +to look\n/;
	assert.match(lines, unknown);
	assert.match(lines, /^2 +evil\.test:443 +project +1 /m);
	assert.doesNotMatch(lines, /[^\n\P{Cc}]/u);
	assert.match(fleet.must('report', '--markdown'), /^\| `2` \| `evil\.test:443` \|/m);
	assert.equal(fleet.run(['report', '--markdown', '--json']).code, 2);

	const screen = openScreen(t, fleet, {argv: ['report'], size: {columns: 100, rows: 60}});
	await screen.see(/Broken off/);
	assert.match(screen.lines().join('\n'), /^TIMES +TARGET +PROJECT +RUNS +WHY/m);
});
