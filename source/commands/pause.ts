import {compose} from '../compose.ts';
import {Refusal} from '../core/refusal.ts';
import {send} from '../engine/owner.ts';
import {findRun, listRuns} from '../engine/runs.ts';
import {asTyped} from '../terminal/as-typed.ts';
import {currentDetails} from './documents.ts';
import {define, flag, json, optional, reason} from './verb.ts';

export const verb = define({
	summary: 'stop every process of a run where it is, and cut its network',
	arguments: {run: optional('[RUN]')},
	options: {all: flag('every run that is running'), because: reason(), json},
	usage: 'RUN | --all',
	async run(io, {run: name}, options) {
		const context = compose();
		if ((name === undefined) !== options.all) {
			throw new Refusal('name one run, or --all', 'fleet pause RUN, or fleet pause --all');
		}

		const runs =
			name === undefined ? listRuns(context).filter(run => run.stage === 'running') : [findRun(context, name)];
		// Side by side: one whose supervisor does not answer must not keep the others going.
		const done = await Promise.allSettled(
			runs.map(async run => {
				await send(context, run, {type: 'freeze', because: options.because});
				if (!options.json) {
					io.out(asTyped(`${run.id} paused, network cut: fleet continue ${run.id}, or fleet stop ${run.id}\n`));
				}

				return run.id;
			}),
		);
		io.report({runs: done.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []))});
		const failed = done.find(one => one.status === 'rejected');
		if (failed) {
			throw failed.reason;
		}

		if (options.json) {
			io.json(runs.map(run => currentDetails(context, run.id)));
		} else if (runs.length === 0) {
			io.out('no run is running\n');
		}
	},
});
