import {compose} from '../compose.ts';
import {Refusal} from '../core/refusal.ts';
import {findRun, instruct, listRuns} from '../engine/runs.ts';
import {reasonOption, type Verb} from './verb.ts';

export const verb: Verb = {
	define(command) {
		reasonOption(command.argument('[run]').option('--all', 'every run that is at work'));
	},
	async run(io, [name], options) {
		const context = compose();
		if ((name === undefined) !== Boolean(options['all'])) {
			throw new Refusal('name one run, or --all', 'fleet freeze RUN, or fleet freeze --all');
		}

		const runs = options['all'] ? listRuns(context).filter(run => run.stage === 'running') : [findRun(context, name!)];
		// Side by side: one whose supervisor does not answer must not keep the others going.
		const done = await Promise.allSettled(
			runs.map(async run => {
				await instruct(context, run, 'freeze', options['because']);
				io.out(
					`${run.id} is frozen: none of its processes runs, and nothing goes in or out; ` +
						`fleet thaw ${run.id}, or fleet stop ${run.id}\n`,
				);
				return run.id;
			}),
		);
		io.report({runs: done.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []))});
		const failed = done.find(one => one.status === 'rejected');
		if (failed) {
			throw failed.reason;
		}

		if (runs.length === 0) {
			io.out('no run is at work\n');
		}
	},
};
