import {compose} from '../compose.ts';
import {resumeRun} from '../engine/create.ts';
import {findRun} from '../engine/runs.ts';
import {runDocument} from './documents.ts';
import type {Verb} from './verb.ts';

export const verb: Verb = {
	define(command) {
		command.argument('<run>').option('--json', 'one JSON document');
	},
	async run(io, [name], options) {
		const context = compose();
		const run = await resumeRun(context, findRun(context, name!).id);
		if (options['json']) {
			io.json(runDocument(run));
		} else {
			io.out(`${run.id} ${run.stage}, attempt ${run.attempt}\n`);
		}
	},
};
