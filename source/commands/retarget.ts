import {compose} from '../compose.ts';
import {retarget} from '../engine/handover/retarget.ts';
import {findRun, withJournal} from '../engine/runs.ts';
import {asTyped} from '../terminal/as-typed.ts';
import {sayRun} from './documents.ts';
import {define, json, reason, required} from './verb.ts';

export const verb = define({
	summary: 'have a run merged into another branch; what was approved is void',
	arguments: {run: required('RUN'), branch: required('BRANCH', 'what it is to be merged into')},
	options: {because: reason(), json},
	brief: ['because'],
	async run(io, {run: name, branch}, options) {
		const context = compose();
		const {id} = findRun(context, name);
		await withJournal(context, id, journal => retarget(context, journal, {branch, because: options.because}));
		const text = asTyped(
			`${id} is to be merged into ${branch}; what was decided before does not count: fleet verify ${id}\n`,
		);
		sayRun(io, context, {run: id, json: options.json, text});
	},
});
