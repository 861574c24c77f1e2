import {compose} from '../compose.ts';
import {restore} from '../engine/handover/discard.ts';
import {findRun, withJournal} from '../engine/runs.ts';
import {reasonOption, type Verb} from './verb.ts';

export const verb: Verb = {
	define(command) {
		reasonOption(command.argument('<run>'));
	},
	async run(io, [name], options) {
		const context = compose();
		const run = findRun(context, name!);
		await withJournal(context, run.id, journal => restore(context, journal, options['because']));
		io.out(`restored ${run.id} on ${run.branch}\n`);
	},
};
