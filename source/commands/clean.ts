import {compose} from '../compose.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import {formatBytes} from '../core/text/bytes.ts';
import {clean, diskOf} from '../engine/handover/clean.ts';
import {findRun, withJournal} from '../engine/runs.ts';
import {sayRun} from './documents.ts';
import {define, json, optional} from './verb.ts';

export const verb = define({
	summary: 'disk use of runs, and deleting what is done',
	arguments: {run: optional('[RUN]')},
	options: {json},
	brief: ['json'],
	async run(io, {run: name}, options) {
		const context = compose();
		if (name !== undefined) {
			const run = findRun(context, name);
			const text = `${await withJournal(context, run.id, journal => clean(context, journal))}\n`;
			sayRun(io, context, {run: run.id, json: options.json, text});
			return;
		}

		const disk = await diskOf(context);
		if (options.json) {
			io.json(disk);
			return;
		}

		for (const entry of disk) {
			io.out(`${formatBytes(entry.bytes).padStart(10)}  ${entry.run}  ${escapeLine(entry.note)}\n`);
		}

		io.out(
			disk.length === 0
				? 'no runs: nothing to clean up\n'
				: 'fleet clean RUN deletes what is named; unmerged work is always kept\n',
		);
	},
});
