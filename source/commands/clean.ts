import {compose} from '../compose.ts';
import {neutraliseLine} from '../core/text/escape-controls.ts';
import {formatBytes} from '../core/text/bytes.ts';
import {clean, diskOf} from '../engine/handover/clean.ts';
import {findRun, withJournal} from '../engine/runs.ts';
import type {Verb} from './verb.ts';

export const verb: Verb = {
	define(command) {
		command.argument('[run]').option('--json', 'one JSON document');
	},
	async run(io, [name], options) {
		const context = compose();
		if (name !== undefined) {
			const run = findRun(context, name);
			io.out(`${await withJournal(context, run.id, journal => clean(context, journal))}\n`);
			return;
		}

		const disk = await diskOf(context);
		if (options['json']) {
			io.json(disk);
			return;
		}

		for (const entry of disk) {
			io.out(`${formatBytes(entry.bytes).padStart(10)}  ${entry.run}  ${neutraliseLine(entry.note)}\n`);
		}

		io.out(
			disk.length === 0
				? 'no runs: nothing to clean up\n'
				: 'fleet clean RUN takes away what is named; no work that is nowhere else is ever removed\n',
		);
	},
};
