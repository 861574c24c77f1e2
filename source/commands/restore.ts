import {compose} from '../compose.ts';
import {restore} from '../engine/handover/discard.ts';
import {findRun, withJournal} from '../engine/runs.ts';
import {sayRun} from './documents.ts';
import {define, json, reason, required} from './verb.ts';

export const verb = define({
	summary: 'bring a discarded run back',
	arguments: {run: required('RUN')},
	options: {because: reason(), json},
	async run(io, {run: name}, options) {
		const context = compose();
		const run = findRun(context, name);
		await withJournal(context, run.id, journal => restore(context, journal, options.because));
		sayRun(io, context, {run: run.id, json: options.json, text: `restored ${run.id} on ${run.branch}\n`});
	},
});
