import {trashRefs} from '../core/git/refs.ts';
import {compose} from '../compose.ts';
import {discard} from '../engine/handover/discard.ts';
import {findRun, withJournal} from '../engine/runs.ts';
import {reasonOption, type Verb} from './verb.ts';

export const verb: Verb = {
	define(command) {
		reasonOption(command.argument('<run>'));
	},
	async run(io, [name], options) {
		const context = compose();
		const {id} = findRun(context, name!);
		const kept = await withJournal(context, id, journal => discard(context, journal, options['because']));
		const refs = kept.length > 3 ? `${kept.length} refs under ${trashRefs(id)}/` : kept.join(', ') || 'it was merged';
		io.out(`discarded ${id}; its work is kept as ${refs}\n  fleet restore ${id} brings it back\n`);
	},
};
