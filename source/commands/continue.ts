import {compose} from '../compose.ts';
import {send} from '../engine/owner.ts';
import {findRun} from '../engine/runs.ts';
import {sayRun} from './documents.ts';
import {define, json, reason, required} from './verb.ts';

export const verb = define({
	summary: 'let a paused run continue',
	arguments: {run: required('RUN')},
	options: {because: reason(), json},
	async run(io, {run: name}, options) {
		const context = compose();
		const run = findRun(context, name);
		await send(context, run, {type: 'thaw', because: options.because});
		sayRun(io, context, {run: run.id, json: options.json, text: `${run.id} continued\n`});
	},
});
