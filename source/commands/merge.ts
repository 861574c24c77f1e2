import {branchName} from '../core/git/refs.ts';
import {compose} from '../compose.ts';
import {merge} from '../engine/handover/merge.ts';
import {findRun, withJournal} from '../engine/runs.ts';
import {reasonOption, type Verb} from './verb.ts';

export const verb: Verb = {
	define(command) {
		reasonOption(command.argument('<run>'));
	},
	async run(io, [name], options) {
		const context = compose();
		const run = findRun(context, name!);
		const {commit, checkout} = await withJournal(context, run.id, journal =>
			merge(context, journal, options['because']),
		);
		io.out(`merged into ${branchName(run.target)} as ${commit.slice(0, 10)}; local checkout ${checkout}\n`);
	},
};
