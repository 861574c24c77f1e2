import {compose} from '../compose.ts';
import {printable} from '../core/names.ts';
import {send} from '../engine/owner.ts';
import {findRun} from '../engine/runs.ts';
import {sayRun} from './documents.ts';
import {define, json, reason, required} from './verb.ts';

export const verb = define({
	summary: 'ignore a denied host: no scope is offered for it again',
	arguments: {run: required('RUN'), target: required('TARGET', 'what was denied, as HOST:PORT')},
	options: {because: reason(), json},
	async run(io, {run: name, target}, options) {
		const context = compose();
		const run = findRun(context, name);
		await send(context, run, {type: 'dismiss', target, because: options.because});
		const text = `${run.id}: ${printable(target)} stays denied, and is ignored\n`;
		sayRun(io, context, {run: run.id, json: options.json, text});
	},
});
