import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Fleet, until} from '../support/fleet.ts';

test('a run that waits for one that did not end well is started by a person', async t => {
	const fleet = new Fleet(t);
	await fleet.agent('first', 'exit 3');
	fleet.start('second', 'echo second', '--after', 'first');
	await until(() => /which is stopped/.test(fleet.json('show', 'second')['because']), 'it waits for ever');
	assert.notEqual(fleet.run(['resume', 'second', 'go on']).code, 0, 'nobody is there to be told');
	assert.match(fleet.must('resume', 'second'), /^second starts without waiting for first$/m);
	await fleet.until('second', 'stopped');
	assert.match(fleet.must('logs', 'second'), /second/);
	assert.match(fleet.must('journal', 'second'), /run\.released/);
	assert.equal(fleet.run(['resume', 'second']).code, 0, 'another attempt waits for nothing');
});
