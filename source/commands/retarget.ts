import {compose} from '../compose.ts';
import {retarget} from '../engine/handover/retarget.ts';
import {findRun, withJournal} from '../engine/runs.ts';
import {runDocument} from './documents.ts';
import {reasonOption, type Verb} from './verb.ts';

export const verb: Verb = {
	define(command) {
		reasonOption(
			command
				.argument('<run>')
				.argument('<branch>', 'what it is to be merged into')
				.option('--json', 'one JSON document'),
		);
	},
	async run(io, [name, branch], options) {
		const context = compose();
		const {id} = findRun(context, name!);
		await withJournal(context, id, async journal => {
			await retarget(context, journal, branch!, options['because']);
			if (options['json']) {
				io.json(runDocument(journal.run));
			} else {
				io.out(`${id} is to be merged into ${branch!}; what was decided before does not count: fleet verify ${id}\n`);
			}
		});
	},
};
