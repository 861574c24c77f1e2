import {compose} from '../compose.ts';
import {printable} from '../core/names.ts';
import {dismiss} from '../engine/grants/alarms.ts';
import {findRun} from '../engine/runs.ts';
import {reasonOption, type Verb} from './verb.ts';

export const verb: Verb = {
	define(command) {
		reasonOption(command.argument('<run>').argument('<target>', 'what was denied, as HOST:PORT'));
	},
	async run(io, [name, target], options) {
		const context = compose();
		const run = findRun(context, name!);
		await dismiss(context, run, target!, options['because']);
		io.out(`${run.id}: ${printable(target!)} stays denied, and is not offered again\n`);
	},
};
