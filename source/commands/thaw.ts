import {compose} from '../compose.ts';
import {findRun, instruct} from '../engine/runs.ts';
import {reasonOption, type Verb} from './verb.ts';

export const verb: Verb = {
	define(command) {
		reasonOption(command.argument('<run>'));
	},
	async run(io, [name], options) {
		const context = compose();
		const run = findRun(context, name!);
		await instruct(context, run, 'thaw', options['because']);
		io.out(`${run.id} goes on\n`);
	},
};
