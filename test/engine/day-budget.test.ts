import assert from 'node:assert/strict';
import {readdirSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {noUsage} from '../../source/core/run/usage.ts';
import {Journal} from '../../source/host/journal.ts';
import {Fleet} from '../support/fleet.ts';

test('what a day may cost is kept at a start and at another attempt, for all runs and for one project', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('one', 'true');
	const context = fleet.context();
	const journal = Journal.open(context.paths.run('one'), 1000)!;
	journal.append(
		{type: 'usage.counted', usage: {...noUsage, requests: 1, input: 1000, dollars: 6, model: 'm'}},
		'fleet',
	);
	journal.close();
	const set = (text: string) => {
		fleet.settings(`budgets: ${text}\n`);
	};

	const refused = (argv: readonly string[], words: RegExp) => {
		const {code, stderr} = fleet.run(argv);
		assert.equal(code, 3, stderr);
		assert.match(stderr, words);
		assert.match(stderr, /hint: raise it under budgets in settings\.yaml/);
	};

	set('{day: 5}');
	refused(['run', '--name', 'two', '--', 'true'], /the day's budget of all runs, \$5\.00, is used up/);
	refused(['resume', 'one'], /the day's budget of all runs/);
	assert.deepEqual(readdirSync(path.join(context.paths.state, 'runs')), ['one'], 'nothing was made');
	set('{day: 50, projectDay: 5}');
	refused(['run', '--name', 'two', '--', 'true'], /the day's budget of project, \$5\.00/);
	set('{day: 50, projectDay: 7}');
	fleet.must('run', '--name', 'two', '--', 'true');
	assert.match(fleet.must('spend'), /prices of 2025-11 from https:\/\/[^ ]+, \d+ months old/);
});
