import {branchName} from '../core/git/refs.ts';
import {compose} from '../compose.ts';
import {merge} from '../engine/handover/merge.ts';
import {findRun, withJournal} from '../engine/runs.ts';
import {sayRun} from './documents.ts';
import {define, json, reason, required} from './verb.ts';

export const verb = define({
	summary: 'make the approved merge real',
	arguments: {run: required('RUN')},
	options: {because: reason(), json},
	brief: ['because'],
	async run(io, {run: name}, options) {
		const context = compose();
		const run = findRun(context, name);
		const {commit, checkout} = await withJournal(context, run.id, journal => merge(context, journal, options.because));
		const target = branchName(run.target);
		const text = `merged into ${target} as ${commit.slice(0, 10)}; local checkout ${checkout}\n`;
		sayRun(io, context, {run: run.id, json: options.json, text});
	},
});
