import assert from 'node:assert/strict';
import {test} from 'node:test';
import {sarifOf} from '../../source/core/record/sarif.ts';
import type {Run} from '../../source/core/run/run.ts';
import {itemIds} from '../../source/core/run/audit.ts';
import {exited, run as runOf, started, verified} from '../tui/states.ts';

/*
 * A document against what SARIF 2.1.0 (OASIS, docs.oasis-open.org/sarif) says of the objects in it: which properties there
 * have to be, that there are no others (the published schema closes each object), and how kind and level go together. No
 * well-kept package brings that schema, so that this is written by hand.
 */

type Json = Record<string, any>;

function has(value: Json, required: readonly string[], optional: readonly string[] = []): void {
	for (const key of required) {
		assert.ok(value[key] !== undefined, `lacks ${key}`);
	}

	const more = Object.keys(value).filter(key => !required.includes(key) && !optional.includes(key));
	assert.deepEqual(more, [], 'has what is not documented');
}

const isText = (value: unknown) => assert.ok(typeof value === 'string' && value !== '');

test('an export as SARIF has what SARIF 2.1.0 asks for, and nothing else', () => {
	const base = runOf('fix', started, exited, ...verified);
	const denial = {target: 'a.test:443', because: 'no scope', count: 2};
	const statuses = ['PASS', 'FAIL', 'ERROR'] as const;
	const items = itemIds.slice(0, -1).map((id, index) => ({id, status: statuses[index % 3]!, probes: []}));
	for (const run of [
		base,
		{...base, alarms: [denial], denials: [denial], audit: {items, stale: true}} as unknown as Run,
	]) {
		const log = JSON.parse(sarifOf(run)) as Json;
		has(log, ['version', 'runs'], ['$schema']);
		assert.equal(log['version'], '2.1.0');
		assert.equal(new URL(log['$schema'] as string).protocol, 'https:');
		assert.equal(log['runs'].length, 1);
		const [one] = log['runs'] as Json[];
		has(one!, ['tool', 'results'], ['automationDetails']);
		has(one!['tool'], ['driver']);
		has(one!['automationDetails'], [], ['id']);
		// Without a slash at its end, the last part names this run, and what stands before it the category.
		assert.match(one!['automationDetails'].id, /^fleet\/[^/]+\/fix$/);
		const {driver} = one!['tool'];
		has(driver, ['name'], ['version', 'rules']);
		isText(driver.name);
		isText(driver.version);
		const rules = (driver.rules as Json[]).map(rule => {
			has(rule, ['id'], ['shortDescription']);
			has(rule['shortDescription'], ['text']);
			isText(rule['shortDescription'].text);
			return rule['id'] as string;
		});
		assert.equal(new Set(rules).size, rules.length);
		for (const result of one!['results'] as Json[]) {
			has(result, ['message'], ['ruleId', 'kind', 'level']);
			has(result['message'], ['text']);
			isText(result['message'].text);
			assert.ok(rules.includes(result['ruleId'] as string));
			assert.ok(
				['pass', 'open', 'informational', 'notApplicable', 'review', 'fail'].includes(result['kind'] as string),
			);
			// Anything but a failure has no level.
			const levels = result['kind'] === 'fail' ? ['error', 'warning', 'note'] : ['none'];
			assert.ok(levels.includes(result['level'] as string), JSON.stringify(result));
		}

		assert.equal(one!['results'].length, itemIds.length + run.alarms.length + run.denials.length);
	}
});
