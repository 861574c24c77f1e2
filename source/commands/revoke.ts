import {compose} from '../compose.ts';
import {revoke} from '../engine/grants/scopes.ts';
import {findRun} from '../engine/runs.ts';
import {kindOf} from '../scopes/registry.ts';
import {sayRun} from './documents.ts';
import {define, json, reason, required} from './verb.ts';

export const verb = define({
	summary: 'turn a scope off; open connections are cut',
	arguments: {run: required('RUN'), scope: required('SCOPE')},
	options: {because: reason(), json},
	async run(io, {run: name, scope}, options) {
		const context = compose();
		const run = findRun(context, name);
		const {cut, left} = await revoke(context, run, {scope, because: options.because});
		const say = (text: string) => sayRun(io, context, {run: run.id, json: options.json, text});
		const kind = kindOf(scope);
		if (kind?.afterRevoke === undefined) {
			const connections = cut === 0 ? '' : `; ${cut} open ${cut === 1 ? 'connection was' : 'connections were'} cut`;
			say(`${scope} is off for ${run.id}${connections}\n`);
			return;
		}

		const effect =
			left === undefined
				? 'what is opened from now on is not there'
				: `but it stays until the run is next started: ${left}`;
		say(`${scope} is off for ${run.id}; ${effect}\n  note: ${kind.afterRevoke}: fleet stop ${run.id}\n`);
	},
});
