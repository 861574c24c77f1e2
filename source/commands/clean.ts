import {compose} from '../compose.ts';
import {escapeLine} from '../core/text/escape-controls.ts';
import {formatBytes} from '../core/text/bytes.ts';
import {clean, diskOf} from '../engine/handover/clean.ts';
import {layersOf, removeUnused} from '../engine/layers/clean.ts';
import {findRun, withJournal} from '../engine/runs.ts';
import {sayRun} from './documents.ts';
import {formatDuration} from '../core/text/time.ts';
import {define, flag, json, optional} from './verb.ts';

export const verb = define({
	summary: 'disk use of runs, and deleting what is done',
	arguments: {run: optional('[RUN]')},
	options: {json, layers: flag('what setups left that no run needs, and downloads of package managers, go')},
	brief: ['json'],
	async run(io, {run: name}, options) {
		const context = compose();
		if (name !== undefined) {
			const run = findRun(context, name);
			const text = `${await withJournal(context, run.id, journal => clean(context, journal))}\n`;
			sayRun(io, context, {run: run.id, json: options.json, text});
			return;
		}

		if (options.layers) {
			const gone = removeUnused(context);
			const bytes = gone.reduce((sum, layer) => sum + layer.bytes, 0);
			if (options.json) {
				io.json(gone);
			} else {
				io.out(`${gone.length} ${gone.length === 1 ? 'layer is' : 'layers are'} gone: ${formatBytes(bytes)}\n`);
			}

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

		for (const {key, project, bytes, usedAt, runs} of layersOf(context)) {
			const users = runs.length === 0 ? 'no run needs it' : `for ${runs.join(', ')}`;
			const used = `used ${formatDuration(Date.now() - usedAt)} ago`;
			io.out(`${formatBytes(bytes).padStart(10)}  layer ${key.slice(0, 10)} of ${project}, ${used}, ${users}\n`);
		}

		io.out(
			disk.length === 0
				? 'no runs: nothing to clean up\n'
				: 'fleet clean RUN deletes what is named; unmerged work is always kept\n',
		);
	},
});
