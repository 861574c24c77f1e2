import {compose} from '../compose.ts';
import {acknowledge} from '../engine/grants/alarms.ts';
import {findRun} from '../engine/runs.ts';
import {reasonOption, type Verb} from './verb.ts';

export const verb: Verb = {
	define(command) {
		reasonOption(command.argument('<run>'));
	},
	async run(io, [name], options) {
		const context = compose();
		const run = findRun(context, name!);
		await acknowledge(context, run, options['because']);
		io.out(
			`${run.id}: ${run.alarms.length} ${run.alarms.length === 1 ? 'alarm' : 'alarms'} acknowledged; ` +
				`fleet journal ${run.id} keeps them\n`,
		);
	},
};
