import {compose} from '../compose.ts';
import {approve} from '../engine/review.ts';
import {findRun, withJournal} from '../engine/runs.ts';
import {reasonOption, type Verb} from './verb.ts';

export const verb: Verb = {
	define(command) {
		reasonOption(command.argument('<run>'));
	},
	async run(io, [name], options) {
		const context = compose();
		const {id} = findRun(context, name!);
		await withJournal(context, id, async journal => {
			await approve(context, journal, options['because']);
			io.out(`approved ${id} at ${journal.run.approval!.head.slice(0, 10)} onto ${journal.run.approval!.base.slice(0, 10)}\n`);
		});
	},
};
