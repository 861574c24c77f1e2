import assert from 'node:assert/strict';
import {mkdirSync, mkdtempSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {mock, test, type TestContext} from 'node:test';
import {ActivityReader, journalSources, type JournalSource} from '../../source/engine/activity.ts';
import type {Context} from '../../source/engine/context.ts';
import {Journal} from '../../source/host/journal.ts';
import {findPaths} from '../../source/host/paths.ts';

/* Activity over many real journals: the newest lines, exactly, with little read. */

type Home = {
	readonly context: Pick<Context, 'paths'>;
	write(run: string, target: string, count?: number): void;
	sources(): JournalSource[];
};

function homeOf(t: TestContext): Home {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-activity-'));
	const paths = findPaths({FLEET_HOME: folder, HOME: folder});
	const last = new Map<string, string>();
	// Journals have the time of the clock: it goes on by a second with each line.
	mock.timers.enable({apis: ['Date'], now: Date.parse('2026-01-05T10:00:00.000Z')});
	t.after(() => {
		mock.timers.reset();
		rmSync(folder, {recursive: true, force: true});
	});
	return {
		context: {paths},
		write(run, target, count = 1) {
			mkdirSync(paths.run(run).folder, {recursive: true});
			const journal = Journal.open(paths.run(run))!;
			const tick = () => mock.timers.tick(1000);
			if (!journal.state) {
				tick();
				journal.append(
					{
						type: 'run.created',
						id: run,
						name: run,
						project: {id: run.startsWith('w') ? 'web' : 'infra', name: 'p', root: '/p'},
						agent: 'command',
						argv: ['x'],
						branch: `fleet/${run}`,
						base: 'b',
						target: 'refs/heads/main',
						worktree: '/w',
						grants: [],
					},
					'person:ada',
				);
			}

			for (let index = 0; index < count; index++) {
				tick();
				last.set(
					run,
					journal.append({type: 'request.refused', target, because: `${index}`, count: 1}, 'fleet', false).at,
				);
			}

			journal.close();
		},
		sources: () => [...last].map(([run, at]) => ({run, at, stamp: at})),
	};
}

test('the newest lines are told, however they are spread, and a second look reads only what was added', t => {
	const home = homeOf(t);
	for (let round = 0; round < 3; round++) {
		for (let index = 0; index < 12; index++) {
			home.write(`${index % 2 === 0 ? 'w' : 'i'}${index}`, `${round}.test`, 1 + ((index * 7) % 5));
		}
	}

	home.write('w-long', 'long.test', 900);
	const all = new ActivityReader(home.context).read(home.sources(), {since: '2000', limit: 100_000});
	assert.equal(all.filter(({run}) => run === 'w-long').length, 901);
	assert.deepEqual(
		all.map(({at}) => at),
		all
			.map(({at}) => at)
			.sort()
			.reverse(),
	);
	const reader = new ActivityReader(home.context);
	for (const limit of [1, 2, 10, 50, 300, 905, 940]) {
		assert.deepEqual(reader.read(home.sources(), {since: '2000', limit}), all.slice(0, limit), `limit ${limit}`);
	}

	const since = all[20]!.at;
	assert.equal(reader.read(home.sources(), {since, limit: 1000}).length, 21);
	const web = reader.read(home.sources(), {since: '2000', limit: 1000, fits: (_run, project) => project === 'web'});
	assert.ok(web.length > 0 && web.every(({project}) => project === 'web'));
	home.write('i1', 'fresh.test');
	assert.match(reader.read(home.sources(), {since: '2000', limit: 3})[0]!.text, /fresh\.test/);
	// By the files alone it is the same.
	mock.timers.reset();
	assert.equal(
		new ActivityReader(home.context).read(journalSources(home.context), {since: '2000', limit: 100_000}).length,
		all.length + 1,
	);
});
