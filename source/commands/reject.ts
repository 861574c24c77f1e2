import {compose} from '../compose.ts';
import {reject} from '../engine/handover/approve.ts';
import {findRun, withJournal} from '../engine/runs.ts';
import {reasonOption, type Verb} from './verb.ts';

export const verb: Verb = {
	define(command) {
		reasonOption(command.argument('<run>'));
	},
	async run(io, [name], options) {
		const context = compose();
		const {id} = findRun(context, name!);
		await withJournal(context, id, async journal => reject(context, journal, options['because']));
		io.out(`rejected ${id}; its work is kept. fleet resume ${id} starts another attempt\n`);
	},
};
