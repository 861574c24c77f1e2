import {compose} from '../compose.ts';
import {revoke} from '../engine/grants/scopes.ts';
import {findRun} from '../engine/runs.ts';
import {kindOf} from '../scopes/registry.ts';
import {reasonOption, type Verb} from './verb.ts';

export const verb: Verb = {
	define(command) {
		reasonOption(command.argument('<run>').argument('<scope>'));
	},
	async run(io, [name, scope], options) {
		const context = compose();
		const run = findRun(context, name!);
		const {cut, left} = await revoke(context, run, scope!, options['because']);
		const kind = kindOf(scope!);
		if (kind?.afterRevoke === undefined) {
			const connections = `${cut} open ${cut === 1 ? 'connection was' : 'connections were'} cut`;
			io.out(`${scope} is off for ${run.id}; ${connections}\n`);
			return;
		}

		const effect =
			left === undefined
				? 'what is opened from now on is not there'
				: `but it stays until the run is next started: ${left}`;
		io.out(`${scope} is off for ${run.id}; ${effect}\n  note: ${kind.afterRevoke}: fleet stop ${run.id}\n`);
	},
};
