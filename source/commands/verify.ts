import {compose} from '../compose.ts';
import {exitCodes} from '../core/refusal.ts';
import {neutralise} from '../core/neutralise.ts';
import {findRun, readRun, withJournal} from '../engine/runs.ts';
import {waiveSuspects} from '../engine/suspects.ts';
import {verify} from '../engine/verify.ts';
import {reasonOption, type Verb} from './verb.ts';

export const verb: Verb = {
	define(command) {
		reasonOption(command.argument('<run>').option('--waive-secrets', 'what looked like a secret the last time is none').option('--json', 'one JSON document'));
	},
	async run(io, [name], options) {
		const context = compose();
		const {id} = findRun(context, name!);
		if (options['waiveSecrets']) {
			await withJournal(context, id, async journal => waiveSuspects(context, journal, options['because']));
		}

		const passed = await withJournal(context, id, journal => verify(context, journal, text => {
			if (!options['json']) {
				io.out(neutralise(text));
			}
		}));
		const {verification} = readRun(context.paths.run(id))!;
		if (options['json']) {
			io.json(verification);
		} else {
			io.out(`${passed ? 'verified' : 'not verified'}: ${verification!.because}${passed ? '' : `; fleet logs ${id} --verify shows its words`}\n`);
		}

		return passed ? exitCodes.ok : exitCodes.gate;
	},
};
