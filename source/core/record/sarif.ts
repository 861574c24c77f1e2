import {itemIds, itemTitles, type Status} from '../run/audit.ts';
import type {Run} from '../run/run.ts';
import {version} from '../version.ts';

/* A run's audit and alarms as SARIF 2.1.0 (OASIS), for tools that collect findings. */

const kinds: Readonly<Record<Status, string>> = {PASS: 'pass', FAIL: 'fail', ERROR: 'review'};

/** @returns one JSON document */
export function sarifOf(run: Run): string {
	const items = itemIds.map(id => {
		const status = run.audit?.items.find(item => item.id === id)?.status;
		const words = status ?? 'not audited';
		return {
			ruleId: `audit/${id}`,
			kind: status ? kinds[status] : 'notApplicable',
			level: status === 'FAIL' ? 'error' : 'none',
			message: {text: `${itemTitles[id]}: ${words}${run.audit?.stale ? ', before the last change of scope' : ''}`},
		};
	});
	const alarms = run.alarms.map(({target, because, count}) => ({
		ruleId: 'alarm',
		kind: 'fail',
		level: 'error',
		message: {text: `${target}: ${because} (${count})`},
	}));
	const denials = run.denials.map(({target, because, count}) => ({
		ruleId: 'denied',
		kind: 'informational',
		level: 'none',
		message: {text: `${target}: ${because} (${count})`},
	}));
	return `${JSON.stringify(
		{
			$schema: 'https://json.schemastore.org/sarif-2.1.0.json',
			version: '2.1.0',
			runs: [
				{
					tool: {
						driver: {
							name: 'fleet',
							version,
							rules: [
								...itemIds.map(id => ({id: `audit/${id}`, shortDescription: {text: itemTitles[id]}})),
								{id: 'alarm', shortDescription: {text: 'A secret was looked for, or asked for where it may not go'}},
								{id: 'denied', shortDescription: {text: 'A request that no scope allows'}},
							],
						},
					},
					automationDetails: {id: `fleet/${run.project.id}/${run.id}`},
					results: [...items, ...alarms, ...denials],
				},
			],
		},
		undefined,
		2,
	)}\n`;
}
