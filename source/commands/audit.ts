import {compose} from '../compose.ts';
import {auditExitCode} from '../core/run/audit.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import {auditAndRecord} from '../engine/audit/audit.ts';
import {findRun} from '../engine/runs.ts';
import {define, flag, json, required} from './verb.ts';

export const verb = define({
	summary: "sandbox audit: try to break out, from inside the run's sandbox",
	arguments: {run: required('RUN')},
	options: {
		json,
		progress: flag('a line of JSON for each attempt, as it is made'),
		verbose: flag('every attempt, also those that were blocked'),
	},
	brief: ['json'],
	async run(io, {run: name}, options) {
		const context = compose();
		const run = findRun(context, name);
		const items = await auditAndRecord(
			context,
			run,
			options.progress
				? (done, total, text) => io.out(`${JSON.stringify({progress: {done, total, text}})}\n`)
				: undefined,
		);
		io.report({audit: items});
		const passed = items.filter(item => item.status === 'PASS').length;
		if (options.json && options.progress) {
			io.out(`${JSON.stringify({run: run.id, passed, total: items.length, items})}\n`);
		} else if (options.json) {
			io.json({run: run.id, passed, total: items.length, items});
		} else {
			for (const item of items) {
				const blocked = item.probes.filter(probe => probe.status === 'PASS').length;
				io.out(`${item.status.padEnd(5)}  ${item.title}, ${blocked} of ${item.probes.length} attempts blocked\n`);
				for (const probe of item.probes.filter(probe => options.verbose || probe.status !== 'PASS')) {
					io.out(
						`  ${probe.status.padEnd(5)} ${escapeLine(`${probe.tried}\n`).replace('⏎', '')}\n` +
							`        expected: ${probe.expected}\n        seen:     ${escapeLine(probe.seen)}\n` +
							`        host:     ${probe.host}\n`,
					);
				}
			}

			io.out(`${passed} of ${items.length}\n`);
		}

		return auditExitCode(items);
	},
});
