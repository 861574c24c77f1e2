import {compose} from '../compose.ts';
import {revoke} from '../engine/scopes.ts';
import {findRun} from '../engine/runs.ts';
import {reasonOption, type Verb} from './verb.ts';

export const verb: Verb = {
	define(command) {
		reasonOption(command.argument('<run>').argument('<scope>'));
	},
	async run(io, [name, scope], options) {
		const context = compose();
		const run = findRun(context, name!);
		const cut = await revoke(context, run, scope!, options['because']);
		io.out(`${scope} is off for ${run.id}; ${cut} open ${cut === 1 ? 'connection was' : 'connections were'} cut\n${scope!.startsWith('files:') && run.stage === 'running' ? '  note: what is mounted stays readable until the run is next started\n' : ''}`);
	},
};
