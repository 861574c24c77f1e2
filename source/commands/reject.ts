import {compose} from '../compose.ts';
import {reject} from '../engine/handover/approve.ts';
import {findRun, withJournal} from '../engine/runs.ts';
import {sayRun} from './documents.ts';
import {define, json, reason, required, text} from './verb.ts';

export const verb = define({
	summary: "a person's no",
	arguments: {run: required('RUN')},
	options: {
		because: reason(),
		key: text('FILE', "the SSH key to sign with, where the project names people; git's user.signingKey by default"),
		json,
	},
	brief: ['because', 'key'],
	async run(io, {run: name}, options) {
		const context = compose();
		const {id} = findRun(context, name);
		await withJournal(context, id, async journal =>
			reject(context, journal, {because: options.because, key: options.key}),
		);
		const said = `rejected ${id}; its work is kept. fleet resume ${id} starts another attempt\n`;
		sayRun(io, context, {run: id, json: options.json, text: said});
	},
});
