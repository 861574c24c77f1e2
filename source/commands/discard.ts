import {trashRefs} from '../core/git/refs.ts';
import {compose} from '../compose.ts';
import {discard} from '../engine/handover/discard.ts';
import {findRun, withJournal} from '../engine/runs.ts';
import {sayRun} from './documents.ts';
import {define, json, reason, required} from './verb.ts';

export const verb = define({
	summary: 'remove a run and keep its work',
	arguments: {run: required('RUN')},
	options: {because: reason(), json},
	async run(io, {run: name}, options) {
		const context = compose();
		const {id} = findRun(context, name);
		const kept = await withJournal(context, id, journal => discard(context, journal, options.because));
		const refs = kept.length > 3 ? `${kept.length} refs under ${trashRefs(id)}/` : kept.join(', ') || 'it was merged';
		const text = `discarded ${id}; its work is kept as ${refs}\n  to undo: fleet restore ${id}\n`;
		sayRun(io, context, {run: id, json: options.json, text});
	},
});
